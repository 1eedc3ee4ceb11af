"""Pages that change while somebody looks at them: server-sent events, each a few pieces of the page as they are now.

A piece is what stands inside one element, made by the very template that the page was made by; its version says whether
the page shows it already, so that nothing is replaced for nothing (`static/live.js` is the other half). A stream looks
again and again, and tells what is new. What it costs is bounded: so many streams a session and a server, each for so long;
a browser then comes again. Who is signed out, or may not look any more, is told nothing more, and all streams end at once
when the server stops, which would otherwise wait for them.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

import structlog
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from tidings.errors import TidingsError, Unavailable
from tidings.telemetry.logs import where_it_broke

MOST_OF_A_SESSION = 10
MOST = 200
LASTS = 300.0  # seconds
TICK, IDLE_TICK = 0.5, 1.0  # seconds between looks: while things happen, and when nothing has for `IDLE_AFTER` looks
IDLE_AFTER = 20
MEDIA_TYPE = "text/event-stream"
RECONNECT = 2_000  # milliseconds that a browser waits before it comes again

log = structlog.get_logger("tidings.console")


@dataclass(frozen=True, slots=True)
class Pieces:
    """What of a page may change: the inside of elements, by their id; and for lists, the ids of what is in them, in order."""

    html: Mapping[str, str]
    lists: Mapping[str, list[str]] = field(default_factory=dict)


class Streams:
    """The streams that are open in this process. Used on one event loop."""

    def __init__(self) -> None:
        self._by_session = Counter[str]()
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        """End them all, and open no more."""
        self._stopping.set()

    async def goes_on(self, seconds: float) -> bool:
        """Let this much time pass; False, and at once, when all are to end."""
        try:
            async with asyncio.timeout(seconds):
                await self._stopping.wait()
        except TimeoutError:
            return True
        return False

    def check(self, session: str) -> None:
        """Raise `Unavailable` where one more would be too many."""
        if self._stopping.is_set():
            raise Unavailable("The server is stopping.")
        if self._by_session[session] >= MOST_OF_A_SESSION or self._by_session.total() >= MOST:
            raise Unavailable("Too many pages are open that show what happens as it happens.")

    @contextmanager
    def one_more(self, session: str) -> Iterator[None]:
        """Count one while it lasts."""
        self._by_session[session] += 1
        try:
            yield
        finally:
            self._by_session[session] -= 1
            if not self._by_session[session]:
                del self._by_session[session]


class Stream(StreamingResponse):
    """The answer that goes on and on: `look` makes the pieces as they are, and its first error ends it."""

    def __init__(self, streams: Streams, session: str, look: Callable[[], Awaitable[Pieces]]) -> None:
        """Raises `Unavailable` at too many."""
        streams.check(session)
        self._streams, self._session = streams, session
        super().__init__(_tell(streams, look), media_type=MEDIA_TYPE, headers={"x-accel-buffering": "no"})  # nginx would hold it back

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, for as long as it goes on."""
        with self._streams.one_more(self._session):
            await super().__call__(scope, receive, send)


async def _tell(streams: Streams, look: Callable[[], Awaitable[Pieces]]) -> AsyncIterator[bytes]:
    loop = asyncio.get_running_loop()
    until, quiet_for = loop.time() + LASTS, 0
    told = Pieces({})
    yield f"retry: {RECONNECT}\n\n".encode()
    while loop.time() < until:
        try:
            seen = await look()
        except TidingsError:
            return  # gone, or not theirs any more: who comes again is told so
        except Exception as error:  # noqa: BLE001  a defect of ours: the answer has begun, so the log alone can have it
            log.error("defect", path="live", error=type(error).__name__, frames=where_it_broke(error))  # noqa: TRY400  quotes nothing
            return
        event = _news(told, seen)
        if event:
            yield event
        told, quiet_for = seen, 0 if event else quiet_for + 1
        if not await streams.goes_on(TICK if quiet_for < IDLE_AFTER else IDLE_TICK):
            return


def _news(told: Pieces, seen: Pieces) -> bytes:
    """What differs, as one event; nothing where nothing does. As JSON it has no line break in it: whatever a title says, it
    begins no line of the stream."""
    html = [[name, version(text), text] for name, text in seen.html.items() if told.html.get(name) != text]
    lists = {name: members for name, members in seen.lists.items() if told.lists.get(name) != members}
    return f"event: pieces\ndata: {json.dumps({'html': html, 'lists': lists})}\n\n".encode() if html or lists else b""


def version(html: str) -> str:
    """Names what stands in a piece."""
    return hashlib.sha256(html.encode()).hexdigest()[:12]
