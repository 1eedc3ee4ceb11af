"""Tokens, and where they are kept: in memory, in a file, or wherever a store of yours puts them.

Tokens are secrets: no `repr` shows them, and the file can be read by its owner alone.
"""

from __future__ import annotations

import json
import os
import re
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol

from tidings.client.replacing import replacing
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


class FileStore:
    """Keeps tokens in a file that its owner alone can read. Programs may share it: whoever refreshes, does it for all."""

    def __init__(self, path: str | Path) -> None:
        """The file need not be there yet; its folder must be."""
        self._path = Path(path)

    def __repr__(self) -> str:
        return f"FileStore({str(self._path)!r})"

    def load(self) -> Tokens | None:
        """See `TokenStore`. A file that holds no tokens counts as none. Raises OSError for one that cannot be read."""
        try:
            return _checked(json.loads(self._path.read_bytes()))
        except FileNotFoundError:
            return None
        except (ValueError, RecursionError):
            return None

    def save(self, tokens: Tokens) -> None:
        """See `TokenStore`. The file is replaced at once: nobody finds half of it. Raises OSError."""
        with replacing(self._path, mode=0o600) as file:
            file.write(json.dumps(asdict(tokens)).encode())
            file.flush()
            os.fsync(file.fileno())


def _checked(held: Any) -> Tokens | None:
    try:
        return Tokens(**held) if isinstance(held, dict) else None
    except (TypeError, Invalid):
        return None


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
