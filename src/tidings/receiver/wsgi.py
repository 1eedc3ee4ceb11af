"""A receiver as a WSGI application: for gunicorn, mod_wsgi, waitress and the like.

    application = app(hooks)

A body is refused by its announced length, or as soon as it grows too long. How slowly it may come is up to the server:
WSGI leaves no way to stop waiting for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any

from tidings.receiver.answers import Answer, refusal
from tidings.receiver.receiver import Receiver
from tidings.receiver.refusals import ReceiverError, TooLarge, Unreadable, WrongMethod

_Environ = dict[str, Any]
Application = Callable[[_Environ, Callable[..., Any]], Iterable[bytes]]


def app(receiver: Receiver) -> Application:
    """The application that hands every POST to `receiver`, whatever its path."""

    def application(environ: _Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        said = answer(receiver, environ)
        headers = {**said.headers, "Content-Length": str(len(said.body))} if said.body else said.headers
        start_response(f"{said.status} {HTTPStatus(said.status).phrase}", list(headers.items()))
        return [said.body]

    return application


def answer(receiver: Receiver, environ: _Environ) -> Answer:
    """What to answer a request, as WSGI hands it over."""
    try:
        if environ["REQUEST_METHOD"] != "POST":
            raise WrongMethod
        body = _read_body(receiver, environ)
    except ReceiverError as error:
        return refusal(error)
    return receiver.receive(_headers(environ), body)


def _headers(environ: _Environ) -> dict[str, str]:
    headers = {name[5:].replace("_", "-"): value for name, value in environ.items() if name.startswith("HTTP_")}
    return {**headers, "content-type": environ.get("CONTENT_TYPE", "")}


def _read_body(receiver: Receiver, environ: _Environ) -> bytes:
    longest, length = receiver.longest_body, environ.get("CONTENT_LENGTH") or ""
    if length and not (length.isascii() and length.isdigit() and len(length) <= 18):
        raise Unreadable("the length of the body is not a number")
    if not length and not environ.get("wsgi.input_terminated"):
        return b""  # to read on would be to wait for ever
    if length and int(length) > longest:
        raise TooLarge(f"a body has at most {longest} bytes")
    body: bytes = environ["wsgi.input"].read(int(length) if length else longest + 1)
    if len(body) > longest:
        raise TooLarge(f"a body has at most {longest} bytes")
    if length and len(body) < int(length):
        raise Unreadable("the body is shorter than was announced")
    return body
