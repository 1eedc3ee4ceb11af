"""A message that was dealt with is not dealt with again, as far as memory reaches."""

from __future__ import annotations

import pytest

from tidings.receiver.repeats import Busy, Repeats


def test_what_is_done_is_a_repeat() -> None:
    repeats = Repeats()
    repeats.begin("a")
    repeats.end("a", done=True)

    assert repeats.begin("a") is None


def test_what_failed_comes_again_and_what_was_finished_of_it_is_known() -> None:
    repeats = Repeats()
    finished = repeats.begin("a")
    assert finished == set()
    finished.add("first")
    repeats.end("a", done=False)

    assert repeats.begin("a") == {"first"}


def test_what_is_under_way_is_not_begun_twice() -> None:
    repeats = Repeats()
    repeats.begin("a")

    with pytest.raises(Busy):
        repeats.begin("a")


def test_only_so_many_are_remembered_the_latest() -> None:
    repeats = Repeats(limit=2)
    for message in "abc":
        repeats.begin(message)
        repeats.end(message, done=True)

    assert [repeats.begin(message) for message in "abc"] == [set(), None, None]
