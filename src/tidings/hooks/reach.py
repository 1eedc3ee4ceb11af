"""From an id to the hook, or to the object that hooks hang on: for those who may add hooks there, and nobody else.

The right is `add_hook`: the admins of the space, and an app's own token on that app.
"""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct
from sqlalchemy import RowMapping, bindparam, select, update

from tidings.errors import NotFound
from tidings.events.types import SCOPES
from tidings.store.database import Tx
from tidings.store.schema import apps, fields, hooks, server, spaces
from tidings.workspace.access import Caller, reach_app, reach_space
from tidings.workspace.names import not_one_of


class Place(Struct, frozen=True):
    """What a hook hangs on: the app it is in (None for a space's hook) and the space."""

    app_id: int | None
    space_id: int


_HOOK = select(hooks).where(hooks.c.hook_id == bindparam("hook_id"), hooks.c.deleted_at.is_(None))


def reach_hook(tx: Tx, caller: Caller, hook_id: int) -> RowMapping:
    """The row of a hook that `caller` may change. Raises `NotFound` (also for a deleted one), `Forbidden`, `Gone`."""
    hook = tx.execute(_HOOK, {"hook_id": hook_id}).mappings().first()
    if hook is None:
        raise NotFound(parameters={"hook_id": hook_id})
    reach_place(tx, caller, hook["ref_type"], hook["ref_id"])
    return hook


def reach_place(tx: Tx, caller: Caller, ref_type: str, ref_id: int) -> Place:
    """The object that a hook hangs on, which `caller` must be an admin of. Raises `NotFound`, `Forbidden`, `Gone`."""
    check_ref_type(ref_type)
    return _REACH[ref_type](tx, caller, ref_id)


def take_turns(tx: Tx, place: Place) -> None:
    """Lock what hooks hang on, so that two who make or move hooks there at once see each other (SQLite takes turns anyway)."""
    table, key, number = (apps, apps.c.app_id, place.app_id) if place.app_id else (spaces, spaces.c.space_id, place.space_id)
    tx.execute(select(key).select_from(table).where(key == number).with_for_update())


def lock_hook(tx: Tx, hook_id: int) -> RowMapping:
    """The hook's row, for us alone until we commit. Raises `NotFound` where it was deleted since the caller reached it."""
    hook = tx.execute(select(hooks).where(hooks.c.hook_id == hook_id, hooks.c.deleted_at.is_(None)).with_for_update()).mappings().first()
    if hook is None:
        raise NotFound(parameters={"hook_id": hook_id})
    return hook


def hooks_changed(tx: Tx) -> None:
    """Make every process's index of hooks stale: say this in every transaction that changes what matching sees."""
    tx.execute(update(server).values(hooks_version=server.c.hooks_version + 1))


def _reach_app(tx: Tx, caller: Caller, app_id: int) -> Place:
    return Place(app_id, reach_app(tx, caller, app_id, "admin")["space_id"])


def _reach_field(tx: Tx, caller: Caller, field_id: int) -> Place:
    app_id = tx.execute(select(fields.c.app_id).where(fields.c.field_id == field_id, fields.c.status == "active")).scalar()
    if app_id is None:
        raise NotFound(parameters={"field_id": field_id})
    return _reach_app(tx, caller, app_id)


def _reach_space(tx: Tx, caller: Caller, space_id: int) -> Place:
    return Place(None, reach_space(tx, caller, space_id, "admin")["space_id"])


_REACH: dict[str, Callable[[Tx, Caller, int], Place]] = {"app": _reach_app, "app_field": _reach_field, "space": _reach_space}


def check_ref_type(ref_type: str) -> None:
    """Raise `Invalid`, listing the names allowed, unless hooks hang on objects of this kind."""
    if ref_type not in SCOPES:
        raise not_one_of(ref_type, SCOPES, "ref_type")
