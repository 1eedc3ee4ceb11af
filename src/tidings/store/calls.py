"""Functions on their way to a database's thread, and what came of them on the way back to whoever waits.

A call is handed in on an event loop and run on a thread of the database; its caller hears of it on the loop it came from.
What is always true: a call that was handed in is run, unless its caller has gone before; once a queue is closed nothing more
is handed in, and what was is still run; whatever a function raises, its caller is told and the thread lives on.
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any

from tidings.errors import Unavailable


class Call:
    """One function, and where to say how it went."""

    __slots__ = ("error", "fn", "future", "loop", "result")

    def __init__(self, fn: Callable[[], Any], loop: asyncio.AbstractEventLoop) -> None:
        self.fn = fn
        self.loop = loop
        self.future: asyncio.Future[Any] = loop.create_future()
        self.result: Any = None
        self.error: BaseException | None = None

    def tell(self) -> None:
        """Say how it went. On the loop of its caller."""
        if self.future.done():  # its caller was cancelled; what was done stands
            return
        if self.error is not None:
            self.future.set_exception(self.error)
        else:
            self.future.set_result(self.result)


class CallQueue:
    """Calls that wait, in the order in which they came. Any number of loops and threads may use one."""

    def __init__(self) -> None:
        self._calls: queue.SimpleQueue[Call | None] = queue.SimpleQueue()
        self._door = threading.Lock()  # nothing is handed in once `_closed` is set, whatever thread it comes from
        self._closed = False

    def hand_in(self, fn: Callable[[], Any]) -> asyncio.Future[Any]:
        """Have `fn` run; the future is of the running loop. Raises `Unavailable` once the queue is closed."""
        call = Call(fn, asyncio.get_running_loop())
        with self._door:
            if self._closed:
                raise database_closed()
            self._calls.put(call)
        return call.future

    def take(self, most: int) -> list[Call]:
        """All that wait, `most` at most, waiting for the first. Empty when the queue is closed and nothing is left in it."""
        first = self._calls.get()
        if first is None:
            self._calls.put(None)  # for the next thread
            return []
        calls = [first]
        while len(calls) < most:
            try:
                call = self._calls.get_nowait()
            except queue.Empty:
                break
            if call is None:
                self._calls.put(None)  # for the next round
                break
            calls.append(call)
        return calls

    def close(self) -> None:
        """Take in nothing more."""
        with self._door:
            if not self._closed:
                self._closed = True
                self._calls.put(None)


class CallThreads:
    """Threads that run what is handed in, each one call at a time."""

    def __init__(self, how_many: int, name: str, *, begin: Callable[[], None] = lambda: None) -> None:
        """`begin` is the first thing that each of them does."""
        self._begin = begin
        self._queue = CallQueue()
        self.hand_in = self._queue.hand_in
        self._threads = [threading.Thread(target=self._run, name=f"{name}-{number}", daemon=True) for number in range(how_many)]
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """Finish what was handed in, then end the threads."""
        self._queue.close()
        for thread in self._threads:
            thread.join()

    def _run(self) -> None:
        self._begin()
        while calls := self._queue.take(1):
            _run(calls[0])
            tell_all(calls)
            del calls  # what came of it is its caller's alone, while we wait for the next


def _run(call: Call) -> None:
    if call.future.cancelled():
        return
    try:
        call.result = call.fn()
    except BaseException as error:  # noqa: BLE001 (its caller gets it)
        call.error = error


def tell_all(calls: Iterable[Call]) -> None:
    """Tell the callers, with one wake-up a loop and not one a call."""
    by_loop: defaultdict[asyncio.AbstractEventLoop, list[Call]] = defaultdict(list)
    for call in calls:
        by_loop[call.loop].append(call)
    for loop, those in by_loop.items():
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits there any more
            loop.call_soon_threadsafe(_tell_each, those)


def _tell_each(calls: Iterable[Call]) -> None:
    for call in calls:
        call.tell()


def database_closed() -> Unavailable:
    """The error for whoever comes after the end."""
    return Unavailable("the database is closed")
