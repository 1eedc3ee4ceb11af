"""Which messages were dealt with, for a receiver without an inbox: remembered in memory, and only so many.

Any thread may ask.
"""

from __future__ import annotations

import threading
from collections import OrderedDict

REMEMBERED = 10_000  # messages


class Busy(Exception):
    """The message is being dealt with right now."""


class Repeats:
    """The last `limit` messages."""

    def __init__(self, limit: int = REMEMBERED) -> None:
        self._limit = limit
        self._done: OrderedDict[str, None] = OrderedDict()
        self._under_way: dict[str, set[str]] = {}  # and what was finished for each
        self._lock = threading.Lock()
        self._begun: OrderedDict[str, set[str]] = OrderedDict()

    def begin(self, message_id: str) -> set[str] | None:
        """None for a repeat; otherwise what earlier attempts finished, to be added to. Raises `Busy`. `end` must follow."""
        with self._lock:
            if message_id in self._done:
                return None
            if message_id in self._under_way:
                raise Busy
            finished = self._begun.pop(message_id, None) or set()
            self._under_way[message_id] = finished
            return finished

    def end(self, message_id: str, *, done: bool) -> None:
        """It is dealt with, or it is to come again."""
        with self._lock:
            finished = self._under_way.pop(message_id, None)
            if done:
                self._done[message_id] = None
            elif finished:
                self._begun[message_id] = finished
            for remembered in (self._done, self._begun):
                while len(remembered) > self._limit:
                    remembered.popitem(last=False)
