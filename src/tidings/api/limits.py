"""How many calls an hour a caller may make through one API client (contract section 5.4; section 0, decision 20).

There are two limits: one for all calls, and a lower one for those whose row is marked `limited`. A client may have its own
numbers, otherwise the settings say; 0 is no limit, and where both are 0 nothing is counted. The hour begins with a
caller's first call. Once a call exceeded either limit, every call is refused until the hour is over, and says when that
is; what is refused does not count. A login counts as one of the caller's calls. Each process counts for itself.

Whoever is limited reads their limit and what is left of it on every answer.
"""

from __future__ import annotations

from typing import NamedTuple

from tidings.api.answers import Line
from tidings.clock import HOUR
from tidings.errors import RateLimited
from tidings.settings import Settings
from tidings.workspace.access import Caller
from tidings.workspace.accounts.windows import Window, Windows

MOST = 50_000  # callers at a time; about 15 MB

IN_SCOPE = "tidings.allowance"  # where a request carries its allowance, from where it was counted to where it is answered


class Rates(NamedTuple):
    """Calls an hour; 0 is no limit."""

    calls: int
    limited: int


class Allowance(NamedTuple):
    """What an answer says: the limit that the call counted towards, and how many such calls are left of it."""

    limit: int
    remaining: int
    refused_for: int = 0  # seconds until calls are taken again; 0: it was taken


def read_rates(calls: int | None, limited: int | None, settings: Settings) -> Rates | None:
    """A client's own rates, and where it has none those of the settings; None where nothing is limited."""
    rates = Rates(settings.rate_limit if calls is None else calls, settings.rate_limit_low if limited is None else limited)
    return rates if any(rates) else None


class Limits:
    """Counts. Used on the event loop's thread only."""

    def __init__(self) -> None:
        self._windows = Windows(HOUR, MOST)

    def count(self, caller: Caller, rates: Rates, now: int, *, limited: bool) -> Allowance:
        """Count one call of `caller`, if it may be made."""
        window = self._windows.of(caller, now)
        window.over = window.over or _exceeds(window, rates, limited=limited)
        if window.over:
            limit = rates.limited if rates.limited and (limited or not rates.calls) else rates.calls
            return Allowance(limit, 0, window.seconds_left(now))
        window.count += 1
        window.lower += limited
        if limited and rates.limited:
            return Allowance(rates.limited, _left(rates.limited, window.lower))
        return Allowance(rates.calls, _left(rates.calls, window.count))


def _exceeds(window: Window, rates: Rates, *, limited: bool) -> bool:
    return bool((rates.calls and window.count >= rates.calls) or (limited and rates.limited and window.lower >= rates.limited))


def _left(limit: int, used: int) -> int:
    return max(0, limit - used)


def refuse(allowance: Allowance) -> None:
    """Raises `RateLimited` for a call that was not taken."""
    if allowance.refused_for:
        sentence = f"You have hit the rate limit. Please wait {allowance.refused_for} seconds before trying again."
        raise RateLimited(sentence, parameters={"limit": allowance.limit, "retry_after": allowance.refused_for})


def lines_of(allowance: Allowance) -> list[Line]:
    """What the head of an answer says of the allowance. A call that counts towards no limit has none to say."""
    if not allowance.limit:
        return []
    return [(b"x-rate-limit-limit", b"%d" % allowance.limit), (b"x-rate-limit-remaining", b"%d" % allowance.remaining)]
