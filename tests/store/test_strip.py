"""How a hook has been doing: attempts counted by the quarter of an hour as they are settled, and what waits."""

from __future__ import annotations

import asyncio

import pytest

from tests.support.databases import AnyDatabase
from tests.support.line import delivered, failed, send_out, settle_all
from tests.support.world import NOW, SECOND, World, append_update, make_hook, make_world
from tidings.delivery import strip
from tidings.delivery.strip import QUARTER, Health, Slot, count_attempts, health_of_many, hook_health, prune_slots, quarter_of
from tidings.errors import Forbidden, NotFound
from tidings.store.database import Tx

HOUR = 3600 * SECOND
BEGAN = quarter_of(NOW)


def two_hooks(tx: Tx) -> tuple[World, int, int]:
    """Two hooks, whose verifications are out of the way."""
    world = make_world(tx)
    first, second = make_hook(tx, world), make_hook(tx, world, url="http://b.example/")
    tx.exec_driver_sql("UPDATE events SET matched = 0")
    return world, first, second


pytestmark = pytest.mark.furnished(make=two_hooks)

Hooks = tuple[World, int, int]


async def health(database: AnyDatabase, furniture: Hooks, now: int = NOW) -> Health:
    world, hook_id, _ = furniture
    return await database.read(hook_health, world.user, hook_id, now=now)


async def test_a_batch_is_counted_by_hook_and_quarter(database: AnyDatabase, furniture: Hooks) -> None:
    world, first, second = furniture

    def work(tx: Tx) -> None:
        for _ in range(3):
            append_update(tx, world)
        one, two, three, *others = sorted(send_out(tx), key=lambda delivery: delivery.hook_id)
        settle_all(tx, delivered(one, NOW), failed(two, NOW), delivered(three, NOW + QUARTER), *map(delivered, others))

    await database.write(work)
    seen = await health(database, furniture, NOW + QUARTER)
    assert seen.strip.slots[-2:] == [Slot(BEGAN, 1, 1), Slot(BEGAN + QUARTER, 1, 0)]
    assert (len(seen.strip.slots), seen.strip.delivered, seen.strip.failed, seen.strip.rate) == (96, 2, 1, 2 / 3)
    strips = await database.read(health_of_many, [first, second, 99], now=NOW)
    assert [(len(each.slots), each.delivered, each.failed) for each in strips.values()] == [(24, 2, 1), (24, 3, 0), (24, 0, 0)]


async def test_what_is_added_twice_adds_up_also_from_two_processes(database: AnyDatabase, furniture: Hooks) -> None:
    _, first, second = furniture
    counted = {(hook_id, BEGAN): (2, 1) for hook_id in (second, first)}
    await asyncio.gather(*(database.write(count_attempts, counted) for _ in range(5)))
    assert (await health(database, furniture)).strip.slots[-1] == Slot(BEGAN, 10, 5)


async def test_a_day_is_shown_and_what_is_older_than_two_is_forgotten(database: AnyDatabase, furniture: Hooks) -> None:
    hook_id = furniture[1]
    moments = [BEGAN - back * QUARTER for back in (0, 95, 96, 191, 193)]
    await database.write(count_attempts, {(hook_id, moment): (1, 0) for moment in moments})
    seen = await health(database, furniture)
    assert [slot.began_at for slot in seen.strip.slots if slot.delivered] == [moments[1], moments[0]]
    await database.write(prune_slots, now=NOW)
    kept = await database.read(lambda tx: tx.exec_driver_sql("SELECT began_at FROM hook_slots ORDER BY began_at").scalars().all())
    assert kept == sorted(moments[:4])


async def test_a_hook_without_attempts_has_no_rate_and_no_latency(database: AnyDatabase, furniture: Hooks) -> None:
    seen = await health(database, furniture)
    assert (seen.strip.rate, seen.p50, seen.p95, seen.waiting, seen.oldest_waiting_at, seen.failures_in_row) == (
        None,
        None,
        None,
        0,
        None,
        0,
    )


async def test_what_waits_is_counted_so_far_and_the_oldest_told(
    database: AnyDatabase, furniture: Hooks, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = furniture[0]

    def work(tx: Tx) -> None:
        for minute in range(4):
            append_update(tx, world, at=NOW + minute * 60 * SECOND)
        first, *_ = send_out(tx)
        settle_all(tx, delivered(first))

    await database.write(work)
    seen = await health(database, furniture)
    assert (seen.waiting, seen.more_waiting, seen.oldest_waiting_at) == (3, False, NOW + 60 * SECOND)
    monkeypatch.setattr(strip, "WAITING_COUNTED", 2)
    seen = await health(database, furniture)
    assert (seen.waiting, seen.more_waiting) == (2, True)


async def test_latencies_are_of_attempts_that_were_answered(database: AnyDatabase, furniture: Hooks) -> None:
    world, hook_id, _ = furniture

    def work(tx: Tx) -> None:
        for _ in range(20):
            append_update(tx, world)
        mine = [delivery for delivery in send_out(tx) if delivery.hook_id == hook_id]
        settle_all(tx, *(delivered(delivery, took=(number + 1) * 1_000) for number, delivery in enumerate(mine)))

    await database.write(work)
    seen = await health(database, furniture)
    assert (seen.p50, seen.p95, seen.last_success_at) == (10_000, 19_000, NOW + 20_000)


async def test_who_may_not_change_the_hook_sees_nothing(database: AnyDatabase, furniture: Hooks) -> None:
    stranger = (await database.write(make_world, "two")).user
    with pytest.raises((NotFound, Forbidden)):
        await database.read(hook_health, stranger, furniture[1], now=NOW)
