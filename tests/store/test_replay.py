"""Redeliver and replay, on both engines: what is asked for again, how it is released, and what is left alone."""

from __future__ import annotations

import asyncio
import threading
from functools import partial

import pytest
from sqlalchemy import select, update

from tests.support.databases import AnyDatabase
from tests.support.past import ENDED, make_past
from tests.support.world import KEYRING, NOW, SECOND, World, make_hook, make_world
from tidings.clock import DAY
from tidings.delivery.claims import Claimed, claim
from tidings.delivery.leases import take_lease
from tidings.delivery.prune import prune
from tidings.delivery.redelivery import redeliver
from tidings.delivery.release import _WAITING, Released, any_running, release
from tidings.delivery.replay import Replay, Wanted, get_replay, list_replays, plan_replay, start_replay, stop_replay
from tidings.errors import Conflict, Invalid, NotFound
from tidings.hooks.matching import EMPTY_INDEX
from tidings.store.database import Tx
from tidings.store.schema import deliveries, events, hooks
from tidings.workspace.access import Caller

UNDELIVERED = Wanted()


def make_world_and_hook(tx: Tx) -> tuple[World, int]:
    world = make_world(tx)
    hook_id = make_hook(tx, world)
    make_past(tx, world, hook_id, "delivered", first=1)
    return world, hook_id


pytestmark = pytest.mark.furnished(make=make_world_and_hook)


@pytest.fixture
def world(furniture: tuple[World, int]) -> World:
    return furniture[0]


@pytest.fixture
def hook_id(furniture: tuple[World, int]) -> int:
    """A hook whose first delivery was its verification."""
    return furniture[1]


async def row(database: AnyDatabase, hook_id: int, sequence: int, *names: str) -> tuple[object, ...]:
    columns = [deliveries.c[name] for name in names]
    wanted = select(*columns).where(deliveries.c.hook_id == hook_id, deliveries.c.sequence == sequence)
    return tuple(await database.read(lambda tx: tx.execute(wanted).one()))


async def states(database: AnyDatabase, hook_id: int) -> str:
    """The first letter of each delivery's state, the verification's left out."""
    wanted = select(deliveries.c.state).where(deliveries.c.hook_id == hook_id, deliveries.c.sequence > 1).order_by(deliveries.c.sequence)
    return await database.read(lambda tx: "".join(state[0] for state in tx.execute(wanted).scalars()))


async def released(database: AnyDatabase, now: int = NOW) -> Released:
    return await database.write(release, now=now)


async def started(database: AnyDatabase, world: World, hook_id: int, wanted: Wanted = UNDELIVERED, rate: int = 20) -> Replay:
    return await database.write(start_replay, world.user, hook_id, wanted, rate, now=NOW)


async def shown(database: AnyDatabase, world: World, replay: Replay) -> Replay:
    return await database.read(get_replay, world.user, replay.replay_id)


async def claimed(database: AnyDatabase, now: int, room: int = 1_000) -> Claimed:
    lease_id = await database.write(take_lease, "test", now=now, duration=DAY)
    return await database.write(claim, KEYRING, EMPTY_INDEX, lease_id, lambda _: room, (), swept=0, now=now)


async def set_hook(database: AnyDatabase, hook_id: int, **values: object) -> None:
    await database.write(lambda tx: tx.execute(update(hooks).where(hooks.c.hook_id == hook_id).values(**values)))


# --- redeliver ---------------------------------------------------------------------------------------------------------


async def test_what_waits_already_keeps_its_place_or_comes_before_what_stands_aside(
    database: AnyDatabase, world: World, hook_id: int
) -> None:
    await database.write(make_past, world, hook_id, "pending")
    await database.write(lambda tx: tx.execute(update(deliveries).where(deliveries.c.sequence == 2).values(lease_id=-hook_id)))
    await database.write(redeliver, world.user, hook_id, 2, now=NOW + DAY)
    assert await row(database, hook_id, 2, "state", "due_at", "lease_id") == ("pending", NOW + 2 * SECOND, 0)


@pytest.mark.parametrize("state", ENDED)
async def test_what_has_ended_is_sent_again_with_its_schedule_begun_anew(
    database: AnyDatabase, world: World, hook_id: int, state: str
) -> None:
    await database.write(make_past, world, hook_id, state)
    await database.write(redeliver, world.user, hook_id, 2, now=NOW + 60 * SECOND)
    (again,) = (await claimed(database, NOW + 60 * SECOND)).leased
    assert (again.sequence, again.attempts, again.tries, again.reason, again.replay_id) == (2, 2, 0, None, None)
    assert await row(database, hook_id, 2, "state", "earlier", "ended_at") == ("sending", 2, None)


async def test_what_is_pending_is_due_now_with_its_attempts_as_they_are(database: AnyDatabase, world: World, hook_id: int) -> None:
    await database.write(make_past, world, hook_id, "pending")
    await set_due(database, NOW + DAY)
    await database.write(redeliver, world.user, hook_id, 2, now=NOW)
    (again,) = (await claimed(database, NOW)).leased
    assert (again.attempts, again.tries, again.earlier) == (2, 2, None)


async def set_due(database: AnyDatabase, due_at: int) -> None:
    await database.write(lambda tx: tx.execute(update(deliveries).values(due_at=due_at)))


async def test_what_is_being_sent_is_not_asked_for_again(database: AnyDatabase, world: World, hook_id: int) -> None:
    await database.write(make_past, world, hook_id, "sending")
    with pytest.raises(Conflict, match="being sent at this moment"):
        await database.write(redeliver, world.user, hook_id, 2, now=NOW)


async def test_a_verification_is_asked_for_anew_instead(database: AnyDatabase, world: World, hook_id: int) -> None:
    with pytest.raises(Invalid, match="ask for a new one"):
        await database.write(redeliver, world.user, hook_id, 1, now=NOW)


async def test_a_delivery_that_is_not_there_is_not_found(database: AnyDatabase, world: World, hook_id: int) -> None:
    with pytest.raises(NotFound):
        await database.write(redeliver, world.user, hook_id, 99, now=NOW)


@pytest.mark.parametrize(
    ("hook", "sentence"),
    [
        ({"status": "inactive", "reason": "unverified"}, "has not shown yet that it wants it: have its URL sent"),
        ({"status": "inactive", "reason": "failing"}, "its deliveries failed for a day: repair what it calls"),
        ({"status": "inactive", "reason": "gone"}, "its URL answered 410"),
        ({"paused_at": NOW}, "paused: resume it first"),
    ],
)
async def test_a_hook_that_is_sent_nothing_says_why_and_what_to_do(
    database: AnyDatabase, world: World, hook_id: int, hook: dict[str, object], sentence: str
) -> None:
    await database.write(make_past, world, hook_id, "exhausted")
    await set_hook(database, hook_id, **hook)
    with pytest.raises(Conflict, match=sentence):
        await database.write(redeliver, world.user, hook_id, 2, now=NOW)
    with pytest.raises(Conflict, match=sentence):
        await started(database, world, hook_id)


async def test_asking_for_a_delivery_again_wakes_who_claims(database: AnyDatabase, world: World, hook_id: int) -> None:
    await database.write(make_past, world, hook_id, "exhausted")
    await database.write(lambda _: None)  # whom that has woken is awake by now
    events_woken, claims_woken = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()
    database.listen(partial(set_in, loop, events_woken))
    database.listen(partial(set_in, loop, claims_woken), "deliveries")
    await database.write(redeliver, world.user, hook_id, 2, now=NOW)
    async with asyncio.timeout(5):
        await claims_woken.wait()
    assert not events_woken.is_set()


def set_in(loop: asyncio.AbstractEventLoop, event: asyncio.Event) -> None:
    loop.call_soon_threadsafe(event.set)


async def test_nobody_else_asks_for_it(database: AnyDatabase, world: World, hook_id: int) -> None:
    await database.write(make_past, world, hook_id, "exhausted", "exhausted")
    replay = await started(database, world, hook_id)
    stranger = Caller("app", world.app_id + 1, 1)
    for ask in (
        lambda tx: redeliver(tx, stranger, hook_id, 2, now=NOW),
        lambda tx: plan_replay(tx, stranger, hook_id, Wanted()),
        lambda tx: start_replay(tx, stranger, hook_id, Wanted(), now=NOW),
        lambda tx: list_replays(tx, stranger, hook_id),
        lambda tx: get_replay(tx, stranger, replay.replay_id),
        lambda tx: stop_replay(tx, stranger, replay.replay_id, now=NOW),
    ):
        with pytest.raises(NotFound):
            await database.write(ask)
    assert (await shown(database, world, replay)).state == "running"


# --- plan and start ----------------------------------------------------------------------------------------------------


async def test_a_plan_counts_what_is_meant_and_changes_nothing(database: AnyDatabase, world: World, hook_id: int) -> None:
    await database.write(make_past, world, hook_id, "delivered", "exhausted", "pending", "exhausted", "cancelled", "sending")
    plan = await database.read(plan_replay, world.user, hook_id, Wanted(), 2)
    assert (plan.total, plan.seconds, plan.states, plan.types) == (3, 1.5, {"exhausted": 2, "cancelled": 1}, {"item.update": 3})
    assert (plan.first_at, plan.last_at) == (NOW + 3 * SECOND, NOW + 6 * SECOND)
    everything = await database.read(plan_replay, world.user, hook_id, Wanted(states=ENDED), 2)
    assert everything.total == 4  # the verification was delivered too, and is never meant
    assert await states(database, hook_id) == "depecs"


async def test_a_plan_that_counts_so_far_says_of_which_states_there_are_more(database: AnyDatabase, world: World, hook_id: int) -> None:
    await database.write(make_past, world, hook_id, *["delivered"] * 3, *["exhausted"] * 2)
    plan = await database.read(plan_replay, world.user, hook_id, Wanted(states=ENDED), 1, counted=2)
    assert plan.states == {"delivered": 1, "exhausted": 2}  # of the two delivered ones that were counted, one may be the verification
    assert (plan.total, plan.seconds, plan.more) == (3, 3, ("delivered",))
    assert plan.last_at == NOW + 6 * SECOND
    whole = await database.read(plan_replay, world.user, hook_id, Wanted(states=ENDED), 1, counted=4)
    assert (whole.total, whole.more) == (5, ())


async def test_a_trial_is_never_meant(database: AnyDatabase, world: World, hook_id: int) -> None:
    await database.write(make_past, world, hook_id, "exhausted")
    await database.write(lambda tx: tx.execute(update(events).values(hook_id=hook_id, test=True)))
    assert (await database.read(plan_replay, world.user, hook_id, Wanted())).total == 0


async def test_a_plan_goes_by_the_time_of_the_events_and_their_types(database: AnyDatabase, world: World, hook_id: int) -> None:
    await database.write(make_past, world, hook_id, *["exhausted"] * 5)
    between = Wanted(since=NOW + 3 * SECOND, until=NOW + 5 * SECOND)
    assert (await database.read(plan_replay, world.user, hook_id, between)).total == 2
    assert (await database.read(plan_replay, world.user, hook_id, Wanted(types=("item.update",)))).total == 5
    nothing = await database.read(plan_replay, world.user, hook_id, Wanted(types=("item.create",)))
    assert (nothing.total, nothing.first_at, nothing.seconds) == (0, None, 0)


async def test_what_cannot_be_meant_is_refused(database: AnyDatabase, world: World, hook_id: int, subtests: pytest.Subtests) -> None:
    await database.write(make_past, world, hook_id, "exhausted")
    for wanted, rate in (
        (Wanted(states=()), 10),
        (Wanted(states=("pending",)), 10),
        (Wanted(types=("item.eat",)), 10),
        (Wanted(since=2, until=2), 10),
        (UNDELIVERED, 0),
        (UNDELIVERED, 1_001),
    ):
        with subtests.test(wanted=wanted, rate=rate), pytest.raises(Invalid):
            await database.read(plan_replay, world.user, hook_id, wanted, rate)


async def test_a_replay_of_nothing_is_refused(database: AnyDatabase, world: World, hook_id: int) -> None:
    await database.write(make_past, world, hook_id, "delivered")
    with pytest.raises(Invalid, match="No delivery of this hook is meant"):
        await started(database, world, hook_id)


async def test_one_replay_runs_for_a_hook_at_a_time(database: AnyDatabase, world: World, hook_id: int) -> None:
    await database.write(make_past, world, hook_id, "exhausted", "exhausted")
    asked = [database.write(start_replay, world.user, hook_id, Wanted(), now=NOW) for _ in range(3)]
    came = await asyncio.gather(*asked, return_exceptions=True)
    assert sorted(type(each).__name__ for each in came) == ["Conflict", "Conflict", "Replay"]
    assert [replay.state for replay in await database.read(list_replays, world.user, hook_id)] == ["running"]


# --- release -----------------------------------------------------------------------------------------------------------


async def test_a_replay_is_released_in_order_and_spaced_by_its_rate(database: AnyDatabase, world: World, hook_id: int) -> None:
    await database.write(make_past, world, hook_id, *["exhausted"] * 25)
    replay = await started(database, world, hook_id)
    assert await database.read(any_running)
    first = await released(database)
    assert (first.deliveries, first.more, [turned.state for turned in first.turned]) == (10, False, ["started"])
    assert await row(database, hook_id, 2, "state", "due_at", "earlier", "replay_id") == ("pending", NOW, 2, replay.replay_id)
    assert await row(database, hook_id, 11, "due_at") == (NOW + 9 * SECOND // 20,)
    assert await row(database, hook_id, 12, "state") == ("exhausted",)
    assert (await released(database, NOW + SECOND // 4)).deliveries == 5  # due in the quarter of a second that has come into view
    assert await row(database, hook_id, 12, "due_at") == (NOW + SECOND // 2,)


async def test_it_is_finished_when_all_is_released_and_says_how_it_went(database: AnyDatabase, world: World, hook_id: int) -> None:
    await database.write(make_past, world, hook_id, *["exhausted"] * 5)
    replay = await started(database, world, hook_id)
    done = await released(database)
    assert [(turned.state, turned.released) for turned in done.turned] == [("started", 5), ("finished", 5)]
    assert not await database.read(any_running)
    ended = {2: "delivered", 3: "exhausted", 4: "sending"}

    def go_on(tx: Tx) -> None:
        for sequence, state in ended.items():
            tx.execute(update(deliveries).where(deliveries.c.sequence == sequence).values(state=state, ended_at=NOW))
        tx.execute(update(deliveries).where(deliveries.c.sequence == 5).values(attempts=3))

    await database.write(go_on)
    how = await shown(database, world, replay)
    assert (how.state, how.total, how.released, how.ended_at) == ("finished", 5, 5, NOW)
    assert (how.delivered, how.failed, how.waiting, how.retrying) == (1, 1, 3, 1)


async def test_a_second_replay_may_run_after_the_first(database: AnyDatabase, world: World, hook_id: int) -> None:
    await database.write(make_past, world, hook_id, "exhausted", "delivered")
    first = await started(database, world, hook_id)
    await released(database)
    second = await started(database, world, hook_id, Wanted(states=("delivered",)))
    assert [each.replay_id for each in await database.read(list_replays, world.user, hook_id)] == [second.replay_id, first.replay_id]


async def test_what_is_no_longer_ended_or_came_later_is_left_alone(database: AnyDatabase, world: World, hook_id: int) -> None:
    await database.write(make_past, world, hook_id, *["exhausted"] * 4)
    await started(database, world, hook_id)
    await database.write(redeliver, world.user, hook_id, 3, now=NOW)
    await database.write(make_past, world, hook_id, "exhausted", first=6)
    assert (await released(database)).deliveries == 3
    assert await row(database, hook_id, 3, "replay_id") == (None,)
    assert await states(database, hook_id) == "ppppe"


async def test_a_replay_goes_on_at_its_rate_after_nobody_looked_after_it(database: AnyDatabase, world: World, hook_id: int) -> None:
    await database.write(make_past, world, hook_id, *["exhausted"] * 30)
    await started(database, world, hook_id)
    await released(database)
    assert (await released(database, NOW + DAY)).deliveries == 10  # nothing is made up for
    assert await row(database, hook_id, 12, "due_at") == (NOW + DAY,)


async def test_two_processes_release_each_delivery_once(database: AnyDatabase, world: World, hook_id: int) -> None:
    await database.write(make_past, world, hook_id, *["exhausted"] * 40)
    replay = await started(database, world, hook_id)
    for half in range(4):
        await asyncio.gather(*(released(database, NOW + half * SECOND // 2) for _ in range(4)))
    how = await shown(database, world, replay)
    assert (how.state, how.released, how.waiting) == ("finished", 40, 40)

    def dues(tx: Tx) -> list[int]:
        return list(tx.execute(select(deliveries.c.due_at).where(deliveries.c.sequence > 1).order_by(deliveries.c.sequence)).scalars())

    assert await database.read(dues) == [NOW + n * SECOND // 20 for n in range(40)]


async def piled_up(database: AnyDatabase, world: World, hook_id: int, monkeypatch: pytest.MonkeyPatch, *, most: int) -> int:
    """A replay of which as much is released as may wait, `most`, and thirty are left; answers the moment by then."""
    monkeypatch.setattr("tidings.delivery.release.LEAST_BEHIND", most)
    await database.write(make_past, world, hook_id, *["exhausted"] * (most + 30))
    await started(database, world, hook_id)
    now = NOW
    while (await released(database, now)).deliveries:
        now += SECOND
    return now


async def test_what_piles_up_holds_the_rest_back_until_it_is_less(
    database: AnyDatabase, world: World, hook_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = await piled_up(database, world, hook_id, monkeypatch, most=20)
    assert (await states(database, hook_id)).count("p") == 20

    def deliver(tx: Tx) -> None:
        tx.execute(update(deliveries).where(deliveries.c.sequence.between(2, 10)).values(state="delivered", ended_at=now))

    await database.write(deliver)
    assert (await released(database, now + SECOND)).deliveries == 10


async def test_what_waits_for_its_next_attempt_holds_nothing_back(
    database: AnyDatabase, world: World, hook_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = await piled_up(database, world, hook_id, monkeypatch, most=20)

    def fail(tx: Tx) -> None:
        tx.execute(update(deliveries).where(deliveries.c.ended_at.is_(None)).values(attempts=3, due_at=now + DAY))

    await database.write(fail)
    assert (await released(database, now + SECOND)).deliveries == 10


async def test_the_states_of_a_large_history_are_looked_through_a_span_at_a_time(
    database: AnyDatabase, world: World, hook_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tidings.delivery.release.SPAN", 4)
    await database.write(make_past, world, hook_id, "exhausted", *["delivered"] * 9, "exhausted")
    replay = await started(database, world, hook_id)
    rounds = 1
    while (await released(database)).more:
        rounds += 1
    assert rounds == 3
    assert (await shown(database, world, replay)).released == 2


async def test_a_paused_hook_holds_its_replay(database: AnyDatabase, world: World, hook_id: int) -> None:
    await database.write(make_past, world, hook_id, *["exhausted"] * 12)
    replay = await started(database, world, hook_id)
    await set_hook(database, hook_id, paused_at=NOW)
    assert (await released(database)).deliveries == 0
    assert (await shown(database, world, replay)).state == "running"
    await set_hook(database, hook_id, paused_at=None)
    assert (await released(database, NOW + DAY)).deliveries == 10


async def test_replays_that_wait_are_not_looked_at_without_a_pause(
    database: AnyDatabase, world: World, hook_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tidings.delivery.release.AT_ONCE", 1)
    await database.write(make_past, world, hook_id, "exhausted")
    await started(database, world, hook_id)
    await set_hook(database, hook_id, paused_at=NOW)
    assert not (await released(database)).more
    await set_hook(database, hook_id, paused_at=None)
    assert (await released(database)).more


@pytest.mark.parametrize("hook", [{"status": "inactive", "reason": "gone"}, {"deleted_at": NOW}])
async def test_a_hook_that_is_sent_nothing_more_ends_its_replay(
    database: AnyDatabase, world: World, hook_id: int, hook: dict[str, object]
) -> None:
    await database.write(make_past, world, hook_id, "exhausted")
    await started(database, world, hook_id)
    await set_hook(database, hook_id, **hook)
    assert [turned.state for turned in (await released(database)).turned] == ["started", "stopped"]
    assert not await database.read(any_running)
    assert await states(database, hook_id) == "e"


async def test_replays_of_many_hooks_share_a_transaction(database: AnyDatabase, world: World, hook_id: int) -> None:
    hook_ids = [hook_id, await database.write(make_hook, world, url="http://b.example/")]
    for each in hook_ids:
        await database.write(make_past, world, each, *["exhausted"] * 12)
        await started(database, world, each)
    assert (await released(database)).deliveries == 20


@pytest.mark.only("sqlite", reason="it is SQLite that takes the primary key, and walks over all that a hook was ever told")
async def test_what_of_a_replay_waits_is_counted_without_walking_over_what_has_ended(database: AnyDatabase) -> None:
    question = str(_WAITING.compile(database.engine))
    numbers = (1,) * question.count("?")
    plan = await database.read(lambda tx: tx.exec_driver_sql(f"EXPLAIN QUERY PLAN {question}", numbers).all())
    assert "COVERING INDEX ix_deliveries_waiting (hook_id=?" in str(plan)


# --- stop --------------------------------------------------------------------------------------------------------------


async def test_a_stopped_replay_releases_nothing_more_and_takes_back_what_waits(database: AnyDatabase, world: World, hook_id: int) -> None:
    await database.write(make_past, world, hook_id, "exhausted", "delivered", *["exhausted"] * 20)
    replay = await started(database, world, hook_id, Wanted(states=ENDED))
    await released(database)
    (under_way, *_) = (await claimed(database, NOW)).leased
    assert under_way.sequence == 2
    how = await database.write(stop_replay, world.user, replay.replay_id, now=NOW + 5)
    assert (how.state, how.released, how.waiting) == ("stopped", 1, 1)
    assert (await released(database, NOW + DAY)).turned[0].state == "stopped"
    assert (await shown(database, world, replay)).ended_at == NOW + DAY
    assert await states(database, hook_id) == "sd" + "c" * 8 + "e" * 12
    assert await row(database, hook_id, 4, "reason", "ended_at", "replay_id") == ("replay_stopped", NOW + 5, None)


async def test_what_was_taken_back_may_be_meant_again(database: AnyDatabase, world: World, hook_id: int) -> None:
    await database.write(make_past, world, hook_id, *["exhausted"] * 12)
    replay = await started(database, world, hook_id)
    await released(database)
    await database.write(stop_replay, world.user, replay.replay_id, now=NOW)
    assert (await started(database, world, hook_id)).total == 12


async def test_what_a_stopped_replay_has_tried_goes_on(database: AnyDatabase, world: World, hook_id: int) -> None:
    await database.write(make_past, world, hook_id, *["exhausted"] * 12)
    replay = await started(database, world, hook_id)
    await released(database)
    await database.write(lambda tx: tx.execute(update(deliveries).where(deliveries.c.sequence == 2).values(attempts=3)))
    how = await database.write(stop_replay, world.user, replay.replay_id, now=NOW)
    assert (how.released, how.retrying) == (1, 1)


async def test_a_replay_that_is_over_is_not_stopped(database: AnyDatabase, world: World, hook_id: int) -> None:
    await database.write(make_past, world, hook_id, "exhausted")
    replay = await started(database, world, hook_id)
    await released(database)
    assert (await database.write(stop_replay, world.user, replay.replay_id, now=NOW)).state == "finished"
    assert await states(database, hook_id) == "p"


# --- beside the rest of the line ---------------------------------------------------------------------------------------


async def test_in_a_lane_what_is_replayed_goes_before_what_came_later(database: AnyDatabase, world: World, hook_id: int) -> None:
    await database.write(make_past, world, hook_id, "exhausted", "exhausted", "pending", lane="item:7")
    await started(database, world, hook_id, rate=1_000)
    await released(database)
    assert [delivery.sequence for delivery in (await claimed(database, NOW + DAY)).leased] == [2]


async def test_what_is_asked_for_again_is_not_pruned(database: AnyDatabase, world: World, hook_id: int) -> None:
    await database.write(make_past, world, hook_id, "exhausted", "exhausted")
    await database.write(redeliver, world.user, hook_id, 3, now=NOW)
    await database.write(prune, before=NOW + DAY)
    assert await states(database, hook_id) == "p"


@pytest.mark.only("postgresql", reason="one writer at a time cannot come between")
async def test_what_is_asked_for_again_while_it_is_pruned_is_kept(database: AnyDatabase, world: World, hook_id: int) -> None:
    await database.write(make_past, world, hook_id, "exhausted")
    asked, go_on = threading.Event(), threading.Event()

    def ask_slowly(tx: Tx) -> None:
        redeliver(tx, world.user, hook_id, 2, now=NOW)
        asked.set()
        assert go_on.wait(10)

    asking = asyncio.create_task(database.write(ask_slowly))
    await asyncio.to_thread(asked.wait, 10)
    pruning = asyncio.create_task(database.write(prune, before=NOW + DAY))
    await until_one_waits_for_a_lock(database)
    go_on.set()
    await asyncio.gather(asking, pruning)
    assert await states(database, hook_id) == "p"


async def until_one_waits_for_a_lock(database: AnyDatabase) -> None:
    wanted = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    async with asyncio.timeout(10):
        while not await database.read(lambda tx: tx.exec_driver_sql(wanted).scalar()):  # noqa: ASYNC110  the database tells nobody
            await asyncio.sleep(0.01)
