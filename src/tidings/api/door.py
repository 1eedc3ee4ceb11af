"""The HTTP connection itself: uvicorn's, with the two bounds that it lacks.

Uvicorn's fast parser takes a head of any length, and waits for it for ever. Here a head has `HEAD_LIMIT` bytes and
`HEAD_SECONDS`, from the connection or from its first byte; whoever exceeds either is told so, and the connection is
closed. What is no HTTP at all gets Podio's envelope as well.

And an answer that is whole (`api/answers.py`) goes out whole: uvicorn judges each line of a head, and writes head and body one
after the other, each a call of the kernel, so that the one at the other end is woken twice. All that become ready in one turn of
the loop go out together at its end, since each trip to the kernel leaves the processor's caches cold for Python.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial
from http import HTTPStatus
from typing import Any, ClassVar, cast
from weakref import WeakKeyDictionary

import msgspec
from uvicorn._types import ASGI3Application
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from tidings.api.answers import WHOLE, Line
from tidings.wire.podio import error_envelope

HEAD_LIMIT = 64 * 1024
HEAD_SECONDS = 30.0

STOPPING = "tidings.stopping"
"""Where the application's state has what is to be called, any number of times, when the server begins to stop."""


class Door(HttpToolsProtocol):
    """One connection."""

    _in_head = True  # the next head has not come whole
    _begun = False  # but its first byte has
    _heads = 0  # that have come whole
    _head_bytes = 0
    _patience: asyncio.TimerHandle | None = None
    _outgoing: Outgoing

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's own
        """A connection begins, and with it the wait for its first head."""
        super().connection_made(transport)
        self._outgoing = Outgoing.of(self.loop)
        self._wait_for_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """It has ended, one way or the other."""
        super().connection_lost(exc)
        self._head_came()

    def data_received(self, data: bytes) -> None:
        """Some bytes came."""
        before = self._in_head, self._heads
        super().data_received(data)
        if not self._in_head or self.transport.is_closing():
            return
        if before == (True, self._heads):
            self._head_bytes += len(data)
        elif not self._begun:
            return  # these bytes ended with a request; otherwise the next head is counted from the next bytes on
        if self._head_bytes > HEAD_LIMIT:
            self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, f"The request's head is larger than {HEAD_LIMIT} bytes")
        elif self._patience is None:
            self._wait_for_head()

    def on_message_begin(self) -> None:
        """The first byte of a head."""
        self._begun = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """The head is whole."""
        self._in_head, self._begun, self._head_bytes = False, False, 0
        self._heads += 1
        self._head_came()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """The request is whole; what follows is the next head."""
        self._in_head = True
        super().on_message_complete()
        if self.cycle.response_complete and self._patience is None:
            self._wait_for_head()  # it was answered before its body came, and uvicorn's own timer is spent

    def send_400_response(self, msg: str) -> None:
        """What came is not HTTP."""
        self._refuse(HTTPStatus.BAD_REQUEST, msg)

    def shutdown(self) -> None:
        """The server stops: answers that would go on are told to end, then this connection ends as any."""
        if stop := self.app_state.get(STOPPING):
            stop()
        self._outgoing.send()  # what is answered already, before the connection closes
        super().shutdown()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        scope = cast(dict[str, Any], cycle.scope)
        scope[WHOLE] = partial(_send_whole, cycle, self._outgoing)
        super()._start_asgi_task(cycle, app)

    def _wait_for_head(self) -> None:
        self._patience = self.loop.call_later(HEAD_SECONDS, self._head_is_late)

    def _head_came(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None

    def _head_is_late(self) -> None:
        self._patience = None
        if self._in_head and not self.transport.is_closing():
            self._refuse(HTTPStatus.REQUEST_TIMEOUT, f"The request's head did not arrive within {HEAD_SECONDS:.0f} seconds")

    def _refuse(self, status: HTTPStatus, sentence: str) -> None:
        envelope = error_envelope(
            error="invalid_value", description=sentence, detail=None, parameters={}, path="", query_string="", method=""
        )
        body = msgspec.json.encode(envelope)
        lines = (
            f"HTTP/1.1 {status.value} {status.phrase}",
            "content-type: application/json",
            f"content-length: {len(body)}",
            "connection: close",
        )
        self._outgoing.send()  # the answers to what came before
        self.transport.write("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
        self.transport.close()


class Outgoing:
    """The answers that go out at the end of this turn of a loop, in their order."""

    _of_loops: ClassVar[WeakKeyDictionary[asyncio.AbstractEventLoop, Outgoing]] = WeakKeyDictionary()

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._waiting: list[tuple[asyncio.Transport, bytes]] = []

    @classmethod
    def of(cls, loop: asyncio.AbstractEventLoop) -> Outgoing:
        """The one of `loop`: all its connections share it."""
        return cls._of_loops.get(loop) or cls._of_loops.setdefault(loop, cls(loop))

    def add(self, transport: asyncio.Transport, answer: bytes) -> None:
        """Send `answer` soon."""
        if not self._waiting:
            self._loop.call_soon(self.send)
        self._waiting.append((transport, answer))

    def send(self) -> None:
        """Send what waits, now."""
        waiting, self._waiting = self._waiting, []
        for transport, answer in waiting:
            if not transport.is_closing():  # otherwise the one at the other end has gone
                transport.write(answer)


async def _send_whole(cycle: RequestResponseCycle, outgoing: Outgoing, status: int, lines: Sequence[Line], body: bytes) -> None:
    """Send a whole answer, as `cycle.send` would in two messages; no line of it says how long the connection lasts."""
    if cycle.flow.write_paused and not cycle.disconnected:
        await cycle.flow.drain()
    if cycle.disconnected:
        return
    cycle.response_started = cycle.response_complete = True
    head = [b"%b: %b\r\n" % line for line in (*cycle.default_headers, *lines)]
    if not cycle.keep_alive:
        head.append(b"connection: close\r\n")
    outgoing.add(cycle.transport, b"".join((STATUS_LINE[status], *head, b"\r\n", body)))
    cycle.message_event.set()
    if not cycle.keep_alive:
        outgoing.send()
        cycle.transport.close()
    cycle.on_response()
