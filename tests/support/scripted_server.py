"""A server on loopback that says exactly what a test tells it to, byte for byte, and remembers what it heard.

It runs on the test's own event loop. A script is a coroutine function of one connection (`Peer`); when it returns, the
connection is closed. `answering` makes the common one.
"""

from __future__ import annotations

import asyncio
import re
import socket
import ssl
import struct
from collections.abc import Awaitable, Callable
from contextlib import suppress
from types import TracebackType
from typing import Self

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

_LENGTH = re.compile(rb"\r\ncontent-length: *([0-9]+)\r\n", re.IGNORECASE)


class Peer:
    """One connection, seen from the server."""

    def __init__(self, server: ScriptedServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._server = server
        self._reader = reader
        self._writer = writer

    async def request(self) -> bytes:
        """The next whole request. Raises `IncompleteReadError` when there is none."""
        head = await self._reader.readuntil(b"\r\n\r\n")
        length = _LENGTH.search(head)
        request = head + (await self._reader.readexactly(int(length[1])) if length else b"")
        self._server.requests.append(request)
        return request

    async def some(self) -> None:
        """The first bytes of a request, and no more of it."""
        await self._reader.readexactly(10)

    async def say(self, text: bytes) -> None:
        """Send `text`, as a piece of its own."""
        await self.pour(text)
        await asyncio.sleep(0.002)  # so that it is not joined with what comes next

    async def pour(self, text: bytes) -> None:
        """Send `text`."""
        self._writer.write(text)
        await self._writer.drain()

    def end(self) -> None:
        """Say that nothing more comes, and go on listening."""
        self._writer.write_eof()

    def reset(self) -> None:
        """Break the connection off (RST)."""
        sock = self._writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._writer.transport.abort()

    async def gone(self) -> None:
        """Wait until the other side has closed, whatever it still says."""
        with suppress(ConnectionError):
            while await self._reader.read(65_536):
                pass

    async def relay(self, host: str, port: int) -> None:
        """Be a tunnel to `host` and `port` from here on."""
        reader, writer = await asyncio.open_connection(host, port)
        try:
            await asyncio.gather(_copy(self._reader, writer), _copy(reader, self._writer))
        finally:
            writer.transport.abort()


Script = Callable[[Peer], Awaitable[None]]


def answering(*answers: bytes) -> Script:
    """A script that answers the requests of a connection with `answers`, the last one again and again."""

    async def script(peer: Peer) -> None:
        left = list(answers)
        while True:
            await peer.request()
            await peer.say(left.pop(0) if len(left) > 1 else left[0])

    return script


async def hold(peer: Peer) -> None:
    """Hear the request, and say nothing until the other side gives up."""
    await peer.request()
    await peer.gone()


class ScriptedServer:
    """`async with ScriptedServer(script) as server`: listens on a free port until the end of the block."""

    def __init__(self, script: Script, *, host: str = "127.0.0.1", tls: ssl.SSLContext | None = None) -> None:
        self.host = host
        self.port = 0
        self.script = script
        self.connections = 0
        self.requests: list[bytes] = []
        self._tls = tls
        self._open: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        """The address it listens at."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self._tls else 'http'}://{host}:{self.port}/hook"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, self.host, 0, ssl=self._tls, limit=2**20)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._server.close()
        for task in self._open:
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)

    async def until(self, condition: Callable[[ScriptedServer], bool]) -> None:
        """Wait until `condition` holds, at most five seconds."""
        async with asyncio.timeout(5):
            while not condition(self):  # noqa: ASYNC110 (any condition at all)
                await asyncio.sleep(0.002)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        self.connections += 1
        try:
            with suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
                await self.script(Peer(self, reader, writer))
        finally:
            self._open.discard(task)
            writer.transport.close()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while received := await reader.read(65_536):
            writer.write(received)
            await writer.drain()
    writer.close()
