"""After a commit, wake who waits for it: the one thing that a transaction can ask for beyond its own rows."""

from __future__ import annotations

import logging
from collections.abc import Callable

from sqlalchemy import Connection

WAKE = "tidings.wake"

_log = logging.getLogger(__name__)


class Listeners:
    """Who is called after a commit that asked for it. The callbacks are quick and thread-safe."""

    def __init__(self) -> None:
        self._callbacks: list[Callable[[], None]] = []

    def listen(self, callback: Callable[[], None]) -> None:
        """Call `callback` from now on."""
        self._callbacks.append(callback)

    def committed(self, connection: Connection) -> None:
        """Tell them, if the transaction that has just committed on `connection` asked for it.

        What a callback raises is logged and goes no further: the change is on disk, and its caller must hear that.
        """
        if connection.info.pop(WAKE, False):
            for callback in self._callbacks:
                try:
                    callback()
                except Exception:  # noqa: BLE001 (whatever it is)
                    _log.exception("a listener failed after a commit")
