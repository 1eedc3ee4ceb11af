"""Calls that are awaited: the steps of a plan, taken on the event loop that calls.

Connections are kept for the next request, for a few seconds, and belong to their loop: on another one, others are made.
What reads a file of the caller's, or writes one, does so in a thread.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import TypeVar, cast
from urllib.parse import SplitResult

from tidings.client.calls import Call, Pages
from tidings.client.exchange import (
    IDLE_LIMIT,
    Answer,
    Collecting,
    Garbled,
    Ours,
    Request,
    Route,
    address,
    check_tunnel,
    left,
    lost,
    write_body,
    write_head,
)
from tidings.client.http1 import AnswerReader
from tidings.client.names import look_up, too_slow
from tidings.client.plans import Alone, Pause, Plan, Send, Step
from tidings.client.session import Session

T = TypeVar("T")

MOST_UNREAD = 1024 * 1024  # bytes that may wait to be read before the other side is made to wait


class Awaiting:
    """Drives calls on an event loop, as many at a time as there are tasks."""

    def __init__(self, session: Session, *, timeout: float, tls: ssl.SSLContext | None = None, proxy: SplitResult | None = None) -> None:
        """`timeout`: seconds that an exchange may take in all; where files are streamed, that any wait may take."""
        self.session = session
        self.sleep: Callable[[float], Awaitable[object]] = asyncio.sleep
        self._timeout = timeout
        self._tls = tls
        self._route = Route(session.server, proxy)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._idle: list[_Connection] = []
        self._one_at_a_time = asyncio.Lock()

    async def perform(self, call: Call[T]) -> T:
        """Make one call."""
        return await self.run(self.session.perform(call))

    async def iterate(self, pages: Pages[T]) -> AsyncIterator[T]:
        """All there is, page by page."""
        offset = 0
        while True:
            page = await self.perform(pages.at(offset))
            for each in page:
                yield each
            offset += len(page)
            if len(page) < pages.size:
                return

    async def run(self, plan: Plan[T]) -> T:
        """Take all the steps of a plan."""
        try:
            step = next(plan)
            while True:
                try:
                    done = await self._take(step)
                except BaseException as error:  # noqa: BLE001  the plan decides, and must hear of a cancellation too
                    step = plan.throw(error)
                else:
                    step = plan.send(done)
        except StopIteration as end:
            result: T = end.value
            return result

    def close(self) -> None:
        """Close the connections that are kept. The next call makes new ones."""
        idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    async def _take(self, step: Step) -> object:
        match step:
            case Send(request):
                return await self._send(request)
            case Pause(seconds):
                return await self.sleep(seconds)
            case Alone(plan):
                self._settle_on_loop()
                # A pair of tokens that is renewed is renewed for all, whoever of them gives up meanwhile; and an answer that
                # nobody hears would take the only refresh token with it.
                return await asyncio.shield(self._run_alone(plan))

    async def _run_alone(self, plan: Plan[None]) -> None:
        async with self._one_at_a_time:
            await self.run(plan)

    def _settle_on_loop(self) -> asyncio.AbstractEventLoop:
        """The running loop. What belongs to another one is dropped: that loop may be closed by now."""
        loop = asyncio.get_running_loop()
        if loop is not self._loop:
            self._loop, self._idle, self._one_at_a_time = loop, [], asyncio.Lock()
        return loop

    # --- one exchange ---

    async def _send(self, request: Request) -> Answer:
        head = write_head(self._route, request)
        loop = self._settle_on_loop()
        for connection in self._kept(loop.time()):
            try:
                return await self._exchange(connection, head, request)
            except _Stale:
                if not request.repeatable:
                    raise self._lost(Garbled("the connection was closed as it was used"), sent=True) from None
        return await self._exchange(await self._connect(loop), head, request)

    def _kept(self, now: float) -> Iterator[_Connection]:
        """A connection from before, once, if there is one that is still good."""
        while self._idle:
            connection = self._idle.pop()
            if connection.is_fresh(now):
                yield connection
                return
            connection.close()

    async def _connect(self, loop: asyncio.AbstractEventLoop) -> _Connection:
        deadline, connection = time.monotonic() + self._timeout, None
        try:
            connection = await self._dial(loop, deadline)
            if self._route.is_secure:
                async with asyncio.timeout(left(deadline)):
                    await self._secure(connection)
        except (OSError, ValueError, Garbled) as error:
            if connection is not None:
                connection.close()
            raise self._lost(error, sent=False) from None
        return connection

    async def _dial(self, loop: asyncio.AbstractEventLoop, deadline: float) -> _Connection:
        """As `dialing.dial`: a connection to one of the addresses, each of which has its share of the time."""
        host, port = self._route.first
        try:
            async with asyncio.timeout(left(deadline)):
                addresses = await asyncio.wrap_future(look_up(host, port))
        except TimeoutError:
            raise too_slow(self._timeout) from None
        for index, there in enumerate(addresses):
            try:
                async with asyncio.timeout(left(deadline) / (len(addresses) - index)):
                    _, connection = await loop.create_connection(_Connection, there, port)
            except OSError:
                if index == len(addresses) - 1:
                    raise
            else:
                return connection
        raise OSError("the name has no address")

    async def _secure(self, connection: _Connection) -> None:
        """TLS with the server, through the proxy if there is one."""
        tls = self._tls
        if tls is None:  # to read all the authorities takes a while
            tls = self._tls = await asyncio.to_thread(ssl.create_default_context)
        if self._route.tunnel is not None:
            await connection.send(self._route.tunnel)
            reader = AnswerReader("CONNECT")
            while not reader.done:
                received = await connection.receive()
                reader.feed(received) if received else reader.end()
            check_tunnel(reader.status)
        host, _ = address(self.session.server)
        await connection.start_tls(tls, host)

    async def _exchange(self, connection: _Connection, head: bytes, request: Request) -> Answer:
        reader, collecting = AnswerReader(request.method.upper()), Collecting(request)
        try:
            talk = _Talk(connection, request, reader, collecting, self._timeout)
            if request.streams:
                await talk.run(head)
            else:
                async with asyncio.timeout(self._timeout):
                    await talk.run(head)
        except (OSError, Garbled) as error:
            connection.close()
            if connection.used and not connection.heard and not isinstance(error, TimeoutError):
                raise _Stale from None
            raise self._lost(error, sent=True, handed_on=collecting.handed_on) from None
        except Ours as trouble:
            connection.close()
            raise trouble.error from None
        except BaseException:
            connection.close()
            raise
        self._keep(connection, reusable=reader.reusable and talk.whole)
        return Answer(reader.status, bytes(collecting.body), reader.headers)

    def _keep(self, connection: _Connection, *, reusable: bool) -> None:
        loop = asyncio.get_running_loop()
        if not reusable or loop is not self._loop:
            connection.close()
            return
        connection.used, connection.heard, connection.since = True, False, loop.time()
        self._idle.append(connection)
        while connection.since - self._idle[0].since > IDLE_LIMIT:
            self._idle.pop(0).close()

    def _lost(self, error: Exception, *, sent: bool, handed_on: bool = False) -> Exception:
        return lost(self.session.server, error, sent=sent, timeout=self._timeout, handed_on=handed_on)


class _Stale(Exception):
    """A connection that was kept is of no use any more."""


class _Connection(asyncio.Protocol):
    """One connection: what came is kept until it is asked for."""

    def __init__(self) -> None:
        self.used = False
        self.heard = False
        self.since = 0.0
        self._transport: asyncio.Transport | None = None
        self._received = bytearray()
        self._ended = False
        self._error: Exception | None = None
        self._turn = asyncio.Event()  # set whenever something has changed
        self._full = False  # of what is to be sent

    # What the loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's are not of that class

    def data_received(self, data: bytes) -> None:
        self._received += data
        self.heard = True
        if len(self._received) > MOST_UNREAD and self._transport is not None:
            self._transport.pause_reading()
        self._turn.set()

    def eof_received(self) -> None:
        self._ended = True
        self._turn.set()

    def connection_lost(self, exc: Exception | None) -> None:
        self._ended, self._error = True, exc
        self._turn.set()

    def pause_writing(self) -> None:
        self._full = True

    def resume_writing(self) -> None:
        self._full = False
        self._turn.set()

    # What an exchange calls.

    @property
    def has_spoken(self) -> bool:
        """Whether something is there to be read, or the end."""
        return bool(self._received) or self._ended

    def is_fresh(self, now: float) -> bool:
        """Whether it may be used again: nothing has come on it, not even its end."""
        return not self.has_spoken and now - self.since <= IDLE_LIMIT

    async def send(self, piece: bytes) -> None:
        """Send it; answers when there is room for more, or the other side has spoken."""
        assert self._transport is not None
        if self._ended and not self._received:
            raise self._error or ConnectionResetError
        self._transport.write(piece)
        while self._full and not self.has_spoken:
            await self._next_turn()

    async def receive(self) -> bytes:
        """What came, at least a byte; b"" at the end."""
        while not self.has_spoken:
            await self._next_turn()
        received = bytes(self._received)
        self._received.clear()
        if not received and self._error is not None:
            raise self._error
        if received and self._transport is not None and not self._ended:
            self._transport.resume_reading()
        return received

    async def start_tls(self, context: ssl.SSLContext, host: str) -> None:
        """Speak TLS from here on, with a server of this name."""
        assert self._transport is not None
        loop = asyncio.get_running_loop()
        self._transport = await loop.start_tls(self._transport, self, context, server_hostname=host)
        self.heard = False
        if self._transport is None:
            raise ConnectionResetError

    async def _next_turn(self) -> None:
        self._turn.clear()
        await self._turn.wait()

    def close(self) -> None:
        """Break it off."""
        if self._transport is not None:
            self._transport.abort()


class _Talk:
    """A request out, an answer back."""

    def __init__(self, connection: _Connection, request: Request, reader: AnswerReader, collecting: Collecting, timeout: float) -> None:
        self._connection = connection
        self._request = request
        self._reader = reader
        self._collecting = collecting
        self._timeout = timeout
        self.whole = False  # whether all was sent

    async def run(self, head: bytes) -> None:
        """All of it."""
        await self._patiently(self._connection.send(head))
        await self._send_body()
        while not self._reader.done:
            received = await self._patiently(self._connection.receive())
            for piece in self._reader.feed(received):
                await self._collect(piece)
            if not received:
                self._reader.end()

    async def _send_body(self) -> None:
        pieces = write_body(self._request)
        while not self._connection.has_spoken:  # who refuses a file answers before all of it is there
            piece = await asyncio.to_thread(next, pieces, None) if self._request.streams else next(pieces, None)
            if piece is None:
                self.whole = True
                return
            await self._patiently(self._connection.send(piece))

    async def _collect(self, piece: bytes) -> None:
        if self._request.sink is None:
            self._collecting.take(self._reader.status, piece)
        else:
            await asyncio.to_thread(self._collecting.take, self._reader.status, piece)

    async def _patiently(self, wait: Awaitable[T]) -> T:
        if not self._request.streams:
            return await wait  # there is one deadline for all of it
        async with asyncio.timeout(self._timeout):
            return await wait
