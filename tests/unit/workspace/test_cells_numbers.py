"""Cells that hold numbers: what is read, and what is refused because it could mean two things."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidings.errors import Invalid
from tidings.workspace.cells.habits import Habits
from tidings.workspace.cells.numbers import read_duration, read_money, read_number, read_progress

COMMA = Habits(decimal_comma=True)


@pytest.mark.parametrize(
    ("cell", "number"),
    [
        ("12", "12"), (" 12.50 ", "12.50"), ("-3", "-3"), ("\N{MINUS SIGN}3", "-3"), ("+7", "+7"), (".5", "0.5"), ("5.", "5"),
        ("1,234,567.8", "1234567.8"), ("1 234 567", "1234567"), ("1\u00a0234.5", "1234.5"), ("1'234", "1234"), ("1.234", "1.234"),
    ],
)  # fmt: skip
def test_a_number_is_read_with_its_thousands(cell: str, number: str) -> None:
    assert read_number(cell) == number


@pytest.mark.parametrize(
    ("cell", "number"), [("12,5", "12.5"), ("1.234,50", "1234.50"), ("1.234", "1234"), (",5", "0.5"), ("1 234,5", "1234.5")]
)
def test_a_decimal_comma_is_read_where_that_is_the_habit(cell: str, number: str) -> None:
    assert read_number(cell, COMMA) == number


@pytest.mark.parametrize(
    "cell", ["", "-", ".", "abc", "1,5", "1,23", "12,34,567", "1,234,56", "1.234,50", "1e5", "--5", "5%", "0x10", "١٢"]
)
def test_what_is_not_a_number_in_one_way_is_refused(cell: str) -> None:
    with pytest.raises(Invalid, match=r"must be a number, such as 1,234\.50"):
        read_number(cell)


@pytest.mark.parametrize("cell", ["12.5", "1,234,567", "1.23"])
def test_a_decimal_point_is_refused_where_the_habit_is_a_comma(cell: str) -> None:
    with pytest.raises(Invalid, match="decimal comma"):
        read_number(cell, COMMA)


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**12), max_value=10**12, places=2))
def test_every_number_comes_back_as_it_was_written(number: object) -> None:
    assert read_number(f"{number:,}") == str(number)


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("USD 12.50", {"value": "12.50", "currency": "USD"}),
        ("1,000.5 eur", {"value": "1000.5", "currency": "EUR"}),
        ("€5", {"value": "5", "currency": "EUR"}),
        ("-$5", {"value": "-5", "currency": "USD"}),
        ("12.50", {"value": "12.50"}),
    ],
)
def test_money_is_read_with_its_currency_on_either_side(cell: str, value: dict[str, str]) -> None:
    assert read_money(cell) == value


@pytest.mark.parametrize("cell", ["", "EUR", "USD 5 EUR", "kr 5", "5 crowns", "EUR 1,5"])
def test_money_without_a_clear_amount_and_currency_is_refused(cell: str) -> None:
    with pytest.raises(Invalid):
        read_money(cell)


@pytest.mark.parametrize(("cell", "progress"), [("55", 55), ("55%", 55), ("55 %", 55), ("55.0", 55), ("0.55", "0.55")])
def test_progress_is_whole_or_left_to_the_field_to_refuse(cell: str, progress: object) -> None:
    assert read_progress(cell) == progress


@pytest.mark.parametrize(
    ("cell", "seconds"),
    [("5400", 5400), ("1:30", 5400), ("1:30:05", 5405), ("1h 30m", 5400), ("90 s", 90), ("2 days 3 hours", 183_600), ("1h30m", 5400)],
)
def test_a_duration_is_read_as_seconds(cell: str, seconds: int) -> None:
    assert read_duration(cell) == seconds


@pytest.mark.parametrize("cell", ["", " ", "soon", "1:75", "-5", "1.5h"])
def test_what_is_no_duration_is_refused(cell: str) -> None:
    with pytest.raises(Invalid):
        read_duration(cell)
