"""How often something happened within a fixed span of time, counted in memory, for as many things as there is room for.

A thing's span begins with its first time, and when it is over counting begins anew: so the moment from which it may happen
again is known to the second. Each process counts for itself. Where there is no room left, what began longest ago is forgotten:
nobody can fill the memory, and who could make us forget a count would have to make us count `most` others first.
"""

from __future__ import annotations

from collections.abc import Hashable

from tidings.clock import SECOND


class Window:
    """One thing's span. Whoever counts says what the numbers mean."""

    __slots__ = ("count", "ends_at", "lower", "over")

    def __init__(self, ends_at: int) -> None:
        self.ends_at = ends_at
        self.count = 0
        self.lower = 0  # of them, those that count towards a lower limit as well
        self.over = False  # a limit was exceeded

    def seconds_left(self, now: int) -> int:
        """Until the span is over: whole seconds, at least one."""
        return max(1, -((now - self.ends_at) // SECOND))


class Windows:
    """The spans by key. Used on one thread."""

    def __init__(self, span: int, most: int) -> None:
        """Spans of `span` microseconds, `most` of them at a time."""
        self._span = span
        self._most = most
        self._windows: dict[Hashable, Window] = {}  # in the order in which they began, and so in that in which they end

    def __len__(self) -> int:
        return len(self._windows)

    def of(self, key: Hashable, now: int) -> Window:
        """The span of `key` that `now` is in; a new one where there is none."""
        window = self._windows.get(key)
        if window is not None and now < window.ends_at:
            return window
        self._windows.pop(key, None)
        self._make_room(now)
        window = self._windows[key] = Window(now + self._span)
        return window

    def _make_room(self, now: int) -> None:
        while self._windows:
            oldest = next(iter(self._windows))
            if now < self._windows[oldest].ends_at and len(self._windows) < self._most:
                return
            del self._windows[oldest]
