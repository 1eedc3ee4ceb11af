"""Scopes: which part of the API a token opens, as `user:read space:all` (contract section 4.2). Pure.

A scope is a noun (`global`, `user`, `org`, `space`, `app`) and a permission (`read`, `write`, `delete`, or `all` for the
three); `global` is every noun. What a call needs is read off its row: the permission from the method, the noun from the
path. A scope only takes away: whoever holds the token can do no more than their rights allow, whatever it says.

A noun that hangs on either an app or a space belongs to both; where the path says which (`/comment/item/7`,
`/hook/space/3`), that one is needed, and where it has only an id (`/comment/9`), one of the two will do.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from tidings.errors import Forbidden, InvalidScope

EVERYTHING = "global:all"
"""The scope of whoever asks for none."""

NOUNS = ("global", "user", "org", "space", "app")
PERMISSIONS = ("read", "write", "delete")
LONGEST = 500  # characters; every noun with every permission takes 260

_APP, _SPACE, _EITHER = ("app",), ("space",), ("app", "space")

PATHS: dict[str, tuple[str, ...]] = {
    "user": ("user",),
    "client": ("user",),
    "org": ("org",),
    "space": _SPACE,
    "contact": _SPACE,
    "status": _SPACE,
    "app": _APP,
    "item": _APP,
    "form": _APP,
    "tag": _APP,
    "hook": _EITHER,
    "replay": _EITHER,
    "comment": _EITHER,
    "file": _EITHER,
    "task": _EITHER,
    "rating": _EITHER,
}
"""Which nouns' scope opens the paths that begin with a word. Any other word needs `global`."""

REFS: dict[str, tuple[str, ...]] = {"app": _APP, "app_field": _APP, "item": _APP, "space": _SPACE, "status": _SPACE}
"""The same for a ref_type in the path, where it says more than the path's first word."""


class Right(NamedTuple):
    """What a call needs: this permission on one of these nouns, or on `global`."""

    nouns: tuple[str, ...]
    permission: str

    def __str__(self) -> str:
        return " or ".join(f"{noun}:{self.permission}" for noun in self.nouns)


# --- the text ----------------------------------------------------------------------------------------------------------


def checked_scope(text: str) -> str:
    """The scope that `text` asks for, its parts once each and a space between; all there is, where it is empty.

    The parts may be parted by spaces or by commas. Raises `InvalidScope` for a part that is none.
    """
    if len(text) > LONGEST:
        raise InvalidScope(f"scope: is longer than {LONGEST} characters")
    parts = dict.fromkeys(part for part in re.split(r"[ ,\t\r\n]+", text) if part)
    for part in parts:
        _read_part(part)
    return " ".join(parts) or EVERYTHING


@lru_cache(maxsize=1024)
def read_scope(scope: str) -> frozenset[tuple[str, str]]:
    """The nouns and permissions of a checked scope, `all` spelled out."""
    return frozenset(grant for part in scope.split() for grant in _read_part(part))


def _read_part(part: str) -> list[tuple[str, str]]:
    noun, _, permission = part.partition(":")
    permissions = PERMISSIONS if permission == "all" else (permission,)
    if noun not in NOUNS or not set(permissions) <= set(PERMISSIONS):
        shown = part[:40].encode("ascii", "replace").decode()
        known = {"nouns": list(NOUNS), "permissions": [*PERMISSIONS, "all"]}
        raise InvalidScope(f"'{shown}' is no scope: it is one of {', '.join(NOUNS)} with :read, :write, :delete or :all", parameters=known)
    return [(noun, each) for each in permissions]


def narrowed(scope: str, asked: str) -> str:
    """What a refresh asks for, out of what was given; all of that, where it asks for nothing.

    Raises `InvalidScope` for a scope that is none, or that was not given.
    """
    if not asked:
        return scope
    wanted = checked_scope(asked)
    if not all(allows(scope, Right((noun,), permission)) for noun, permission in read_scope(wanted)):
        raise InvalidScope("The scope is more than was given", parameters={"scope": scope})
    return wanted


# --- what a call needs -------------------------------------------------------------------------------------------------


def right_needed(method: str, path: str) -> Right:
    """What the row of this method and path needs. A filter reads, however it is sent; and a bulk delete deletes."""
    noun, *rest = path.strip("/").split("/")
    permission = {"GET": "read", "DELETE": "delete"}.get(method, "write")
    if method == "POST" and rest and rest[-1] == "delete":
        permission = "delete"
    if method == "POST" and "filter" in rest:
        permission = "read"
    nouns = PATHS.get(noun, ("global",))
    return narrowed_to(Right(nouns, permission), rest[0] if rest else "")


def narrowed_to(right: Right, ref_type: str) -> Right:
    """`right`, where the path names what its object hangs on."""
    return Right(REFS[ref_type], right.permission) if right.nouns == _EITHER and ref_type in REFS else right


def allows(scope: str, right: Right) -> bool:
    """Whether a token of this scope opens what needs `right`."""
    held = read_scope(scope)
    return any((noun, right.permission) in held for noun in (*right.nouns, "global"))


def require(scope: str, right: Right) -> None:
    """Raises `Forbidden`, naming what is needed, when `scope` does not hold it."""
    if not allows(scope, right):
        raise Forbidden(f"The token's scope is '{scope}'; this needs {right}", detail="oauth.scope", parameters={"scope": str(right)})
