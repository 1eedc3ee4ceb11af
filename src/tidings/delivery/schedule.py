"""The retry schedule: how long to wait after each failed attempt. Pure; the randomness is passed in."""

from __future__ import annotations

from msgspec import Struct

JITTER = 0.10  # each wait is this much longer or shorter, at random, so that retries do not march in step
MICROSECONDS = 1_000_000


class Schedule(Struct, frozen=True):
    """The waits in seconds, one after each failed attempt but the last (contract section 0, decision 10)."""

    waits: tuple[float, ...]

    @property
    def attempts(self) -> int:
        """How many attempts a delivery has."""
        return len(self.waits) + 1

    def wait(self, attempts: int, chance: float) -> int | None:
        """Microseconds to wait after `attempts` have failed, or None when that was the last.

        `chance` lies in 0..1 and picks a place within the jitter.
        """
        if attempts > len(self.waits):
            return None
        return int(self.waits[attempts - 1] * MICROSECONDS * (1 + JITTER * (2 * chance - 1)))
