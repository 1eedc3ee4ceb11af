"""One HTTP exchange with a server of ours, or with Podio's: a request out, a status and a body back.

It goes to the address that was given and nowhere else: no proxy of the environment is used, no redirect is followed.
Every wait is bounded, and so is the answer. Whatever the network does is `Unavailable`, with a sentence that holds
nothing of the request.
"""

from __future__ import annotations

import http.client
from dataclasses import dataclass, field
from urllib.parse import SplitResult, quote, urlsplit

from tidings import __version__
from tidings.errors import Invalid, TooLarge, Unavailable

LONGEST_ANSWER = 64 * 1024 * 1024  # bytes
_KEPT = "/?&=%:@!$'()*+,;~-._"  # what a path may hold beside letters and digits; the rest is percent-encoded


@dataclass(frozen=True, slots=True)
class Request:
    """What is sent. Its body and its authorization are secret."""

    method: str
    path: str
    body: bytes | None = field(default=None, repr=False)
    content_type: str = "application/json"
    authorization: str | None = field(default=None, repr=False)

    @property
    def headers(self) -> dict[str, str]:
        """As they go over the wire."""
        headers = {"Accept": "application/json", "User-Agent": f"tidings-client/{__version__}"}
        if self.body is not None:
            headers["Content-Type"] = self.content_type
        if self.authorization is not None:
            headers["Authorization"] = self.authorization
        return headers


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    body: bytes = field(repr=False)


def read_url(url: str) -> SplitResult:
    """The server's address. Raises `Invalid` unless it is an http or https URL of a host, with at most a path."""
    try:
        parts = urlsplit(url.rstrip("/"))
        usable = parts.scheme in ("http", "https") and (parts.hostname or "").encode("idna") and (parts.port or 0) >= 0
    except ValueError:  # a port that is none, a bracket that is not closed, a name that cannot be written
        raise Invalid("the server's URL cannot be read") from None
    if not usable or parts.username is not None or parts.query or parts.fragment:
        raise Invalid("the server's URL is `http://host:port` or `https://host`, with at most a path")
    return parts


def exchange(server: SplitResult, request: Request, *, timeout: float) -> Answer:
    """Send `request` to `server`. `timeout`: seconds that any one wait may take.

    Raises `Unavailable` when no whole answer comes, `TooLarge` when it is longer than `LONGEST_ANSWER`.
    """
    connect = http.client.HTTPSConnection if server.scheme == "https" else http.client.HTTPConnection
    connection = connect(server.hostname or "", server.port, timeout=timeout)
    try:
        connection.request(request.method, quote(server.path + request.path, safe=_KEPT), request.body, request.headers)
        response = connection.getresponse()
        body = response.read(LONGEST_ANSWER + 1)
    except TimeoutError:
        raise Unavailable(f"{server.netloc} did not answer within {timeout:g} seconds") from None
    except (OSError, http.client.HTTPException) as error:
        raise Unavailable(f"{server.netloc} cannot be reached: {getattr(error, 'strerror', None) or type(error).__name__}") from None
    finally:
        connection.close()
    if len(body) > LONGEST_ANSWER:
        raise TooLarge("the answer is too large")
    return Answer(response.status, body)
