"""Connections whose reading side is shut when their time is up, so that who waits for bytes from there finds the end of them.

One thread watches all of them; it is begun with the first, and again in a process that was forked. It sleeps until the
earliest deadline, or until there is one.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress


class Deadlines:
    """The connections that are waited for, and until when."""

    def __init__(self) -> None:
        self._until: dict[socket.socket, float] = {}
        self._changed = threading.Condition()
        self._wakes_at: float | None = None  # None: when it is told to
        self._thread: threading.Thread | None = None

    @contextmanager
    def over(self, connection: socket.socket, deadline: float) -> Iterator[None]:
        """Shut `connection` at `deadline`, of `time.monotonic`, unless what is done within is done before. It is closed then."""
        with self._changed:
            self._until[connection] = deadline
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._watch, name="tidings-uploads", daemon=True)
                self._thread.start()
            elif self._wakes_at is None or deadline < self._wakes_at:
                self._changed.notify()
        try:
            yield
        finally:
            with self._changed:
                self._until.pop(connection, None)
                connection.close()

    def _watch(self) -> None:
        with self._changed:
            while True:
                now = time.monotonic()
                for connection in [late for late, until in self._until.items() if until <= now]:
                    del self._until[connection]
                    with suppress(OSError):  # it is gone already
                        connection.shutdown(socket.SHUT_RD)
                self._wakes_at = min(self._until.values(), default=None)
                self._changed.wait(None if self._wakes_at is None else self._wakes_at - now)


DEADLINES = Deadlines()
"""Those of this process."""
