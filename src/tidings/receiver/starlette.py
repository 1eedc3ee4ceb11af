"""A receiver as an endpoint of Starlette, and so of FastAPI.

    app.add_route("/hooks", endpoint(hooks), methods=["POST"])

With an inbox, have the app's lifespan call `hooks.start_async()` and `hooks.stop_async()`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from tidings.receiver import asgi
from tidings.receiver.receiver import Receiver


def endpoint(receiver: Receiver) -> Callable[[Request], Awaitable[Response]]:
    """The endpoint that hands its requests to `receiver`."""

    async def receive(request: Request) -> Response:
        said = await asgi.answer(receiver, request.method, dict(request.headers), _pieces(request))
        return Response(said.body, said.status, said.headers)

    return receive


async def _pieces(request: Request) -> AsyncIterator[bytes]:
    try:
        async for piece in request.stream():
            yield piece
    except ClientDisconnect:
        raise ConnectionError from None
