"""The geometry of the strip and of an attempt's time."""

from __future__ import annotations

from tidings.console.bars import LEAST, TALL, WIDE, Paths, segments, strip_bars, strip_paths
from tidings.delivery.showing import Split
from tidings.delivery.strip import Slot


def test_a_slot_in_which_nothing_was_tried_has_no_bar() -> None:
    assert [bar.x for bar in strip_bars([Slot(0, 0, 0), Slot(1, 3, 0), Slot(2, 0, 0), Slot(3, 0, 1)])] == [10, 30]


def test_bars_are_as_high_as_their_attempts_and_never_too_low_to_be_seen() -> None:
    few, many = strip_bars([Slot(0, 1, 0), Slot(1, 500, 500)])
    assert (few.good, few.bad) == (LEAST, 0)
    assert many.good + many.bad == TALL


def test_one_failure_among_many_is_seen_and_the_bar_stays_within_the_strip() -> None:
    [bar] = strip_bars([Slot(0, 10_000, 1)])
    assert bar.bad == LEAST
    assert bar.good + bar.bad == TALL


def test_a_small_strip_is_two_paths() -> None:
    assert strip_paths([Slot(0, 3, 1), Slot(1, 0, 0), Slot(2, 0, 4)]) == Paths("M0 100v-75h8v75z", "M0 25v-25h8v25zM20 100v-100h8v100z")
    assert strip_paths([]) == Paths("", "")


def test_the_parts_of_an_attempt_stand_one_behind_the_other() -> None:
    made = segments(Split(dns=1_000, connect=None, tls=3_000, first_byte=4_000, rest=2_000))
    assert [(part.name, part.x, part.width) for part in made] == [
        ("dns", 0, 100),
        ("tls", 100, 300),
        ("first_byte", 400, 400),
        ("rest", 800, 200),
    ]
    assert sum(part.width for part in made) == WIDE


def test_an_attempt_that_came_to_nothing_has_no_parts() -> None:
    assert segments(Split()) == []
    assert [part.width for part in segments(Split(connect=0))] == [2]
