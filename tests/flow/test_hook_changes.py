"""Hooks that are paused, moved and changed while they deliver, to real receivers on loopback."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.support.databases import AnyDatabase
from tests.support.receiver import Answer, Received, Receiver, receiving
from tests.support.world import KEYRING, World, append_update, make_hook, make_world
from tidings.clock import system_clock
from tidings.delivery.allow import parse_allow
from tidings.delivery.engine import Engine
from tidings.events.outbox import NewEvent, append
from tidings.hooks.changing import change_hook
from tidings.hooks.moving import move_hook
from tidings.hooks.pausing import pause_hook, resume_hook
from tidings.hooks.registry import get_hook
from tidings.hooks.trying import try_hook
from tidings.hooks.verification import validate
from tidings.settings import Settings
from tidings.store.database import Tx
from tidings.telemetry.facts import BreakerMoved, DeliveryAttempted, Telemetry

pytestmark = [
    pytest.mark.furnished(make=make_world),
    pytest.mark.only("sqlite", reason="what the database does here, tests/store has on both engines"),
]

# The world was made in 2023, and is not to be pruned.
SOON = Settings(schedule=(0.05,) * 9, lease=5.0, grace=5.0, exchange_timeout=5.0, retention=10_000)
UPDATE = "item.update"


@dataclasses.dataclass
class Heard:
    """What an engine told of itself."""

    attempts: list[DeliveryAttempted] = dataclasses.field(default_factory=list)
    breakers: list[BreakerMoved] = dataclasses.field(default_factory=list)

    async def until_failed(self, count: int, type: str = "hook.verify") -> None:
        """Wait until `count` attempts have failed."""
        ends = time.monotonic() + 20
        while sum(each.event_type == type and each.reason is not None for each in self.attempts) < count:
            assert time.monotonic() < ends
            await asyncio.sleep(0.01)


@asynccontextmanager
async def delivering(database: AnyDatabase, settings: Settings = SOON) -> AsyncIterator[Heard]:
    heard, telemetry = Heard(), Telemetry()
    telemetry.listen(DeliveryAttempted, heard.attempts.append)
    telemetry.listen(BreakerMoved, heard.breakers.append)
    engine = Engine(database, KEYRING, settings, parse_allow(["127.0.0.1:*"]), clock=system_clock, telemetry=telemetry)
    await engine.start()
    try:
        yield heard
    finally:
        await engine.stop()


@pytest.fixture
def world(furniture: World) -> World:
    return furniture


@asynccontextmanager
async def holding_up() -> AsyncIterator[tuple[Receiver, asyncio.Event]]:
    """A receiver that answers no update before the event is set."""
    release = asyncio.Event()

    async def slow(came: Received) -> Answer:
        if came.form.get("type") == UPDATE:
            await release.wait()
        return 200

    async with receiving(slow) as receiver:
        yield receiver, release
        release.set()


def append_create(tx: Tx, world: World, item_id: int) -> None:
    parameters = {"item_id": str(item_id), "item_revision_id": "0", "external_id": ""}
    append(tx, NewEvent("item.create", world.space_id, world.app_id, item_id, parameters, world.user.author, system_clock()))


async def until(database: AnyDatabase, count: int, wanted: str) -> None:
    """Wait until `count` deliveries stand so."""
    ends = time.monotonic() + 20
    while await database.read(lambda tx: tx.exec_driver_sql(f"SELECT count(*) FROM deliveries WHERE {wanted}").scalar()) != count:
        assert time.monotonic() < ends
        await asyncio.sleep(0.01)


# --- pausing -----------------------------------------------------------------------------------------------------------


async def test_a_long_backlog_of_a_paused_hook_is_in_nobodys_way_and_goes_out_in_order(database: AnyDatabase, world: World) -> None:
    items, each, creations = range(1, 201), range(1, 11), range(1, 21)

    def change_much(tx: Tx) -> None:
        for revision in each:
            for item_id in items:
                append_update(tx, world, item_id=item_id, revision=revision)

    async with receiving() as paused, receiving() as other, delivering(database):
        hook_id = await database.write(make_hook, world, url=paused.url, order="object")
        await database.write(make_hook, world, url=other.url, type="item.create")
        await database.write(pause_hook, world.user, hook_id, now=system_clock())
        await database.write(change_much)
        await until(database, 2_000, f"lease_id = -{hook_id} AND sequence > 1")
        for item_id in creations:
            await database.write(append_create, world, item_id)
        await other.wait_for_count(len(creations), "item.create", 2)
        assert paused.forms(UPDATE) == []
        await database.write(resume_hook, world.user, hook_id)
        for item_id in creations:
            await database.write(append_create, world, item_id)
        await other.wait_for_count(2 * len(creations), "item.create", 2)
        await paused.wait_for(lambda: len(paused.received) >= 2_000 and len(paused.forms(UPDATE)) == 2_000, 30)
        came: dict[str, list[int]] = {}
        for form in paused.forms(UPDATE):
            came.setdefault(form["item_id"], []).append(int(form["item_revision_id"]))
        assert came == {str(item_id): list(each) for item_id in items}


async def test_what_is_under_way_when_a_hook_is_paused_ends_and_what_is_held_waits(database: AnyDatabase, world: World) -> None:
    async with holding_up() as (receiver, release), delivering(database, dataclasses.replace(SOON, concurrency=2)):
        hook_id = await database.write(make_hook, world, url=receiver.url)
        for number in range(1, 21):
            await database.write(append_update, world, item_id=number)
        await receiver.wait_for_count(2, UPDATE)
        await database.write(pause_hook, world.user, hook_id, now=system_clock())
        await until(database, 18, f"lease_id = -{hook_id} AND sequence > 1 AND state = 'pending'")
        release.set()
        await until(database, 2, f"hook_id = {hook_id} AND state = 'delivered' AND sequence > 1")
        assert len(receiver.forms(UPDATE)) == 2
        await database.write(resume_hook, world.user, hook_id)
        await receiver.wait_for_count(20, UPDATE)
        await until(database, 20, f"hook_id = {hook_id} AND state = 'delivered' AND sequence > 1")
        assert sorted(int(form["item_id"]) for form in receiver.forms(UPDATE)) == list(range(1, 21))


# --- moving ------------------------------------------------------------------------------------------------------------


async def test_nothing_that_happens_at_the_next_url_counts_for_the_hook(database: AnyDatabase, world: World) -> None:
    """It fails there often enough to open a breaker, then answers 410; all the while the present URL is told of everything."""

    async def bad_then_gone(_: Received) -> Answer:
        return 410 if len(next_one.received) > 5 else 500

    async with receiving() as present, receiving(bad_then_gone) as next_one, delivering(database) as heard:
        hook_id = await database.write(make_hook, world, url=present.url)
        await database.write(move_hook, world.user, hook_id, next_one.url, now=system_clock())
        await heard.until_failed(6)
        for number in range(1, 6):
            await database.write(append_update, world, item_id=number)
        await present.wait_for_count(5, UPDATE)
        await until(database, 1, "state = 'cancelled' AND reason = 'status'")
        assert heard.breakers == []
        assert next_one.forms(UPDATE) == []
        sent = [{form["code"] for form in receiver.forms("hook.verify")} for receiver in (present, next_one)]
        assert len(sent[1]) == 1
        assert sent[0].isdisjoint(sent[1])
        found = await database.read(get_hook, world.user, hook_id)
        assert (found.status, found.url, found.failures_in_row, found.last_failure_at) == ("active", present.url, 0, None)


async def test_a_hook_is_told_at_its_next_url_as_soon_as_that_has_sent_its_code_back(database: AnyDatabase, world: World) -> None:
    """The present URL is dead, and the hook's breaker open: that is why it moves."""
    async with receiving() as closed:
        dead = closed.url
    async with receiving() as receiver, delivering(database, dataclasses.replace(SOON, schedule=(1.0,) * 60)) as heard:
        hook_id = await database.write(make_hook, world, url=dead)
        for number in range(1, 31):
            await database.write(append_update, world, item_id=number)
        await heard.until_failed(5, UPDATE)
        await database.write(move_hook, world.user, hook_id, receiver.url, now=system_clock())
        await receiver.wait_for_count(1, "hook.verify", 2)
        assert receiver.forms(UPDATE) == []
        assert await database.write(validate, world.user, hook_id, receiver.forms()[0]["code"], now=system_clock())
        await receiver.wait_for_count(30, UPDATE, 8)  # its breaker would have stayed open for ten seconds
        assert [each.hook_id for each in heard.breakers] == [hook_id]


# --- changing and trying -----------------------------------------------------------------------------------------------


async def test_what_is_held_when_the_format_changes_is_told_in_the_new_one(database: AnyDatabase, world: World) -> None:
    async with holding_up() as (receiver, release), delivering(database, dataclasses.replace(SOON, concurrency=1)):
        hook_id = await database.write(make_hook, world, url=receiver.url)
        for number in range(1, 6):
            await database.write(append_update, world, item_id=number)
        await receiver.wait_for_count(1, UPDATE)
        await until(database, 5, "state = 'sending'")
        await database.write(change_hook, world.user, hook_id, format="json")
        for held in (6, 7):  # a second time: what the fan-out of the first has read is known by then
            await database.write(try_hook, world.user, hook_id, now=system_clock())
            await until(database, held, "state = 'sending'")
        release.set()
        await until(database, 7, "state = 'delivered' AND sequence > 1")
        bodies = [json.loads(each.body) for each in receiver.received if each.headers["content-type"] == "application/json"]
        assert {body["item_id"] for body in bodies} >= {2, 3, 4, 5}


async def test_a_trial_arrives_marked_as_a_test_and_nowhere_else(database: AnyDatabase, world: World) -> None:
    async with receiving() as receiver, receiving() as other, delivering(database):
        hook_id = await database.write(make_hook, world, url=receiver.url)
        await database.write(make_hook, world, url=other.url)
        await database.write(try_hook, world.user, hook_id, now=system_clock())
        await receiver.wait_for_count(1, UPDATE)
        [came] = [each for each in receiver.received if each.form["type"] == UPDATE]
        assert came.headers["tidings-test"] == "true"
        assert came.form == {"item_id": "0", "item_revision_id": "0", "external_id": "", "type": UPDATE, "hook_id": str(hook_id)}
        assert other.forms(UPDATE) == []
