"""Bytes in a folder: one file each, `<mark>/3f/3f9c...`.

Bytes are first written beside where they will lie, as `3f9c....part`, brought to the disk, renamed, and the rename brought
to the disk as well: then they are there, whole, or they are not. The disk is waited for on other threads. Several servers
on one database need one folder that they all see.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import AsyncIterator, Callable, Collection, Iterator
from contextlib import suppress
from pathlib import Path
from typing import ParamSpec, TypeVar

from tidings.errors import Unavailable
from tidings.store.blobs.blobs import new_key

P = ParamSpec("P")
T = TypeVar("T")

PIECE = 256 * 1024  # bytes that go through a thread at once
PART = ".part"


class Disk:
    """See `Blobs`."""

    def __init__(self, folder: Path) -> None:
        """Makes the folder where it is missing. Raises `Unavailable`."""
        self._folder = folder
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise Unavailable(f"the folder of the files cannot be made: {error.strerror}") from error

    async def put(self, mark: str, chunks: AsyncIterator[bytes]) -> str:
        """See `Blobs.put`."""
        key = new_key(mark)
        part = _Part(self._path(key))
        try:
            await _on_thread("stored", part.begin)
            async for piece in _pieces(chunks):
                await _on_thread("stored", part.write, piece)
            await _on_thread("stored", part.finish)
        except BaseException:
            await asyncio.to_thread(part.drop)
            raise
        return key

    async def get(self, key: str, start: int, end: int) -> AsyncIterator[bytes]:
        """See `Blobs.get`."""
        return _read(await _on_thread("read", os.open, self._path(key), os.O_RDONLY | os.O_CLOEXEC), start, end)

    async def delete(self, keys: Collection[str]) -> None:
        """See `Blobs.delete`."""
        for key in keys:
            await _on_thread("deleted", self._path(key).unlink, missing_ok=True)

    async def older(self, mark: str, before: int) -> AsyncIterator[list[str]]:
        """See `Blobs.older`."""
        for folder in await _on_thread("listed", _subfolders, self._folder / mark):
            if old := await _on_thread("listed", _old_names, folder, before):
                yield [f"{mark}/{name}" for name in old]

    def _path(self, key: str) -> Path:
        mark, _, name = key.partition("/")
        return self._folder / mark / name[:2] / name


# --- writing -----------------------------------------------------------------------------------------------------------


class _Part:
    """Bytes on their way to `path`. Whoever waits for a thread may be cancelled and drop it meanwhile: the lock says who is first."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._beside = path.with_name(path.name + PART)
        self._lock = threading.Lock()
        self._file: int | None = None
        self._dropped = False

    def begin(self) -> None:
        with self._lock:
            if self._dropped:
                return
            _make_folder(self._path.parent)
            self._file = os.open(self._beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)

    def write(self, piece: bytes) -> None:
        with self._lock:
            rest = memoryview(piece)
            while rest and self._file is not None:
                rest = rest[os.write(self._file, rest) :]

    def finish(self) -> None:
        with self._lock:
            if self._file is None:
                return
            os.fsync(self._file)
            self._beside.rename(self._path)
            self._close()
        _sync_folder(self._path.parent)

    def drop(self) -> None:
        """Take away whatever there is of it."""
        with self._lock:
            self._dropped = True
            with suppress(OSError):
                self._close()
            for path in (self._beside, self._path):
                with suppress(OSError):
                    path.unlink(missing_ok=True)

    def _close(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            os.close(file)


def _make_folder(folder: Path) -> None:
    """Make it, durably, and the one above it."""
    for each in (folder.parent, folder):
        if not each.is_dir():
            each.mkdir(exist_ok=True, mode=0o700)
            _sync_folder(each.parent)


def _sync_folder(folder: Path) -> None:
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


async def _pieces(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The same bytes in pieces that are worth a thread's while."""
    gathered = bytearray()
    async for chunk in chunks:
        gathered += chunk
        if len(gathered) >= PIECE:
            yield bytes(gathered)
            gathered.clear()
    if gathered:
        yield bytes(gathered)


# --- reading -----------------------------------------------------------------------------------------------------------


async def _read(file: int, start: int, end: int) -> AsyncIterator[bytes]:
    try:
        while start < end:
            piece = await _on_thread("read", os.pread, file, min(PIECE, end - start), start)
            if not piece:
                raise Unavailable("The file cannot be read: its end is missing")
            start += len(piece)
            yield piece
    finally:
        os.close(file)


def _subfolders(folder: Path) -> list[Path]:
    return sorted(each for each in folder.iterdir() if each.is_dir()) if folder.is_dir() else []


def _old_names(folder: Path, before: int) -> list[str]:
    return [name for name, written in _written(folder) if written < before]


def _written(folder: Path) -> Iterator[tuple[str, int]]:
    with os.scandir(folder) as entries:
        for entry in entries:
            with suppress(FileNotFoundError):
                yield entry.name, entry.stat().st_mtime_ns // 1000


async def _on_thread(what: str, fn: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Raises `Unavailable` for whatever the disk says: `what` could not be done to the file."""
    try:
        return await asyncio.to_thread(fn, *args, **kwargs)
    except OSError as error:
        raise Unavailable(f"The file cannot be {what}: {error.strerror or type(error).__name__}") from error
