"""Writes until it is killed: a child's whole work (see `forking`).

Many tasks write at once, so that SQLite commits them in groups. Each write makes two rows; when it has returned, and not
before, its name is printed. Whoever kills this looks for exactly the printed names afterwards, and for no half of a pair.
"""

from __future__ import annotations

import asyncio
import itertools
import sys
from pathlib import Path

from sqlalchemy import insert

from tidings.store import schema
from tidings.store.database import Tx, open_database

WRITERS = 20


def add_pair(tx: Tx, name: str) -> None:
    """Two rows that belong together."""
    tx.execute(insert(schema.users).values(username=name, password_hash="", name=name, created_at=0))
    tx.execute(insert(schema.clients).values(client_id=name, secret_hash=b"", name=name, created_at=0))


def write_until_killed(database_url: str, data: Path, run: str) -> None:
    """Open the database, and write."""
    asyncio.run(_write(database_url, data, run))


async def _write(database_url: str, data: Path, run: str) -> None:
    database = open_database(database_url, data)
    names = (f"{run}-{number}" for number in itertools.count())

    async def one_writer() -> None:
        for name in names:
            await database.write(add_pair, name)
            sys.stdout.write(f"{name}\n")
            sys.stdout.flush()

    await asyncio.gather(*(one_writer() for _ in range(WRITERS)))
