"""The store of bytes, whatever it is made of: bytes go in and out as streams, and are never whole in memory.

Where bytes lie is a random key, made here: nothing that a caller says becomes part of a path. It begins with the mark of
the database whose bytes they are, so that a sweep for one never touches the bytes of another. What `put` answers is
durable; what it could not finish it takes away, and a crash leaves at most an orphan for the sweep (`sweep.py`). Bytes are
never changed. Whatever the store cannot do is `Unavailable`, in a sentence without its addresses and keys.
"""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Collection
from typing import Protocol


class Blobs(Protocol):
    """What both stores do. Every behaviour of it is stated in `tests/store/test_blobs.py`, for both."""

    async def put(self, mark: str, chunks: AsyncIterator[bytes]) -> str:
        """Keep these bytes for the database that `mark` names, and answer their key once they are durable.

        Raises `Unavailable`, and whatever `chunks` raises; nothing is kept then.
        """

    async def get(self, key: str, start: int, end: int) -> AsyncIterator[bytes]:
        """The bytes from `start` to before `end`, which are within them. Raises `Unavailable`, before the first byte or between two."""

    async def delete(self, keys: Collection[str]) -> None:
        """Take these away; those that are not there count as taken. Raises `Unavailable`."""

    def older(self, mark: str, before: int) -> AsyncIterator[list[str]]:
        """The keys of all of `mark` that was last written before the moment `before` (microseconds since the epoch), piece by piece.

        Unfinished ones are among them. Raises `Unavailable`.
        """


def new_key(mark: str) -> str:
    """A key that nobody has: `mark`, a slash, and 32 hex digits."""
    return f"{mark}/{secrets.token_hex(16)}"
