"""From an HTTP request to an operation and back: the one road that every call of the API takes.

In this order: the row is found by path and method, the query is judged, the caller is named by their token, their rate
limit and their token's scope are judged, the body is read up to its limit, the operation runs, its answer is encoded.
Whatever goes wrong on the way is an error of `tidings.errors` and becomes Podio's envelope (`api/errors.py`); anything else
is a defect, and the caller hears only that. Nobody who has not named themselves makes us read a body (but for a small form
that may hold their token, see `api/naming.py`), and no body or token is ever logged.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import TypeVar

import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from tidings.api.answers import Answer
from tidings.api.bodies import read_pairs
from tidings.api.call import NOBODY, UNHEARD, Call, House, header, json_bytes
from tidings.api.callers import Known
from tidings.api.errors import answer_defect, answer_error
from tidings.api.limits import IN_SCOPE, lines_of, refuse
from tidings.api.naming import find_token, may_hold_token, name_caller, take_token
from tidings.api.operations import bind
from tidings.api.paths import Found, Paths, split_path
from tidings.api.routes import Row
from tidings.errors import Invalid, NotFound, TidingsError, TooLarge, Unavailable
from tidings.telemetry.logs import where_it_broke
from tidings.workspace.access import Caller
from tidings.workspace.accounts.scopes import narrowed_to, require, right_needed

BODY_SECONDS = 30.0  # for a body that does not come at once
BODYLESS = ("GET", "HEAD", "OPTIONS")  # whatever body these carry is not read

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
        if UNHEARD in scope:
            answer.headers["tidings-unheard"] = scope[UNHEARD]
        if IN_SCOPE in scope:
            answer.raw_headers += lines_of(scope[IN_SCOPE])
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
        bodyless = method in BODYLESS or row.streams
        caller, body = (NOBODY, None) if row.open else await self._name(row, request, now, bodyless=bodyless)
        if body is None:
            body = b"" if bodyless else await read_capped(request, house.settings.body_limit)
        return _encoded(await self._bound[row](Call(house, request, caller, body, now)))

    async def _name(self, row: Row, request: Request, now: int, *, bodyless: bool) -> tuple[Caller, bytes | None]:
        """Who calls; and the body, where it had to be read to know that."""
        token, body = find_token(request), None
        if token is None and not bodyless and may_hold_token(request):
            token, body = take_token(await read_capped(request, self._house.settings.body_limit))
        return self._admit(row, request, await name_caller(self._house, token, now), now), body

    def _admit(self, row: Row, request: Request, known: Known, now: int) -> Caller:
        """The caller, if they may still call, and with this token call this."""
        if known.rates is not None:
            allowance = self._house.limits.count(known.caller, known.rates, now, limited=row.limited)
            request.scope[IN_SCOPE] = allowance
            refuse(allowance)
        if known.scope is not None:
            right = right_needed(row.method, row.path)
            require(known.scope, narrowed_to(right, request.path_params.get("ref_type", "")))
        return known.caller

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


# --- what they sent ----------------------------------------------------------------------------------------------------


async def read_capped(request: Request, limit: int) -> bytes:
    """The body. Raises `TooLarge` as soon as it is known to exceed `limit` bytes, whatever its headers say.

    Raises `Invalid` when it does not arrive in time, `ClientDisconnect` when its sender has gone.
    """
    declared = header(request, b"content-length")
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
        return Answer(None)
    if isinstance(answer, Response):
        return answer
    return Answer(answer if isinstance(answer, bytes) else json_bytes(answer))


def _path(request: Request) -> str:
    return str(request.scope["path"])[:200]


def _log_defect(request: Request, error: Exception) -> None:
    # Not log.exception: the messages in a traceback may quote what a caller sent.
    log.error("defect", method=request.method, path=_path(request), error=type(error).__name__, frames=where_it_broke(error))
