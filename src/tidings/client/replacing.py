"""A file that is written beside its place and put there whole: nobody finds half of it, and what fails leaves nothing."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO


@contextmanager
def replacing(path: Path, *, mode: int) -> Iterator[IO[bytes]]:
    """What is to stand at `path` at the end; `mode` as for `os.open`, so that the umask applies. Raises OSError."""
    beside = path.with_name(f".{path.name}.{os.urandom(8).hex()}")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    number = os.open(beside, flags, mode)
    try:
        with os.fdopen(number, "wb") as file:
            yield file
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
