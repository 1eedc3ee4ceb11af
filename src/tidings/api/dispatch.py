"""From an HTTP request to an operation and back: the one road that every call of the API takes.

In this order: the row is found by path and method, the query is judged, the caller is named by their token, the body is
read up to its limit, the operation runs, its answer is encoded. Whatever goes wrong on the way is an error of
`tidings.errors` and becomes Podio's envelope (`api/errors.py`); anything else is a defect, and the caller hears only
that. Nobody who has not named themselves makes us read a body, and no body or token is ever logged.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import TypeVar

import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from tidings.api.bodies import read_pairs
from tidings.api.call import NOBODY, Call, House, json_bytes
from tidings.api.errors import answer_defect, answer_error
from tidings.api.operations import bind
from tidings.api.paths import Found, Paths, split_path
from tidings.api.routes import Row
from tidings.errors import Invalid, NotFound, TidingsError, TooLarge, Unauthorized, Unavailable
from tidings.telemetry.logs import where_it_broke
from tidings.workspace.access import Caller
from tidings.workspace.tokens import find_holder, hash_token

BODY_SECONDS = 30.0  # for a body that does not come at once
BODYLESS = ("GET", "HEAD", "OPTIONS")  # whatever body these carry is not read
HEADERS = {"cache-control": "no-store"}  # answers are private, and some hold secrets

Body = TypeVar("Body", bytes, bytearray)

log = structlog.get_logger("tidings.api")


class Operations:
    """The table of operations as an ASGI application."""

    def __init__(self, house: House, rows: Iterable[Row]) -> None:
        """Raises ValueError when two of `rows` are the same operation, TypeError for one that cannot be bound."""
        self._house = house
        rows = list(rows)
        self._paths = Paths(rows)
        self._bound = {row: bind(row.operation) for row in rows}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        request = Request(scope, receive)
        try:
            answer = await self._answer(request)
        except ClientDisconnect:
            return
        except TidingsError as error:
            if isinstance(error, Unavailable):
                log.warning("unavailable", method=scope["method"], path=_path(request), why=error.description)
            answer = answer_error(request, error)
        except Exception as error:  # noqa: BLE001 (whatever it is, the caller gets an answer and the log a stack)
            _log_defect(request, error)
            answer = answer_defect(request)
        if scope["method"] == "HEAD":
            answer.body = b""
        await answer(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        scope = request.scope
        method = scope["method"]
        parts = split_path(scope.get("raw_path") or scope["path"].encode())
        if method == "OPTIONS":
            return self._list_methods(request, parts)
        row, scope["path_params"] = self._find("GET" if method == "HEAD" else method, parts, request)
        if scope["query_string"]:
            read_pairs(scope["query_string"], "The query")
        house, now = self._house, self._house.clock()
        caller = NOBODY if row.open else await name_caller(house, request, now)
        body = b"" if method in BODYLESS or row.streams else await read_capped(request, house.settings.body_limit)
        return _encoded(await self._bound[row](Call(house, request, caller, body, now)))

    def _find(self, method: str, parts: list[str], request: Request) -> Found:
        found = self._paths.find(method, parts)
        if found is None:
            raise NotFound(f"No matching operation could be found. The path '{_path(request)}' was not found.")
        return found

    def _list_methods(self, request: Request, parts: list[str]) -> Response:
        methods = [method for method in ("GET", "POST", "PUT", "DELETE") if self._paths.find(method, parts)]
        if not methods:
            self._find("OPTIONS", parts, request)
        heads = ["HEAD"] if "GET" in methods else []
        return Response(status_code=204, headers={"allow": ", ".join(["OPTIONS", *heads, *methods])})


# --- who is calling ----------------------------------------------------------------------------------------------------


async def name_caller(house: House, request: Request, now: int) -> Caller:
    """The holder of the request's access token.

    Raises `Unauthorized` as Podio words it: `invalid_request` without a token, `expired_token` for one that is unknown,
    revoked or expired; `Invalid` for an authorization header with nothing in it (contract section 4.3).
    """
    token = _token(request)
    if token is None:
        raise Unauthorized
    access_hash = hash_token(token)
    caller = house.callers.recall(access_hash, now)
    if caller is None:
        holder = await house.database.read(find_holder, access_hash, now=now)
        if holder is None:
            raise Unauthorized("expired_token")
        caller = holder.caller
        house.callers.remember(access_hash, caller, holder.expires_at, now)
    return caller


def _token(request: Request) -> str | None:
    scheme, _, token = request.headers.get("authorization", "").strip().partition(" ")
    if scheme.lower() not in ("oauth2", "bearer"):
        return request.query_params.get("oauth_token") or None if request.scope["query_string"] else None
    if not token.strip():
        raise Invalid("Invalid authorization header")
    return token.strip()


# --- what they sent ----------------------------------------------------------------------------------------------------


async def read_capped(request: Request, limit: int) -> bytes:
    """The body. Raises `TooLarge` as soon as it is known to exceed `limit` bytes, whatever its headers say.

    Raises `Invalid` when it does not arrive in time, `ClientDisconnect` when its sender has gone.
    """
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and (len(declared) > 18 or int(declared) > limit):
        raise _too_large(limit)
    message = await request.receive()
    if message["type"] == "http.request" and not message.get("more_body", False):
        whole: bytes = message.get("body", b"")
        return _within(whole, limit)
    try:
        async with asyncio.timeout(BODY_SECONDS):
            return await _read_rest(request, message, limit)
    except TimeoutError:
        raise Invalid(f"The body did not arrive within {BODY_SECONDS:.0f} seconds") from None


async def _read_rest(request: Request, message: Message, limit: int) -> bytes:
    body = bytearray()
    while message["type"] == "http.request":
        body += message.get("body", b"")
        _within(body, limit)
        if not message.get("more_body", False):
            return bytes(body)
        message = await request.receive()
    raise ClientDisconnect


def _within(body: Body, limit: int) -> Body:
    if len(body) > limit:
        raise _too_large(limit)
    return body


def _too_large(limit: int) -> TooLarge:
    return TooLarge(f"The request body is larger than {limit} bytes", parameters={"limit": limit})


# --- what they are told ------------------------------------------------------------------------------------------------


def _encoded(answer: object) -> Response:
    if answer is None:
        return Response(status_code=204, headers=HEADERS)
    if isinstance(answer, Response):
        return answer
    content = answer if isinstance(answer, bytes) else json_bytes(answer)
    return Response(content, media_type="application/json", headers=HEADERS)


def _path(request: Request) -> str:
    return str(request.scope["path"])[:200]


def _log_defect(request: Request, error: Exception) -> None:
    # Not log.exception: the messages in a traceback may quote what a caller sent.
    log.error("defect", method=request.method, path=_path(request), error=type(error).__name__, frames=where_it_broke(error))
