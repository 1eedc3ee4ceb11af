"""Podio's way of writing what every answer contains: timestamps and the error envelope.

Sources: contract sections 5.1 (envelope) and 6.0 (timestamps are `YYYY-MM-DD HH:MM:SS`, UTC).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache

from tidings.clock import SECOND


def timestamp(moment: int) -> str:
    """`moment`, in microseconds since the epoch, as Podio writes it: `2026-01-02 03:04:05`, UTC."""
    return _second(moment // SECOND)


@lru_cache(1024)  # an answer says the same second again and again
def _second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(" ")[:19]  # without its offset; `strftime` takes three times as long


def read_timestamp(text: str) -> int:
    """The moment, in microseconds since the epoch, that `timestamp` writes so; a day alone is its beginning.

    Raises ValueError for what is no such moment.
    """
    moment = datetime.fromisoformat(text)
    return int((moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment).timestamp()) * SECOND


def error_envelope(
    *,
    error: str,
    description: str,
    detail: str | None,
    parameters: Mapping[str, object],
    path: str,
    query_string: str,
    method: str,
) -> dict[str, object]:
    """The body of every answer that is not a 2xx (contract section 5.1)."""
    return {
        "error": error,
        "error_detail": detail,
        "error_description": description,
        "error_parameters": dict(parameters),
        "error_propagate": False,
        "request": {"url": path, "query_string": query_string, "method": method},
    }
