"""Files on their way: read as they are sent, and written as they come; never whole in memory.

A file of the caller's that is opened here is closed here; one that the caller opened stays open.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Protocol

from tidings.client.exchange import AT_ONCE
from tidings.client.replacing import replacing
from tidings.errors import Invalid


class Readable(Protocol):
    """What bytes can be read from."""

    def read(self, size: int, /) -> bytes:
        """At most so many; b"" at the end."""


class Writable(Protocol):
    """What bytes can be written to."""

    def write(self, piece: bytes, /) -> object:
        """All of them."""


class Multipart:
    """A form with one file in it, as Podio's `POST /file/` takes it: `filename`, and the bytes as `source`."""

    def __init__(self, source: str | os.PathLike[str] | bytes | Readable, filename: str) -> None:
        """Raises `Invalid` for a name that cannot be written."""
        if not filename or any(ord(char) < 32 or 0xD800 <= ord(char) <= 0xDFFF for char in filename):
            raise Invalid("filename: is empty, or holds what no name may hold")
        self._source = source
        self._boundary = os.urandom(16).hex()
        self._head = self._part("filename").encode() + filename.encode() + f"\r\n{self._file_part(filename)}".encode()
        self._tail = f"\r\n--{self._boundary}--\r\n".encode()
        self._start = None if isinstance(source, str | os.PathLike | bytes) else _position(source)
        self._consumed = False

    @property
    def content_type(self) -> str:
        """The form's own."""
        return f"multipart/form-data; boundary={self._boundary}"

    @property
    def length(self) -> int | None:
        """Bytes of the whole form; None where the file does not say how long it is. Raises OSError."""
        size = self._size()
        return None if size is None else len(self._head) + size + len(self._tail)

    def pieces(self) -> Iterator[bytes]:
        """The form, from its beginning. Raises OSError, and `Invalid` where the file cannot be read a second time."""
        yield self._head
        if isinstance(self._source, bytes):
            yield self._source
        elif isinstance(self._source, str | os.PathLike):
            with Path(self._source).open("rb") as file:
                yield from _read(file)
        else:
            self._go_back(self._source)
            yield from _read(self._source)
        yield self._tail

    def _size(self) -> int | None:
        match self._source:
            case bytes():
                return len(self._source)
            case str() | os.PathLike():
                return Path(self._source).stat().st_size
            case source:
                return None if self._start is None else _end(source) - self._start

    def _go_back(self, source: Readable) -> None:
        if self._start is not None:
            source.seek(self._start)  # type: ignore[attr-defined]  # it has told where it was
        elif self._consumed:
            raise Invalid("source: cannot be read again, and the first time did not succeed")
        self._consumed = True

    def _part(self, name: str, more: str = "") -> str:
        return f'--{self._boundary}\r\nContent-Disposition: form-data; name="{name}"{more}\r\n\r\n'

    def _file_part(self, filename: str) -> str:
        quoted = filename.replace("\\", "\\\\").replace('"', '\\"')
        return self._part("source", f'; filename="{quoted}"\r\nContent-Type: application/octet-stream')


def _read(file: Readable) -> Iterator[bytes]:
    while piece := file.read(AT_ONCE):
        yield piece


def _position(source: Readable) -> int | None:
    """Where a file stands that can go back there; None for one that cannot."""
    with suppress(AttributeError, OSError):
        if source.seekable():  # type: ignore[attr-defined]  # whether it has it is the question
            position: int = source.tell()  # type: ignore[attr-defined]
            return position
    return None


def _end(source: Readable) -> int:
    file: IO[bytes] = source  # type: ignore[assignment]  # it can be told where to go
    here = file.tell()
    end = file.seek(0, os.SEEK_END)
    file.seek(here)
    return end


@contextmanager
def landing(to: str | os.PathLike[str] | Writable) -> Iterator[Callable[[bytes], object]]:
    """Where a download is written: an open file, or a path, at which the whole file appears at the end or nothing does."""
    if not isinstance(to, str | os.PathLike):
        yield to.write
        return
    with replacing(Path(to), mode=0o666) as file:
        yield file.write
