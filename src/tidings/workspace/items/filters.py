"""Finding items of one app: filtered, sorted, a page at a time, with how many there are and how many match.

The matches of the rarest term about a field are found in its index, and each of them is looked at for the other terms.
Where one item in twenty matches, the items are walked in the order of the answer instead, until the page is full. A sort
by a field takes its index as the order, and the items without a value come last, either way. Items that compare equal
lie in the order they were made, in the direction of the sort. How many items there are in all, nobody counts: the app's row
says so.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from msgspec import Struct
from sqlalchemy import ColumnElement, RowMapping, Select, UnaryExpression, func, select

from tidings.store.database import Tx
from tidings.store.schema import item_values, items
from tidings.workspace.access import Caller, reach_app
from tidings.workspace.fields.fieldsets import Fieldset, Slot, fieldset
from tidings.workspace.items.filter_terms import Condition, EmptyTerm, FieldTerm, ItemTerm, Term, read_terms
from tidings.workspace.items.rows import Item, find_items
from tidings.workspace.values.given import wrong

DEFAULT_LIMIT = 30
GREATEST_LIMIT = 500  # items of one page
WIDE = 20  # one item in as many matches: walking to them is cheaper than looking them all up


class Wanted(Struct, frozen=True):
    """What is to be found, and in which order. `filters` are as a caller writes them: see `filter_terms.py`."""

    filters: object = None
    external_id: str | None = None  # of the items, whatever fields the app has
    sort_by: str | int | None = None  # a field, or one of `_SORTS`; None: created_on
    sort_desc: bool = True
    limit: int = DEFAULT_LIMIT
    offset: int = 0


class Page(Struct, frozen=True):
    """Some of the items that match."""

    total: int  # items of the app
    filtered: int  # of those, that match
    items: list[Item]


def filter_items(tx: Tx, caller: Caller, app_id: int, wanted: Wanted) -> Page:
    """One page of what is wanted. Raises `Invalid`, naming the term; `NotFound`, `Forbidden`, `Gone`."""
    return find_page(tx, reach_app(tx, caller, app_id), wanted)


def count_items(tx: Tx, caller: Caller, app_id: int) -> int:
    """How many items the app has. Raises `NotFound`, `Forbidden`, `Gone`."""
    return _live_items(reach_app(tx, caller, app_id))


def find_page(tx: Tx, app: RowMapping, wanted: Wanted) -> Page:
    """The same for an app that the caller has been let into."""
    app_id, those = app["app_id"], fieldset(tx, app)
    terms = read_terms(those, wanted.filters)
    if wanted.external_id is not None:
        terms.append(ItemTerm(items.c.external_id == wanted.external_id))
    order = _read_order(those, wanted)
    total = _live_items(app)
    matches = _matches(tx, app_id, terms, total)
    if wanted.offset >= matches.count:
        ids = []
    elif isinstance(order, Slot):
        ids = _by_field(tx, app_id, order, matches, wanted)
    elif order is items.c.item_id and matches.found is not None:
        (item_id,) = matches.found.selected_columns
        ids = _ids(tx, matches.found.order_by(_directed(item_id, wanted.sort_desc)), wanted.limit, wanted.offset)
    else:
        query = _live(app_id).where(*matches.hold(items.c.item_id))
        ordered = query.order_by(_directed(order, wanted.sort_desc), _directed(items.c.item_id, wanted.sort_desc))
        ids = _ids(tx, ordered, wanted.limit, wanted.offset)
    return Page(total, matches.count, find_items(tx, ids))


def _live_items(app: RowMapping) -> int:
    return int(app["items_made"]) - int(app["items_deleted"])


_SORTS: dict[str, ColumnElement[Any]] = {
    "created_on": items.c.item_id,  # ids are given in the order of creation
    "item_id": items.c.item_id,
    "app_item_id": items.c.app_item_id,
    "last_edit_on": items.c.last_event_at,
    "title": items.c.title,
}


def _read_order(those: Fieldset, wanted: Wanted) -> ColumnElement[Any] | Slot:
    """The column to sort by, or the field."""
    if wanted.sort_by is None:
        return items.c.item_id
    slot = those.find(wanted.sort_by)
    if slot is not None:
        return slot
    if isinstance(wanted.sort_by, str) and wanted.sort_by in _SORTS:
        return _SORTS[wanted.sort_by]
    raise wrong(wanted.sort_by, f"a field of this app, or one of {{{','.join(_SORTS)}}}", field="sort_by")


# --- what matches ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Matches:
    """The items that a filter finds: how many they are, and how to tell them from the others."""

    count: int
    hold: Callable[[ColumnElement[int]], list[Condition]]  # of the column with their ids
    found: Select[Any] | None = None  # the ids, each once, where they are few enough to be looked up


def _matches(tx: Tx, app_id: int, terms: Sequence[Term], total: int) -> _Matches:
    def looked_at(item_id: ColumnElement[int]) -> list[Condition]:
        return [term.holds(item_id) for term in terms]

    if not terms:
        return _Matches(total, looked_at)
    on_fields = [term for term in terms if isinstance(term, FieldTerm)]
    if not on_fields:
        return _Matches(_count(tx, _live(app_id).where(*looked_at(items.c.item_id))), looked_at)
    rarest = _rarest(tx, on_fields, total // WIDE + 1)
    others = [term for term in terms if term is not rarest]
    count = _number(tx, rarest.count(others))
    if count * WIDE >= total:
        return _Matches(count, looked_at)
    found = rarest.matching(others)
    return _Matches(count, lambda item_id: [item_id.in_(found)], found.distinct() if rarest.slot.rule.many else found)


def _rarest(tx: Tx, terms: Sequence[FieldTerm], enough: int) -> FieldTerm:
    """The term that holds of the fewest values. Beyond `enough` of them nobody counts: all such are wide."""
    if len(terms) == 1:
        return terms[0]
    return min(terms, key=lambda term: _number(tx, term.count_up_to(enough)))


def _live(app_id: int) -> Select[Any]:
    return select(items.c.item_id).where(items.c.app_id == app_id, items.c.deleted_at.is_(None))


def _count(tx: Tx, query: Select[Any]) -> int:
    """How many rows `query` has."""
    return _number(tx, query.with_only_columns(func.count(), maintain_column_froms=True))


def _number(tx: Tx, query: Select[Any]) -> int:
    """The one number that `query` answers."""
    return int(tx.execute(query).scalar_one())


# --- pages -------------------------------------------------------------------------------------------------------------


def _by_field(tx: Tx, app_id: int, slot: Slot, matches: _Matches, wanted: Wanted) -> list[int]:
    """One page of the order by a field: first the items that have a value, then those that have none."""
    sorting = item_values.alias("sorting")
    column = sorting.c.text if slot.rule.compares == "text" else sorting.c.number
    of_field = (sorting.c.field_id == slot.field.field_id, sorting.c.position == 0, column.is_not(None))  # the last is the index's
    valued = select(sorting.c.item_id).where(*of_field)
    valued = valued.where(*matches.hold(sorting.c.item_id))
    ordered = valued.order_by(_directed(column, wanted.sort_desc), _directed(sorting.c.item_id, wanted.sort_desc))
    ids = _ids(tx, ordered, wanted.limit, wanted.offset)
    if len(ids) == wanted.limit:
        return ids
    before = wanted.offset + len(ids) if ids else _count(tx, valued)
    empty = _live(app_id).where(*matches.hold(items.c.item_id), EmptyTerm(slot.field.field_id).holds(items.c.item_id))
    return ids + _ids(tx, empty.order_by(items.c.item_id.desc()), wanted.limit - len(ids), max(0, wanted.offset - before))


def _directed(column: ColumnElement[Any], descending: bool) -> UnaryExpression[Any]:  # noqa: FBT001 (it is what the caller said)
    return column.desc() if descending else column.asc()


def _ids(tx: Tx, query: Select[Any], limit: int, offset: int) -> list[int]:
    return [row[0] for row in tx.execute(query.limit(limit).offset(offset))]
