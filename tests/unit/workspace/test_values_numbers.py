"""Numbers, money, progress, durations: exact, bounded, never rounded."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.workspace.test_values import rule
from tidings.errors import Invalid
from tidings.workspace.values.given import DECIMALS, WHOLE_DIGITS, exact_decimal
from tidings.workspace.values.numbers import LONGEST
from tidings.workspace.values.rule import Value


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        (0, "0.0000"),
        (-0.0, "0.0000"),
        (12, "12.0000"),
        (-12, "-12.0000"),
        (1.5, "1.5000"),
        (0.1, "0.1000"),
        (0.30000000000000004, "0.30000000000000004"),
        (1e-7, "0.0000001"),
        (1e14, "100000000000000.0000"),
        ("12", "12.0000"),
        ("+012.50", "12.5000"),
        (".5", "0.5000"),
        ("5.", "5.0000"),
        ("1e3", "1000.0000"),
        ("-0.00001", "-0.00001"),
        ("999999999999999.12345678901234567890", "999999999999999.1234567890123456789"),
    ],
)
def test_a_number_is_kept_exactly_with_four_decimals_at_least(written: object, kept: str) -> None:
    assert exact_decimal(written) == kept


@pytest.mark.parametrize(
    "written",
    [
        "", "abc", "1,5", "1 000", "NaN", "Infinity", "-inf", "1e999", "1e-999", "0x10", "1_000", "\u0661", "--1", "1e", ".", "1" * 61,
        float("nan"), float("inf"), 1e15, 10**15, 10**400, 1e-21, "0." + "0" * DECIMALS + "1", True, None, [], {},
    ],
)  # fmt: skip
def test_what_is_no_number_or_does_not_fit_is_refused(written: object) -> None:
    with pytest.raises(Invalid, match="must be a number with at most 15 digits"):
        exact_decimal(written)


@given(st.decimals(allow_nan=False, allow_infinity=False, places=6, min_value=-(10**WHOLE_DIGITS) + 1, max_value=10**WHOLE_DIGITS - 1))
def test_no_digit_is_lost(number: Decimal) -> None:
    kept = exact_decimal(str(number))
    assert Decimal(kept) == number
    assert len(kept.partition(".")[2]) >= 4
    assert exact_decimal(kept) == kept


@given(st.floats(min_value=-1e14, max_value=1e14).filter(lambda number: number == 0 or abs(number) > 1e-4))
def test_a_float_comes_back_as_the_same_float(number: float) -> None:
    assert float(exact_decimal(number)) == number


def test_a_title_says_a_number_without_needless_zeros() -> None:
    assert rule("number").words({"value": "12.5000"}) == "12.5"
    assert rule("number").words({"value": "100.0000"}) == "100"
    assert rule("money").words({"value": "100.0000", "currency": "EUR"}) == "100 EUR"


# --- money ---


def test_an_amount_may_leave_out_the_only_currency() -> None:
    euros = rule("money", {"allowed_currencies": ["EUR"]})
    assert euros.read("12.5", ()) == {"value": "12.5000", "currency": "EUR"}
    assert euros.read({"value": 12}, ()) == {"value": "12.0000", "currency": "EUR"}


@pytest.mark.parametrize("currency", [None, "", "EURO", 5, "€", "E R"])
def test_an_amount_needs_a_currency_otherwise(currency: object) -> None:
    with pytest.raises(Invalid, match="must be a currency of three letters"):
        rule("money").read({"value": 12, "currency": currency}, ())


def test_a_currency_is_written_in_capitals() -> None:
    assert rule("money").read({"value": 12, "currency": "eur"}, ())["currency"] == "EUR"


def test_a_currency_that_the_field_does_not_allow_is_refused_unless_the_item_has_it() -> None:
    euros = rule("money", {"allowed_currencies": ["EUR", "DKK"]})
    dollars: Value = {"value": "1.0000", "currency": "USD"}
    with pytest.raises(Invalid, match=r"must be one of \{EUR,DKK\}"):
        euros.read(dollars, ())
    assert euros.read(dollars, [dollars]) == dollars


# --- progress and duration ---


@pytest.mark.parametrize(("written", "kept"), [(0, 0), (100, 100), ("55", 55), (55.0, 55)])
def test_progress_is_a_whole_number_of_percent(written: object, kept: int) -> None:
    assert rule("progress").read(written, ()) == {"value": kept}


@pytest.mark.parametrize("written", [-1, 101, 1.5, "1.5", "abc", True, "1" * 30, float("inf")])
def test_other_progress_is_refused(written: object) -> None:
    with pytest.raises(Invalid, match="must be a whole number from 0 to 100"):
        rule("progress").read(written, ())


@pytest.mark.parametrize("written", [-1, LONGEST + 1, 1.5])
def test_a_duration_is_neither_negative_nor_endless(written: object) -> None:
    assert rule("duration").read(LONGEST, ()) == {"value": LONGEST}
    with pytest.raises(Invalid, match="must be a whole number of seconds"):
        rule("duration").read(written, ())
