"""A receiver as a WSGI application: for gunicorn, mod_wsgi, waitress and the like.

    application = app(hooks)

A body is refused by its announced length, or as soon as it grows too long, and must have arrived within the receiver's
`upload_seconds`. WSGI itself leaves no way to stop waiting for a sender that is silent, so when the time is up the reading
side of its connection is shut, where the server lets us see that (gunicorn, wsgiref, Werkzeug's own). Where it does not,
the time is looked at between two pieces; where the server has taken the whole body before it calls (waitress), or has a
limit of its own (mod_wsgi, uWSGI), that counts.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Iterable
from contextlib import nullcontext
from http import HTTPStatus
from typing import Any

from tidings.receiver.answers import Answer, refusal
from tidings.receiver.deadlines import DEADLINES
from tidings.receiver.receiver import Receiver
from tidings.receiver.refusals import ReceiverError, TooLarge, TooSlow, Unreadable, WrongMethod

_Environ = dict[str, Any]
Application = Callable[[_Environ, Callable[..., Any]], Iterable[bytes]]

_PIECE = 16_384  # bytes read in one go


def app(receiver: Receiver) -> Application:
    """The application that hands every POST to `receiver`, whatever its path."""

    def application(environ: _Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        said = answer(receiver, environ)
        headers = {**said.headers, "Content-Length": str(len(said.body))} if said.body else said.headers
        start_response(f"{said.status} {HTTPStatus(said.status).phrase}", list(headers.items()))
        return [said.body]

    return application


def answer(receiver: Receiver, environ: _Environ, stream: Any = None) -> Answer:
    """What to answer a request, as WSGI hands it over. `stream`: what its body is read from, where that is not `wsgi.input`."""
    try:
        if environ["REQUEST_METHOD"] != "POST":
            raise WrongMethod
        body = _read_body(receiver, environ, environ.get("wsgi.input") if stream is None else stream)
    except ReceiverError as error:
        return refusal(error)
    return receiver.receive(_headers(environ), body)


def _headers(environ: _Environ) -> dict[str, str]:
    headers = {name[5:].replace("_", "-"): value for name, value in environ.items() if name.startswith("HTTP_")}
    return {**headers, "content-type": environ.get("CONTENT_TYPE", "")}


def _read_body(receiver: Receiver, environ: _Environ, stream: Any) -> bytes:
    longest, length = receiver.longest_body, environ.get("CONTENT_LENGTH") or ""
    if length and not (length.isascii() and length.isdigit() and len(length) <= 18):
        raise Unreadable("the length of the body is not a number")
    if not length and not environ.get("wsgi.input_terminated"):
        return b""  # to read on would be to wait for ever
    if length and int(length) > longest:
        raise TooLarge(f"a body has at most {longest} bytes")
    body = _read(stream, int(length) if length else longest + 1, _connection(environ), receiver.upload_seconds)
    if len(body) > longest:
        raise TooLarge(f"a body has at most {longest} bytes")
    if length and len(body) < int(length):
        raise Unreadable("the body is shorter than was announced")
    return body


def _read(stream: Any, most: int, connection: socket.socket | None, seconds: float) -> bytes:
    """At most so many bytes, up to the end. Raises `TooSlow`, `Unreadable`."""
    body, deadline = b"", time.monotonic() + seconds
    with nullcontext() if connection is None else DEADLINES.over(connection, deadline):
        try:
            while len(body) < most and (piece := stream.read(min(_PIECE, most - len(body)))):
                body += piece
                if time.monotonic() > deadline:
                    break
        except OSError:
            if time.monotonic() < deadline:
                raise Unreadable("the sender has gone before its body was complete") from None
    if len(body) < most and time.monotonic() >= deadline:
        raise TooSlow
    return body


def _connection(environ: _Environ) -> socket.socket | None:
    """The connection that the request comes by, for us to close; None where the server does not show it."""
    shown = environ.get("gunicorn.socket") or environ.get("wsgi.input")
    try:
        number = os.dup(shown.fileno())  # type: ignore[union-attr]  # whether it has one is the question
    except (AttributeError, OSError, ValueError):
        return None
    try:
        return socket.socket(fileno=number)
    except OSError:  # a file: the server has taken the whole body
        os.close(number)
        return None
