"""Which rows of a table can go in, and what is wrong with the others: every cell of a row is looked at, not only the first
that is wrong.

A blank cell says nothing: a new item has no value there, and an item that is there keeps its own. A row that names an item
which an earlier row has named is refused, as nobody can say which of the two counts. Pure.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from typing import NamedTuple

from msgspec import Struct

from tidings.errors import Invalid
from tidings.workspace.cells.columns import Column, Columns
from tidings.workspace.cells.habits import PLAIN, Habits
from tidings.workspace.cells.reading import NEW_OPTIONS, People, Reader, reader_of
from tidings.workspace.fields.fieldsets import Fieldset, Values
from tidings.workspace.values.given import clean_text
from tidings.workspace.values.rule import Rule, Value, read_values

EXTERNAL_ID_LIMIT = 255  # characters


class Row(Struct, frozen=True):
    """One row of a table: where it begins, and its cells. `flaw` says why it could not be read, or is empty."""

    line: int
    cells: Sequence[str]
    flaw: str = ""


class Complaint(Struct, frozen=True):
    """What is wrong with a row. `column` is empty where it is the row as a whole."""

    column: str
    reason: str


class Rejected(Struct, frozen=True):
    """A row that cannot go in, and all that is wrong with it."""

    row: Row
    complaints: tuple[Complaint, ...]


class Order(Struct, frozen=True):
    """What is to be done with the rows of a table."""

    columns: Columns
    habits: Habits = PLAIN
    update: bool = False  # items that are there already, instead of passing them over
    add_options: bool = False  # to categories that lack them
    heard: bool = True  # whether hooks hear of it


class Held(Struct, frozen=True):
    """An item that is there already. Its values are known only where they are to be updated."""

    item_id: int
    revision: int = 0
    values: Values = {}


class Draft(Struct, frozen=True):
    """A row that can go in, as far as it says so itself: a new item, or a change of the one that is there."""

    row: Row
    external_id: str | None
    values: Values
    held: Held | None = None


class Judged(Struct):
    """What came of some rows."""

    drafts: list[Draft]
    rejected: list[Rejected]
    skipped: list[str]  # external_ids
    wanting: list[tuple[Draft, Rejected]]  # rejected too, but only for want of options
    options: dict[int, list[str]]  # those options, by field_id


def judge(
    those: Fieldset, order: Order, rows: Sequence[Row], *, there: Mapping[str, Held], people: People, seen: Container[str]
) -> Judged:  # fmt: skip
    """Judge `rows`. `there` are the items with an external_id of these rows, `seen` the external_ids of earlier rows."""
    judged = Judged([], [], [], [], {})
    readings = _readings(those, order, people)
    mine: set[str] = set()
    for row in rows:
        complaints = list(_flaws(order.columns, row))
        external_id = None if complaints else _external_id(order.columns, row, complaints)
        if external_id is not None and (external_id in mine or external_id in seen):
            complaints.append(_about(order.columns, f"'{external_id[:60]}' is in an earlier row already"))
        held = None if external_id is None else there.get(external_id)
        if complaints:
            judged.rejected.append(Rejected(row, tuple(complaints)))
        elif external_id is not None and held is not None and not order.update:
            judged.skipped.append(external_id)
            mine.add(external_id)
        elif _judge_cells(those, readings, Draft(row, external_id, {}, held), judged) and external_id is not None:
            mine.add(external_id)
    return judged


def text_in(row: Row, place: int) -> str:
    """What stands in a cell, without the blanks around it; nothing where the row is short."""
    return row.cells[place].strip() if place < len(row.cells) else ""


class _Reading(NamedTuple):
    """How the cells of a column are read."""

    column: Column
    rule: Rule
    read: Reader


def _readings(those: Fieldset, order: Order, people: People) -> list[_Reading]:
    slots = ((column, those.find(column.field.field_id)) for column in order.columns.fields)
    return [_Reading(column, slot.rule, reader_of(slot, order.habits, people)) for column, slot in slots if slot is not None]


def _flaws(columns: Columns, row: Row) -> Iterator[Complaint]:
    if row.flaw:
        yield Complaint("", row.flaw)
    elif len(row.cells) > len(columns.headings):
        yield Complaint("", f"has {len(row.cells)} cells, where the headings are {len(columns.headings)}")
    else:
        for place, cell in enumerate(row.cells):
            if not columns.headings[place] and cell and not cell.isspace():
                yield Complaint(f"column {place + 1}", "holds something, and has no heading")


def _external_id(columns: Columns, row: Row, complaints: list[Complaint]) -> str | None:
    if columns.external_id is None:
        return None
    text = text_in(row, columns.external_id)
    try:
        if text:
            return clean_text(text, limit=EXTERNAL_ID_LIMIT)
        complaints.append(_about(columns, "is blank, and names the row"))
    except Invalid as error:
        complaints.append(_about(columns, error.description))
    return None


def _about(columns: Columns, reason: str) -> Complaint:
    return Complaint("" if columns.external_id is None else columns.headings[columns.external_id], reason)


def _judge_cells(those: Fieldset, readings: Sequence[_Reading], draft: Draft, judged: Judged) -> bool:
    """Read the cells of a row into `draft`, put it where it belongs, and answer whether it may go in."""
    complaints: list[Complaint] = []
    options: dict[int, list[str]] = {}
    for reading in readings:
        column = reading.column
        try:
            if values := _values(reading, draft):
                draft.values[column.field.field_id] = values
        except Invalid as error:
            complaints.append(Complaint(column.heading, error.description))
            if NEW_OPTIONS in error.parameters:
                options[column.field.field_id] = list(_texts(error))
    if draft.held is None:
        complained = {complaint.column for complaint in complaints}
        complaints += [each for each in _required(those, readings, draft.values) if each.column not in complained]
    if not complaints:
        judged.drafts.append(draft)
    elif len(options) < len(complaints):
        judged.rejected.append(Rejected(draft.row, tuple(complaints)))
    else:
        judged.wanting.append((draft, Rejected(draft.row, tuple(complaints))))
        for field_id, texts in options.items():
            judged.options.setdefault(field_id, []).extend(texts)
    return not complaints


def _values(reading: _Reading, draft: Draft) -> list[Value]:
    """What the cell of a row says; nothing for a blank one. Raises `Invalid`."""
    column, cells = reading.column, draft.row.cells
    cell = cells[column.place] if column.place < len(cells) else ""
    if not cell or cell.isspace():
        return []
    held = draft.held.values.get(column.field.field_id, ()) if draft.held else ()
    return read_values(reading.rule, reading.read(cell), held)


def _texts(error: Invalid) -> Iterator[str]:
    texts = error.parameters[NEW_OPTIONS]
    assert isinstance(texts, list)
    return (str(text) for text in texts)


def _required(those: Fieldset, readings: Sequence[_Reading], values: Values) -> Iterator[Complaint]:
    headings = {column.field.field_id: column.heading for column, _, _ in readings}
    for slot in those.slots:
        if slot.field.config.required and not values.get(slot.field.field_id):
            yield Complaint(headings.get(slot.field.field_id, slot.field.external_id), "A value is required")
