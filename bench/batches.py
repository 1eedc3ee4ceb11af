"""Events committed in batches, delivered: the engine alone, without the API in front of it.

A process of its own, so that its CPU time and memory are the engine's; what writing the events themselves takes is told apart.
`python -m bench.batches DATA URL EVENTS RECEIVER RATE` prints one line of JSON. `URL` is a PostgreSQL URL, or `-` for SQLite
in the folder `DATA`; `RATE` is how many events are committed a second, ten at a time, or 0 for as many as are delivered, 500
at a time.
"""

from __future__ import annotations

import asyncio
import gc
import json
import resource
import sys
import time
from functools import partial
from pathlib import Path

import uvloop

from tests.support.world import KEYRING, World, make_hook, make_world
from tidings.clock import system_clock
from tidings.cores import keep_to_one_core
from tidings.delivery.allow import parse_allow
from tidings.delivery.engine import Engine
from tidings.events.outbox import NewEvent, append_many
from tidings.settings import Settings
from tidings.store.database import Tx, open_database
from tidings.telemetry.facts import Settled, Telemetry

BATCH, PACED_BATCH = 500, 10
AHEAD = 10_000  # events committed and not delivered yet, at most: what is measured is the engine and not a queue


def change(tx: Tx, world: World, start: int, size: int) -> float:
    """Write one batch of changes, each stamped with its moment. Answers the seconds of CPU that it took."""
    begun = time.thread_time()
    now = system_clock()
    stamp = str(now)
    append_many(
        tx,
        [
            NewEvent(
                "item.update",
                world.space_id,
                world.app_id,
                number,
                {"item_id": str(number), "item_revision_id": "1", "external_id": stamp},
                world.user.author,
                now,
            )
            for number in range(start, start + size)
        ],
    )
    return time.thread_time() - begun


async def run(data: Path, url: str, events: int, receiver: str, rate: int) -> dict[str, float]:
    """Feed and deliver `events`; answer what it took."""
    keep_to_one_core()  # as the server does
    database = open_database(url, data)
    world = await database.write(make_world)
    await database.write(make_hook, world, url=receiver)
    delivered = 0
    progress = asyncio.Event()
    progressed = partial(asyncio.get_running_loop().call_soon_threadsafe, progress.set)
    telemetry = Telemetry()

    def settled(fact: Settled) -> None:
        nonlocal delivered
        delivered += fact.delivered
        progressed()

    async def until_delivered(count: int) -> None:
        while delivered < count:
            await progress.wait()
            progress.clear()

    telemetry.listen(Settled, settled)
    settings = Settings(retention=100_000)
    engine = Engine(database, KEYRING, settings, parse_allow(["127.0.0.1:*"]), clock=system_clock, telemetry=telemetry)
    await engine.start()
    await asyncio.sleep(0.5)
    gc.freeze()  # as the server does
    writing = 0.0
    commits, statements = database.commits, database.statements
    before, begun = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
    size = PACED_BATCH if rate else BATCH
    for start in range(1, events + 1, size):
        await until_delivered(start - AHEAD)
        if rate and (early := begun + start / rate - time.perf_counter()) > 0:
            await asyncio.sleep(early)
        writing += await database.write(change, world, start, size)
    await until_delivered(events)
    wall, after = time.perf_counter() - begun, resource.getrusage(resource.RUSAGE_SELF)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    said = {
        "deliveries": delivered,
        "wall": wall,
        "cpu": cpu - writing,
        "cpu_with_writing": cpu,
        "transactions": database.commits - commits,
        "statements": database.statements - statements,
        "memory": after.ru_maxrss / 1024,
    }
    await engine.stop()
    await database.close()
    return said


if __name__ == "__main__":
    place, address, count, target, pace = sys.argv[1:]
    print(json.dumps(uvloop.run(run(Path(place), "" if address == "-" else address, int(count), target, int(pace)))))
