"""Who is in a space, and as what. Whoever comes in or goes out is told of by an event of their own.

The roles: `light` sees and comments, `regular` makes and changes items, `admin` changes apps, hooks and members. A space
always keeps an admin. People belong to an organization by being in one of its spaces: who is taken into a first one
comes to belong to it, and who leaves the last one does no more, unless they are its admin.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Literal

from msgspec import Struct
from sqlalchemy import ColumnElement, RowMapping, Table, delete, insert, select, update

from tidings.errors import Conflict, Invalid, NotFound
from tidings.events.outbox import NewEvent, append_many
from tidings.store.database import Tx
from tidings.store.schema import org_members, space_members, spaces, users
from tidings.workspace.access import Caller, Role, reach_org, reach_space, require_user
from tidings.workspace.accounts.users import User, find_users

PEOPLE_LIMIT = 200  # in one call


class Member(Struct, frozen=True):
    """A person in a space."""

    space_id: int
    user: User
    role: Role
    created_at: int


_MEMBERS = (
    select(space_members, users.c.username, users.c.name, users.c.created_at.label("since"))
    .join(users, users.c.user_id == space_members.c.user_id)
    .order_by(space_members.c.user_id)
)


# --- reading -----------------------------------------------------------------------------------------------------------


def list_members(tx: Tx, caller: Caller, space_id: int) -> list[Member]:
    """Everybody in the space, by id. Raises what `reach_space` raises."""
    reach_space(tx, caller, space_id)
    return [_member(row) for row in tx.execute(_MEMBERS.where(space_members.c.space_id == space_id)).mappings()]


def get_member(tx: Tx, caller: Caller, space_id: int, user_id: int) -> Member:
    """One of the people in the space. Raises `NotFound`, and what `reach_space` raises."""
    reach_space(tx, caller, space_id)
    row = tx.execute(_MEMBERS.where(_among(space_id, [user_id]))).mappings().first()
    if row is None:
        raise NotFound(parameters={"space_id": space_id, "user_id": user_id})
    return _member(row)


def _member(row: RowMapping) -> Member:
    user = User(row["user_id"], row["username"], row["name"], row["since"])
    return Member(row["space_id"], user, row["role"], row["created_at"])


# --- changing ----------------------------------------------------------------------------------------------------------


def add_members(
    tx: Tx,
    caller: Caller,
    space_id: int,
    role: Role,
    user_ids: Iterable[int],
    usernames: Iterable[str] = (),
    *,
    now: int,
    heard: bool = True,
) -> None:
    """Take people in, named by id or username. Who is in already keeps their role. Raises `Invalid` naming who does not exist."""
    org_id = _reach(tx, caller, space_id)
    found = _existing(tx, set(user_ids), set(usernames))
    _take_in(tx, caller, org_id, space_id, found, role, now=now, heard=heard)


def set_role(tx: Tx, caller: Caller, space_id: int, user_ids: Sequence[int], role: Role) -> None:
    """Give members another role. Raises `NotFound` for one who is none, `Conflict` when no admin would be left."""
    _reach(tx, caller, space_id)
    _check_present(tx, space_id, user_ids)
    tx.execute(update(space_members).where(_among(space_id, user_ids)).values(role=role))
    _keep_an_admin(tx, space_id)


def remove_members(tx: Tx, caller: Caller, space_id: int, user_ids: Sequence[int], *, now: int, heard: bool = True) -> None:
    """Take members out. Raises `NotFound` for one who is none, `Conflict` when no admin would be left."""
    org_id = _reach(tx, caller, space_id)
    _remove(tx, caller, org_id, space_id, user_ids, now=now, heard=heard)


def join_space(tx: Tx, caller: Caller, space_id: int, *, now: int, heard: bool = True) -> None:
    """Come into an open space of one's organization, as `regular`. Raises `Forbidden` for a closed one."""
    org_id = _reach(tx, caller, space_id, "light")
    _take_in(tx, caller, org_id, space_id, [require_user(caller)], "regular", now=now, heard=heard)


def leave_space(tx: Tx, caller: Caller, space_id: int, *, now: int, heard: bool = True) -> None:
    """Go. Raises `NotFound` for one who is no member, `Conflict` for the last admin."""
    org_id = _reach(tx, caller, space_id, "light")
    _remove(tx, caller, org_id, space_id, [require_user(caller)], now=now, heard=heard)


def _reach(tx: Tx, caller: Caller, space_id: int, role: Role = "admin") -> int:
    """The organization, locked: its people and those of its spaces change one call after the other."""
    org_id: int = reach_space(tx, caller, space_id, role)["org_id"]
    reach_org(tx, caller, org_id, lock=True)
    return org_id


def _existing(tx: Tx, user_ids: Collection[int], usernames: Collection[str]) -> set[int]:
    if len(user_ids) + len(usernames) > PEOPLE_LIMIT:
        raise Invalid(f"users: at most {PEOPLE_LIMIT} at once", parameters={"field": "users", "limit": PEOPLE_LIMIT})
    by_id = find_users(tx, user_ids)
    rows = tx.execute(select(users.c.username, users.c.user_id).where(users.c.username.in_(sorted(usernames)))).all()
    by_name = {row.username: row.user_id for row in rows}
    if missing := sorted(set(user_ids) - set(by_id)):
        raise Invalid(f"users: there is no user with id {missing[0]}", parameters={"users": missing})
    if unknown := sorted(set(usernames) - set(by_name)):
        raise Invalid(f"mails: nobody here is called {unknown[0]}", parameters={"mails": unknown})
    return {*by_id, *by_name.values()}


def _take_in(
    tx: Tx, caller: Caller, org_id: int, space_id: int, user_ids: Collection[int], role: Role, *, now: int, heard: bool
) -> None:  # fmt: skip
    new = _insert_missing(tx, space_members, {"space_id": space_id}, user_ids, role, now)
    _insert_missing(tx, org_members, {"org_id": org_id}, user_ids, "regular", now)
    append_many(tx, [member_event("add", caller, space_id, user_id, now=now, heard=heard) for user_id in new])


def _insert_missing(tx: Tx, table: Table, place: dict[str, int], user_ids: Collection[int], role: str, now: int) -> list[int]:
    [(name, number)] = place.items()
    asked = (table.c[name] == number) & table.c.user_id.in_(user_ids)
    present = set(tx.execute(select(table.c.user_id).where(asked)).scalars())
    new = sorted(set(user_ids) - present)
    for user_id in new:
        tx.execute(insert(table).values(**place, user_id=user_id, role=role, created_at=now))
    return new


def _check_present(tx: Tx, space_id: int, user_ids: Sequence[int]) -> None:
    if len(user_ids) > PEOPLE_LIMIT:
        raise Invalid(f"user_ids: at most {PEOPLE_LIMIT} at once", parameters={"field": "user_ids", "limit": PEOPLE_LIMIT})
    present = set(tx.execute(select(space_members.c.user_id).where(_among(space_id, user_ids))).scalars())
    missing = sorted(set(user_ids) - present)
    if missing:
        raise NotFound(parameters={"space_id": space_id, "user_id": missing[0]})


def _remove(
    tx: Tx, caller: Caller, org_id: int, space_id: int, user_ids: Sequence[int], *, now: int, heard: bool
) -> None:  # fmt: skip
    _check_present(tx, space_id, user_ids)
    tx.execute(delete(space_members).where(_among(space_id, user_ids)))
    _keep_an_admin(tx, space_id)
    elsewhere = select(space_members.c.user_id).join(spaces, spaces.c.space_id == space_members.c.space_id)
    stay = elsewhere.where(spaces.c.org_id == org_id, spaces.c.deleted_at.is_(None))
    gone = org_members.c.user_id.in_(user_ids) & org_members.c.user_id.not_in(stay) & (org_members.c.role != "admin")
    tx.execute(delete(org_members).where(org_members.c.org_id == org_id, gone))
    append_many(tx, [member_event("remove", caller, space_id, user_id, now=now, heard=heard) for user_id in sorted(set(user_ids))])


def member_event(what: Literal["add", "remove"], caller: Caller, space_id: int, user_id: int, *, now: int, heard: bool) -> NewEvent:
    """What is told of one person: `member.add`, `member.remove`."""
    return NewEvent(
        type=f"member.{what}",
        space_id=space_id,
        app_id=None,
        object_id=user_id,
        parameters={"space_id": str(space_id), "user_id": str(user_id)},
        created_by=caller.author,
        created_at=now,
        heard=heard,
    )


def _among(space_id: int, user_ids: Sequence[int]) -> ColumnElement[bool]:
    return (space_members.c.space_id == space_id) & space_members.c.user_id.in_(user_ids)


def _keep_an_admin(tx: Tx, space_id: int) -> None:
    admins = (space_members.c.space_id == space_id) & (space_members.c.role == "admin")
    if tx.execute(select(space_members.c.user_id).where(admins)).first() is None:
        raise Conflict("a space keeps at least one admin", parameters={"space_id": space_id})
