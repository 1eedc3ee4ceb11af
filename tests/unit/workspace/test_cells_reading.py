"""From a cell to what a field takes: several values in one, options by their text, people by their mail address."""

from __future__ import annotations

import pytest

from tidings.errors import Invalid
from tidings.workspace.cells.guessing import as_fields
from tidings.workspace.cells.habits import PLAIN
from tidings.workspace.cells.reading import NEW_OPTIONS, reader_of
from tidings.workspace.fields.fields import NewField
from tidings.workspace.fields.fieldsets import Slot
from tidings.workspace.values.rule import Value, read_values


def slot(field_type: str, **settings: object) -> Slot:
    return as_fields([NewField(field_type, {"label": "Field", "settings": settings})]).slots[0]


def kept(of: Slot, cell: str, **people: int) -> list[Value]:
    """What comes of a cell, once the field's rule has judged it."""
    return read_values(of.rule, reader_of(of, PLAIN, {name.replace("_at_", "@"): number for name, number in people.items()})(cell), ())


COLORS = slot("category", options=["Red", "Green", "Deep; blue"], multiple=True)
ANSWER = slot("category", options=["Yes", "No"])


@pytest.mark.parametrize(
    ("field_type", "cell", "values"),
    [
        ("text", " as it is ", [{"value": " as it is "}]),
        ("number", "1,234.5", [{"value": "1234.5000"}]),
        ("money", "EUR 5", [{"value": "5.0000", "currency": "EUR"}]),
        ("progress", "55%", [{"value": 55}]),
        ("duration", "1:30", [{"value": 5400}]),
        ("date", "31.01.2026", [{"start": "2026-01-31"}]),
        ("location", "Main Street 1; Aarhus", [{"value": "Main Street 1; Aarhus"}]),
        ("email", "a@b.c; d@e.f\ng@h.i", [{"type": "other", "value": address} for address in ("a@b.c", "d@e.f", "g@h.i")]),
        ("phone", "+45 12 34;+45 56 78", [{"type": "other", "value": number} for number in ("+45 12 34", "+45 56 78")]),
        ("app", "7;8", [{"value": 7}, {"value": 8}]),
        ("embed", "https://a/x;y", [{"url": "https://a/x;y"}]),
        ("embed", "https://a/;https://b/; https://c/\nhttps://d/", [{"url": f"https://{host}/"} for host in "abcd"]),
    ],
)
def test_a_cell_is_read_as_its_field_holds_it(field_type: str, cell: str, values: list[Value]) -> None:
    assert kept(slot(field_type), cell) == values


@pytest.mark.parametrize(
    ("cell", "numbers"), [("Red", [1]), (" red ", [1]), ("red; GREEN", [1, 2]), ("Deep; blue", [3]), ("Green\nRed", [2, 1])]
)
def test_options_are_named_by_their_text(cell: str, numbers: list[int]) -> None:
    assert kept(COLORS, cell) == [{"value": number} for number in numbers]


def test_an_option_of_just_these_letters_comes_before_one_of_the_same_in_others() -> None:
    either = slot("category", options=["red", "Red"])
    assert (kept(either, "Red"), kept(either, "red"), kept(either, "RED")) == ([{"value": 2}], [{"value": 1}], [{"value": 1}])


@pytest.mark.parametrize(("cell", "number"), [("yes", 1), ("TRUE", 1), ("y", 1), ("1", 1), ("No", 2), ("false", 2), ("0", 2)])
def test_an_answer_is_read_where_yes_and_no_are_the_options(cell: str, number: int) -> None:
    assert kept(ANSWER, cell) == [{"value": number}]


def test_an_option_that_is_not_there_is_named() -> None:
    with pytest.raises(Invalid, match="There is no option 'Purple', 'Pink'; there are 'Red', 'Green', 'Deep; blue'") as refused:
        kept(COLORS, "Red; Purple; Pink")
    assert refused.value.parameters == {NEW_OPTIONS: ["Purple", "Pink"]}


def test_the_number_of_an_option_is_not_its_text() -> None:
    with pytest.raises(Invalid, match="There is no option '1'"):
        kept(COLORS, "1")


def test_people_are_named_by_mail_address() -> None:
    assert kept(slot("contact"), "ada@x; bob@x", ada_at_x=5, bob_at_x=6) == [{"value": 5}, {"value": 6}]
    with pytest.raises(Invalid, match=r"'eve@x' .* the mail address of a person"):
        kept(slot("contact"), "ada@x; eve@x", ada_at_x=5)


@pytest.mark.parametrize("field_type", ["image", "file"])
def test_a_file_is_refused(field_type: str) -> None:
    with pytest.raises(Invalid, match="files are not imported"):
        kept(slot(field_type), "photo.jpg")


@pytest.mark.parametrize("field_type", ["number", "money", "date", "duration", "progress", "embed"])
def test_a_page_of_blanks_takes_no_time(field_type: str) -> None:
    with pytest.raises(Invalid):
        kept(slot(field_type), "1" + " " * 130_000 + "x")
