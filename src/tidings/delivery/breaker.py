"""The breaker of one hook: it spaces attempts out while a destination is down. Pure; time is passed in.

Closed: everything passes. After `FAILURES_TO_OPEN` failures in a row it opens: nothing passes until `opens_until`. Then it
is half-open: one attempt passes as a probe; its success closes the breaker, its failure opens it for twice as long, up
to `LONGEST_OPEN`. A delivery that is held back here has lost no attempt.
"""

from __future__ import annotations

from typing import Literal

FAILURES_TO_OPEN = 5
FIRST_OPEN = 10_000_000  # microseconds
LONGEST_OPEN = 300_000_000

BreakerState = Literal["closed", "open", "half-open"]


class Breaker:
    """Counts one hook's failures and says how many attempts may be under way."""

    __slots__ = ("_failures", "_open_for", "opens_until")

    def __init__(self) -> None:
        self._failures = 0
        self._open_for = 0
        self.opens_until = 0

    def __repr__(self) -> str:
        return f"<Breaker failures={self._failures} open_for={self._open_for} opens_until={self.opens_until}>"

    @property
    def is_untroubled(self) -> bool:
        """Whether nothing has failed since the last success: such a breaker need not be remembered."""
        return not self._failures

    def state(self, now: int) -> BreakerState:
        """Where it stands at `now` (microseconds, as all times here)."""
        if not self._open_for:
            return "closed"
        return "open" if now < self.opens_until else "half-open"

    def room(self, cap: int, now: int) -> int:
        """How many attempts may be under way at once, where `cap` may while all is well."""
        if not self._open_for:
            return cap
        return 0 if now < self.opens_until else 1

    def success(self) -> bool:
        """An attempt has succeeded; answers whether that has just closed the breaker."""
        was_closed = not self._open_for
        self._failures = 0
        self._open_for = 0
        return not was_closed

    def failure(self, now: int) -> None:
        """An attempt has failed. Those that were under way when it opened do not lengthen the time."""
        self._failures += 1
        if self._open_for:
            if now >= self.opens_until:
                self._open(min(2 * self._open_for, LONGEST_OPEN), now)
        elif self._failures >= FAILURES_TO_OPEN:
            self._open(FIRST_OPEN, now)

    def _open(self, duration: int, now: int) -> None:
        self._open_for = duration
        self.opens_until = now + duration
