"""What is repeated, when, and what is not."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidings.client.retries import FIRST_PAUSE, LONGEST_PAUSE, Failure, Patience, pause_after, read_retry_after


def pause(
    status: int | None, *, sent: bool = True, repeatable: bool = True, retry_after: float | None = None, **more: object
) -> float | None:
    told = {"tried": 0, "waited": 0.0, "dice": 1.0, "patience": Patience(), **more}
    return pause_after(Failure(status, sent, repeatable, retry_after), **told)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("status", "sent", "repeatable", "again"),
    [
        (None, False, False, True),  # the server never saw it
        (None, True, True, True),
        (None, True, False, False),  # it may have been done
        (503, True, True, True),
        (503, True, False, False),
        (500, True, True, False),  # it will fail again
        (400, True, True, False),
        (401, True, True, False),
        (404, True, True, False),
        (409, True, True, False),
        (200, True, True, False),
    ],
)
def test_only_what_is_safe_is_repeated(status: int | None, sent: bool, repeatable: bool, again: bool) -> None:
    assert (pause(status, sent=sent, repeatable=repeatable) is not None) is again


def test_pauses_grow_up_to_a_bound() -> None:
    pauses = [pause(503, tried=tried, patience=Patience(retries=99)) for tried in range(20)]

    assert pauses[0] == FIRST_PAUSE
    assert pauses[-1] == LONGEST_PAUSE
    assert all(before is not None and after is not None and before <= after for before, after in pairwise(pauses))


def test_half_of_a_pause_is_left_to_the_dice() -> None:
    assert (pause(503, dice=0.0), pause(503, dice=1.0)) == (FIRST_PAUSE / 2, FIRST_PAUSE)


def test_there_is_an_end_to_it() -> None:
    assert pause(503, tried=2) is None
    assert pause(None, sent=False, patience=Patience(retries=0)) is None


def test_what_the_server_asks_for_is_kept_to_unless_it_is_too_long() -> None:
    assert (pause(503, retry_after=5.0), pause(503, retry_after=0.0), pause(503, retry_after=61.0)) == (5.0, FIRST_PAUSE, None)


@pytest.mark.parametrize("status", [420, 429])
def test_a_rate_limit_is_waited_for_only_when_asked(status: int) -> None:
    patient = Patience(wait_for_rate_limit=True, longest_wait=100.0)

    assert pause(status, retry_after=30.0) is None
    assert pause(status, retry_after=30.0, repeatable=False, patience=patient) == 30.0
    assert pause(status, patience=patient) == 60.0
    assert pause(status, retry_after=0.0, patience=patient) == 1.0
    assert pause(status, retry_after=30.0, waited=80.0, patience=patient) is None
    assert pause(status, retry_after=30.0, tried=99, patience=patient) == 30.0


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        (None, None),
        ("", None),
        ("7", 7.0),
        (" 7 ", 7.0),
        ("-7", None),
        ("soon", None),
        ("Fri, 02 Jan 2026 03:00:30 GMT", 30.0),
        ("Fri, 02 Jan 2026 02:00:00 GMT", 0.0),
        ("Fri, 99 Jan 2026 02:00:00 GMT", None),
        ("9" * 30, None),
    ],
)
def test_the_time_to_wait_is_read(text: str | None, seconds: float | None) -> None:
    assert read_retry_after(text, now=1_767_322_800) == seconds


@given(text=st.text())
def test_any_text_is_a_time_to_wait_or_none(text: str) -> None:
    found = read_retry_after(text, now=0.0)
    assert found is None or found >= 0
