"""The whole line but for the API, in one process: events in the database, the engine, real sockets, a real receiver."""

from __future__ import annotations

import asyncio
import dataclasses
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import standardwebhooks
from msgspec.structs import replace

from tests.support.databases import AnyDatabase
from tests.support.processes import wait_until
from tests.support.receiver import Answer, Received, receiving
from tests.support.world import KEYRING, NOW, World, append_update, code_of, make_hook, make_world
from tidings.clock import system_clock
from tidings.delivery.allow import parse_allow
from tidings.delivery.deliveries import Delivery
from tidings.delivery.engine import Engine
from tidings.delivery.outcomes import Outcome
from tidings.delivery.sending import Sending
from tidings.hooks import registry, verification
from tidings.settings import Settings
from tidings.store.database import Tx
from tidings.telemetry.facts import BreakerMoved, Claimed, DeliveryAttempted, Telemetry

# The world was made in 2023, and is not to be pruned.
SOON = Settings(schedule=(0.05, 0.1, 0.2), lease=2.0, grace=5.0, exchange_timeout=3.0, retention=10_000)


@pytest.fixture
async def world(database: AnyDatabase) -> World:
    return await database.write(make_world)


@asynccontextmanager
async def delivering(
    database: AnyDatabase, settings: Settings = SOON, *, telemetry: Telemetry | None = None, allow: str = "127.0.0.1:*"
) -> AsyncIterator[Engine]:
    engine = Engine(database, KEYRING, settings, parse_allow([allow]), clock=system_clock, telemetry=telemetry or Telemetry())
    await engine.start()
    try:
        yield engine
    finally:
        await engine.stop()


async def states(database: AnyDatabase, type: str = "item.update") -> list[str]:
    def read(tx: Tx) -> list[str]:
        return list(
            tx.exec_driver_sql(
                "SELECT d.state FROM deliveries d JOIN events e ON e.event_id = d.event_id "
                f"WHERE e.type = '{type}' ORDER BY d.hook_id, d.sequence"
            ).scalars()
        )

    return await database.read(read)


async def until_states(database: AnyDatabase, *wanted: str, seconds: float = 20) -> None:
    """Wait until the deliveries of item.update stand so."""
    ends = time.monotonic() + seconds
    while await states(database) != list(wanted):
        assert time.monotonic() < ends
        await asyncio.sleep(0.02)


async def test_a_change_arrives_as_podios_form_with_the_urls_query_moved_in(database: AnyDatabase, world: World) -> None:
    async with receiving() as receiver, delivering(database):
        hook_id = await database.write(make_hook, world, url=f"{receiver.url}/in?key=k&type=mine&item_id=7&key=2")
        await database.write(append_update, world, item_id=42, revision=3)
        await receiver.wait_for_count(1, "item.update")
        (came,) = [each for each in receiver.received if each.form["type"] == "item.update"]
        assert came.target == "/in"
        assert came.body.decode() == f"item_id=42&item_revision_id=3&external_id=&type=item.update&hook_id={hook_id}&key=k&key=2"
        assert came.headers["content-type"] == "application/x-www-form-urlencoded"
        await until_states(database, "delivered")


@pytest.mark.only("sqlite", reason="on PostgreSQL nobody rides along, see `Database.let_ride`")
async def test_a_change_is_fanned_out_in_its_own_commit(database: AnyDatabase, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    async def never(_engine: Engine, _sending: Sending) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(Engine, "_fan_out", never)  # the loop that looks for events
    async with receiving() as receiver, delivering(database) as engine:
        await asyncio.to_thread(wait_until, lambda: engine.ready)
        await database.write(make_hook, world, url=receiver.url)
        await database.write(append_update, world, item_id=1)
        assert len(await states(database)) == 1
        await until_states(database, "delivered")
    await database.write(append_update, world, item_id=2)  # nobody rides with an engine that has stopped
    assert len(await states(database)) == 1


@pytest.mark.only("sqlite", reason="as above")
async def test_what_was_not_fanned_out_along_is_fanned_out_afterwards(
    database: AnyDatabase, world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_engine: Engine, tx: Tx) -> None:
        tx.exec_driver_sql("UPDATE events SET matched = 0")
        raise RuntimeError("a defect")

    monkeypatch.setattr(Engine, "_fan_out_along", fail)
    async with receiving() as receiver, delivering(database):
        await database.write(make_hook, world, url=receiver.url)
        await database.write(append_update, world, item_id=1)
        await until_states(database, "delivered")
    assert "a defect" in caplog.text


async def test_two_other_peoples_libraries_accept_the_signature(database: AnyDatabase, world: World) -> None:
    async with receiving() as receiver, delivering(database):

        def create(tx: Tx) -> registry.NewHook:
            place = ("app", world.app_id)
            return registry.create_hook(tx, world.user, KEYRING, *place, receiver.url, "item.update", now=system_clock(), limit=10)

        made = await database.write(create)
        await receiver.wait_for_count(1)
        import svix  # noqa: PLC0415 (500 models of theirs, which take more than half a second)

        (came,) = receiver.received
        assert made.secret is not None
        standardwebhooks.Webhook(made.secret).verify(came.body, came.headers, json_parse=False)
        svix.Webhook(made.secret).verify(came.body, came.headers)
        with pytest.raises(svix.WebhookVerificationError):
            svix.Webhook(made.secret).verify(came.body + b"&", came.headers)


async def test_the_verification_is_one_more_delivery(database: AnyDatabase, world: World) -> None:
    async with receiving() as receiver, delivering(database):
        hook_id = await database.write(make_hook, world, url=f"{receiver.url}/in?a=1", active=False)
        await receiver.wait_for_count(1)
        code = await database.read(code_of, hook_id)
        assert receiver.received[0].body.decode() == f"code={code}&type=hook.verify&hook_id={hook_id}&a=1"
        assert receiver.received[0].headers["tidings-sequence"] == "1"


async def test_a_hook_hears_of_nothing_before_it_is_verified(database: AnyDatabase, world: World) -> None:
    async with receiving() as receiver, delivering(database):
        hook_id = await database.write(make_hook, world, url=receiver.url, active=False)
        await database.write(append_update, world, revision=1)
        await receiver.wait_for_count(1, "hook.verify")
        await _all_fanned_out(database)
        assert await database.write(verification.validate, world.user, hook_id, receiver.forms()[0]["code"], now=NOW)
        await database.write(append_update, world, revision=2)
        await receiver.wait_for_count(1, "item.update")
        assert [form["item_revision_id"] for form in receiver.forms("item.update")] == ["2"]


async def test_what_fails_is_tried_again_and_says_why(database: AnyDatabase, world: World) -> None:
    async def twice_bad(_: Received) -> Answer:
        return 500 if len(receiver.forms("item.update")) < 3 else 200

    async with receiving(twice_bad) as receiver, delivering(database):
        await database.write(make_hook, world, url=receiver.url)
        await database.write(append_update, world)
        await receiver.wait_for_count(3, "item.update")
        updates = [each.headers for each in receiver.received if each.form["type"] == "item.update"]
        assert [headers["tidings-attempt"] for headers in updates] == ["1", "2", "3"]
        assert [headers.get("tidings-retry-reason") for headers in updates] == [None, "status", "status"]
        assert len({headers["webhook-id"] for headers in updates}) == 1
        await until_states(database, "delivered")


async def test_after_the_last_attempt_it_is_exhausted(database: AnyDatabase, world: World) -> None:
    async def bad(_: Received) -> Answer:
        return 404

    async with receiving(bad) as receiver, delivering(database):
        await database.write(make_hook, world, url=receiver.url)
        await database.write(append_update, world)
        await until_states(database, "exhausted")
        assert len(receiver.forms("item.update")) == 4


async def test_with_order_one_objects_events_arrive_in_commit_order_whatever_fails(database: AnyDatabase, world: World) -> None:
    """Promise 3. Every third request fails; both items' events still arrive in the order of their revisions."""
    requests = 0

    async def flaky(_: Received) -> Answer:
        nonlocal requests
        requests += 1
        return 500 if requests % 3 == 0 else 200

    accepted: list[tuple[str, int]] = []

    async def answer(came: Received) -> Answer:
        status = await flaky(came)
        if status == 200 and came.form["type"] == "item.update":
            accepted.append((came.form["item_id"], int(came.form["item_revision_id"])))
        return status

    settings = dataclasses.replace(SOON, schedule=(0.05,) * 9)
    async with receiving(answer) as receiver, delivering(database, settings):
        await database.write(make_hook, world, url=receiver.url, order="object")
        for revision in range(1, 11):
            for item_id in (42, 43):
                await database.write(append_update, world, item_id=item_id, revision=revision)
        await receiver.wait_for(lambda: len(accepted) >= 20, 40)
        for item in ("42", "43"):
            assert [revision for accepted_item, revision in accepted if accepted_item == item] == list(range(1, 11))


async def test_with_order_a_busy_objects_backlog_is_claimed_in_runs(database: AnyDatabase, world: World) -> None:
    changes, rounds, telemetry = 600, list[Claimed](), Telemetry()  # a hundred more than are fanned out at once
    telemetry.listen(Claimed, rounds.append)

    def change_often(tx: Tx) -> None:
        for revision in range(changes):
            append_update(tx, world, revision=revision)

    await database.write(make_hook, world, url="http://127.0.0.1:1/", order="object")
    await database.write(change_often)
    async with receiving() as receiver:
        await database.write(lambda tx: tx.exec_driver_sql(f"UPDATE hooks SET url = '{receiver.url}'"))
        async with delivering(database, telemetry=telemetry):
            await receiver.wait_for(lambda: len(receiver.received) >= changes)
        assert [int(form["item_revision_id"]) for form in receiver.forms("item.update")] == list(range(changes))
    assert len(rounds) < 30


async def test_a_destination_that_hangs_costs_the_others_nothing(database: AnyDatabase, world: World) -> None:
    """Promise 4, with a hook that hangs and has much to be told."""

    async def hang(came: Received) -> Answer:
        return 200 if came.form["type"] == "hook.verify" else None

    settings = dataclasses.replace(SOON, grace=0.1)  # nobody waits for those who hang
    async with receiving(hang) as hanging, receiving() as receiver, delivering(database, settings):
        await database.write(make_hook, world, url=hanging.url)
        await database.write(make_hook, world, url=receiver.url)
        await database.write(_append_updates, world, 300)
        await receiver.wait_for_count(300, "item.update", seconds=2.5)


async def test_a_dead_destination_is_spaced_out_by_its_breaker(database: AnyDatabase, world: World) -> None:
    moved: list[BreakerMoved] = []
    attempted: list[DeliveryAttempted] = []
    telemetry = Telemetry()
    telemetry.listen(BreakerMoved, moved.append)
    telemetry.listen(DeliveryAttempted, attempted.append)
    async with receiving() as closed:
        dead = closed.url
    async with receiving() as receiver, delivering(database, telemetry=telemetry):
        dead_hook = await database.write(make_hook, world, url=dead)
        await database.write(make_hook, world, url=receiver.url)
        for number in range(1, 101):
            await database.write(append_update, world, item_id=number)
        await receiver.wait_for_count(100, "item.update")
    assert moved == [BreakerMoved(dead_hook, "open")]
    failed = [fact for fact in attempted if fact.hook_id == dead_hook]
    assert {fact.reason for fact in failed} == {"connect"}
    assert len(failed) < 40


async def test_an_address_that_the_guard_refuses_is_never_dialled(database: AnyDatabase, world: World) -> None:
    attempted: list[DeliveryAttempted] = []
    telemetry = Telemetry()
    telemetry.listen(DeliveryAttempted, attempted.append)
    async with receiving() as receiver, delivering(database, allow="10.9.9.9:*", telemetry=telemetry):
        await database.write(make_hook, world, url=receiver.url)
        await database.write(append_update, world)
        await until_states(database, "exhausted")
        assert receiver.connections == 0
    assert {fact.reason for fact in attempted} == {"refused_address"}


async def test_a_410_makes_the_hook_inactive(database: AnyDatabase, world: World) -> None:
    async def gone(came: Received) -> Answer:
        return 200 if came.form["type"] == "hook.verify" else 410

    async with receiving(gone) as receiver, delivering(database):
        await database.write(make_hook, world, url=receiver.url)
        await database.write(append_update, world)
        await until_states(database, "cancelled")
        (hook,) = await database.read(registry.list_hooks, world.user, "app", world.app_id)
        assert (hook.status, hook.reason, hook.last_status) == ("inactive", "gone", 410)


async def test_stopping_finishes_what_is_under_way_and_returns_the_rest(database: AnyDatabase, world: World) -> None:
    release = asyncio.Event()

    async def slow(came: Received) -> Answer:
        if came.form["type"] == "item.update":
            await release.wait()
        return 200

    async with receiving(slow) as receiver:
        engine = Engine(database, KEYRING, SOON, parse_allow(["127.0.0.1:*"]), clock=system_clock, telemetry=Telemetry())
        await engine.start()
        await database.write(make_hook, world, url=receiver.url)
        for number in range(1, 31):
            await database.write(append_update, world, item_id=number)
        await receiver.wait_for_count(10, "item.update")
        await _all_fanned_out(database)
        stopping = asyncio.ensure_future(engine.stop())
        await asyncio.sleep(0.05)
        release.set()
        await stopping
        found = await states(database)
        assert (found.count("delivered"), found.count("pending")) == (10, 20)
        assert await database.read(lambda tx: tx.exec_driver_sql("SELECT count(*) FROM leases").scalar()) == 0
        async with delivering(database):
            await until_states(database, *["delivered"] * 30)
        assert len(receiver.forms("item.update")) == 30


async def test_an_engine_whose_lease_ran_out_drops_what_it_holds_and_takes_another(database: AnyDatabase, world: World) -> None:
    async def hang_once(came: Received) -> Answer:
        return 200 if came.form["type"] == "hook.verify" or len(receiver.forms("item.update")) > 4 else None  # the breaker stays closed

    async with (
        receiving(hang_once) as receiver,
        delivering(database, dataclasses.replace(SOON, schedule=(0.1,), lease=0.6, exchange_timeout=1.2, concurrency=4)),
    ):
        await database.write(make_hook, world, url=receiver.url)
        for number in range(1, 31):
            await database.write(append_update, world, item_id=number)
        await receiver.wait_for_count(4, "item.update")
        await database.write(lambda tx: tx.exec_driver_sql("UPDATE leases SET expires_at = 1"))
        await receiver.wait_for(lambda: len({form["item_id"] for form in receiver.forms("item.update")}) == 30, 30)


@pytest.mark.only("postgresql", reason="one engine at a time delivers from an SQLite file")
async def test_two_engines_share_the_work_and_send_everything_once(database: AnyDatabase, world: World) -> None:
    async with receiving() as receiver, delivering(database), delivering(database):
        await database.write(make_hook, world, url=receiver.url)
        await asyncio.gather(*(database.write(append_update, world, item_id=number) for number in range(1, 201)))
        await receiver.wait_for_count(200, "item.update")
        await until_states(database, *["delivered"] * 200)
        assert len(receiver.forms("item.update")) == 200


def _append_updates(tx: Tx, world: World, count: int) -> None:
    for number in range(1, count + 1):
        append_update(tx, world, item_id=number)


async def _all_fanned_out(database: AnyDatabase) -> None:
    waiting = "SELECT count(*) FROM events WHERE matched IS NULL"
    while await database.read(lambda tx: tx.exec_driver_sql(waiting).scalar()):  # noqa: ASYNC110  the engine tells nobody
        await asyncio.sleep(0.01)


async def test_an_outcome_that_the_database_will_not_take_loses_its_record_and_nothing_else(
    database: AnyDatabase, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No such outcome is known. Should there be one, everybody's deliveries still end, this one's too."""
    keep = Sending._ended

    def poisoned(self: Sending, delivery: Delivery, host: str, outcome: Outcome) -> None:
        poison: Any = object()
        keep(self, delivery, host, replace(outcome, address=poison) if b"item_id=7&" in outcome.sent else outcome)

    monkeypatch.setattr(Sending, "_ended", poisoned)
    async with receiving() as receiver, delivering(database):
        await database.write(make_hook, world, url=receiver.url)
        await asyncio.gather(*(database.write(append_update, world, item_id=number) for number in range(1, 21)))
        await until_states(database, *["delivered"] * 20)
        kept = await database.read(lambda tx: tx.exec_driver_sql("SELECT count(*) FROM attempts WHERE length(sent) > 0").scalar())
        assert kept == 19
