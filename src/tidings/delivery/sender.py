"""One HTTP exchange with a destination; whatever comes of it is an `Outcome`, never an exception.

A sender belongs to one event loop. It keeps connections open by destination, each at an address that the guard judged
when it was dialled, and opens others as they are needed; how many at once for one destination is the caller's to say.

What is always true:
- `done` is called exactly once for every `send`, on the loop, and never before `send` has returned.
- A connection is not kept once it is `max_age` seconds old: then its name is resolved and judged again.
- The most recently used connection is used next, so that a quiet destination's others can age and go.
- An exchange that finds its kept connection closed goes out once more, on a fresh one, within the same deadline.

One coarse ticker runs while there are connections and sweeps over their deadlines; a deadline is met up to `TICK`
seconds late. Deadlines of dialling are timers of their own: a connection is dear enough.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from functools import partial

from tidings.clock import Clock, system_clock
from tidings.delivery.connections import Connection
from tidings.delivery.destination import Destination
from tidings.delivery.dial import Dialer
from tidings.delivery.exchange import Done, Exchange
from tidings.delivery.guard import Guard
from tidings.delivery.outcomes import NoConnection, Reason

TICK = 0.05  # seconds between two sweeps
IDLE_SECONDS = 20.0  # shorter than most servers wait; those that wait less are heard to close
MAX_AGE_SECONDS = 300.0  # after which a change of DNS is noticed
IDLE_EACH = 512  # idle connections of one destination: half of all, and more than most hooks ever have at once
KEPT = 1_024  # connections open in all, above which none is kept

_STOPPED = "Tidings was stopped before the request was sent"


class Sender:
    """Sends requests, and answers outcomes."""

    def __init__(
        self,
        guard: Guard,
        *,
        connect_timeout: float = 5.0,
        exchange_timeout: float = 15.0,
        idle: float = IDLE_SECONDS,
        max_age: float = MAX_AGE_SECONDS,
        idle_each: int = IDLE_EACH,
        kept: int = KEPT,
        clock: Clock = system_clock,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Made on the loop that it is to run on. Times are in seconds; `monotonic` answers seconds."""
        self._loop = asyncio.get_running_loop()
        self._dialer = Dialer(guard, connect_timeout, monotonic)
        self._exchange_timeout = exchange_timeout
        self._idle_seconds = idle
        self._max_age = max_age
        self._idle_each = idle_each
        self._kept = kept
        self._clock = clock
        self._now = monotonic
        self._connections: set[Connection] = set()
        self._idle: dict[Destination, list[Connection]] = {}
        self._dials: dict[asyncio.Task[Connection], Exchange] = {}
        self._ticker: asyncio.TimerHandle | None = None
        self._closed = False
        self._all_lost = asyncio.Event()  # set once closed

    def __repr__(self) -> str:
        busy = sum(connection.busy for connection in self._connections)
        idle = sum(map(len, self._idle.values()))
        return f"<Sender {len(self._dials)} dialling, {busy} busy, {idle} idle, {len(self._connections)} connections>"

    def send(self, destination: Destination, request: bytes, done: Done) -> None:
        """Send `request`, a whole HTTP/1.1 request to the byte, to `destination`; `done` gets the outcome.

        Never raises, and returns at once; `done` is called later, on the loop.
        """
        begun = self._now()
        exchange = Exchange(destination, request, done, self._clock(), begun, begun + self._exchange_timeout)
        idle = self._idle.get(destination)
        if idle:
            idle.pop().carry(exchange)
        else:
            self._dial(exchange)

    def close(self) -> None:
        """Stop at once: what is under way ends as `stopped`, at the latest when the loop turns next."""
        self._closed = True
        self._idle_each = 0  # nothing is kept any more
        for task in self._dials:
            task.cancel()
        for connection in list(self._connections):
            connection.stop()

    async def aclose(self) -> None:
        """Stop at once, and wait until every connection and every attempt at one is gone."""
        self.close()
        await asyncio.gather(*self._dials, return_exceptions=True)
        while self._dials:  # noqa: ASYNC110  a task that is done calls `_dialled` a turn of the loop later
            await asyncio.sleep(0)
        if self._connections:
            await self._all_lost.wait()

    # --- connections ---

    def rest(self, connection: Connection, now: float) -> bool:
        """See `connections.Owner`."""
        idle = self._idle.get(connection.destination)
        if idle is None:
            idle = self._idle[connection.destination] = []
        if now - connection.opened_at >= self._max_age or len(idle) >= self._idle_each or len(self._connections) > self._kept:
            return False
        idle.append(connection)
        connection.deadline = now + self._idle_seconds
        return True

    def retire(self, connection: Connection) -> None:
        """See `connections.Owner`."""
        idle = self._idle.get(connection.destination)
        if idle and connection in idle:
            idle.remove(connection)

    def lost(self, connection: Connection) -> None:
        """See `connections.Owner`."""
        self.retire(connection)
        self._connections.discard(connection)
        if self._idle.get(connection.destination) == []:
            del self._idle[connection.destination]
        if self._closed and not self._connections:
            self._all_lost.set()

    def again(self, exchange: Exchange) -> None:
        """See `connections.Owner`."""
        self._dial(exchange)

    # --- dialling ---

    def _dial(self, exchange: Exchange) -> None:
        if self._closed:
            self._loop.call_soon(self._fail, exchange, NoConnection(Reason.STOPPED, _STOPPED))
            return
        # A task, because dialling waits four times over; it is held here, and ends in `_dialled` whatever becomes of it.
        make = partial(self._make, exchange.destination)
        task = self._loop.create_task(self._dialer.dial(exchange, make))
        self._dials[task] = exchange
        task.add_done_callback(self._dialled)

    def _make(self, destination: Destination, address: str) -> Connection:
        return Connection(self, destination, address, self._now)

    def _dialled(self, task: asyncio.Task[Connection]) -> None:
        exchange = self._dials.pop(task)
        error = NoConnection(Reason.STOPPED, _STOPPED) if task.cancelled() else task.exception()
        if error is None:
            self._open(task.result(), exchange)
        elif isinstance(error, NoConnection):
            self._fail(exchange, error)
        else:  # a defect of ours, or of a resolver that was handed in; the exchange ends all the same
            self._loop.call_exception_handler({"message": "dialling failed", "exception": error})
            self._fail(exchange, NoConnection(Reason.CONNECT, "no connection came about"))

    def _open(self, connection: Connection, exchange: Exchange) -> None:
        if not connection.closed:
            self._connections.add(connection)
            self._start_ticker()
        if self._closed:
            connection.close()
            self._fail(exchange, NoConnection(Reason.STOPPED, _STOPPED))
        else:
            connection.begin(exchange)

    def _fail(self, exchange: Exchange, failure: NoConnection) -> None:
        exchange.address = failure.address or exchange.address
        exchange.end(exchange.failed(self._now(), failure.reason, failure.detail))

    # --- deadlines ---

    def _start_ticker(self) -> None:
        if self._ticker is None:
            self._ticker = self._loop.call_later(TICK, self._sweep)

    def _sweep(self) -> None:
        self._ticker = None
        now = self._now()
        for connection in [connection for connection in self._connections if connection.deadline <= now]:
            connection.expire()
        if self._connections:
            self._start_ticker()
