"""An event loop's changes to an inbox: what is asked for while one batch is being written goes into the next.

To cross from a loop to the writer's thread and back costs more than to write a row, so it is done once for a batch. Each
change hears how it went on the loop, in the order in which they were asked for.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future

from tidings.receiver.inbox.rows import Place
from tidings.receiver.inbox.writer import Writer

Change = Callable[[Place], int]
Then = Callable[[int, BaseException | None], None]
"""Is told how many rows were changed, or why none were."""


class Together:
    """Batches for `writer`, of the loop on which it is made and used."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._loop = asyncio.get_running_loop()
        self._next: list[tuple[Change, Then]] = []
        self._under_way = 0
        self.quiet = asyncio.Event()  # set while nothing is under way
        self.quiet.set()

    def add(self, change: Change, then: Then) -> None:
        """Have `change` made and committed, and `then` called."""
        self._next.append((change, then))
        if self.quiet.is_set():
            self.quiet.clear()
            self._loop.call_soon(self._write_next)  # after all that this turn of the loop asks for

    def _write_next(self) -> None:
        batch, self._next = self._next, []
        self._write(batch)

    def _write(self, batch: list[tuple[Change, Then]]) -> None:
        self._under_way += 1
        written = self._writer.submit(lambda place: [change(place) for change, _ in batch])
        written.add_done_callback(lambda done: self._loop.call_soon_threadsafe(self._written, batch, done))

    def _written(self, batch: list[tuple[Change, Then]], written: Future[list[int]]) -> None:
        self._under_way -= 1
        error = written.exception()
        if error is not None and len(batch) > 1:
            for one in batch:  # so that one does not take the others with it
                self._write([one])
            return
        for index, (_, then) in enumerate(batch):
            then(0 if error else written.result()[index], error)
        if self._under_way:
            return
        if self._next:
            self._write_next()
        else:
            self.quiet.set()
