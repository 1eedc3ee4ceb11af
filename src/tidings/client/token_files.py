"""Tokens in a file, which programs may share: whoever refreshes, does it for all. It can be read by its owner alone."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tidings.client.replacing import replacing
from tidings.client.tokens import Tokens
from tidings.errors import Invalid


class FileStore:
    """Keeps tokens in a file that its owner alone can read."""

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
