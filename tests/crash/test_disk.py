"""A full disk and a locked database: calls that write answer 503 and write nothing, and what was acknowledged is delivered.

The disk is full for one process only: its files may not grow beyond a size that is set, and lifted, from outside.
"""

from __future__ import annotations

import asyncio
import resource
import sqlite3
from pathlib import Path

import pytest

from tests.support.databases import place_on_sqlite
from tests.support.processes import serving
from tests.support.receiver import receiving
from tests.support.work import QUICK, Work, arrived, verified_hook
from tidings.cli.seed import make_seed
from tidings.client import Client
from tidings.errors import Unavailable
from tidings.settings import Settings

UNLIMITED = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)


async def test_on_a_full_disk_calls_answer_503_and_nothing_acknowledged_is_lost(tmp_path: Path, sqlite_template: Path) -> None:
    place = place_on_sqlite(tmp_path, sqlite_template)
    seed = await asyncio.to_thread(make_seed, Settings(data=place.data))
    async with receiving() as receiver:
        with serving(place, environment=QUICK) as server:
            work = Work(seed, [server])
            await verified_hook(work, receiver)
            client = await asyncio.to_thread(work.client)
            full = _largest_file(tmp_path) + 65_536
            resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (full, resource.RLIM_INFINITY))
            with pytest.raises(Unavailable):
                await asyncio.to_thread(_write_many, work, client, 2_000)
            assert "unavailable" in server.output
            resource.prlimit(server.pid, resource.RLIMIT_FSIZE, UNLIMITED)
            await asyncio.to_thread(work.write_one, client)
            await receiver.wait_for(lambda: work.acknowledged <= arrived(receiver))
            made = await asyncio.to_thread(client.request, "GET", f"/item/app/{seed.app_id}/count")
            assert made == {"count": len(work.acknowledged)}


def _largest_file(folder: Path) -> int:
    return max(path.stat().st_size for path in folder.glob("tidings.db*"))


def _write_many(work: Work, client: Client, count: int) -> None:
    for _ in range(count):
        work.write_one(client)


async def test_while_the_database_is_locked_calls_answer_503(tmp_path: Path, sqlite_template: Path) -> None:
    place = place_on_sqlite(tmp_path, sqlite_template)
    seed = await asyncio.to_thread(make_seed, Settings(data=place.data))
    with serving(place, environment=QUICK) as server:
        work = Work(seed, [server])
        client = await asyncio.to_thread(work.client)
        other = sqlite3.connect(tmp_path / "tidings.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(Unavailable, match="locked"):
            await asyncio.to_thread(work.write_one, client)
        other.close()
        await asyncio.to_thread(work.write_one, client)
        made = await asyncio.to_thread(client.request, "GET", f"/item/app/{seed.app_id}/count")
        assert made == {"count": 1}
