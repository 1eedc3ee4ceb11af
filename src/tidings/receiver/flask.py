"""A receiver as a view of Flask.

app.add_url_rule("/hooks", view_func=endpoint(hooks), methods=["POST"])
"""

from __future__ import annotations

from collections.abc import Callable

from flask import Response, request

from tidings.receiver import wsgi
from tidings.receiver.receiver import Receiver


def endpoint(receiver: Receiver) -> Callable[[], Response]:
    """The view that hands its requests to `receiver`."""

    def receive_delivery() -> Response:
        said = wsgi.answer(receiver, request.environ)
        return Response(said.body, said.status, said.headers)

    return receive_delivery
