"""From an answer to a value, or to one of our errors: the inverse of the server's table from error to status.

The word in Podio's envelope decides, since it says more; where it is one that we do not know, or where there is no
envelope, the status does (contract sections 5.1 and 5.2).
"""

from __future__ import annotations

import json
from typing import Any

from tidings import errors
from tidings.client.exchange import Answer
from tidings.errors import TidingsError

_BY_CODE: dict[str, type[TidingsError]] = {kind.code: kind for kind in TidingsError.__subclasses__()}

_BY_STATUS: dict[int, type[TidingsError]] = {
    400: errors.Invalid,
    401: errors.Unauthorized,
    403: errors.Forbidden,
    404: errors.NotFound,
    409: errors.Conflict,
    410: errors.Gone,
    413: errors.TooLarge,
    420: errors.RateLimited,
    429: errors.RateLimited,
    502: errors.Unavailable,
    503: errors.Unavailable,
    504: errors.Unavailable,
}


def read_answer(answer: Answer) -> Any:
    """The JSON value of a 2xx, None where it has no body. Raises a `TidingsError` for any other answer."""
    if not 200 <= answer.status <= 299:
        raise _error(answer)
    if not answer.body:
        return None
    try:
        return json.loads(answer.body)
    except (ValueError, RecursionError):
        raise TidingsError(f"the answer (HTTP {answer.status}) is not JSON") from None


def _error(answer: Answer) -> TidingsError:
    envelope = _envelope(answer.body)
    kind = _BY_CODE.get(str(envelope.get("error"))) or _BY_STATUS.get(answer.status, TidingsError)
    description, detail, parameters = (envelope.get(f"error_{name}") for name in ("description", "detail", "parameters"))
    return kind(
        description if isinstance(description, str) and description else f"HTTP {answer.status}",
        detail=detail if isinstance(detail, str) else None,
        parameters=parameters if isinstance(parameters, dict) else None,
    )


def _envelope(body: bytes) -> dict[str, Any]:
    try:
        envelope = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return envelope if isinstance(envelope, dict) else {}
