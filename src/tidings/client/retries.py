"""What to do after a call that failed: pure. It is told how the call went, and answers how long to wait, or to give up.

Repeated is only what is safe to repeat. A request that the server never saw may always be sent again, and so may one that
a rate limit refused; one of which nobody knows what became, or whose server was overloaded, only where it does what it
does once, however often it is sent. What the server says of the time to wait (`Retry-After`) is kept to.
"""

from __future__ import annotations

from typing import NamedTuple

UNTOLD_LIMIT_WAIT = 60.0  # seconds after a rate limit that does not say how long: Podio's clients wait so long
LONGEST_OVERLOAD_WAIT = 60.0  # seconds that an overloaded server may ask for; beyond that, the caller is told at once
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 20.0  # seconds

OVERLOADED = (502, 503, 504)
LIMITED = (420, 429)


class Patience(NamedTuple):
    """How much a client does by itself."""

    retries: int = 2  # times that one call is sent again
    wait_for_rate_limit: bool = False
    longest_wait: float = 3600.0  # seconds that one call waits for rate limits, in all


class Failure(NamedTuple):
    """How one sending of a call went."""

    status: int | None  # None: no whole answer
    sent: bool  # whether the server may have seen it
    repeatable: bool  # of the call
    retry_after: float | None = None  # seconds

    @property
    def is_limit(self) -> bool:
        """Whether it was refused for the rate of calls, and so never done."""
        return self.status in LIMITED


def pause_after(failure: Failure, patience: Patience, *, tried: int, waited: float, dice: float) -> float | None:
    """Seconds to wait before it is sent again; None: it is not.

    `tried`: how often it was sent again for other reasons than limits; `waited`: seconds that it waited for those;
    `dice`: at random, from 0 to 1, so that many who failed together do not come back together.
    """
    if failure.is_limit:
        return _after_limit(failure, patience, waited)
    again = not failure.sent or (failure.repeatable and (failure.status is None or failure.status in OVERLOADED))
    if not again or tried >= patience.retries:
        return None
    pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2**tried) * (0.5 + dice / 2)
    asked = failure.retry_after or 0.0
    return None if asked > LONGEST_OVERLOAD_WAIT else max(pause, asked)


def _after_limit(failure: Failure, patience: Patience, waited: float) -> float | None:
    pause = UNTOLD_LIMIT_WAIT if failure.retry_after is None else max(failure.retry_after, 1.0)
    return pause if patience.wait_for_rate_limit and waited + pause <= patience.longest_wait else None


def read_retry_after(text: str | None, *, now: float) -> float | None:
    """Seconds, from a `Retry-After` that gives them or a date; None for none, and for what is neither. `now`: since the epoch."""
    text = (text or "").strip()
    if not text:
        return None
    if text.isascii() and text.isdigit() and len(text) <= 9:
        return float(text)
    from email.utils import parsedate_to_datetime  # noqa: PLC0415  slow to import, and seldom needed

    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - now)
    except (ValueError, OverflowError):
        return None
