"""After a commit, wake who waits for it: the one thing that a transaction can ask for beyond its own rows."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Literal

from sqlalchemy import Connection

WAKE = "tidings.wake"

Wake = Literal["events", "deliveries"]
"""What is there to be done: events to fan out, or deliveries that have become due."""

Rider = Callable[[Connection], Callable[[], None] | None]
"""Writes something of its own at the end of a transaction, and answers whom to call once that has committed (see
`Database.let_ride`); None: it has written nothing, and wants to be woken as usual."""

_log = logging.getLogger(__name__)


class Listeners:
    """Who is called after a commit that asked for it. The callbacks are quick and thread-safe."""

    def __init__(self) -> None:
        self._callbacks: list[tuple[Wake, Callable[[], None]]] = []

    def listen(self, callback: Callable[[], None], what: Wake = "events") -> None:
        """Call `callback` from now on."""
        self._callbacks.append((what, callback))

    def committed(self, connection: Connection) -> None:
        """Tell them, if the transaction that has just committed on `connection` asked for it.

        What a callback raises is logged and goes no further: the change is on disk, and its caller must hear that.
        """
        asked = connection.info.pop(WAKE, None)
        if not asked:
            return
        for what, callback in self._callbacks:
            if what in asked:
                tell(callback)


def tell(callback: Callable[[], None]) -> None:
    """Call `callback` after a commit. What it raises is logged and goes no further."""
    try:
        callback()
    except Exception:  # noqa: BLE001 (whatever it is)
        _log.exception("a listener failed after a commit")
