"""What something hangs on: from the `ref_type` and `ref_id` of a comment, file, task or tag to the object they mean.

An anchor is an item, an app, a space, or a status, task or comment in one of these. Who may see it is asked of the app or
the space that it is in; a private task, and one that hangs on nothing, is its creator's and its responsible person's
alone. What is not there and what is out of reach are the same `NotFound`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from msgspec import Struct
from sqlalchemy import RowMapping, Table, bindparam, select, update

from tidings.errors import Gone, NotFound
from tidings.store.database import Tx
from tidings.store.schema import comments, items, statuses, tasks
from tidings.workspace.access import Caller, Role, held_role, reach_app, reach_space
from tidings.workspace.items.rows import find_item
from tidings.workspace.names import not_one_of


class Anchor(Struct, frozen=True):
    """An object that something hangs on, as one caller sees it."""

    ref_type: str
    ref_id: int
    app_id: int | None
    space_id: int | None  # None for a task that hangs on nothing
    role: Role  # of the caller, on the app or the space
    item_id: int | None = None  # the item it is, or hangs on itself


def reach_anchor(
    tx: Tx, caller: Caller, ref_type: str, ref_id: int, role: Role = "light", *, among: Sequence[str], lock: bool = False
) -> Anchor:
    """The object, on which `caller` has at least `role`; `lock` makes others who lock it wait for our commit.

    Raises `Invalid` for a ref_type that is not `among` those that make sense; `NotFound`, `Forbidden`, and `Gone` for what
    was deleted.
    """
    if ref_type not in among:
        raise not_one_of(ref_type, among, "ref_type")
    return _REACH[ref_type](tx, caller, ref_id, role, lock=lock)


def count_on_item(tx: Tx, item_id: int, *, comments: int = 0, files: int = 0, tasks: int = 0, tags: int = 0) -> None:
    """Add to the numbers that an item's row keeps of what hangs on it. The item is locked already."""
    c = items.c
    counts = {
        c.comment_count: c.comment_count + comments,
        c.file_count: c.file_count + files,
        c.task_count: c.task_count + tasks,
        c.tag_count: c.tag_count + tags,
    }
    tx.execute(update(items).where(c.item_id == item_id).values(counts))


# --- one way for each kind ---------------------------------------------------------------------------------------------


def _item(tx: Tx, caller: Caller, item_id: int, role: Role, *, lock: bool = False) -> Anchor:
    item = find_item(tx, item_id, lock=lock)
    if item is None:
        raise NotFound(parameters={"item_id": item_id})
    try:
        app = reach_app(tx, caller, item.app_id, role)
    except NotFound:
        raise NotFound(parameters={"item_id": item_id}) from None
    if item.deleted_at is not None:
        raise Gone(parameters={"item_id": item_id})
    return Anchor("item", item_id, item.app_id, app["space_id"], _held(caller, app), item_id)


def _app(tx: Tx, caller: Caller, app_id: int, role: Role, *, lock: bool = False) -> Anchor:
    app = reach_app(tx, caller, app_id, role, lock=lock)
    return Anchor("app", app_id, app_id, app["space_id"], _held(caller, app))


def _space(tx: Tx, caller: Caller, space_id: int, role: Role, *, lock: bool = False) -> Anchor:
    space = reach_space(tx, caller, space_id, role, lock=lock)
    return Anchor("space", space_id, None, space_id, _held(caller, space))


def _status(tx: Tx, caller: Caller, status_id: int, role: Role, *, lock: bool = False) -> Anchor:
    status = _row(tx, statuses, "status_id", status_id, lock=lock)
    space = _within("status_id", status_id, _space, tx, caller, status["space_id"], role)
    _refuse_deleted(status, "status_id")
    return Anchor("status", status_id, None, space.space_id, space.role)


def _task(tx: Tx, caller: Caller, task_id: int, role: Role, *, lock: bool = False) -> Anchor:
    task = _row(tx, tasks, "task_id", task_id, lock=lock)
    mine = caller.wrote(task["created_by"]) or (caller.kind == "user" and task["responsible_id"] == caller.id)
    if not mine and (task["private"] or task["ref_type"] is None):
        raise NotFound(parameters={"task_id": task_id})
    if task["ref_type"] is None:
        found = Anchor("task", task_id, None, None, "admin")
    else:
        on = _within("task_id", task_id, _REACH[task["ref_type"]], tx, caller, task["ref_id"], "light" if mine else role)
        found = Anchor("task", task_id, on.app_id, on.space_id, on.role, on.item_id)
    _refuse_deleted(task, "task_id")
    return found


def _comment(tx: Tx, caller: Caller, comment_id: int, role: Role, *, lock: bool = False) -> Anchor:
    comment = _row(tx, comments, "comment_id", comment_id, lock=lock)
    on = _within("comment_id", comment_id, _REACH[comment["ref_type"]], tx, caller, comment["ref_id"], role)
    _refuse_deleted(comment, "comment_id")
    return Anchor("comment", comment_id, on.app_id, on.space_id, on.role, on.item_id)


class Reach(Protocol):
    """How an anchor of one kind is reached."""

    def __call__(self, tx: Tx, caller: Caller, ref_id: int, role: Role, /, *, lock: bool = False) -> Anchor:
        """See `reach_anchor`."""


_REACH: dict[str, Reach] = {"item": _item, "app": _app, "space": _space, "status": _status, "task": _task, "comment": _comment}


def _within(name: str, number: int, reach: Reach, tx: Tx, caller: Caller, ref_id: int, role: Role) -> Anchor:
    """What the object hangs on; out of reach is said of the object itself, so that nobody learns where it is."""
    try:
        return reach(tx, caller, ref_id, role)
    except NotFound:
        raise NotFound(parameters={name: number}) from None


def _row(tx: Tx, table: Table, key: str, number: int, *, lock: bool) -> RowMapping:
    wanted = select(table).where(table.c[key] == bindparam("number"))
    row = tx.execute(wanted.with_for_update(key_share=True) if lock else wanted, {"number": number}).mappings().first()
    if row is None:
        raise NotFound(parameters={key: number})
    return row


def _refuse_deleted(row: RowMapping, key: str) -> None:
    if row["deleted_at"] is not None:
        raise Gone(parameters={key: row[key]})


def _held(caller: Caller, row: RowMapping) -> Role:
    role = held_role(caller, row)
    assert role is not None  # they have been let in
    return role
