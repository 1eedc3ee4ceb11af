"""The one thread that touches an inbox's database: it takes what many threads ask for and commits it together.

A commit that reaches the disk costs as much for a hundred rows as for one. What is asked for is a function of a `Place`;
its future has its value once that is committed, and not before. When a transaction fails, its functions are tried again
one by one, so that one does not take the others with it.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

from tidings.receiver.inbox.rows import Place

MOST_TOGETHER = 500

T = TypeVar("T")
_Job = tuple[Callable[[Place], Any], "Future[Any]"]


class Writer:
    """Runs functions on `place`, from its first `submit` to `close`."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()

    def submit(self, function: Callable[[Place], T]) -> Future[T]:
        """Have `function` run and committed. What it or the database raises is raised by the future."""
        future: Future[T] = Future()
        self._start()
        self._jobs.put((function, future))
        return future

    def close(self) -> None:
        """Do what was asked for, and end. A later `submit` begins anew."""
        with self._starting:
            thread, self._thread = self._thread, None
        if thread is not None:
            self._jobs.put(None)
            thread.join()

    def _start(self) -> None:
        if self._thread is None:
            with self._starting:
                if self._thread is None:
                    self._thread = threading.Thread(target=self._work, name="tidings-inbox", daemon=True)
                    self._thread.start()

    def _work(self) -> None:
        ended = False
        while not ended:
            batch = [self._jobs.get()]
            while len(batch) < MOST_TOGETHER and not self._jobs.empty():
                batch.append(self._jobs.get())
            ended = None in batch
            self._do([job for job in batch if job is not None and job[1].set_running_or_notify_cancel()])
        self._place.close()

    def _do(self, jobs: list[_Job]) -> None:
        try:
            self._place.open()
            values = [function(self._place) for function, _ in jobs]
            self._place.commit()
        except Exception as error:  # noqa: BLE001 (it is raised where the value is waited for)
            self._undo(jobs, error)
        else:
            for (_, future), value in zip(jobs, values, strict=True):
                future.set_result(value)

    def _undo(self, jobs: list[_Job], error: Exception) -> None:
        try:
            self._place.rollback()
        except Exception:  # noqa: BLE001 (there is nothing to undo on a connection that is gone)
            self._place.close()
        if len(jobs) == 1:
            jobs[0][1].set_exception(error)
            return
        for job in jobs:
            self._do([job])
