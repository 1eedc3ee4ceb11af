"""A number that stays away is told of once, after a while; one that is only late is not."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tidings.receiver.gaps import Gap, Gaps


def test_numbers_in_their_order_leave_no_gap() -> None:
    gaps = Gaps(wait=60)
    for number in (4, 5, 6):
        gaps.arrived(7, number, now=0)

    assert gaps.missing(now=1000) == []


def test_what_stays_away_is_told_of_after_the_wait_and_once() -> None:
    gaps = Gaps(wait=60)
    for number in (1, 2, 6):
        gaps.arrived(7, number, now=10)

    assert gaps.missing(now=69) == []
    assert gaps.missing(now=70) == [Gap(7, 3, 5)]
    assert list(Gap(7, 3, 5).numbers) == [3, 4, 5]
    assert gaps.missing(now=1000) == []


def test_what_comes_late_was_never_missing() -> None:
    gaps = Gaps(wait=60)
    for number in (1, 4, 3, 2, 3):
        gaps.arrived(7, number, now=10)

    assert gaps.missing(now=1000) == []


def test_of_a_gap_that_is_filled_in_part_the_rest_is_missing() -> None:
    gaps = Gaps(wait=60)
    for number in (1, 9, 5):
        gaps.arrived(7, number, now=10)

    assert gaps.missing(now=70) == [Gap(7, 2, 4), Gap(7, 6, 8)]


def test_each_hook_counts_for_itself() -> None:
    gaps = Gaps(wait=60)
    for hook, number in ((7, 1), (8, 5), (7, 3), (8, 6)):
        gaps.arrived(hook, number, now=10)

    assert gaps.missing(now=70) == [Gap(7, 2, 2)]


def test_of_very_many_gaps_the_oldest_are_told_of_at_once() -> None:
    gaps = Gaps(wait=60)
    for number in range(1, 2100, 2):
        gaps.arrived(7, number, now=10)

    told = gaps.missing(now=10)

    assert told == [Gap(7, number, number) for number in range(2, 100, 2)]


@given(st.lists(st.integers(0, 40), min_size=1))
def test_exactly_what_did_not_come_between_the_first_and_the_highest_is_missing(numbers: list[int]) -> None:
    gaps = Gaps(wait=0)
    for number in numbers:
        gaps.arrived(7, number, now=0)

    told = [number for gap in gaps.missing(now=0) for number in gap.numbers]

    assert sorted(told) == [number for number in range(numbers[0], max(numbers)) if number not in numbers]
