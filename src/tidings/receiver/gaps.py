"""What is missing: each hook's deliveries are numbered without gaps, and a number that stays away is told of.

Deliveries come out of order and are retried, so a number counts as missing only when `wait` seconds have passed since a
later one came. Where counting begins is the first number that is heard of a hook, or what an inbox remembers of it. Memory
is bounded: of a hook with very many gaps, the oldest are told of at once. Holds no clock: `now` is seconds, from any fixed
moment.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

WAIT = 120.0  # seconds
_GAPS_KEPT = 1_000  # for each hook


@dataclass(frozen=True, slots=True)
class Gap:
    """Numbers of one hook that did not come."""

    hook_id: int
    first: int
    last: int

    @property
    def numbers(self) -> range:
        """All of them: values of `Tidings-Sequence`."""
        return range(self.first, self.last + 1)


class Span(NamedTuple):
    """Numbers that came, or that were told of as missing, and when."""

    first: int
    last: int
    at: float


@dataclass(frozen=True, slots=True)
class _Open:
    first: int
    last: int
    since: float


class Gaps:
    """The numbers of every hook. Any thread may ask."""

    def __init__(self, wait: float = WAIT) -> None:
        """`wait`: seconds that a number may be late."""
        self._wait = wait
        self._highest: dict[int, int] = {}
        self._open: dict[int, list[_Open]] = {}  # by hook, in the order in which they opened
        self._lock = threading.Lock()

    def knows(self, hook_id: int) -> bool:
        """Whether anything was heard of this hook, or remembered."""
        return hook_id in self._highest

    def remember(self, hook_id: int, spans: Iterable[Span]) -> None:
        """Go on from these, in the order of their first numbers; what is between two of them is open since the second came."""
        with self._lock:
            for span in spans:
                highest = self._highest.get(hook_id, span.first - 1)
                if span.first > highest + 1:
                    self._open.setdefault(hook_id, []).append(_Open(highest + 1, span.first - 1, span.at))
                self._highest[hook_id] = max(highest, span.last)

    def arrived(self, hook_id: int, number: int, now: float) -> None:
        """A delivery came."""
        with self._lock:
            highest = self._highest.setdefault(hook_id, number)
            if number > highest + 1:
                self._open.setdefault(hook_id, []).append(_Open(highest + 1, number - 1, now))
            if number > highest:
                self._highest[hook_id] = number
            elif hook_id in self._open:
                self._close(hook_id, number)

    def any_open(self) -> bool:
        """Whether some number has not come that may yet come, or is to be told of."""
        return bool(self._open)

    def missing(self, now: float) -> list[Gap]:
        """What has stayed away for too long, each number once."""
        with self._lock:
            return [gap for hook_id in list(self._open) for gap in self._overdue(hook_id, now)]

    def _close(self, hook_id: int, number: int) -> None:
        kept: list[_Open] = []
        for gap in self._open.pop(hook_id):
            parts = ((gap.first, min(gap.last, number - 1)), (max(gap.first, number + 1), gap.last))
            kept += [_Open(first, last, gap.since) for first, last in parts if first <= last] if gap.first <= number <= gap.last else [gap]
        if kept:
            self._open[hook_id] = kept

    def _overdue(self, hook_id: int, now: float) -> list[Gap]:
        gaps = self._open.pop(hook_id)
        late = [index < len(gaps) - _GAPS_KEPT or now - gap.since >= self._wait for index, gap in enumerate(gaps)]
        kept = [gap for gap, is_late in zip(gaps, late, strict=True) if not is_late]
        if kept:
            self._open[hook_id] = kept
        return [Gap(hook_id, gap.first, gap.last) for gap, is_late in zip(gaps, late, strict=True) if is_late]
