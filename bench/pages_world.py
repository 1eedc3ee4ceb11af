"""A thousand hooks and a million deliveries on SQLite: what people look at, and how long each look takes at the database.

Written straight into the tables, since no server could make a month in a minute. Told evenly over 30 days: one app with a
hundred hooks, one hook that was told 300,000 times, and 899 hooks on 90 apps. Of a hundred deliveries one was given up, and
each hook's newest few wait. There are attempts (one each) of the newest 100,000 deliveries only: what is looked at is new.
`python -m bench.pages_world` fills a folder, times every function (as the clock sees it, and in CPU), and prints SQLite's plans.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from msgspec import Struct

from tidings.clock import DAY, HOUR, MINUTE, system_clock
from tidings.delivery.allow import parse_allow
from tidings.delivery.curl import fresh_curl
from tidings.delivery.history import Asked, list_deliveries, newest, rows_of
from tidings.delivery.ledger import item_ledger
from tidings.delivery.showing import get_delivery
from tidings.delivery.strip import QUARTER, health_of_many, hook_health
from tidings.delivery.undelivered import undelivered
from tidings.hooks.secrets import make_secret
from tidings.store.database import Tx, open_database
from tidings.store.sealing import Keyring
from tidings.workspace.access import Caller
from tidings.workspace.accounts.passwords import hash_password
from tidings.workspace.accounts.users import create_user
from tidings.workspace.apps import create_app
from tidings.workspace.fields.fields import NewField
from tidings.workspace.items.items import NewItem, create_items
from tidings.workspace.orgs import create_org
from tidings.workspace.spaces import create_space

KEY = b"k" * 32
KEYRING = Keyring(KEY)
USERNAME, PASSWORD = "ada@example.org", "a long password"
HOOKS = 1_000
APPS = 92  # the first with a hundred hooks, the second with the busy one
EVENTS = 343_000
SPAN = 30 * DAY
ITEMS = 300  # of each of the first two apps
TRIED = 100_000
ASKED = 50  # times for each look

Figures = dict[str, Any]


class PagesWorld(Struct, frozen=True):
    """What is in it."""

    caller: Caller
    now: int
    app_id: int  # with a hundred hooks
    hook_id: int  # one of those
    busy_id: int  # the hook that was told 300,000 times
    item_id: int
    hook_ids: list[int]  # those of the app


# --- filling -----------------------------------------------------------------------------------------------------------------


def fill(data: Path, now: int) -> PagesWorld:
    """Make it in the folder `data`, which has no database yet. Takes about a minute."""
    caller, app_ids, item_ids = asyncio.run(_people(data, now))
    driver = sqlite3.connect(data / "tidings.db")
    driver.execute("PRAGMA synchronous = OFF")
    driver.execute("PRAGMA cache_size = -400000")
    with driver:
        _hooks(driver, app_ids, now)
        _events(driver, app_ids, item_ids, now)
        _deliveries(driver, now)
        _attempts(driver)
        _records(driver, now)
    driver.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    driver.close()
    return PagesWorld(caller, now, app_ids[0], 1, 101, item_ids[0], list(range(1, 101)))


async def _people(data: Path, now: int) -> tuple[Caller, list[int], list[int]]:
    database = open_database("", data)
    made = await database.write(_make_apps, now - SPAN)
    await database.close()
    return made


def _make_apps(tx: Tx, now: int) -> tuple[Caller, list[int], list[int]]:
    caller = Caller("user", create_user(tx, USERNAME, hash_password(PASSWORD), "Ada", now=now).user_id)
    org_id = create_org(tx, caller, "Engines", now=now).org_id
    space_id = create_space(tx, caller, org_id, {"name": "Workshop"}, now=now).space_id
    title = [NewField("text", {"label": "Title"})]
    app_ids = [create_app(tx, caller, space_id, {"name": f"App {n}"}, title, keyring=KEYRING, now=now).app_id for n in range(APPS)]
    new = [NewItem({"title": f"Item {number}"}, f"part-{number}") for number in range(ITEMS)]
    item_ids = [item.item_id for app_id in app_ids[:2] for item in create_items(tx, caller, app_id, new, now=now)]
    return caller, app_ids, item_ids


def _hooks(driver: sqlite3.Connection, app_ids: list[int], now: int) -> None:
    """A hundred on the first app, one on the second, 899 on the others."""
    driver.execute("UPDATE events SET matched = 0")
    others = app_ids[2:]
    on = [app_ids[0]] * 100 + [app_ids[1]] + [others[number % len(others)] for number in range(HOOKS - 101)]
    rows = [
        (hook_id, app_id, app_id, f"https://receiver-{hook_id}.example.org/in", make_secret(KEYRING, hook_id)[1], now - SPAN, now - SPAN)
        for hook_id, app_id in enumerate(on, 1)
    ]
    driver.executemany(
        "INSERT INTO hooks (hook_id, ref_type, ref_id, app_id, space_id, type, url, status, secret_sealed, preserve_query, created_by,"
        " created_at, activated_at) VALUES (?, 'app', ?, ?, 1, 'item.update', ?, 'active', ?, 0, 'user:1@0', ?, ?)",
        rows,
    )


def _events(driver: sqlite3.Connection, app_ids: list[int], item_ids: list[int], now: int) -> None:
    """Of a hundred events one is the first app's, twelve are the others', the rest the busy app's."""
    driver.execute("CREATE TEMP TABLE place (n INTEGER PRIMARY KEY, app_id, item_id)")
    rows = []
    for number in range(EVENTS):
        kind = number % 100
        if kind == 0:
            rows.append((number, app_ids[0], item_ids[(number // 100) % ITEMS]))
        elif kind <= 12:
            rows.append((number, app_ids[2 + (number // 100 * 12 + kind) % (APPS - 2)], 100_000 + number))
        else:
            rows.append((number, app_ids[1], item_ids[ITEMS + number % ITEMS]))
    driver.executemany("INSERT INTO place VALUES (?, ?, ?)", rows)
    step = SPAN // EVENTS
    driver.execute(
        """
        INSERT INTO events (type, app_id, space_id, object_type, object_id, parameters, field_ids, changes, heard, depth, created_by,
            created_at, matched)
        SELECT 'item.update', app_id, 1, 'item', item_id,
            json_object('item_id', '' || item_id, 'item_revision_id', '' || n, 'external_id', 'part-' || n), '[1]',
            '[{"field_id":1,"external_id":"title","type":"text","label":"Title","before":[{"value":"a"}],"after":[{"value":"b"}]}]',
            1, 0, 'user:1@0', ? + n * ?, 1
        FROM place ORDER BY n""",
        (now - SPAN, step),
    )


def _deliveries(driver: sqlite3.Connection, now: int) -> None:
    """One for each hook on the event's app. The last three of each hook wait, until tomorrow, so that a server on this folder sends
    nothing; of the others one in a hundred was given up."""
    driver.execute(
        """
        INSERT INTO deliveries (hook_id, sequence, event_id, state, attempts, due_at, lease_id, reason, created_at, ended_at)
        WITH numbered AS (
            SELECT h.hook_id, row_number() OVER (PARTITION BY h.hook_id ORDER BY e.event_id) AS sequence, e.event_id, e.created_at,
                row_number() OVER (PARTITION BY h.hook_id ORDER BY e.event_id DESC) AS back
            FROM events AS e JOIN hooks AS h ON h.ref_type = 'app' AND h.ref_id = e.app_id WHERE e.matched = 1)
        SELECT hook_id, sequence, event_id,
            CASE WHEN back <= 3 THEN 'pending' WHEN sequence % 100 = 50 THEN 'exhausted' WHEN sequence % 400 = 60 THEN 'cancelled'
                ELSE 'delivered' END,
            CASE WHEN back <= 3 THEN 2 WHEN sequence % 100 = 50 THEN 10 ELSE 1 END,
            CASE WHEN back <= 3 THEN ? ELSE created_at + 60000000 END, 0,
            CASE WHEN back <= 3 OR sequence % 100 = 50 THEN 'status' END, created_at,
            CASE WHEN back > 3 THEN created_at + 90000 END
        FROM numbered ORDER BY hook_id, sequence""",
        (now + DAY,),
    )


def _attempts(driver: sqlite3.Connection) -> None:
    """One, of the newest deliveries: a request and an answer of usual size, one in a thousand answers as long as we keep."""
    request = b"POST /in HTTP/1.1\r\nHost: receiver.example.org\r\n" + b"X: y\r\n" * 40 + b"\r\n" + b"item_id=42&type=item.update" * 4
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nDate: Mon, 23 Nov 2026 18:00:00 GMT\r\n\r\n"
    driver.execute(
        """
        INSERT INTO attempts
        SELECT hook_id, sequence, attempts, created_at + 40000, reason, CASE WHEN reason IS NOT NULL THEN 'answered 500' END,
            CASE WHEN reason IS NULL THEN 200 ELSE 500 END, '93.184.215.14', ?, ?,
            CASE WHEN event_id % 1000 = 0 THEN zeroblob(16384) ELSE CAST('ok' AS BLOB) END,
            1000, 5000, 20000, 45000 + event_id % 7000, 50000 + event_id % 7000
        FROM deliveries ORDER BY event_id DESC LIMIT ?""",
        (request, answer, TRIED),
    )


def _records(driver: sqlite3.Connection, now: int) -> None:
    driver.execute("INSERT INTO hook_counters SELECT hook_id, max(sequence) FROM deliveries GROUP BY 1")
    driver.execute("INSERT INTO hook_health (hook_id, failures_in_row, last_success_at) SELECT hook_id, 0, ? FROM hooks", (now - MINUTE,))
    begun = now - now % QUARTER
    slots = [(hook_id, begun - back * QUARTER, 100 + back, back % 7) for hook_id in range(1, HOOKS + 1) for back in range(100)]
    driver.executemany("INSERT INTO hook_slots (hook_id, began_at, delivered, failed) VALUES (?, ?, ?, ?)", slots)


# --- looking -----------------------------------------------------------------------------------------------------------------


def looks(world: PagesWorld) -> dict[str, Callable[[Tx], object]]:
    """What people look at, each as a function of the transaction."""
    who, busy, hook, now = world.caller, world.busy_id, world.hook_id, world.now
    allow = parse_allow(())
    last_day = now - DAY

    def listing(hook_id: int, **asked: Any) -> Callable[[Tx], object]:
        return lambda tx: list_deliveries(tx, who, hook_id, Asked(**asked))

    return {
        "deliveries: newest 50": listing(busy),
        "deliveries: a page in the middle": listing(busy, before=150_000),
        "deliveries: pending and sending": listing(busy, states=("pending", "sending")),
        "deliveries: exhausted": listing(busy, states=("exhausted",)),
        "deliveries: exhausted and cancelled, a month old": listing(busy, states=("exhausted", "cancelled"), until=now - 29 * DAY),
        "deliveries: delivered": listing(busy, states=("delivered",)),
        "deliveries: a type that never came": listing(busy, types=("hook.verify",)),
        "deliveries: exhausted, of a type that never came": listing(busy, states=("exhausted",), types=("hook.verify",)),
        "deliveries: an hour, two weeks ago": listing(busy, since=now - 14 * DAY, until=now - 14 * DAY + HOUR),
        "deliveries: of one item": listing(busy, object=("item", world.item_id + ITEMS)),
        "deliveries: of one item, given up": listing(busy, object=("item", world.item_id + ITEMS), states=("exhausted",)),
        "rows of 50 numbers": lambda tx: rows_of(tx, who, busy, range(290_000, 290_050)),
        "newer than a number": lambda tx: newest(tx, who, busy, 297_000),
        "one delivery, whole": lambda tx: get_delivery(tx, who, busy, 297_100),
        "a curl line": lambda tx: fresh_curl(tx, who, KEYRING, busy, 297_100, server_url="https://t.example.org", allow=allow, now=now),
        "health of a hook": lambda tx: hook_health(tx, who, busy, now=now),
        "health of 100 hooks": lambda tx: health_of_many(tx, world.hook_ids, now=now),
        "ledger of an item with 100 hooks": lambda tx: item_ledger(tx, who, world.item_id),
        "ledger of an item with 1,000 events": lambda tx: item_ledger(tx, who, world.item_id + ITEMS),
        "undelivered of an app with 100 hooks": lambda tx: undelivered(tx, who, world.app_id, since=now - SPAN),
        "undelivered of it, the last day": lambda tx: undelivered(tx, who, world.app_id, since=last_day),
        "one of the hundred: exhausted": listing(hook, states=("exhausted",)),
    }


def measure_looks(world: PagesWorld, data: Path) -> Figures:
    """Milliseconds at the database for each look, and SQLite's plans of the statements that it runs."""
    return asyncio.run(_measure(world, data))


async def _measure(world: PagesWorld, data: Path) -> Figures:
    database = open_database("", data)
    try:
        return {name: await database.read(_look, look) for name, look in looks(world).items()}
    finally:
        await database.close()


def _look(tx: Tx, look: Callable[[Tx], object]) -> Figures:
    plans = explain(tx, look)
    took, worked = [], []
    for _ in range(ASKED):
        begun, idle = time.perf_counter(), time.thread_time()
        look(tx)
        took.append(1_000 * (time.perf_counter() - begun))
        worked.append(1_000 * (time.thread_time() - idle))
    return {"p50": sorted(took)[ASKED // 2], "worst": max(took), "cpu": sorted(worked)[ASKED // 2], "plans": plans}


def explain(tx: Tx, look: Callable[[Tx], object]) -> list[str]:
    """What SQLite says of each statement of a look that it plans differently, in the order in which they are first run."""
    driver: Any = tx.connection.driver_connection
    ran: list[str] = []
    driver.set_trace_callback(ran.append)  # SQLite tells, whoever runs them, and with their values
    look(tx)
    driver.set_trace_callback(None)
    plans = [" | ".join(row[-1].strip() for row in driver.execute(f"EXPLAIN QUERY PLAN {text}").fetchall()) for text in ran]
    return list(dict.fromkeys(plans))


def measure_pages() -> Figures:
    """Fill a folder of its own, and look."""
    with TemporaryDirectory(prefix="tidings-pages-") as folder:
        begun = time.perf_counter()
        world = fill(Path(folder), system_clock())
        filled = time.perf_counter() - begun
        return {"hooks": HOOKS, "filled": filled, "looks": measure_looks(world, Path(folder))}


def main() -> None:
    """Measure, print."""
    for name, seen in measure_pages()["looks"].items():
        print(f"{name}: {seen['p50']:.2f} ms, worst {seen['worst']:.2f}, CPU {seen['cpu']:.2f}", *seen["plans"], sep="\n    ")


if __name__ == "__main__":
    main()
