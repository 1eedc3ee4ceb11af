"""What a filter says, term by term: from a caller's JSON to conditions that a query can take.

A term is about a field, named by its external_id or field_id, or else about the item itself: `created_on`,
`last_edit_on`, `created_by`, `external_id`, `title`. Where an app has a field of such a name, the field is meant.

    number, money, progress, duration   12, [1, 2], {"from": 10, "to": 20}
    date, created_on, last_edit_on      "2026-01-02", {"from": "2026-01-01", "to": "2026-01-31"}; a day is the whole of it
    category, app, contact, member      an id (or an option's text), or a list of them: any of these
    text, phone, email, embed, location "exactly this", ["or", "one of these"], {"contains": "this"}; whatever the case
    created_by                          {"type": "user", "id": 6}, or a list of them

null finds the items that have no value. Only the first 200 characters of a text are compared. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, false, func, or_, select

from tidings.clock import SECOND
from tidings.errors import Invalid
from tidings.store.schema import item_values, items
from tidings.workspace.fields.fieldsets import Fieldset, Slot
from tidings.workspace.values.dates import first_and_last_second
from tidings.workspace.values.given import clean_text, whole_number, wrong
from tidings.workspace.values.rule import KEY_LENGTH, Rule

Condition = ColumnElement[bool]

TERMS_LIMIT = 50  # terms of one filter
OPERANDS_LIMIT = 500  # values in one term

# `number + 0` is no column of an index: to look at one item, the key of `item_values` is the way, whatever is compared.
_OFF_INDEX = {"number": item_values.c.number + 0, "text": item_values.c.text.concat("")}

Test = Callable[[Mapping[str, ColumnElement[Any]]], Condition]
"""A comparison of the columns `number` and `text`, by these names."""


@dataclass(frozen=True, slots=True)
class FieldTerm:
    """Some value of the field passes the test."""

    slot: Slot
    test: Test

    def holds(self, item_id: ColumnElement[int]) -> Condition:
        """A look at the values of one item."""
        return _own(item_id, self.slot.field.field_id).where(self.test(_OFF_INDEX)).exists()

    def matching(self, others: Sequence[Term]) -> Select[Any]:
        """The ids of all items that it holds of, and the `others` too, found in the field's index; perhaps some twice.

        Only live items have rows in `item_values`.
        """
        found = item_values.alias("found")
        passes = self.test({"number": found.c.number, "text": found.c.text})
        ids = select(found.c.item_id).where(found.c.field_id == self.slot.field.field_id, passes)
        return ids.where(*(other.holds(found.c.item_id) for other in others))

    def count(self, others: Sequence[Term] = ()) -> Select[Any]:
        """How many items those are."""
        ids = self.matching(others)
        (item_id,) = ids.selected_columns
        return ids.with_only_columns(func.count(item_id.distinct()) if self.slot.rule.many else func.count(), maintain_column_froms=True)

    def count_up_to(self, enough: int) -> Select[Any]:
        """How many values pass the test, or `enough` where there are more."""
        return select(func.count()).select_from(self.matching(()).limit(enough).subquery())


@dataclass(frozen=True, slots=True)
class EmptyTerm:
    """The field has no value."""

    field_id: int

    def holds(self, item_id: ColumnElement[int]) -> Condition:
        """A look at the values of one item."""
        return ~_own(item_id, self.field_id).exists()


@dataclass(frozen=True, slots=True)
class ItemTerm:
    """Something about the item itself."""

    condition: Condition

    def holds(self, item_id: ColumnElement[int]) -> Condition:
        """A look at the item."""
        if item_id is items.c.item_id:
            return self.condition
        return select(items.c.item_id).where(items.c.item_id == item_id, self.condition).correlate_except(items).exists()


def _own(item_id: ColumnElement[int], field_id: int) -> Select[Any]:
    own = select(item_values.c.position).where(item_values.c.item_id == item_id, item_values.c.field_id == field_id)
    return own.correlate_except(item_values)


Term = FieldTerm | EmptyTerm | ItemTerm


def read_terms(fieldset: Fieldset, filters: object) -> list[Term]:
    """The terms of a filter: a map, or a list of {key, values} as Podio's views have it. Raises `Invalid`, naming the key."""
    terms = [_read_term(fieldset, key, given) for key, given in _entries(filters)]
    if len(terms) > TERMS_LIMIT:
        raise Invalid(f"filters: must be at most {TERMS_LIMIT}", parameters={"field": "filters", "limit": TERMS_LIMIT})
    return terms


def _entries(filters: object) -> Iterator[tuple[object, object]]:
    match filters:
        case None:
            return
        case dict():
            yield from filters.items()
        case list():
            for entry in filters:
                if not isinstance(entry, dict) or "key" not in entry or "values" not in entry:
                    raise wrong(entry, "an object with a key and values", field="filters")
                yield entry["key"], entry["values"]
        case _:
            raise wrong(filters, "an object, from a key to what is wanted of it", field="filters")


def _read_term(fieldset: Fieldset, key: object, given: object) -> Term:
    slot = fieldset.find(key)
    try:
        if slot is not None:
            return EmptyTerm(slot.field.field_id) if _is_empty(given) else FieldTerm(slot, _TESTS[slot.rule.compares](slot.rule, given))
        if isinstance(key, str) and key in _OF_ITEM:
            return ItemTerm(_OF_ITEM[key](given))
    except Invalid as error:
        raise Invalid(f"{error.description} (filter '{key}')", parameters={"field": f"filters.{key}", **error.parameters}) from None
    raise wrong(key, f"a field of this app, or one of {{{','.join(_OF_ITEM)}}}", field="filters")


def _is_empty(given: object) -> bool:
    return given is None or given == [None]


# --- on a field --------------------------------------------------------------------------------------------------------


def _test_number(rule: Rule, given: object) -> Test:
    if _is_range(given):
        low, high = (None if end is None else rule.operand(end) for end in _ends(given))
        return lambda columns: _between(columns["number"], low, high)
    return _test_id(rule, given)


def _test_id(rule: Rule, given: object) -> Test:
    wanted = [rule.operand(each) for each in _operands(given)]
    return lambda columns: columns["number"].in_(wanted)


def _test_moment(_rule: Rule, given: object) -> Test:
    low, high = _seconds(given)
    return lambda columns: _between(columns["number"], low, high)


def _test_text(_rule: Rule, given: object) -> Test:
    if isinstance(given, dict):
        part = clean_text(given.get("contains"), limit=KEY_LENGTH, expected="{'contains': text}").lower()
        # That there is a text at all, the index of texts has to be told.
        return lambda columns: and_(columns["text"].is_not(None), columns["text"].contains(part, autoescape=True))
    wanted = [clean_text(each, limit=10**6)[:KEY_LENGTH].lower() for each in _operands(given)]
    return lambda columns: columns["text"].in_(wanted)


_TESTS: dict[str, Callable[[Rule, object], Test]] = {
    "number": _test_number,
    "id": _test_id,
    "moment": _test_moment,
    "text": _test_text,
}


# --- on the item itself ------------------------------------------------------------------------------------------------


def _on_moment(column: ColumnElement[int]) -> Callable[[object], Condition]:
    def condition(given: object) -> Condition:
        low, high = _seconds(given)
        return _between(column, None if low is None else int(low) * SECOND, None if high is None else (int(high) + 1) * SECOND - 1)

    return condition


def _on_text(column: ColumnElement[Any]) -> Callable[[object], Condition]:
    def condition(given: object) -> Condition:
        if _is_empty(given):
            return or_(column.is_(None), column == "")
        return column.in_([clean_text(each, limit=10**6) for each in _operands(given)])

    return condition


def _created_by(given: object) -> Condition:
    return or_(false(), *(items.c.created_by.startswith(f"{_author(each)}@", autoescape=True) for each in _operands(given)))


def _author(given: object) -> str:
    expected = "{'type': 'user' or 'app', 'id': a number}"
    if not isinstance(given, dict) or given.get("type") not in ("user", "app", "system"):
        raise wrong(given, expected)
    return f"{given['type']}:{whole_number(given.get('id'), least=0, most=2**31, expected=expected)}"


_OF_ITEM: dict[str, Callable[[object], Condition]] = {
    "created_on": _on_moment(items.c.created_at),
    "last_edit_on": _on_moment(items.c.last_event_at),
    "created_by": _created_by,
    "external_id": _on_text(items.c.external_id),
    "title": _on_text(items.c.title),
}


# --- operands ----------------------------------------------------------------------------------------------------------


def _operands(given: object) -> list[object]:
    wanted = given if isinstance(given, list) else [given]
    if not 0 < len(wanted) <= OPERANDS_LIMIT:
        raise wrong(given, f"one value, or a list of up to {OPERANDS_LIMIT}")
    return wanted


def _is_range(given: object) -> bool:
    return isinstance(given, dict) and ("from" in given or "to" in given)


def _ends(given: object) -> tuple[object, object]:
    assert isinstance(given, dict)
    low, high = given.get("from"), given.get("to")
    if low is None and high is None:
        raise wrong(given, "a range with a from, a to, or both")
    return low, high


def _seconds(given: object) -> tuple[float | None, float | None]:
    """The first and the last second of a day, a moment, or a range of them."""
    if not _is_range(given):
        return first_and_last_second(given)
    low, high = _ends(given)
    return None if low is None else first_and_last_second(low)[0], None if high is None else first_and_last_second(high)[1]


def _between(column: ColumnElement[Any], low: object, high: object) -> Condition:
    ends = [] if low is None else [column >= low]
    return and_(*ends, *([] if high is None else [column <= high]))
