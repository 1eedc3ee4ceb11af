"""Dates and ranges of them, in every way that clients write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.workspace.test_values import rule
from tidings.errors import Invalid
from tidings.workspace.values.dates import first_and_last_second
from tidings.workspace.values.rule import NOTHING_KNOWN, Value

DATE = rule("date")


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("2026-01-02", {"start": "2026-01-02"}),
        ("2026-01-02 10:30", {"start": "2026-01-02 10:30:00"}),
        ("2026-01-02T10:30:05Z", {"start": "2026-01-02 10:30:05"}),
        ({"start": "2026-01-02 00:00:00"}, {"start": "2026-01-02 00:00:00"}),
        ({"start_utc": "2026-01-02 10:30:00", "end_date": None}, {"start": "2026-01-02 10:30:00"}),  # podio-php
        ({"start_date": "2026-01-02", "end_date": None}, {"start": "2026-01-02"}),  # podio-php
        ({"start_date": "2026-01-02", "start_time": "10:30:00"}, {"start": "2026-01-02 10:30:00"}),
        ({"start_date_utc": "2026-01-02", "start_time_utc": "10:30"}, {"start": "2026-01-02 10:30:00"}),
        ({"start": "2026-01-02", "start_time": "10:30:00"}, {"start": "2026-01-02 10:30:00"}),
        ({"start": "2026-01-02", "end": "2026-01-02"}, {"start": "2026-01-02", "end": "2026-01-02"}),
        ({"start": "2026-01-02 10:00", "end": "2026-01-02"}, {"start": "2026-01-02 10:00:00", "end": "2026-01-02"}),
        ({"start": "2026-01-02", "end_utc": "2026-01-02 00:00"}, {"start": "2026-01-02", "end": "2026-01-02 00:00:00"}),
        ("2024-02-29", {"start": "2024-02-29"}),
        ("0001-01-01", {"start": "0001-01-01"}),
        ("9999-12-31 23:59:59", {"start": "9999-12-31 23:59:59"}),
    ],
)
def test_a_date_is_read_however_clients_write_it(written: object, kept: Value) -> None:
    assert DATE.read(written, ()) == kept


@pytest.mark.parametrize(
    "written",
    [
        "2026-1-2", "02-01-2026", "2026-02-30", "2025-02-29", "2026-01-02 24:00:00", "2026-01-02 10", "2026-01-02 10:60", "0000-01-01",
        "2026-01-02 10:30:00+02:00", "20260102", "tomorrow", "202\u0666-01-02", 20260102, {"start": 5}, {"start": {}}, {"value": "x"},
        {"start_time": "10:00"}, {"end": "2026-01-02"}, {"start_date": "2026-01-02", "start_time": "10"},
        {"start_date": "2026-01-02", "start_time": 10},
    ],
)  # fmt: skip
def test_what_is_no_date_is_refused(written: object) -> None:
    with pytest.raises(Invalid, match=r"^Invalid value .*: must be a (date|moment|time)"):
        DATE.read(written, ())


@pytest.mark.parametrize(
    ("start", "end"),
    [("2026-01-02", "2026-01-01"), ("2026-01-02 10:00", "2026-01-02 09:59"), ("2026-01-02 10:00", "2026-01-01")],
)  # fmt: skip
def test_an_end_before_its_start_is_refused(start: str, end: str) -> None:
    with pytest.raises(Invalid, match="must be an end that is not before its start"):
        DATE.read({"start": start, "end": end}, ())


def test_a_value_read_with_its_start_changed_means_the_new_start() -> None:
    held: Value = {"start": "2026-01-02 10:00:00"}
    echoed = DATE.show(held, NOTHING_KNOWN)
    assert DATE.read({**echoed, "start": "2026-03-04 11:00:00"}, [held]) == {"start": "2026-03-04 11:00:00"}


def test_a_value_read_with_its_start_date_changed_means_the_new_date() -> None:
    held: Value = {"start": "2026-01-02 10:00:00"}
    echoed = DATE.show(held, NOTHING_KNOWN)
    assert DATE.read({**echoed, "start_date": "2026-03-04"}, [held]) == {"start": "2026-03-04 10:00:00"}


def test_a_day_without_a_time_stays_so_when_it_is_written_to_another_item() -> None:
    held: Value = {"start": "2026-01-02", "end": "2026-01-03"}
    assert DATE.read(DATE.show(held, NOTHING_KNOWN), ()) == held


def test_a_date_that_has_no_end_refuses_one() -> None:
    plain = rule("date", {"end": "disabled"})
    assert plain.read("2026-01-02", ()) == {"start": "2026-01-02"}
    with pytest.raises(Invalid, match="this date has no end"):
        plain.read({"start": "2026-01-02", "end": "2026-01-03"}, ())


def test_a_date_that_has_no_time_takes_midnight_and_refuses_another() -> None:
    plain = rule("date", {"time": "disabled"})
    assert plain.read("2026-01-02 00:00:00", ()) == {"start": "2026-01-02"}
    with pytest.raises(Invalid, match="a date without a time"):
        plain.read("2026-01-02 10:00:00", ())


def test_a_time_and_an_end_may_be_required() -> None:
    with pytest.raises(Invalid, match="a moment in UTC"):
        rule("date", {"time": "required"}).read("2026-01-02", ())
    with pytest.raises(Invalid, match="the end of the date"):
        rule("date", {"end": "required"}).read("2026-01-02", ())


def test_a_filter_takes_a_day_as_the_whole_of_it() -> None:
    assert first_and_last_second("1970-01-02") == (86_400.0, 2 * 86_400.0 - 1)
    assert first_and_last_second("1970-01-02 00:00:10") == (86_410.0, 86_410.0)
    assert DATE.operand("1970-01-02") == 86_400.0


@given(st.datetimes(), st.datetimes())
def test_dates_compare_as_they_lie(one: object, other: object) -> None:
    first, second = (DATE.read(str(moment)[:19], ()) for moment in (one, other))
    if DATE.key(first) < DATE.key(second):
        assert str(one)[:19] < str(other)[:19]
    assert DATE.words(first) == str(one)[:19]
