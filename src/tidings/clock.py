"""Time, as the whole house counts it: integer microseconds since 1970-01-01 UTC.

Decisions never read a clock; they are handed a `now`. The few places where time enters hold a `Clock`, so that a test
can turn it by hand.
"""

from __future__ import annotations

import time
from collections.abc import Callable

MILLISECOND = 1_000
SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

Clock = Callable[[], int]
"""Answers the present moment in microseconds since the epoch."""


def system_clock() -> int:
    """The machine's wall clock."""
    return time.time_ns() // 1_000
