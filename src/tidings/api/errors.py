"""The only table from our errors to an HTTP status, and Podio's envelope around every one of them."""

from __future__ import annotations

from urllib.parse import unquote_plus

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from tidings import errors
from tidings.wire.podio import error_envelope

# Contract section 5.2. The token endpoint's three are 400 (section 4.4).
STATUS: dict[type[errors.TidingsError], int] = {
    errors.Invalid: 400,
    errors.InvalidGrant: 400,
    errors.InvalidClient: 400,
    errors.InvalidScope: 400,
    errors.Unauthorized: 401,
    errors.PaymentRequired: 402,
    errors.Forbidden: 403,
    errors.NotFound: 404,
    errors.NotAcceptable: 406,
    errors.Conflict: 409,
    errors.Gone: 410,
    errors.TooLarge: 413,
    errors.RateLimited: 420,
    errors.ServerFailed: 500,
    errors.Unavailable: 503,
}

# What we add to an answer of that status. Who sent too much is still sending: the connection cannot be used again.
HEADERS: dict[int, dict[str, str]] = {
    401: {"www-authenticate": 'OAuth2 realm="Tidings"'},
    413: {"connection": "close"},
    503: {"retry-after": "5"},
}

ECHOED = 1_000  # characters of the path and of the query that an answer repeats


def answer_error(request: Request, error: errors.TidingsError) -> Response:
    """`error` as Podio says it, with its status; a class that is not in the table is a 500."""
    status = STATUS.get(type(error), 500)
    envelope = error_envelope(
        error=error.code,
        description=error.description,
        detail=error.detail,
        parameters=error.parameters,
        path=request.scope["path"][:ECHOED],
        query_string=without_secrets(request.scope["query_string"].decode("latin-1"))[:ECHOED],
        method=request.method,
    )
    headers = {"cache-control": "no-store", **HEADERS.get(status, {})}
    if "retry_after" in error.parameters:
        headers["retry-after"] = str(error.parameters["retry_after"])
    return Response(msgspec.json.encode(envelope), status_code=status, media_type="application/json", headers=headers)


def answer_defect(request: Request) -> Response:
    """A 500 that says nothing of what broke: that is in the log."""
    return answer_error(request, errors.TidingsError("An unexpected error has occurred; it has been logged."))


_SECRET_NAMES = {"oauth_token", "access_token", "refresh_token", "client_secret", "app_token", "password", "code", "code_verifier", "token"}


def without_secrets(query: str) -> str:
    """`query` with the values of those parameters hidden that hold secrets, however their names are written."""
    pairs = (pair.partition("=") for pair in query.split("&"))
    return "&".join(f"{name}{sep}{'***' if unquote_plus(name).strip().lower() in _SECRET_NAMES else value}" for name, sep, value in pairs)
