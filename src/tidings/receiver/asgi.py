"""A receiver as an ASGI application: for uvicorn, hypercorn and the like, and to be mounted in any ASGI framework.

    app = app(hooks)

A body is refused by its announced length, or as soon as it grows too long, and must have arrived within the receiver's
`upload_seconds`. Served by itself, it takes up what the inbox holds when the server starts; mounted in a framework, have
the framework's lifespan call `hooks.start_async()` and `hooks.stop_async()`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, MutableMapping
from typing import Any

from tidings.receiver.answers import Answer, refusal
from tidings.receiver.receiver import Receiver
from tidings.receiver.refusals import ReceiverError, TooLarge, TooSlow, Unreadable, WrongMethod

_Message = MutableMapping[str, Any]
_Receive = Callable[[], Awaitable[_Message]]
_Send = Callable[[_Message], Awaitable[None]]
Application = Callable[[_Message, _Receive, _Send], Awaitable[None]]


def app(receiver: Receiver) -> Application:
    """The application that hands every POST to `receiver`, whatever its path."""

    async def application(scope: _Message, receive: _Receive, send: _Send) -> None:
        if scope["type"] == "lifespan":
            await _live(receiver, receive, send)
        elif scope["type"] == "http":
            headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
            await _say(await answer(receiver, scope["method"], headers, _pieces(receive)), send)

    return application


async def answer(receiver: Receiver, method: str, headers: dict[str, str], pieces: AsyncIterable[bytes]) -> Answer:
    """What to answer a request whose body comes in `pieces`; names of `headers` are in lower case."""
    try:
        if method != "POST":
            raise WrongMethod
        body = await read_body(receiver, headers.get("content-length"), pieces)
    except ReceiverError as error:
        return refusal(error)
    return await receiver.receive_async(headers, body)


async def read_body(receiver: Receiver, announced: str | None, pieces: AsyncIterable[bytes]) -> bytes:
    """The body, if it is not too long and does not take too long. Raises `TooLarge`, `TooSlow`, `Unreadable`."""
    refuse_length(receiver, announced)
    body = b""
    try:
        async with asyncio.timeout(receiver.upload_seconds):
            async for piece in pieces:
                body += piece
                refuse_length(receiver, str(len(body)))
    except TimeoutError:
        raise TooSlow from None
    except ConnectionError:
        raise Unreadable("the sender has gone before its body was complete") from None
    return body


def refuse_length(receiver: Receiver, length: str | None) -> None:
    """Raises `TooLarge` for a length that a body may not have."""
    if length is not None and length.isascii() and length.isdigit() and (len(length) > 18 or int(length) > receiver.longest_body):
        raise TooLarge(f"a body has at most {receiver.longest_body} bytes")


async def _pieces(receive: _Receive) -> AsyncIterator[bytes]:
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ConnectionError
        yield message.get("body", b"")
        more = message.get("more_body", False)


async def _say(said: Answer, send: _Send) -> None:
    headers = {**said.headers, "Content-Length": str(len(said.body))} if said.body else said.headers
    raw = [(name.lower().encode("ascii"), value.encode("ascii")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": said.status, "headers": raw})
    await send({"type": "http.response.body", "body": said.body})


async def _live(receiver: Receiver, receive: _Receive, send: _Send) -> None:
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            await receiver.start_async()
            await send({"type": "lifespan.startup.complete"})
        elif message["type"] == "lifespan.shutdown":
            await receiver.stop_async()
            await send({"type": "lifespan.shutdown.complete"})
            return
