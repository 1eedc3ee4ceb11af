"""Counting within a span, in bounded memory."""

from __future__ import annotations

from tidings.clock import SECOND
from tidings.workspace.accounts.windows import Windows


def test_a_span_begins_with_the_first_time_and_then_anew() -> None:
    windows = Windows(10 * SECOND, 100)
    window = windows.of("a", 5 * SECOND)
    window.count = 3
    assert windows.of("a", 15 * SECOND - 1).count == 3
    assert windows.of("a", 15 * SECOND).count == 0


def test_the_seconds_left_are_whole_and_never_none() -> None:
    window = Windows(10 * SECOND, 100).of("a", 0)
    assert [window.seconds_left(now) for now in (0, 1, 9 * SECOND, 9 * SECOND + 1, 10 * SECOND)] == [10, 10, 1, 1, 1]


def test_no_more_than_so_many_are_kept_and_the_oldest_goes_first() -> None:
    windows = Windows(10 * SECOND, 100)
    for number in range(1000):
        windows.of(number, number).count = 1
    assert len(windows) == 100
    assert windows.of(999, 1000).count == 1
    assert windows.of(0, 1000).count == 0


def test_what_is_over_is_let_go() -> None:
    windows = Windows(10 * SECOND, 100)
    for number in range(50):
        windows.of(number, 0)
    windows.of("new", 10 * SECOND)
    assert len(windows) == 1
