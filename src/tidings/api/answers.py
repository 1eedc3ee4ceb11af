"""What nearly every call is answered with: JSON, or nothing; and the short way of it to its connection.

An ASGI answer goes out as two messages, its head put together and judged line by line. Here the lines are ours and always the
same few, so a connection that knows how (`api/door.py`) takes the answer whole. Behind any other server it goes out as every
answer does. What an operation wraps into a `Response` of its own is not touched.
"""

from __future__ import annotations

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

Line = tuple[bytes, bytes]
"""One line of a head: its name, in lower case, and what it says."""

WHOLE = "tidings.whole"
"""Where a request's scope has `async def send_whole(status, lines, body)`, if its connection knows how."""

_PRIVATE = (b"cache-control", b"no-store")  # some answers hold secrets
_JSON = (b"content-type", b"application/json")


class Answer(Response):
    """A 200 with JSON, or a 204."""

    def __init__(self, body: bytes | None) -> None:
        """`body` is JSON already; None is a 204."""
        # Not Starlette's own: it would make these lines anew, each time.
        self.background = None
        if body is None:
            self.status_code, self.body, self.raw_headers = 204, b"", [_PRIVATE]
        else:
            self.status_code, self.body = 200, body
            self.raw_headers = [_PRIVATE, _JSON, (b"content-length", b"%d" % len(body))]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        if WHOLE in scope:
            await scope[WHOLE](self.status_code, self.raw_headers, self.body)
        else:
            await super().__call__(scope, receive, send)
