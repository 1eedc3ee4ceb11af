"""A receiver as a handler of aiohttp's web server.

    app.router.add_post("/hooks", endpoint(hooks))

With an inbox, have `app.on_startup` call `hooks.start_async()` and `app.on_cleanup` `hooks.stop_async()`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from aiohttp import web

from tidings.receiver import asgi
from tidings.receiver.answers import refusal
from tidings.receiver.core import reader_for
from tidings.receiver.receiver import Receiver
from tidings.receiver.refusals import ReceiverError, Unreadable


def endpoint(receiver: Receiver) -> Callable[[web.Request], Awaitable[web.Response]]:
    """The handler that hands its requests to `receiver`."""

    async def receive(request: web.Request) -> web.Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        try:
            reader_for(headers)  # before the body is touched: aiohttp unpacks a compressed one as it reads
            said = await asgi.answer(receiver, request.method, headers, request.content.iter_any())
        except web.RequestPayloadError:
            said = refusal(Unreadable("the body cannot be read"))
        except ReceiverError as error:
            said = refusal(error)
        return web.Response(body=said.body, status=said.status, headers=said.headers)

    return receive
