"""The database that a command works on, beside a server perhaps."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tidings.settings import Settings
from tidings.store.database import open_database
from tidings.store.postgresql import PostgreSQL
from tidings.store.sqlite import SQLite


@dataclass(frozen=True)
class Opened:
    """A database, and the event loop that its functions are waited for on."""

    database: SQLite | PostgreSQL
    runner: asyncio.Runner


@contextmanager
def opened(settings: Settings) -> Iterator[Opened]:
    """The database of `settings`, for one caller. Raises `Invalid` and `Unavailable` as `open_database` does."""
    database = open_database(settings.database, settings.data, connections=1)
    try:
        with asyncio.Runner() as runner:
            yield Opened(database, runner)
    finally:
        database.dispose()
