"""One HTTP exchange as values: the request that goes out, the answer that comes back, and the server between them.

Nothing here opens a socket: `blocking.py` and `awaiting.py` do, each in its way, and both send these bytes. It goes to
the address that was given, through the proxy that was given if one was, and nowhere else: no proxy of the environment is
used, no redirect is followed. Whatever the
network does is `Lost`, with a sentence that holds nothing of the request.
"""

from __future__ import annotations

import importlib
import os
import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol
from urllib.parse import SplitResult, quote, urlsplit

from tidings.errors import Invalid, TooLarge

LONGEST_ANSWER = 64 * 1024 * 1024  # bytes that are kept in memory; what is downloaded may be longer
AT_ONCE = 64 * 1024  # bytes read or written in one go
IDLE_LIMIT = 4.0  # seconds that a connection is kept for the next request; servers close theirs after five

# The root names both kits, and so neither may import it by name: they would know one another.
USER_AGENT = f"tidings-client/{importlib.import_module('tidings').__version__}"

_KEPT = "/?&=%:@!$'()*+,;~-._"  # what a target may hold beside letters and digits; the rest is percent-encoded
_HOST = re.compile(r"[A-Za-z0-9_.-]+|[0-9A-Fa-f:.]+(%[A-Za-z0-9_.-]+)?")


class Upload(Protocol):
    """A body that is too long to be held: read anew each time it is sent."""

    @property
    def length(self) -> int | None:
        """Bytes in all; None where nobody knows."""

    def pieces(self) -> Iterator[bytes]:
        """From the beginning. Raises `Invalid` where there is no going back to it."""


@dataclass(frozen=True, slots=True)
class Request:
    """What is sent. Its body and its authorization are secret."""

    method: str
    path: str  # with its query
    body: bytes | Upload | None = field(default=None, repr=False)
    content_type: str = "application/json"
    authorization: str | None = field(default=None, repr=False)
    cause: str | None = None
    repeatable: bool = False  # sent twice, it does what it does once
    sink: Callable[[bytes], object] | None = field(default=None, repr=False)  # takes the body of a 2xx, piece by piece

    @property
    def headers(self) -> dict[str, str]:
        """As they go over the wire, but for `Host`."""
        headers = {"Accept": "application/json" if self.sink is None else "*/*", "User-Agent": USER_AGENT}
        if self.body is not None:
            headers["Content-Type"] = self.content_type
            length = len(self.body) if isinstance(self.body, bytes) else self.body.length
            headers |= {"Transfer-Encoding": "chunked"} if length is None else {"Content-Length": str(length)}
        elif self.method not in ("GET", "HEAD", "DELETE"):
            headers["Content-Length"] = "0"
        if self.authorization is not None:
            headers["Authorization"] = self.authorization
        if self.cause is not None:
            headers["Tidings-Cause"] = self.cause
        return headers

    @property
    def streams(self) -> bool:
        """Whether it may take long, either way."""
        return self.sink is not None or not isinstance(self.body, bytes | None)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. The names of its headers are in lower case."""

    status: int
    body: bytes = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


class Lost(Exception):
    """No whole answer came."""

    def __init__(self, why: str, *, sent: bool, handed_on: bool = False) -> None:
        """`sent`: whether the server may have seen the request; `handed_on`: whether a part of its answer was already used."""
        super().__init__(why)
        self.sent = sent
        self.handed_on = handed_on


class Ours(Exception):
    """Not the network failed, but what the caller gave to be read or to be written to."""

    def __init__(self, error: OSError) -> None:
        super().__init__()
        self.error = error


def lost(server: SplitResult, error: Exception, *, sent: bool, timeout: float, handed_on: bool) -> Lost:
    """What an error of the network means."""
    if isinstance(error, TimeoutError):
        return Lost(f"{server.netloc} did not answer within {timeout:g} seconds", sent=sent, handed_on=handed_on)
    return Lost(f"{server.netloc} cannot be reached: {_why(error)}", sent=sent, handed_on=handed_on)


def _why(error: Exception) -> str:
    if isinstance(error, ConnectionError) and error.errno:
        return os.strerror(error.errno)  # asyncio's own words repeat the address
    if isinstance(error, Garbled):
        return str(error)
    return getattr(error, "strerror", None) or type(error).__name__


class Garbled(Exception):
    """What came is no answer in HTTP/1.1."""


def read_url(url: str) -> SplitResult:
    """The server's address. Raises `Invalid` unless it is an http or https URL of a host, with at most a path."""
    try:
        parts = urlsplit(url.rstrip("/"))
        host = (parts.hostname or "").encode("idna").decode()
        usable = parts.scheme in ("http", "https") and _HOST.fullmatch(host) and (parts.port or 0) >= 0
    except ValueError:  # a port that is none, a bracket that is not closed, a name that cannot be written
        raise Invalid("the server's URL cannot be read") from None
    if not usable or parts.username is not None or parts.query or parts.fragment:
        raise Invalid("the server's URL is `http://host:port` or `https://host`, with at most a path")
    return parts


def address(server: SplitResult) -> tuple[str, int]:
    """Where to connect to."""
    host = (server.hostname or "").encode("idna").decode()
    return host, server.port or (443 if server.scheme == "https" else 80)


class Route(NamedTuple):
    """Where requests go, and by which way."""

    server: SplitResult
    proxy: SplitResult | None = None

    @property
    def is_secure(self) -> bool:
        """Whether TLS is spoken with the server."""
        return self.server.scheme == "https"

    @property
    def first(self) -> tuple[str, int]:
        """What is connected to."""
        return address(self.proxy or self.server)

    @property
    def tunnel(self) -> bytes | None:
        """What asks the proxy for a way through to the server, before TLS is spoken with that."""
        if self.proxy is None or not self.is_secure:
            return None
        host, port = address(self.server)
        there = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        return f"CONNECT {there} HTTP/1.1\r\nHost: {there}\r\nUser-Agent: {USER_AGENT}\r\n\r\n".encode("ascii")


def check_tunnel(status: int) -> None:
    """Raise `Garbled` unless a proxy that answered so has made way."""
    if not 200 <= status <= 299:
        raise Garbled(f"the proxy answers {status}")


def left(deadline: float) -> float:
    """Seconds until `deadline`, of `time.monotonic`. Raises TimeoutError when there are none."""
    seconds = deadline - time.monotonic()
    if seconds <= 0:
        raise TimeoutError
    return seconds


def write_head(route: Route, request: Request) -> bytes:
    """The request line and the headers. Raises `Invalid` for a method or a header that cannot be written."""
    server = route.server
    if not (request.method.isascii() and request.method.isalpha()):
        raise Invalid("a method is a word")
    target = quote(server.path + request.path, safe=_KEPT)
    if route.proxy is not None and not route.is_secure:
        target = f"http://{_host_header(server)}{target}"
    headers = {"Host": _host_header(server), **request.headers}
    for name, value in headers.items():
        if not (value.isascii() and value.isprintable()):
            raise Invalid(f"the header {name} cannot be written")
    lines = (f"{name}: {value}\r\n" for name, value in headers.items())
    return f"{request.method.upper()} {target} HTTP/1.1\r\n{''.join(lines)}\r\n".encode("ascii")


def _host_header(server: SplitResult) -> str:
    host, _ = address(server)
    shown = f"[{host}]" if ":" in host else host
    return f"{shown}:{server.port}" if server.port else shown


def write_body(request: Request) -> Iterator[bytes]:
    """The body as it goes over the wire, piece by piece. Raises `Ours`."""
    if isinstance(request.body, bytes):
        yield request.body
    elif request.body is not None and request.body.length is not None:
        yield from _read_pieces(request.body)
    elif request.body is not None:
        for piece in filter(None, _read_pieces(request.body)):
            yield b"%x\r\n%b\r\n" % (len(piece), piece)
        yield b"0\r\n\r\n"


def _read_pieces(upload: Upload) -> Iterator[bytes]:
    try:
        yield from upload.pieces()
    except OSError as error:
        raise Ours(error) from None


class Collecting:
    """Where the body of an answer goes: into memory, up to a limit, or into the request's sink."""

    def __init__(self, request: Request) -> None:
        self._sink = request.sink
        self.body = bytearray()
        self.handed_on = False

    def take(self, status: int, piece: bytes) -> None:
        """One piece. Raises `TooLarge` for what is too much, and `Ours`."""
        if self._sink is not None and 200 <= status <= 299:
            self.handed_on = True
            try:
                self._sink(piece)
            except OSError as error:
                raise Ours(error) from None
            return
        self.body += piece
        if len(self.body) > LONGEST_ANSWER:
            raise TooLarge("the answer is too large")
