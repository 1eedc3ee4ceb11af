"""Records that a client makes and changes by naming some of their parts, in JSON: an app's config, a field's, a space's.

One rule for all of them: what is not named stays, null means the default, and what we do not know is dropped, as clients
send back what they once read elsewhere. The record's type says once what each part may be. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec
from msgspec import Struct

from tidings.errors import Invalid

S = TypeVar("S", bound=Struct)

Parts = Mapping[str, Any]
"""Some parts of a record, as JSON names and writes them."""


def changed(shape: type[S], before: Struct | Parts, given: Parts, what: str) -> S:
    """`before`, with what is `given` set. Raises `Invalid`, beginning with `what` and the part's name."""
    return read(shape, merged(before, given), what)


def merged(before: Struct | Parts, given: Parts) -> dict[str, Any]:
    """The parts of `before` that stay, and those that are `given`."""
    held = msgspec.to_builtins(before) if isinstance(before, Struct) else before
    stays = {name: value for name, value in held.items() if name not in given}
    return stays | {name: value for name, value in given.items() if value is not None}


def read(shape: type[S], parts: Parts, what: str) -> S:
    """`parts` as a whole record. Raises `Invalid`, beginning with `what` and the part's name."""
    try:
        return msgspec.convert(parts, shape)
    except msgspec.ValidationError as error:
        raise _named(str(error), what) from None


_FAULT = re.compile(r"(?P<fault>.*?)(?: - at `(?P<key>key` in `)?\$(?P<path>[^`]*)`)?", re.DOTALL)
_MISSING = re.compile(r"Object missing required field `(?P<name>[^`]*)`")


def _named(complaint: str, what: str) -> Invalid:
    """A complaint of msgspec's, as a sentence that begins with the part."""
    match = _FAULT.fullmatch(complaint)
    assert match is not None  # the pattern takes any text
    path, fault = f"{what}{match['path'] or ''}", match["fault"]
    if missing := _MISSING.fullmatch(fault):
        path, fault = f"{path}.{missing['name']}", "is missing"
    else:
        fault = fault.replace("Expected ", "must be ").replace(", got ", ", not ")
    path = path.removeprefix(".")
    return Invalid(f"{path or 'The body'}: {fault[:1].lower()}{fault[1:]}", parameters={"field": path})
