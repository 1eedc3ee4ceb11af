"""The sweep: takes away bytes that no file names, left behind by a crash or by a store that failed.

Only what is older than a day is looked at: an upload under way has no row yet. Whether a key is needed is asked of the
database, by whoever calls this.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection

from tidings.clock import SECOND
from tidings.store.blobs.blobs import Blobs

YOUNG = 86_400 * SECOND  # microseconds
PIECE = 500  # keys that the database is asked for at once


async def sweep(blobs: Blobs, mark: str, needed: Callable[[list[str]], Awaitable[Collection[str]]], *, now: int) -> int:
    """Take away what `mark` has and does not need, and answer how many there were. Raises `Unavailable`."""
    taken = 0
    async for keys in blobs.older(mark, now - YOUNG):
        for start in range(0, len(keys), PIECE):
            some = keys[start : start + PIECE]
            orphans = set(some) - set(await needed(some))
            await blobs.delete(orphans)
            taken += len(orphans)
    return taken
