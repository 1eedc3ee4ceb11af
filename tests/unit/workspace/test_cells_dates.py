"""Cells that hold dates: what reads in one way is read, the rest is refused."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidings.errors import Invalid
from tidings.workspace.cells.dates import read_date
from tidings.workspace.cells.habits import Habits


@pytest.mark.parametrize(
    "cell",
    [
        "2026-01-31", "2026/1/31", "2026.01.31", "31.01.2026", "31. 1. 2026", "31/1/2026", "1/31/2026", "31-01-2026", "31 Jan 2026",
        "31. January 2026", "31-Jan-2026", "Jan 31, 2026", "January 31st 2026", " 2026-01-31 ",
    ],
)  # fmt: skip
def test_a_day_is_read_in_many_forms(cell: str) -> None:
    assert read_date(cell) == "2026-01-31"


@pytest.mark.parametrize(
    ("cell", "moment"),
    [
        ("2026-01-31 10:00", "2026-01-31 10:00:00"),
        ("2026-01-31T10:00:05Z", "2026-01-31 10:00:05"),
        ("2026-01-31T10:00:05.999Z", "2026-01-31 10:00:05"),
        ("2026-01-31 01:00+02:00", "2026-01-30 23:00:00"),
        ("2026-01-31 10:00 -0530", "2026-01-31 15:30:00"),
        ("31.01.2026, 14:30", "2026-01-31 14:30:00"),
        ("1/31/2026 2:30 PM", "2026-01-31 14:30:00"),
        ("2026-01-31 12:05 am", "2026-01-31 00:05:00"),
    ],
)
def test_a_moment_is_turned_into_utc(cell: str, moment: str) -> None:
    assert read_date(cell) == moment


def test_two_dates_are_a_start_and_an_end() -> None:
    assert read_date("2026-01-01 - 5 Jan 2026") == {"start": "2026-01-01", "end": "2026-01-05"}
    assert read_date("2026-01-01 10:00 to 2026-01-01 12:00") == {"start": "2026-01-01 10:00:00", "end": "2026-01-01 12:00:00"}


def test_a_date_whose_day_could_be_its_month_is_refused_unless_the_order_is_said() -> None:
    with pytest.raises(Invalid, match="the day could come first or the month"):
        read_date("1/2/2026")

    assert read_date("1/2/2026", Habits(dates="day-first")) == "2026-02-01"
    assert read_date("1/2/2026", Habits(dates="month-first")) == "2026-01-02"
    assert read_date("5/5/2026") == "2026-05-05"


@pytest.mark.parametrize(
    "cell",
    ["", "soon", "31.01.26", "2026-02-30", "2026-13-01", "31 Foo 2026", "2026-01-31 25:00", "2026-01-31 13:00 PM", "20260131",
     "2026-01-01 - 2026-01-02 - 2026-01-03", "0001-01-01 00:00+02:00", "2026-01-31 10:00 +99:99"],
)  # fmt: skip
def test_what_is_no_date_is_refused(cell: str) -> None:
    with pytest.raises(Invalid):
        read_date(cell)


@given(st.datetimes())
def test_every_moment_comes_back(moment: object) -> None:
    text = f"{moment:%Y-%m-%d %H:%M:%S}".zfill(19)
    assert read_date(text) == text


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(cell: str) -> None:
    with suppress(Invalid):
        read_date(cell)
