"""A receiver on loopback for the tests: keeps what it was sent, in order, and answers as the test says.

A real HTTP/1.1 server (h11) on the test's own event loop. `answers` is asked for each request and gives a status, or a
whole answer in bytes, or None to hang until the receiver is closed.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import h11

from tidings.wire.forms import decode


@dataclass(frozen=True)
class Received:
    """One request, as it came."""

    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def form(self) -> dict[str, str]:
        """The body's form; of a name that repeats, the last value."""
        return dict(decode(self.body))


Answer = int | bytes | None


async def fine(_: Received) -> Answer:
    """Take everything."""
    return 200


@dataclass
class Receiver:
    """What came, and how it answers."""

    port: int = 0
    answers: Callable[[Received], Awaitable[Answer]] = fine
    received: list[Received] = field(default_factory=list)
    connections: int = 0
    _grown: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    def forms(self, type: str | None = None) -> list[dict[str, str]]:
        """The forms that came, of all types or of one."""
        return [each.form for each in self.received if type is None or each.form["type"] == type]

    async def wait_for(self, enough: Callable[[], bool], seconds: float = 20) -> None:
        """Until `enough()`, which is asked whenever something comes. Raises TimeoutError after `seconds`."""
        async with asyncio.timeout(seconds):
            while not enough():
                self._grown.clear()
                await self._grown.wait()

    async def wait_for_count(self, count: int, type: str | None = None, seconds: float = 20) -> None:
        """Until `count` requests (of `type`) have come."""
        try:
            await self.wait_for(lambda: len(self.forms(type)) >= count, seconds)
        except TimeoutError:
            raise AssertionError(f"{len(self.forms(type))} of {count} came") from None

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, until it ends."""
        self.connections += 1
        connection = h11.Connection(h11.SERVER)
        try:
            while (request := await _next_request(connection, reader)) is not None:
                answer = await self._take(request)
                if isinstance(answer, bytes):
                    writer.write(answer)
                    break
                head = h11.Response(status_code=answer, headers=[("content-length", "2")], reason=b"")
                writer.write(connection.send(head) + connection.send(h11.Data(b"ok")) + connection.send(h11.EndOfMessage()))
                connection.start_next_cycle()
        except (ConnectionError, h11.RemoteProtocolError):
            pass  # the sender has gone: some tests kill it
        finally:
            writer.close()

    async def _take(self, request: Received) -> int | bytes:
        self.received.append(request)
        self._grown.set()
        answer = await self.answers(request)
        if answer is None:
            await asyncio.Event().wait()
            raise AssertionError
        return answer


async def _next_request(connection: h11.Connection, reader: asyncio.StreamReader) -> Received | None:
    head: h11.Request | None = None
    body = b""
    while True:
        event = connection.next_event()
        if event is h11.NEED_DATA:
            connection.receive_data(await reader.read(65_536))
        elif isinstance(event, h11.Request):
            head = event
        elif isinstance(event, h11.Data):
            body += event.data
        elif isinstance(event, h11.EndOfMessage):
            assert head is not None
            headers = {name.decode(): value.decode() for name, value in head.headers}
            return Received(head.target.decode(), headers, body)
        else:
            return None


@asynccontextmanager
async def receiving(answers: Callable[[Received], Awaitable[Answer]] = fine) -> AsyncIterator[Receiver]:
    """A receiver that listens, on a free port."""
    receiver = Receiver(answers=answers)
    tasks: set[asyncio.Task[None]] = set()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(receiver.serve(reader, writer))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    receiver.port = server.sockets[0].getsockname()[1]
    try:
        yield receiver
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
