"""Moments, spans and sizes in words."""

from __future__ import annotations

import pytest

from tidings.clock import DAY, HOUR, MINUTE, SECOND
from tidings.console import words

NOON = 1_767_322_800 * SECOND  # 2026-01-02 03:00:00 UTC


def test_a_moment_is_said_in_utc() -> None:
    assert (words.at(NOON), words.day(NOON), words.iso(NOON)) == ("2 Jan 2026, 03:00:00 UTC", "2 Jan 2026", "2026-01-02T03:00:00Z")


@pytest.mark.parametrize(
    ("before", "said"),
    [
        (0, "just now"),
        (4 * SECOND, "just now"),
        (59 * SECOND, "59 s ago"),
        (MINUTE, "1 min ago"),
        (59 * MINUTE, "59 min ago"),
        (3 * HOUR, "3 h ago"),
        (2 * DAY, "2 d ago"),
        (-HOUR, "in 1 h"),
        (40 * DAY, "23 Nov 2025"),
    ],
)
def test_how_long_ago_is_said_in_the_largest_unit(before: int, said: str) -> None:
    assert words.ago(NOON - before, NOON) == said


def test_a_span_is_said_whole_or_short() -> None:
    assert words.spelled(DAY + 2 * HOUR + 5 * SECOND) == "1 d 2 h 5 s"
    assert words.spelled(0) == "0 s"
    assert [words.took(span) for span in (None, 400, 38_000, 1_250_000)] == ["", "0.4 ms", "38 ms", "1.25 s"]


def test_numbers_and_sizes() -> None:
    assert (words.count(1_234_567), words.plural(1, "item"), words.plural(2, "entry", "entries")) == ("1,234,567", "1 item", "2 entries")
    assert [words.size(number) for number in (512, 4096, 1_572_864, 5 * 1024**3)] == ["512 B", "4.0 KiB", "1.5 MiB", "5.0 GiB"]
