"""What is done about an outcome: the table of decisions 8 to 10 of the contract."""

from __future__ import annotations

import pytest

from tidings.delivery.decide import Verdict, decide
from tidings.delivery.outcomes import Outcome, Reason, Timings
from tidings.delivery.schedule import Schedule
from tidings.settings import Settings

SCHEDULE = Schedule((5, 30))
NOW = 1_700_000_000_000_000
SECOND = 1_000_000


def outcome(reason: Reason | None = None, status: int | None = None, retry_after: int | None = None) -> Outcome:
    return Outcome(started_at=NOW, timings=Timings(10), sent=b"", reason=reason, status=status, retry_after=retry_after)


def verdict(what: Outcome, attempts: int = 1, chance: float = 0.5) -> Verdict:
    return decide(what, attempts, SCHEDULE, now=NOW, chance=chance)


def test_a_2xx_is_delivered() -> None:
    assert verdict(outcome(status=204)) == Verdict("delivered")


@pytest.mark.parametrize("reason", list(Reason))
def test_every_failure_is_tried_again_after_the_next_wait(reason: Reason) -> None:
    assert verdict(outcome(reason, status=500 if reason is Reason.STATUS else None)) == Verdict("pending", NOW + 5 * SECOND)
    assert verdict(outcome(reason), attempts=2) == Verdict("pending", NOW + 30 * SECOND)


def test_after_the_last_attempt_a_delivery_is_exhausted() -> None:
    assert verdict(outcome(Reason.CONNECT), attempts=3) == Verdict("exhausted")


def test_a_410_cancels_the_delivery_and_ends_the_hook() -> None:
    assert verdict(outcome(Reason.STATUS, status=410)) == Verdict("cancelled", gone=True)


def test_retry_after_makes_the_wait_longer() -> None:
    assert verdict(outcome(Reason.STATUS, 503, retry_after=60)).due_at == NOW + 60 * SECOND


def test_retry_after_never_makes_the_wait_shorter() -> None:
    assert verdict(outcome(Reason.STATUS, 503, retry_after=1)).due_at == NOW + 5 * SECOND


def test_retry_after_is_honoured_for_a_day_at_most() -> None:
    assert verdict(outcome(Reason.STATUS, 429, retry_after=10**9)).due_at == NOW + 24 * 3600 * SECOND


@pytest.mark.parametrize(("chance", "wait"), [(0.0, 4.5), (0.5, 5.0), (1.0, 5.5)])
def test_each_wait_is_up_to_ten_percent_longer_or_shorter(chance: float, wait: float) -> None:
    assert verdict(outcome(Reason.DNS), chance=chance).due_at == NOW + int(wait * SECOND)


def test_the_default_schedule_is_ten_attempts_in_about_47_hours() -> None:
    schedule = Schedule(Settings().schedule)
    assert schedule.attempts == 10
    assert 46 * 3600 < sum(schedule.waits) < 48 * 3600
