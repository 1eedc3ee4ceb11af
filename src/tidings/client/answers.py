"""From an answer to a value, or to one of our errors: the inverse of the server's table from error to status.

The word in Podio's envelope decides, since it says more; where it is one that we do not know, or where there is no
envelope, the status does (contract sections 5.1 and 5.2). The error says all that the answer said.
"""

from __future__ import annotations

from typing import Any

from tidings import errors
from tidings.client.exchange import Answer
from tidings.errors import TidingsError

_BY_CODE: dict[str, type[TidingsError]] = {kind.code: kind for kind in TidingsError.__subclasses__()}

_BY_STATUS: dict[int, type[TidingsError]] = {
    400: errors.Invalid,
    401: errors.Unauthorized,
    402: errors.PaymentRequired,
    403: errors.Forbidden,
    404: errors.NotFound,
    406: errors.NotAcceptable,
    409: errors.Conflict,
    410: errors.Gone,
    413: errors.TooLarge,
    420: errors.RateLimited,
    429: errors.RateLimited,
    502: errors.Unavailable,
    503: errors.Unavailable,
    504: errors.Unavailable,
}

_REQUEST_IDS = ("x-request-id", "x-podio-request-id")


def read_answer(answer: Answer) -> Any:
    """The JSON value of a 2xx, None where it has no body. Raises a `TidingsError` for any other answer."""
    if not 200 <= answer.status <= 299:
        raise read_error(answer)
    if not answer.body:
        return None
    try:
        return _loads(answer.body)
    except (ValueError, RecursionError):
        raise _about(TidingsError(f"the answer (HTTP {answer.status}) is not JSON"), answer) from None


def read_error(answer: Answer) -> TidingsError:
    """What an answer that is not a 2xx says."""
    envelope = _envelope(answer.body)
    word = envelope.get("error")
    kind = (_BY_CODE.get(word) if isinstance(word, str) else None) or _by_status(answer.status)
    description, detail, parameters = (envelope.get(f"error_{name}") for name in ("description", "detail", "parameters"))
    error = kind(
        description if isinstance(description, str) and description else f"HTTP {answer.status}",
        detail=detail if isinstance(detail, str) else None,
        parameters=parameters if isinstance(parameters, dict) else None,
    )
    if isinstance(word, str) and word:
        error.code = word
    return _about(error, answer)


def _by_status(status: int) -> type[TidingsError]:
    return _BY_STATUS.get(status) or (errors.ServerFailed if status >= 500 else errors.Invalid if status >= 400 else TidingsError)


def _about(error: TidingsError, answer: Answer) -> TidingsError:
    error.status = answer.status
    error.request_id = next((answer.headers[name] for name in _REQUEST_IDS if name in answer.headers), None)
    return error


def _envelope(body: bytes) -> dict[str, Any]:
    try:
        envelope = _loads(body)
    except (ValueError, RecursionError):
        return {}
    return envelope if isinstance(envelope, dict) else {}


def _loads(body: bytes) -> Any:
    import json  # noqa: PLC0415  no program needs it before its first answer

    return json.loads(body)
