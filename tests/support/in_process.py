"""An ASGI application as httpx's other end, without a socket.

httpx's own `ASGITransport` looks anew for a package that is not there at every request, and hands a body on in two messages,
which takes the application as long again as the request.
"""

from __future__ import annotations

import asyncio
from collections.abc import MutableMapping
from typing import Any

import httpx
from starlette.types import ASGIApp

Message = MutableMapping[str, Any]


class InProcess(httpx.AsyncBaseTransport):
    """Asks `app`. What it raises is raised where it was asked."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """One request, and all of its answer. The body comes whole, when it is asked for."""
        unread = [request]
        said: list[Message] = []
        answered = asyncio.Event()

        async def receive() -> Message:
            if unread:
                return {"type": "http.request", "body": await unread.pop().aread(), "more_body": False}
            await answered.wait()
            return {"type": "http.disconnect"}

        async def send(message: Message) -> None:
            said.append(message)
            if message["type"] == "http.response.body" and not message.get("more_body", False):
                answered.set()

        await self._app(_scope(request), receive, send)
        start, *parts = said
        assert answered.is_set()
        content = b"" if request.method == "HEAD" else b"".join(part.get("body", b"") for part in parts)
        return httpx.Response(start["status"], headers=start["headers"], stream=httpx.ByteStream(content))


def _scope(request: httpx.Request) -> Message:
    path, _, _ = request.url.raw_path.partition(b"?")
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": request.method,
        "headers": [(name.lower(), value) for name, value in request.headers.raw],
        "scheme": request.url.scheme,
        "path": request.url.path,
        "raw_path": path,
        "query_string": request.url.query,
        "server": (request.url.host, request.url.port),
        "client": ("127.0.0.1", 123),
        "root_path": "",
    }
