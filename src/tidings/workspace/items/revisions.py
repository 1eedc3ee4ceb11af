"""The revisions of items: what each was when it had changed, who changed it, and how two of them differ.

The record outlives the item: of a deleted one, all revisions can still be read, the last of the type `delete` with the
values that it had. That is how a receiver of `item.delete` learns what is gone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from msgspec import Struct
from sqlalchemy import ColumnElement, bindparam, literal_column, select

from tidings.errors import NotFound
from tidings.store.database import Tx
from tidings.store.schema import item_revisions, items
from tidings.store.statements import Statement
from tidings.workspace.access import Caller
from tidings.workspace.fields.fieldsets import Slot, Values, fieldset
from tidings.workspace.items.items import reach_item
from tidings.workspace.items.references import look_up
from tidings.workspace.items.rows import Item, decode_values


class Revision(Struct, frozen=True):
    """One revision. `created_at` is microseconds since the epoch, `created_by` an author."""

    item_id: int
    revision: int  # the number that events carry, from 0
    item_revision_id: int  # one of a kind on the whole server
    type: str  # creation | update | delete
    app_revision: int
    created_by: str
    created_at: int


class Difference(Struct, frozen=True):
    """How one field differs between two revisions, its values as they are answered."""

    slot: Slot
    before: list[object]
    after: list[object]


_COLUMNS = (
    item_revisions.c.item_id,
    item_revisions.c.revision,
    item_revisions.c.item_revision_id,
    item_revisions.c.type,
    item_revisions.c.app_revision,
    item_revisions.c.created_by,
    item_revisions.c.created_at,
)
_ALL = Statement(
    select(*_COLUMNS).where(item_revisions.c.item_id == bindparam("item_id")).order_by(item_revisions.c.revision)
)  # fmt: skip
_OF_ITEM = item_revisions.c.item_id == bindparam("item_id")
_ONE = Statement(select(*_COLUMNS).where(_OF_ITEM, item_revisions.c.revision == bindparam("revision")))
_VALUES = Statement(select(item_revisions.c.field_values).where(_OF_ITEM, item_revisions.c.revision == bindparam("revision")))
_FIRST: ColumnElement[int] = literal_column("0")
_ENDS_OF_ONE = Statement(select(*_COLUMNS).where(_OF_ITEM, item_revisions.c.revision.in_((_FIRST, bindparam("revision")))))
_ENDS_OF_MANY = (
    select(*_COLUMNS)
    .join(items, items.c.item_id == item_revisions.c.item_id)
    .where((item_revisions.c.revision == _FIRST) | (item_revisions.c.revision == items.c.revision))
    .where(items.c.item_id.in_(bindparam("ids", expanding=True)))
)


def list_revisions(tx: Tx, caller: Caller, item_id: int) -> list[Revision]:
    """All revisions of an item, oldest first. Raises `NotFound`, `Forbidden`."""
    reach_item(tx, caller, item_id, even_deleted=True)
    return [Revision(*row) for row in _ALL.all(tx, {"item_id": item_id})]


def get_revision(tx: Tx, caller: Caller, item_id: int, number: int) -> Revision:
    """One revision of an item. Raises `NotFound`, `Forbidden`."""
    reach_item(tx, caller, item_id, even_deleted=True)
    return Revision(*_required(_ONE, tx, item_id, number))


def compare_revisions(tx: Tx, caller: Caller, item_id: int, before: int, after: int) -> list[Difference]:
    """The fields whose values differ between two revisions of an item, in their order. Raises `NotFound`, `Forbidden`."""
    _, app = reach_item(tx, caller, item_id, even_deleted=True)
    old, new = (values_after(tx, item_id, number) for number in (before, after))
    those = fieldset(tx, app)
    known = look_up(tx, caller, app, those, (old, new))
    different = [slot for slot in those.slots if old.get(slot.field.field_id) != new.get(slot.field.field_id)]
    return [Difference(slot, slot.show(old, known), slot.show(new, known)) for slot in different]


def values_after(tx: Tx, item_id: int, number: int) -> Values:
    """The values of the item after a revision. Asks for no right. Raises `NotFound` where there is no such revision."""
    return decode_values(_required(_VALUES, tx, item_id, number)[0])


def _required(statement: Statement, tx: Tx, item_id: int, number: int) -> tuple[Any, ...]:
    row = statement.first(tx, {"item_id": item_id, "revision": number})
    if row is None:
        raise NotFound(parameters={"item_id": item_id, "revision": number})
    return row


def first_and_last(tx: Tx, those: Sequence[Item]) -> dict[int, tuple[Revision, Revision]]:
    """The first revision of each item, and the one that it is at. Asks for no right."""
    if len(those) == 1:
        [item] = those
        rows: Iterable[Sequence[Any]] = _ENDS_OF_ONE.all(tx, {"item_id": item.item_id, "revision": item.revision})
    else:
        rows = tx.execute(_ENDS_OF_MANY, {"ids": [item.item_id for item in those]})
    ends: dict[int, list[Revision]] = {}
    for row in rows:
        ends.setdefault(row[0], []).append(Revision(*row))
    return {item_id: (min(pair, key=_number), max(pair, key=_number)) for item_id, pair in ends.items()}


def _number(revision: Revision) -> int:
    return revision.revision
