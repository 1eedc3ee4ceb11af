"""What we do about what the network did: outcome in, verdict out. Pure.

2xx is a success and nothing else is. 410 says that nobody wants this any more: the hook becomes inactive at once and the
delivery is cancelled. Every other failure is tried again on the schedule; `Retry-After` may make the wait longer, never
shorter, and at most 24 hours (contract section 0, decisions 8 to 10).
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from tidings.delivery.outcomes import Outcome
from tidings.delivery.schedule import MICROSECONDS, Schedule

LONGEST_RETRY_AFTER = 24 * 3600  # seconds
GONE = 410

After = Literal["pending", "delivered", "exhausted", "cancelled"]


class Verdict(Struct, frozen=True, gc=False):
    """The state that a delivery goes to after an attempt."""

    state: After
    due_at: int = 0  # for `pending`: when to try again, microseconds since the epoch
    gone: bool = False  # the hook is to become inactive


DELIVERED = Verdict("delivered")
EXHAUSTED = Verdict("exhausted")
CANCELLED_GONE = Verdict("cancelled", gone=True)


def decide(outcome: Outcome, attempts: int, schedule: Schedule, *, now: int, chance: float) -> Verdict:
    """The verdict after the attempt numbered `attempts` (from 1) ended in `outcome`.

    `now` is in microseconds since the epoch; `chance`, in 0..1, places the retry within the schedule's jitter.
    """
    if outcome.reason is None:
        return DELIVERED
    if outcome.status == GONE:
        return CANCELLED_GONE
    wait = schedule.wait(attempts, chance)
    if wait is None:
        return EXHAUSTED
    asked = min(outcome.retry_after or 0, LONGEST_RETRY_AFTER) * MICROSECONDS
    return Verdict("pending", now + max(wait, asked))
