"""Filters over one app of 100,000 items, through the API of a real server: how long an answer takes, and by which plan.

Each kind of filter is asked for again and again by one client, on one connection, with other values each time; an answer is a
page of 30 whole items, with how many match. The values are drawn from a fixed seed, so that every run asks the same.
"""

from __future__ import annotations

import asyncio
import http.client
import json
import random
import time
from collections.abc import Callable
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event

from bench.cores import measured_server
from tests.support.databases import Place
from tidings.cli.seed import Seed, make_seed
from tidings.clock import system_clock
from tidings.settings import Settings
from tidings.store.database import Tx, open_database
from tidings.workspace.access import Caller
from tidings.workspace.items.filters import Wanted, filter_items
from tidings.workspace.items.items import NewItem, create_items

ITEMS, BATCH = 100_000, 1_000
ASKED = 200  # times for each kind
DAYS = 1_000
WORDS = ("amber", "birch", "cedar", "delta", "ember", "fjord", "grove", "haven", "inlet", "jetty")
STATUSES = ("New", "In progress", "Done")

Filter = dict[str, Any]
Figures = dict[str, Any]


def day(number: int) -> str:
    """A date, some days after the first of 2024."""
    return time.strftime("%Y-%m-%d", time.gmtime(1_704_067_200 + number * 86_400))


def an_item(chance: random.Random, number: int) -> NewItem:
    """One of the hundred thousand."""
    return NewItem(
        {
            "title": f"{chance.choice(WORDS)} {number}",
            "status": chance.choices(STATUSES, (70, 29, 1))[0],
            "estimate": chance.randrange(10_000),
            "due": day(chance.randrange(DAYS)),
        }
    )


def _number(chance: random.Random) -> Filter:
    low = chance.randrange(9_900)
    return {"estimate": {"from": low, "to": low + 99}}


def _date(chance: random.Random) -> Filter:
    first = chance.randrange(DAYS - 7)
    return {"due": {"from": day(first), "to": day(first + 6)}}


KINDS: dict[str, Callable[[random.Random], Filter]] = {
    "filter by number, 1 in 100": _number,
    "filter by date, 1 in 140": _date,
    "filter by category, 1 in 100": lambda _: {"status": "Done"},
    "filter by category, 7 in 10": lambda _: {"status": "New"},
    "filter by text, one": lambda chance: {"title": f"{chance.choice(WORDS)} {chance.randrange(ITEMS)}"},
    "filter by text, contains": lambda chance: {"title": {"contains": chance.choice(WORDS)}},
    "filter by number and category": lambda chance: {**_number(chance), "status": "New"},
}


def measure_finding(place: Place) -> Figures:
    """Fill a database at `place`, and ask. Latencies in milliseconds; `plans` are the database's own words."""
    seed = make_seed(Settings(data=place.data, database=place.url))
    begun = time.perf_counter()
    plans = asyncio.run(_fill(place, seed))
    filled = time.perf_counter() - begun
    with measured_server(place) as server:
        headers = {"Authorization": f"OAuth2 {_token(server.port, seed)}", "Content-Type": "application/json"}
        seen = {name: _ask(server.port, seed.app_id, headers, make) for name, make in KINDS.items()}
    return {"items": ITEMS, "items_a_second": ITEMS / filled, "seen": seen, "plans": plans}


async def _fill(place: Place, seed: Seed) -> dict[str, list[str]]:
    database = open_database(place.url, place.data)
    caller, chance = Caller("app", seed.app_id), random.Random(1)
    for start in range(0, ITEMS, BATCH):
        new = [an_item(chance, number) for number in range(start, start + BATCH)]
        await database.write(create_items, caller, seed.app_id, new, now=system_clock(), heard=False)
    if database.dialect == "postgresql":
        await database.write(lambda tx: tx.exec_driver_sql("ANALYZE"))
    plans = {name: await database.read(explain, caller, seed.app_id, make(chance)) for name, make in KINDS.items()}
    await database.close()
    return plans


def explain(tx: Tx, caller: Caller, app_id: int, filters: Filter) -> list[str]:
    """What the database says of the statements that answer a filter: those that look at the values."""
    with _statements(tx) as ran:
        filter_items(tx, caller, app_id, Wanted(filters))
    prefix = "EXPLAIN QUERY PLAN" if tx.dialect.name == "sqlite" else "EXPLAIN"
    return [
        " ".join(str(row[-1]).strip() for row in tx.exec_driver_sql(f"{prefix} {text}", values))
        for text, values in ran
        if "item_values" in text
    ]


@contextmanager
def _statements(tx: Tx) -> Any:
    ran: list[tuple[str, Any]] = []

    def note(_connection: object, _cursor: object, text: str, values: Any, *_: object) -> None:
        ran.append((text, values))

    event.listen(tx, "before_cursor_execute", note)
    yield ran
    event.remove(tx, "before_cursor_execute", note)


def _token(port: int, seed: Seed) -> str:
    body = {
        "grant_type": "app",
        "app_id": str(seed.app_id),
        "app_token": seed.app_token,
        "client_id": seed.client_id,
        "client_secret": seed.client_secret,
    }
    connection = http.client.HTTPConnection("127.0.0.1", port)
    connection.request("POST", "/oauth/token", json.dumps(body), {"Content-Type": "application/json"})
    token: str = json.load(connection.getresponse())["access_token"]
    return token


def _ask(port: int, app_id: int, headers: dict[str, str], make: Callable[[random.Random], Filter]) -> Figures:
    connection, chance = http.client.HTTPConnection("127.0.0.1", port), random.Random(2)
    took: list[float] = []
    matched: list[int] = []
    for _ in range(ASKED):
        body = json.dumps({"filters": make(chance)})
        begun = time.perf_counter()
        connection.request("POST", f"/item/app/{app_id}/filter", body, headers)
        answer = connection.getresponse()
        page = json.loads(answer.read())
        took.append(1_000 * (time.perf_counter() - begun))
        matched.append(page["filtered"])
    took.sort()
    return {"p50": took[ASKED // 2], "p99": took[ASKED * 99 // 100], "matched": sum(matched) / ASKED}
