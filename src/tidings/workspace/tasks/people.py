"""Who may be responsible for a task: whoever can see what it hangs on, and for a task on nothing, a colleague of who makes it.

Who is not there and who is elsewhere are refused in the same words, so that nobody learns who has an account.
"""

from __future__ import annotations

from msgspec import UnsetType
from sqlalchemy import bindparam, select

from tidings.errors import Forbidden, Invalid, NotFound
from tidings.store.database import Tx
from tidings.store.schema import apps, org_members, spaces, users
from tidings.workspace.access import Caller
from tidings.workspace.anchors import Anchor, reach_anchor
from tidings.workspace.tasks.lists import TASK_REFS
from tidings.workspace.tasks.parts import Named, People, read_people

_BY_NAME = select(users.c.user_id).where(users.c.username == bindparam("username"))
_IN_THEIR_ORGS = select(org_members.c.user_id).where(
    org_members.c.user_id == bindparam("of_user"),
    org_members.c.org_id.in_(select(org_members.c.org_id).where(org_members.c.user_id == bindparam("by_user"))),
)
_IN_ORG_OF_APP = (
    select(org_members.c.user_id)
    .join(spaces, spaces.c.org_id == org_members.c.org_id)
    .join(apps, apps.c.space_id == spaces.c.space_id)
    .where(org_members.c.user_id == bindparam("of_user"), apps.c.app_id == bindparam("by_app"))
)


def find_people(
    tx: Tx, caller: Caller, given: People | UnsetType, anchor: Anchor | None, *, already: int | None = None
) -> list[int] | None:
    """The people who are named, each once; None where nothing is said. Who is responsible `already` may stay it.

    Raises `Invalid` for one who cannot be responsible.
    """
    named = read_people(given)
    if named is None:
        return None
    ids = list(dict.fromkeys(_user_id(tx, each) for each in named))
    for user_id in ids:
        if user_id != already:
            check_sees(tx, caller, user_id, anchor)
    return ids


def _user_id(tx: Tx, named: Named) -> int:
    if named.user_id is not None:
        return named.user_id
    found: int | None = tx.execute(_BY_NAME, {"username": named.username}).scalar()
    if found is None:
        raise _not_them(named.username)
    return found


def check_sees(tx: Tx, caller: Caller, user_id: int, anchor: Anchor | None) -> None:
    """Raise `Invalid` unless this is somebody who can see what the task hangs on, or a colleague where it hangs on nothing."""
    if not (_are_colleagues(tx, caller, user_id) if anchor is None else _sees(tx, user_id, anchor)):
        raise _not_them(user_id)


def _sees(tx: Tx, user_id: int, anchor: Anchor) -> bool:
    try:
        reach_anchor(tx, Caller("user", user_id), anchor.ref_type, anchor.ref_id, among=TASK_REFS)
    except (NotFound, Forbidden):
        return False
    return True


def _are_colleagues(tx: Tx, caller: Caller, user_id: int) -> bool:
    match caller.kind:
        case "user":
            return user_id == caller.id or tx.execute(_IN_THEIR_ORGS, {"of_user": user_id, "by_user": caller.id}).first() is not None
        case "app":
            return tx.execute(_IN_ORG_OF_APP, {"of_user": user_id, "by_app": caller.id}).first() is not None
        case "system":
            return tx.execute(select(users.c.user_id).where(users.c.user_id == user_id)).first() is not None


def _not_them(whom: int | str | None) -> Invalid:
    return Invalid(
        f"responsible: {whom} is nobody who can see what the task hangs on, or whom you share an organization with",
        parameters={"field": "responsible", "responsible": whom},
    )
