"""Which type of field a column would be."""

from __future__ import annotations

import pytest

from tidings.workspace.cells.guessing import Guess, guess_all
from tidings.workspace.cells.habits import PLAIN, Habits


def guessed(*cells: str, habits: Habits = PLAIN) -> str:
    guess = Guess("Column", habits)
    for cell in cells:
        guess.see(cell)
    return guess.field().type


def settings(*cells: str) -> dict[str, object]:
    guess = Guess("Column", PLAIN)
    for cell in cells:
        guess.see(cell)
    found: dict[str, object] = guess.field().config["settings"]
    return found


@pytest.mark.parametrize(
    ("cells", "field_type"),
    [
        (["1", "", "2.5", "-1,000"], "number"),
        (["2026-01-31", "31 Jan 2026"], "date"),
        (["1/2/2026", "13/2/2026"], "text"),
        (["a@b.c", "d@e.f; g@h.i"], "email"),
        (["https://a/", "http://b/x"], "embed"),
        (["USD 5", "7 eur"], "text"),
        (["USD 5", "€7"], "money"),
        (["5%", "100 %"], "progress"),
        (["5%", "101%"], "text"),
        (["+45 12 34 56 78", "0123/4567"], "phone"),
        (["007", "008"], "text"),
        (["12345678901234567"], "text"),
        (["2026", "2027"], "number"),
        (["one", "two"], "text"),
        ([], "text"),
        (["", " "], "text"),
    ],
)
def test_a_column_is_what_all_its_cells_can_be(cells: list[str], field_type: str) -> None:
    assert guessed(*cells) == field_type


def test_the_habit_decides_what_a_number_is() -> None:
    assert guessed("1,5", "2,25") == "text"
    assert guessed("1,5", "2,25", habits=Habits(decimal_comma=True)) == "number"
    assert guessed("1/2/2026", habits=Habits(dates="day-first")) == "date"


def test_a_few_texts_again_and_again_are_a_category() -> None:
    assert settings(*["New", "Done", "new"] * 3) == {"options": ["New", "Done"], "multiple": False}
    assert settings(*["red;blue", "red", "blue"] * 3) == {"options": ["red", "blue"], "multiple": True}


def test_yes_and_no_are_a_category_however_they_are_written() -> None:
    assert settings("TRUE", "FALSE") == {"options": ["Yes", "No"], "multiple": False}
    assert settings("y", "n", "y") == {"options": ["Yes", "No"], "multiple": False}


def test_many_different_texts_are_text_and_long_ones_large() -> None:
    assert guessed(*(f"row {number}" for number in range(100))) == "text"
    assert settings("one\ntwo", "three") == {"size": "large"}


def test_columns_without_a_heading_and_those_of_ours_are_no_fields() -> None:
    assert list(guess_all(["", "Title", "tidings:line"], PLAIN)) == [1]
