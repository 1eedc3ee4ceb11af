"""The breaker of one hook, with time in hand."""

from __future__ import annotations

from tidings.delivery.breaker import FAILURES_TO_OPEN, FIRST_OPEN, LONGEST_OPEN, Breaker

CAP = 10


def failed(times: int, now: int = 0) -> Breaker:
    breaker = Breaker()
    for _ in range(times):
        breaker.failure(now)
    return breaker


def test_it_stays_closed_below_the_limit() -> None:
    breaker = failed(FAILURES_TO_OPEN - 1)
    assert breaker.state(0) == "closed"
    assert breaker.room(CAP, 0) == CAP


def test_it_opens_at_the_limit_and_lets_nothing_through() -> None:
    breaker = failed(FAILURES_TO_OPEN)
    assert breaker.state(0) == "open"
    assert breaker.room(CAP, 0) == 0


def test_when_its_time_is_over_it_lets_one_probe_through() -> None:
    breaker = failed(FAILURES_TO_OPEN)
    assert breaker.state(FIRST_OPEN) == "half-open"
    assert breaker.room(CAP, FIRST_OPEN) == 1


def test_a_good_probe_closes_it() -> None:
    breaker = failed(FAILURES_TO_OPEN)
    breaker.success()
    assert breaker.state(0) == "closed"
    assert breaker.is_untroubled


def test_a_bad_probe_opens_it_for_twice_as_long_up_to_a_bound() -> None:
    breaker = failed(FAILURES_TO_OPEN)
    breaker.failure(FIRST_OPEN)
    assert breaker.opens_until == FIRST_OPEN + 2 * FIRST_OPEN
    for _ in range(20):
        breaker.failure(breaker.opens_until)
    last_probe = breaker.opens_until
    breaker.failure(last_probe)
    assert breaker.opens_until == last_probe + LONGEST_OPEN


def test_failures_of_what_was_under_way_when_it_opened_do_not_lengthen_the_time() -> None:
    breaker = failed(FAILURES_TO_OPEN + 5)
    assert breaker.opens_until == FIRST_OPEN


def test_a_success_between_failures_starts_the_count_anew() -> None:
    breaker = failed(FAILURES_TO_OPEN - 1)
    breaker.success()
    breaker.failure(0)
    assert breaker.state(0) == "closed"
