"""The line by hand, for tests of what people see of it: events fanned out, and attempts settled as a test says."""

from __future__ import annotations

from tests.support.world import KEYRING, NOW, SECOND
from tidings.delivery.decide import Verdict
from tidings.delivery.deliveries import Delivery
from tidings.delivery.fanout import fan_out
from tidings.delivery.leases import take_lease
from tidings.delivery.outcomes import Outcome, Reason, Timings
from tidings.delivery.settle import Result, settle
from tidings.hooks.matching import EMPTY_INDEX
from tidings.store.database import Tx

MINUTE = 60 * SECOND
SENT = b"POST /in HTTP/1.1\r\nHost: a.example\r\n\r\nitem_id=42"


def send_out(tx: Tx, *, now: int = NOW) -> list[Delivery]:
    """Fan out what waits; the deliveries, held by a lease of their own."""
    lease_id = take_lease(tx, "test", now=now, duration=MINUTE)
    return fan_out(tx, KEYRING, EMPTY_INDEX, lease_id, lambda _: 10_000, now=now).leased


def delivered(delivery: Delivery, at: int = NOW, *, answer: bytes = b"ok", took: int = 30_000) -> Result:
    """An attempt that was answered with 200."""
    timings = Timings(took, 1_000, 5_000, 20_000, took - 1_000)
    outcome = Outcome(at, timings, SENT, None, None, 200, None, "10.0.0.1", b"HTTP/1.1 200 OK\r\n\r\n", answer)
    return Result(delivery, delivery.attempts + 1, outcome, Verdict("delivered"))


def failed(delivery: Delivery, at: int = NOW, *, verdict: Verdict | None = None, answer: bytes = b"oh") -> Result:
    """An attempt that was answered with 500; it is tried again in a minute, unless `verdict` says otherwise."""
    timings = Timings(30_000, 1_000, 5_000, None, 29_000)
    outcome = Outcome(at, timings, SENT, Reason.STATUS, "answered 500", 500, None, "10.0.0.1", b"HTTP/1.1 500 No\r\n\r\n", answer)
    return Result(delivery, delivery.attempts + 1, outcome, verdict or Verdict("pending", at + MINUTE))


def settle_all(tx: Tx, *results: Result, now: int = NOW) -> None:
    """Settle them in one batch."""
    settle(tx, results, [], now=now)
