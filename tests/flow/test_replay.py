"""Deliveries sent again by the whole line: a real receiver that was down, the engine, and what `tidings replay` says of it."""

from __future__ import annotations

import asyncio
import io
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from sqlalchemy import update
from typer.testing import CliRunner

from tests.support.databases import AnyDatabase
from tests.support.past import make_past
from tests.support.receiver import Answer, Received, Receiver, receiving
from tests.support.world import KEYRING, World, append_update, make_hook, make_world
from tidings.cli import commands
from tidings.cli.replay import run_replay, run_stop
from tidings.clock import system_clock
from tidings.delivery.allow import parse_allow
from tidings.delivery.engine import Engine
from tidings.delivery.redelivery import redeliver
from tidings.delivery.replay import Replay, Wanted, get_replay, list_replays, start_replay, stop_replay
from tidings.errors import Invalid
from tidings.settings import Settings
from tidings.store.schema import events, hooks
from tidings.telemetry.facts import ReplayTurned, Telemetry


@asynccontextmanager
async def delivering(
    database: AnyDatabase, *, schedule: tuple[float, ...] = (), turned: list[ReplayTurned] | None = None
) -> AsyncIterator[None]:
    telemetry = Telemetry()
    if turned is not None:
        telemetry.listen(ReplayTurned, turned.append)
    # The world was made in 2023, and is not to be pruned.
    settings = Settings(schedule=schedule, lease=2.0, grace=5.0, retention=10_000)
    engine = Engine(database, KEYRING, settings, parse_allow(["127.0.0.1:*"]), clock=system_clock, telemetry=telemetry)
    await engine.start()
    async with asyncio.timeout(10):
        while not engine.ready:  # noqa: ASYNC110  it tells nobody
            await asyncio.sleep(0.005)
    try:
        yield
    finally:
        await engine.stop()


@asynccontextmanager
async def hooked(database: AnyDatabase, receiver: Receiver, order: str = "none") -> AsyncIterator[tuple[World, int]]:
    """A hook that sends one delivery at a time, and whose verification is out of the way."""
    world = await database.write(make_world)
    hook_id = await database.write(make_hook, world, url=receiver.url, order=order)
    await database.write(lambda tx: tx.execute(update(events).values(matched=0)))
    await database.write(lambda tx: tx.execute(update(hooks).values(concurrency=1)))
    yield world, hook_id


async def over(database: AnyDatabase, world: World, replay: Replay, seconds: float = 20) -> Replay:
    """The replay, once all that it has released has ended."""
    async with asyncio.timeout(seconds):
        while (now := await database.read(get_replay, world.user, replay.replay_id)).waiting or now.ended_at is None:  # noqa: ASYNC110  the engine tells nobody
            await asyncio.sleep(0.02)
    return now


def numbers(receiver: Receiver) -> list[int]:
    return [int(each.headers["tidings-sequence"]) for each in receiver.received]


async def test_what_a_receiver_missed_while_it_was_down_is_sent_again_and_says_so(database: AnyDatabase) -> None:
    repaired = False

    async def down(_: Received) -> Answer:
        return 200 if repaired else 500

    turned: list[ReplayTurned] = []
    async with receiving(down) as receiver, hooked(database, receiver) as (world, hook_id), delivering(database, turned=turned):
        for revision in range(1, 4):
            await database.write(append_update, world, revision=revision)
        await until_ended(database, 3)
        missed = [dict(each.headers) for each in receiver.received]
        receiver.received.clear()
        repaired = True

        await database.write(redeliver, world.user, hook_id, 1, now=system_clock())
        await receiver.wait_for_count(1, seconds=5)
        await until_ended(database, 3)
        replay = await database.write(start_replay, world.user, hook_id, Wanted(), 100, now=system_clock())
        how = await over(database, world, replay)

    assert (replay.total, how.delivered, how.failed, how.state) == (2, 2, 0, "finished")
    again = [each.headers for each in receiver.received]
    assert [headers["tidings-sequence"] for headers in again] == ["1", "2", "3"]
    assert [headers["webhook-id"] for headers in again] == [headers["webhook-id"] for headers in missed]
    marks = ["single", f"replay-{replay.replay_id}", f"replay-{replay.replay_id}"]
    assert [headers["tidings-redelivery"] for headers in again] == marks
    assert {headers["tidings-attempt"] for headers in again} == {"2"}
    assert not any("tidings-retry-reason" in headers for headers in again)
    assert [(fact.state, fact.released) for fact in turned] == [("started", 2), ("finished", 2)]


async def until_ended(database: AnyDatabase, count: int) -> None:
    wanted = "SELECT count(*) FROM deliveries WHERE ended_at IS NOT NULL"
    async with asyncio.timeout(10):
        while await database.read(lambda tx: tx.exec_driver_sql(wanted).scalar()) != count:  # noqa: ASYNC110  the engine tells nobody
            await asyncio.sleep(0.02)


async def test_a_replay_keeps_to_its_rate_and_its_order(sqlite: AnyDatabase) -> None:
    async with receiving() as receiver, hooked(sqlite, receiver) as (world, hook_id):
        await sqlite.write(make_past, world, hook_id, *["exhausted"] * 60)
        async with delivering(sqlite):
            began = time.monotonic()
            await sqlite.write(start_replay, world.user, hook_id, Wanted(), 80, now=system_clock())
            await receiver.wait_for_count(60)
            took = time.monotonic() - began
    assert numbers(receiver) == list(range(2, 62))
    assert took > 59 / 80 - 0.1


async def test_a_replay_that_is_stopped_sends_nothing_more(sqlite: AnyDatabase) -> None:
    turned: list[ReplayTurned] = []
    async with receiving() as receiver, hooked(sqlite, receiver) as (world, hook_id):
        await sqlite.write(make_past, world, hook_id, *["exhausted"] * 80)
        async with delivering(sqlite, turned=turned):
            replay = await sqlite.write(start_replay, world.user, hook_id, Wanted(), 20, now=system_clock())
            await receiver.wait_for_count(3)
            await sqlite.write(stop_replay, world.user, replay.replay_id, now=system_clock())
            how = await over(sqlite, world, replay)
    assert how.state == "stopped"
    assert how.released == how.delivered == len(receiver.received) < 40
    assert [fact.state for fact in turned] == ["started", "stopped"]


async def test_with_order_a_replay_keeps_each_objects_order_whatever_fails(sqlite: AnyDatabase) -> None:
    """Promise 3, for what is sent again: every third request fails."""
    accepted: list[int] = []
    requests = 0

    async def flaky(came: Received) -> Answer:
        nonlocal requests
        requests += 1
        if requests % 3 == 0:
            return 500
        accepted.append(int(came.headers["tidings-sequence"]))
        return 200

    async with receiving(flaky) as receiver, hooked(sqlite, receiver, "object") as (world, hook_id):
        await sqlite.write(make_past, world, hook_id, *["exhausted"] * 8, lane="item:1")
        await sqlite.write(make_past, world, hook_id, *["exhausted"] * 8, first=10, lane="item:2")
        await sqlite.write(lambda tx: tx.execute(update(hooks).values(concurrency=4)))
        async with delivering(sqlite, schedule=(0.05,) * 9):
            replay = await sqlite.write(start_replay, world.user, hook_id, Wanted(), 1_000, now=system_clock())
            assert (await over(sqlite, world, replay)).delivered == 16
    assert [number for number in accepted if number < 10] == list(range(2, 10))
    assert [number for number in accepted if number >= 10] == list(range(10, 18))


async def test_while_a_replay_runs_new_events_arrive_as_ever(sqlite: AnyDatabase) -> None:
    """Promise 4: neither the hook of the replay, whose receiver takes its time, nor another waits for it to end."""

    async def slow(_: Received) -> Answer:
        await asyncio.sleep(0.05)
        return 200

    async with receiving(slow) as busy, receiving() as free, hooked(sqlite, busy) as (world, hook_id):
        await sqlite.write(make_hook, world, url=free.url, type="item.update")
        await sqlite.write(make_past, world, hook_id, *["exhausted"] * 300)
        async with delivering(sqlite):
            await sqlite.write(start_replay, world.user, hook_id, Wanted(), 10, now=system_clock())
            await busy.wait_for_count(2)
            began = time.monotonic()
            await sqlite.write(append_update, world)
            await free.wait_for_count(1)
            await busy.wait_for(lambda: 302 in numbers(busy), 5)
            assert time.monotonic() - began < 5
    assert len(busy.received) < 100


# --- the command -------------------------------------------------------------------------------------------------------


def settings_of(database: AnyDatabase) -> Settings:
    assert database.dialect == "sqlite"
    return Settings(data=database.path.parent)


ASKED: Any = {"states": (), "types": (), "since": None, "until": None, "rate": 100, "yes": True}


async def test_the_command_shows_the_plan_and_looks_on_until_all_is_received(
    sqlite: AnyDatabase, capsys: pytest.CaptureFixture[str]
) -> None:
    async with receiving() as receiver, hooked(sqlite, receiver) as (world, hook_id):
        await sqlite.write(make_past, world, hook_id, "delivered", "exhausted", "cancelled", "exhausted")
        async with delivering(sqlite):
            code = await asyncio.to_thread(lambda: run_replay(settings_of(sqlite), hook_id, **ASKED))
    assert code == 0
    assert numbers(receiver) == [3, 4, 5]
    printed = capsys.readouterr().out
    assert f"3 deliveries of hook {hook_id} (1 cancelled, 2 exhausted, 3 item.update)," in printed
    assert "of events from 2023-11-14 22:13:23 to 2023-11-14 22:13:25 UTC,\nin less than a second at 100 a second." in printed
    assert "Replay 1 is finished: 3 delivered, of 3." in printed


async def test_the_command_says_when_not_all_was_received(sqlite: AnyDatabase, capsys: pytest.CaptureFixture[str]) -> None:
    async def broken(_: Received) -> Answer:
        return 500

    async with receiving(broken) as receiver, hooked(sqlite, receiver) as (world, hook_id):
        await sqlite.write(make_past, world, hook_id, "exhausted")
        async with delivering(sqlite):
            assert await asyncio.to_thread(lambda: run_replay(settings_of(sqlite), hook_id, **ASKED)) == 1
    assert "0 delivered, 1 failed, of 1." in capsys.readouterr().out


async def test_without_a_server_the_command_says_that_it_goes_on_when_one_runs(
    sqlite: AnyDatabase, capsys: pytest.CaptureFixture[str]
) -> None:
    async with receiving() as receiver, hooked(sqlite, receiver) as (world, hook_id):
        await sqlite.write(make_past, world, hook_id, "exhausted")
        assert await asyncio.to_thread(lambda: run_replay(settings_of(sqlite), hook_id, **ASKED)) == 0
        assert "No server is running: replay 1 goes on when one does. To stop it: tidings replay --stop 1" in capsys.readouterr().out
        assert await asyncio.to_thread(lambda: run_stop(settings_of(sqlite), 1)) == 0
        assert "Replay 1 is stopped: 0 delivered, of 1." in capsys.readouterr().out


async def test_nothing_meant_is_nothing_done(sqlite: AnyDatabase, capsys: pytest.CaptureFixture[str]) -> None:
    async with receiving() as receiver, hooked(sqlite, receiver) as (_, hook_id):
        assert await asyncio.to_thread(lambda: run_replay(settings_of(sqlite), hook_id, **ASKED)) == 0
    assert f"No delivery of hook {hook_id} is meant." in capsys.readouterr().out


async def test_ctrl_c_leaves_it_running_and_says_how_to_stop_it(
    sqlite: AnyDatabase, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(_: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("tidings.cli.replay.time.sleep", interrupt)
    async with receiving() as receiver, hooked(sqlite, receiver) as (world, hook_id):
        await sqlite.write(make_past, world, hook_id, *["exhausted"] * 30)
        async with delivering(sqlite):
            assert await asyncio.to_thread(lambda: run_replay(settings_of(sqlite), hook_id, **{**ASKED, "rate": 1})) == 130
            assert (await sqlite.read(get_replay, world.user, 1)).state == "running"
    assert "Replay 1 goes on. To stop it: tidings replay --stop 1" in capsys.readouterr().out


async def test_who_says_no_to_the_plan_begins_nothing(
    sqlite: AnyDatabase, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    async with receiving() as receiver, hooked(sqlite, receiver) as (world, hook_id):
        await sqlite.write(make_past, world, hook_id, "exhausted")
        assert await asyncio.to_thread(lambda: run_replay(settings_of(sqlite), hook_id, **{**ASKED, "yes": False})) == 130
        assert await sqlite.read(list_replays, world.user, hook_id) == []
    assert "Nothing was sent again." in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [[], ["7", "--stop", "1"], ["7", "--rate", "0"], ["7", "--state", "pending"], ["0"]])
def test_what_the_command_cannot_do_ends_with_2(arguments: list[str]) -> None:
    assert CliRunner().invoke(commands.app, ["replay", *arguments]).exit_code == 2


async def test_a_moment_that_is_none_is_refused(sqlite: AnyDatabase) -> None:
    with pytest.raises(Invalid, match="--since: must be a moment in UTC"):
        run_replay(settings_of(sqlite), 1, **{**ASKED, "since": "yesterday"})
