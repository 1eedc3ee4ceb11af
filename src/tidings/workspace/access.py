"""Who may do what. Every operation asks here first, and nobody else decides.

A caller is a user or an app (with the API client that it came through). A user acts through the role they have in a
space; an app's caller acts on that app alone. What is not there and what belongs to another organization are the same
answer, `NotFound`, so that ids cannot be probed; what lies in one's own organization but is not permitted is `Forbidden`
(contract section 0, decision 19).

An app or a space and the caller's roles are read in one statement: this is on the way of every change of every item.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, cast

from msgspec import Struct
from sqlalchemy import RowMapping, and_, bindparam, select

from tidings.errors import Forbidden, Gone, NotFound
from tidings.store.database import Tx
from tidings.store.schema import apps, org_members, orgs, server, space_members, spaces
from tidings.store.statements import Statement

Role = Literal["light", "regular", "admin"]
RANK: dict[str, int] = {"light": 1, "regular": 2, "admin": 3}

APP_RIGHTS: dict[Role, tuple[str, ...]] = {
    "light": ("view",),
    "regular": ("view", "add_item"),
    "admin": ("view", "add_item", "update", "delete", "add_hook"),
}
SPACE_RIGHTS: dict[Role, tuple[str, ...]] = {
    "light": ("view",),
    "regular": ("view",),
    "admin": ("view", "update", "delete", "add_app", "add_hook", "add_user_light", "add_user_regular", "add_user_admin"),
}
"""What a role comes to, in Podio's words: the `rights` of an app and of a space."""


class Caller(Struct, frozen=True):
    """Who is calling, and through which API client (0: none, as on the command line)."""

    kind: Literal["user", "app", "system"]
    id: int
    auth_client_id: int = 0

    @property
    def author(self) -> str:
        """How a row names who wrote it: `user:6@1`."""
        return f"{self.kind}:{self.id}@{self.auth_client_id}"

    @classmethod
    def from_author(cls, author: str) -> Caller:
        """The caller that wrote itself so."""
        kind, _, rest = author.partition(":")
        number, _, client = rest.partition("@")
        return cls(kind, int(number), int(client))  # type: ignore[arg-type]  # written by `author` above

    def wrote(self, author: str) -> bool:
        """Whether what `author` wrote is the caller's own, through whatever client. Everything is Tidings' own."""
        by = Caller.from_author(author)
        return self.kind == "system" or (by.kind, by.id) == (self.kind, self.id)

    @property
    def user_id(self) -> int:
        """The user who calls, or 0, which no user has."""
        return self.id if self.kind == "user" else 0


SYSTEM = Caller("system", 0)
"""Tidings itself: the command line and the seed. It may do anything."""


_IN_ORG = and_(org_members.c.org_id == spaces.c.org_id, org_members.c.user_id == bindparam("user_id"))
_IN_SPACE = and_(space_members.c.space_id == spaces.c.space_id, space_members.c.user_id == bindparam("user_id"))
_ROLES = (org_members.c.role.label("org_role"), space_members.c.role.label("space_role"))

SPACES_WITH_ROLES = select(spaces, *_ROLES).outerjoin(org_members, _IN_ORG).outerjoin(space_members, _IN_SPACE)
"""Spaces, each with the roles of the user whom the parameter `user_id` names; `held_role` reads such a row."""

APPS_WITH_ROLES = (
    select(apps, spaces.c.org_id, spaces.c.privacy, spaces.c.deleted_at.label("space_deleted_at"), *_ROLES)
    .join(spaces, spaces.c.space_id == apps.c.space_id)
    .outerjoin(org_members, _IN_ORG)
    .outerjoin(space_members, _IN_SPACE)
)
"""Apps, likewise."""

_SPACE = SPACES_WITH_ROLES.where(spaces.c.space_id == bindparam("space_id"))
_SPACE_LOCKED = _SPACE.with_for_update(of=spaces, key_share=True)
_ONE_APP = APPS_WITH_ROLES.where(apps.c.app_id == bindparam("app_id"))
_APP_COLUMNS = tuple(APPS_WITH_ROLES.selected_columns.keys())
_APP, _APP_LOCKED = Statement(_ONE_APP), Statement(_ONE_APP.with_for_update(of=apps, key_share=True))  # on the way of every item
_APP_IN_ORG = (
    select(apps.c.app_id)
    .join(spaces, spaces.c.space_id == apps.c.space_id)
    .where(apps.c.app_id == bindparam("app_id"), spaces.c.org_id == bindparam("org_id"))
)
_ORG = (
    select(orgs, org_members.c.role.label("org_role"))
    .outerjoin(org_members, and_(org_members.c.org_id == orgs.c.org_id, org_members.c.user_id == bindparam("user_id")))
    .where(orgs.c.org_id == bindparam("org_id"))
)
_ORG_LOCKED = _ORG.with_for_update(of=orgs, key_share=True)


def reach_space(tx: Tx, caller: Caller, space_id: int, role: Role = "light", *, lock: bool = False) -> RowMapping:
    """The row of a space in which `caller` has at least `role`; `lock` makes others who lock it wait for our commit.

    Raises `NotFound` when it is not there or out of reach, `Forbidden` when their role is lower, `Gone` when it was deleted.
    """
    statement = _SPACE_LOCKED if lock else _SPACE
    space = tx.execute(statement, {"space_id": space_id, "user_id": caller.user_id}).mappings().first()
    if space is None:
        raise NotFound(parameters={"space_id": space_id})
    _require(tx, caller, held_role(caller, space), role, space, "space", space_id)
    if space["deleted_at"] is not None:
        raise Gone(parameters={"space_id": space_id})
    return space


def reach_app(tx: Tx, caller: Caller, app_id: int, role: Role = "light", *, lock: bool = False) -> RowMapping:
    """The row of an app, and its `org_id`, on which `caller` has at least `role`; an app's own caller is its admin.

    Raises `NotFound`, `Forbidden` and `Gone` as `reach_space` does, and `lock` is as there.
    """
    statement = _APP_LOCKED if lock else _APP
    found = statement.first(tx, {"app_id": app_id, "user_id": caller.user_id})
    if found is None:
        raise NotFound(parameters={"app_id": app_id})
    app = app_row(found)
    let_into_app(tx, caller, app, role)
    return app


def app_row(columns: Sequence[Any]) -> RowMapping:
    """What `APPS_WITH_ROLES` selected, by name."""
    return cast(RowMapping, dict(zip(_APP_COLUMNS, columns, strict=True)))  # it is read as one


def let_into_app(tx: Tx, caller: Caller, app: RowMapping, role: Role) -> None:
    """The judgement of `reach_app` on a row that has been read. Raises what it raises."""
    _require(tx, caller, held_role(caller, app), role, app, "app", app["app_id"])
    if app["deleted_at"] is not None or app["space_deleted_at"] is not None:
        raise Gone(parameters={"app_id": app["app_id"]})


def reach_org(tx: Tx, caller: Caller, org_id: int, *, admin: bool = False, lock: bool = False) -> RowMapping:
    """The row of the organization, to which `caller` belongs (as its admin, if asked).

    Raises `NotFound` and `Forbidden`; `lock` is as in `reach_space`.
    """
    org = tx.execute(_ORG_LOCKED if lock else _ORG, {"org_id": org_id, "user_id": caller.user_id}).mappings().first()
    if org is None or not _belongs(tx, caller, org):
        raise NotFound(parameters={"org_id": org_id})
    if caller.kind == "app" or (admin and caller.kind == "user" and org["org_role"] != "admin"):
        right = "admin" if admin else "view"
        raise Forbidden(f"The {caller.kind} with id {caller.id} does not have the right {right} on org with id {org_id}")
    return org


def held_role(caller: Caller, row: RowMapping) -> Role | None:
    """The role of `caller` on the space or app that a row tells of, with the caller's roles beside it.

    An organization's admin is admin in all its spaces; an open space lets the organization's people look.
    """
    if caller.kind == "app":
        return "admin" if row.get("app_id") == caller.id else None
    if caller.kind == "system" or row["org_role"] == "admin":
        return "admin"
    held: Role | None = row["space_role"]
    if held is None and row["org_role"] is not None and row["privacy"] == "open":
        return "light"
    return held


def require_user(caller: Caller) -> int:
    """The id of the person who calls. Raises `Forbidden` for a caller that is no person."""
    if caller.kind != "user":
        raise Forbidden(f"The {caller.kind} with id {caller.id} is not a user, and only a user may do this")
    return caller.id


def alone_on_server(tx: Tx) -> None:
    """Make others who ask for the same wait for our commit: for what must be unique on the whole server."""
    tx.execute(select(server.c.server_id).with_for_update(key_share=True))


def _require(tx: Tx, caller: Caller, held: Role | None, wanted: Role, row: RowMapping, noun: str, number: int) -> None:
    if held is not None and RANK[held] >= RANK[wanted]:
        return
    if held is None and not _belongs(tx, caller, row):
        raise NotFound(parameters={f"{noun}_id": number})
    right = {"light": "view", "regular": "update", "admin": "admin"}[wanted]
    raise Forbidden(f"The {caller.kind} with id {caller.id} does not have the right {right} on {noun} with id {number}")


def _belongs(tx: Tx, caller: Caller, row: RowMapping) -> bool:
    """Whether `caller` is of the organization that a row tells of."""
    if caller.kind == "app":
        return tx.execute(_APP_IN_ORG, {"app_id": caller.id, "org_id": row["org_id"]}).first() is not None
    return caller.kind == "system" or row["org_role"] is not None
