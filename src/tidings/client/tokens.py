"""Tokens, and where they are kept: in memory, in a file (`token_files.py`), or wherever a store of yours puts them.

Tokens are secrets: no `repr` shows them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Protocol

from tidings.errors import Invalid, TidingsError

_TOKEN = re.compile(r"[!-~]+")  # it goes into a header


@dataclass(frozen=True, slots=True)
class Tokens:
    """A pair of tokens, and whom they act for."""

    access_token: str = field(repr=False)
    refresh_token: str | None = field(default=None, repr=False)
    scope: str = ""
    ref_type: str | None = None  # user | app
    ref_id: int | None = None

    def __post_init__(self) -> None:
        for token in (self.access_token, self.refresh_token or "-"):
            if not _TOKEN.fullmatch(str(token)):
                raise Invalid("a token is printable text without spaces")


class TokenStore(Protocol):
    """Where tokens are kept between calls, and between programs. It is asked in the thread that calls, or on its loop."""

    def load(self) -> Tokens | None:
        """What was saved last; None where there is nothing."""

    def save(self, tokens: Tokens) -> None:
        """Keep these from now on, and not those before them."""


class MemoryStore:
    """Keeps tokens as long as it lives itself."""

    def __init__(self) -> None:
        self._tokens: Tokens | None = None

    def load(self) -> Tokens | None:
        """See `TokenStore`."""
        return self._tokens

    def save(self, tokens: Tokens) -> None:
        """See `TokenStore`."""
        self._tokens = tokens


def read_tokens(answer: Any) -> Tokens:
    """What the token endpoint answered. Raises `TidingsError` where that is no token."""
    fields: dict[str, Any] = answer if isinstance(answer, dict) else {}
    ref: dict[str, Any] = _of(fields.get("ref"), dict) or {}
    try:
        return Tokens(
            access_token=_of(fields.get("access_token"), str) or "",
            refresh_token=_of(fields.get("refresh_token"), str) or None,
            scope=_of(fields.get("scope"), str) or "",
            ref_type=_of(ref.get("type"), str),
            ref_id=_of(ref.get("id"), int),
        )
    except Invalid:
        raise TidingsError("the server's answer holds no access token") from None


def _of(value: Any, kind: type) -> Any:
    return value if isinstance(value, kind) else None
