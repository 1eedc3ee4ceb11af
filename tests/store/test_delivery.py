"""The line's transactions, on both engines: fan-out, claims, settle, leases, prune."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from tests.support.databases import AnyDatabase
from tests.support.world import KEYRING, NOW, SECOND, World, append_update, make_hook, make_world
from tidings.delivery.backlog import measure_backlog
from tidings.delivery.claims import Claimed, claim
from tidings.delivery.decide import Verdict
from tidings.delivery.deliveries import Delivery
from tidings.delivery.due import START, WALK
from tidings.delivery.fanout import FannedOut, fan_out
from tidings.delivery.leases import free_expired, give_up_lease, renew_lease, take_lease
from tidings.delivery.outcomes import Outcome, Reason, Timings
from tidings.delivery.prune import prune
from tidings.delivery.settle import Given, Result, settle
from tidings.events.outbox import NewEvent, append_many
from tidings.hooks import registry
from tidings.hooks.matching import EMPTY_INDEX, Hook
from tidings.store.database import Tx

pytestmark = pytest.mark.furnished(make=make_world)

DAY = 24 * 3600 * SECOND
LEASE = 15 * SECOND


@pytest.fixture
def world(furniture: World) -> World:
    """A world in which nothing waits: its hooks' verifications are out of the way."""
    return furniture


async def lease(database: AnyDatabase, now: int = NOW) -> int:
    return await database.write(take_lease, "test", now=now, duration=LEASE)


async def hook(database: AnyDatabase, world: World, order: str = "none", url: str = "http://a.example/in") -> int:
    hook_id = await database.write(make_hook, world, order=order, url=url)
    await database.write(lambda tx: tx.exec_driver_sql("UPDATE events SET matched = 0"))
    return hook_id


def much(_: Hook) -> int:
    return 1_000


def none(_: Hook) -> int:
    return 0


async def out(database: AnyDatabase, lease_id: int, room: Callable[[Hook], int] = much, now: int = NOW) -> FannedOut:
    return await database.write(fan_out, KEYRING, EMPTY_INDEX, lease_id, room, now=now)


async def claimed(database: AnyDatabase, lease_id: int, full: tuple[int, ...] = (), now: int = NOW) -> Claimed:
    return await database.write(claim, KEYRING, EMPTY_INDEX, lease_id, much, full, swept=0, now=now)


def names(deliveries: list[Delivery]) -> list[int]:
    return [delivery.sequence for delivery in deliveries]


def failure(status: int | None = 500, at: int = NOW) -> Outcome:
    return Outcome(at, Timings(100), b"POST", Reason.STATUS, "it answers 500", status, answer_body=b"oh")


async def settled(database: AnyDatabase, delivery: Delivery, verdict: Verdict, outcome: Outcome, now: int = NOW) -> int:
    result = Result(delivery, delivery.attempts + 1, outcome, verdict)
    return (await database.write(settle, [result], [], now=now)).moved


async def states(database: AnyDatabase) -> list[tuple[int, str, int]]:
    def read(tx: Tx) -> list[tuple[int, str, int]]:
        rows = tx.exec_driver_sql("SELECT sequence, state, attempts FROM deliveries ORDER BY hook_id, sequence")
        return [tuple(row) for row in rows]

    return await database.read(read)


async def leases_of(database: AnyDatabase) -> list[int]:
    return await database.read(lambda tx: list(tx.exec_driver_sql("SELECT lease_id FROM deliveries ORDER BY hook_id, sequence").scalars()))


# --- fan-out ---


async def test_each_hook_that_matches_gets_a_delivery_leased_to_us(database: AnyDatabase, world: World) -> None:
    first, second = await hook(database, world), await hook(database, world, url="http://b.example/")
    await database.write(append_update, world)
    done = await out(database, await lease(database))
    assert [(delivery.hook_id, delivery.sequence) for delivery in done.leased] == [(first, 1), (second, 1)]
    assert await states(database) == [(1, "sending", 0), (1, "sending", 0)]


async def test_an_event_is_fanned_out_once(database: AnyDatabase, world: World) -> None:
    await hook(database, world)
    await database.write(append_update, world)
    lease_id = await lease(database)
    assert len((await out(database, lease_id)).leased) == 1
    assert (await out(database, lease_id)).events == []


async def test_numbers_are_gapless_and_follow_the_events(database: AnyDatabase, world: World) -> None:
    await hook(database, world)
    for revision in range(5):
        await database.write(append_update, world, revision=revision, heard=revision != 2)
    done = await out(database, await lease(database))
    assert names(done.leased) == [1, 2, 3, 4]
    assert len(done.events) == 5


async def test_a_rolled_back_change_leaves_no_event(database: AnyDatabase, world: World) -> None:
    await hook(database, world)

    def change(tx: Tx) -> None:
        append_update(tx, world)
        raise RuntimeError

    with pytest.raises(RuntimeError):
        await database.write(change)
    assert (await out(database, await lease(database))).events == []


async def test_what_there_is_no_room_for_is_left_for_claims(database: AnyDatabase, world: World) -> None:
    await hook(database, world)
    for _ in range(3):
        await database.write(append_update, world)
    lease_id = await lease(database)
    done = await out(database, lease_id, room=lambda _: 1)
    assert (names(done.leased), done.overflow) == ([1], 2)
    assert names((await claimed(database, lease_id)).leased) == [2, 3]


async def test_many_processes_at_once_fan_out_each_event_once_and_without_gaps(database: AnyDatabase, world: World) -> None:
    await hook(database, world)
    await asyncio.gather(*(database.write(append_update, world, item_id=n) for n in range(1, 60)))
    lease_id = await lease(database)
    sequences: list[int] = []
    while len(sequences) < 59:
        rounds = await asyncio.gather(*(out(database, lease_id) for _ in range(4)))
        sequences += [number for done in rounds for number in names(done.leased)]
    assert sorted(sequences) == list(range(1, 60))


# --- order ---


async def test_with_order_a_lane_that_is_occupied_waits_for_claims(database: AnyDatabase, world: World) -> None:
    await hook(database, world, order="object")
    lease_id = await lease(database)
    await database.write(append_update, world, revision=1)
    (first,) = (await out(database, lease_id)).leased
    await database.write(append_update, world, revision=2)
    await database.write(append_update, world, item_id=43)
    done = await out(database, lease_id)
    assert (names(done.leased), done.overflow) == ([3], 1)
    assert (await claimed(database, lease_id)).leased == []
    await settled(database, first, Verdict("delivered"), Outcome(NOW, Timings(1), b"", status=200))
    assert names((await claimed(database, lease_id)).leased) == [2]


async def test_with_order_a_retry_holds_back_what_comes_after_it(database: AnyDatabase, world: World) -> None:
    await hook(database, world, order="object")
    lease_id = await lease(database)
    for revision in (1, 2):
        await database.write(append_update, world, revision=revision)
    first, second = (await out(database, lease_id)).leased
    again = Verdict("pending", NOW + 5 * SECOND)
    await database.write(settle, [Result(first, 1, failure(), again)], [Given(second, NOW)], now=NOW)
    assert (await claimed(database, lease_id, now=NOW + SECOND)).leased == []
    assert names((await claimed(database, lease_id, now=NOW + 6 * SECOND)).leased) == [1]


# --- claims ---


async def test_a_retry_is_claimed_when_it_is_due_with_its_attempts_behind_it(database: AnyDatabase, world: World) -> None:
    await hook(database, world)
    await database.write(append_update, world)
    lease_id = await lease(database)
    (delivery,) = (await out(database, lease_id)).leased
    await settled(database, delivery, Verdict("pending", NOW + 5 * SECOND), failure())
    assert (await claimed(database, lease_id, now=NOW + 4 * SECOND)).leased == []
    (again,) = (await claimed(database, lease_id, now=NOW + 5 * SECOND)).leased
    assert (again.sequence, again.attempts, again.reason) == (1, 1, "status")
    assert (await claimed(database, lease_id, now=NOW + 5 * SECOND)).leased == []


async def test_claims_leave_out_hooks_that_are_full(database: AnyDatabase, world: World) -> None:
    first, _second = await hook(database, world), await hook(database, world, url="http://b.example/")
    await database.write(append_update, world)
    lease_id = await lease(database)
    await out(database, lease_id, room=none)
    done = await claimed(database, lease_id, full=(first,))
    assert [delivery.hook_id for delivery in done.leased] == [_second]


async def test_what_a_hook_has_no_room_for_stands_aside_until_it_has(database: AnyDatabase, world: World) -> None:
    await hook(database, world)
    for _ in range(3):
        await database.write(append_update, world)
    lease_id = await lease(database)
    assert (await out(database, lease_id, room=none)).overflow == 3
    assert await leases_of(database) == [-1, -1, -1]
    await database.write(lambda tx: tx.exec_driver_sql("UPDATE deliveries SET lease_id = 0"))  # as after a retry
    done = await database.write(claim, KEYRING, EMPTY_INDEX, lease_id, none, (), swept=0, now=NOW)
    assert (done.leased, done.more) == ([], False)
    assert await leases_of(database) == [-1, -1, -1]
    done = await database.write(claim, KEYRING, EMPTY_INDEX, lease_id, lambda _: 2, (), swept=0, now=NOW)
    assert names(done.leased) == [1, 2]
    assert await leases_of(database) == [lease_id, lease_id, -1]


async def test_what_keeps_its_order_stands_aside_for_no_want_of_room(database: AnyDatabase, world: World) -> None:
    await hook(database, world, order="object")
    await database.write(append_update, world)
    lease_id = await lease(database)
    await out(database, lease_id, room=none)
    assert (await claimed(database, lease_id, full=(1,))).leased == []
    assert await leases_of(database) == [0]
    assert names((await claimed(database, lease_id)).leased) == [1]


async def waiting_in_one_lane(database: AnyDatabase, world: World, *, count: int = 5) -> int:
    """`count` changes of one item, none of them leased, for a hook that wants them in order. Answers our lease."""
    await hook(database, world, order="object")
    for revision in range(1, count + 1):
        await database.write(append_update, world, revision=revision)
    lease_id = await lease(database)
    assert (await out(database, lease_id, room=none)).overflow == count
    return lease_id


async def test_those_behind_the_first_of_a_lane_are_claimed_with_it(database: AnyDatabase, world: World) -> None:
    lease_id = await waiting_in_one_lane(database, world)
    done = await claimed(database, lease_id)
    assert names(done.leased) == [1, 2, 3, 4, 5]
    assert [delivery.lane for delivery in done.leased] == ["item:42"] * 5
    assert await leases_of(database) == [lease_id] * 5
    assert (await claimed(database, await lease(database))).leased == []


async def test_no_more_of_a_lane_are_claimed_than_there_is_room_for(database: AnyDatabase, world: World) -> None:
    lease_id = await waiting_in_one_lane(database, world)
    done = await database.write(claim, KEYRING, EMPTY_INDEX, lease_id, lambda _: 3, (), swept=0, now=NOW)
    assert names(done.leased) == [1, 2, 3]
    assert await leases_of(database) == [lease_id] * 3 + [0, 0]


async def test_a_first_that_has_failed_is_claimed_alone(database: AnyDatabase, world: World) -> None:
    lease_id = await waiting_in_one_lane(database, world)
    first, *others = (await claimed(database, lease_id)).leased
    again = Verdict("pending", NOW + 5 * SECOND)
    await database.write(settle, [Result(first, 1, failure(), again)], [Given(other, NOW) for other in others], now=NOW)
    assert names((await claimed(database, lease_id, now=NOW + 6 * SECOND)).leased) == [1]


async def test_nothing_in_a_lane_overtakes_what_is_not_due(database: AnyDatabase, world: World) -> None:
    lease_id = await waiting_in_one_lane(database, world)
    await database.write(lambda tx: tx.exec_driver_sql("UPDATE deliveries SET due_at = due_at + 1000000 WHERE sequence = 3"))
    assert names((await claimed(database, lease_id)).leased) == [1, 2]


async def test_what_nobody_wants_any_more_holds_up_nothing_behind_it(database: AnyDatabase, world: World) -> None:
    lease_id = await waiting_in_one_lane(database, world)

    def make_verification(tx: Tx) -> None:  # of a hook that is verified already
        event_id = tx.exec_driver_sql("SELECT event_id FROM deliveries WHERE sequence = 2").scalar()
        tx.exec_driver_sql(f"UPDATE events SET type = 'hook.verify', parameters = '{{}}' WHERE event_id = {event_id}")

    await database.write(make_verification)
    done = await claimed(database, lease_id)
    assert (names(done.leased), done.cancelled) == ([1, 3, 4, 5], 1)


async def test_many_that_wait_in_their_lane_are_walked_over_by_and_by(database: AnyDatabase, world: World) -> None:
    def change_one_item_often(tx: Tx) -> None:
        parameters = {"item_id": "42", "item_revision_id": "1", "external_id": ""}
        event = NewEvent("item.update", world.space_id, world.app_id, 42, parameters, world.user.author, NOW)
        append_many(tx, [event] * (2 * WALK + 500))

    await hook(database, world, order="object")
    lease_id, elsewhere = await lease(database), await lease(database)
    await database.write(change_one_item_often)
    await database.write(append_update, world, item_id=43)
    for _ in range(2 * WALK // 500 + 2):
        await out(database, lease_id, room=none)
    await database.write(lambda tx: tx.exec_driver_sql(f"UPDATE deliveries SET lease_id = {elsewhere} WHERE sequence = 1"))
    rounds, walked = [], START
    for _ in range(4):
        done = await database.write(claim, KEYRING, EMPTY_INDEX, lease_id, much, (), swept=0, walked=walked, now=NOW)
        walked = done.walked
        rounds.append((names(done.leased), walked == START))
    assert rounds == [([], False), ([2 * WALK + 501], True), ([], False), ([], True)]


async def test_two_processes_never_claim_the_same_delivery(database: AnyDatabase, world: World) -> None:
    await hook(database, world)
    for number in range(40):
        await database.write(append_update, world, item_id=number + 1)
    leases = [await lease(database) for _ in range(4)]
    await out(database, leases[0], room=none)
    rounds = await asyncio.gather(*(claimed(database, lease_id) for lease_id in leases))
    found = [name for done in rounds for name in names(done.leased)]
    assert sorted(found) == list(range(1, 41))


async def test_what_a_deleted_hook_was_to_be_told_is_cancelled(database: AnyDatabase, world: World) -> None:
    hook_id = await hook(database, world)
    await database.write(append_update, world)
    lease_id = await lease(database)
    await out(database, lease_id, room=none)
    await database.write(registry.delete_hook, world.user, hook_id, now=NOW)
    done = await claimed(database, lease_id)
    assert (done.leased, done.cancelled) == ([], 1)
    assert await states(database) == [(1, "cancelled", 0)]


async def test_a_retry_that_is_far_off_is_cancelled_as_soon_as_its_hook_is_deleted(database: AnyDatabase, world: World) -> None:
    deleted, kept = await hook(database, world), await hook(database, world, url="http://b.example/")
    await database.write(append_update, world)
    lease_id = await lease(database)
    for delivery in (await out(database, lease_id)).leased:
        await settled(database, delivery, Verdict("pending", NOW + DAY), failure())
    await database.write(registry.delete_hook, world.user, deleted, now=NOW)
    await claimed(database, lease_id)

    def states_by_hook(tx: Tx) -> dict[int, tuple[str, str]]:
        rows = tx.exec_driver_sql("SELECT hook_id, state, reason FROM deliveries")
        return {hook_id: (state, reason) for hook_id, state, reason in rows}

    assert await database.read(states_by_hook) == {deleted: ("cancelled", "hook_deleted"), kept: ("pending", "status")}


# --- settle ---


async def test_a_success_is_delivered_with_its_attempt_on_record(database: AnyDatabase, world: World) -> None:
    await hook(database, world)
    await database.write(append_update, world)
    (delivery,) = (await out(database, await lease(database))).leased
    good = Outcome(NOW, Timings(100, answered=90), b"POST / HTTP/1.1", status=200, answer_head=b"HTTP/1.1 200 OK", answer_body=b"\x00\xff")
    assert await settled(database, delivery, Verdict("delivered"), good) == 1
    assert await states(database) == [(1, "delivered", 1)]

    def attempt(tx: Tx) -> tuple[object, ...]:
        row = tx.exec_driver_sql("SELECT number, status, reason, sent, answer_body, answered_after FROM attempts").one()
        return tuple(bytes(value) if isinstance(value, bytes | memoryview) else value for value in row)

    assert await database.read(attempt) == (1, 200, None, b"POST / HTTP/1.1", b"\x00\xff", 90)


async def test_under_a_lease_that_ran_out_an_attempt_is_kept_and_the_state_is_the_other_ones(database: AnyDatabase, world: World) -> None:
    await hook(database, world)
    await database.write(append_update, world)
    (slow,) = (await out(database, await lease(database))).leased
    later = NOW + LEASE + 1
    other = await lease(database, now=later)
    assert await database.write(free_expired, now=later) == 1
    (taken,) = (await claimed(database, other, now=later)).leased
    assert await settled(database, slow, Verdict("delivered"), Outcome(NOW, Timings(1), b"", status=200), now=later) == 0
    assert await states(database) == [(1, "sending", 0)]
    assert await settled(database, taken, Verdict("exhausted"), failure(at=later), now=later) == 1
    assert await states(database) == [(1, "exhausted", 1)]
    assert await database.read(lambda tx: tx.exec_driver_sql("SELECT count(*) FROM attempts").scalar()) == 2


async def test_a_batch_that_may_be_on_record_already_is_settled_once(database: AnyDatabase, world: World) -> None:
    await hook(database, world)
    await database.write(append_update, world)
    (delivery,) = (await out(database, await lease(database))).leased
    result = Result(delivery, 1, failure(), Verdict("pending", NOW + SECOND))
    await database.write(settle, [result], [], now=NOW)
    await database.write(settle, [result], [], now=NOW, again=True)
    assert await database.read(lambda tx: tx.exec_driver_sql("SELECT failures_in_row FROM hook_health").scalar()) == 1


async def test_fifty_failures_and_a_day_without_success_make_a_hook_inactive(database: AnyDatabase, world: World) -> None:
    hook_id = await hook(database, world)
    await database.write(append_update, world)
    (delivery,) = (await out(database, await lease(database))).leased
    later = Verdict("pending", NOW + SECOND)
    for number in range(49):
        await settled(database, delivery, later, failure(at=NOW + number), now=NOW + 2 * DAY)
    (listed,) = await database.read(registry.list_hooks, world.user, "app", world.app_id)
    assert (listed.status, listed.failures_in_row) == ("active", 49)
    done = await database.write(settle, [Result(delivery, 50, failure(at=NOW + 50), later)], [], now=NOW + 2 * DAY)
    assert done.deactivated == [(hook_id, "failing")]
    (listed,) = await database.read(registry.list_hooks, world.user, "app", world.app_id)
    assert (listed.status, listed.reason, listed.last_status) == ("inactive", "failing", 500)


async def test_fifty_failures_within_a_day_do_not(database: AnyDatabase, world: World) -> None:
    await hook(database, world)
    await database.write(append_update, world)
    (delivery,) = (await out(database, await lease(database))).leased
    results = [Result(delivery, n, failure(at=NOW + n), Verdict("pending", NOW + SECOND)) for n in range(60)]
    assert (await database.write(settle, results, [], now=NOW + DAY - SECOND)).deactivated == []


async def test_a_410_makes_a_hook_inactive_at_once(database: AnyDatabase, world: World) -> None:
    hook_id = await hook(database, world)
    await database.write(append_update, world)
    (delivery,) = (await out(database, await lease(database))).leased
    result = Result(delivery, 1, failure(410), Verdict("cancelled", gone=True))
    assert (await database.write(settle, [result], [], now=NOW)).deactivated == [(hook_id, "gone")]
    assert await states(database) == [(1, "cancelled", 1)]


# --- leases ---


async def test_a_lease_that_ran_out_is_never_renewed(database: AnyDatabase) -> None:
    lease_id = await lease(database)
    assert await database.write(renew_lease, lease_id, now=NOW + LEASE - 1, duration=LEASE)
    assert not await database.write(renew_lease, lease_id, now=NOW + 2 * LEASE, duration=LEASE)


async def test_giving_up_a_lease_frees_what_it_held_with_its_attempts_as_they_were(database: AnyDatabase, world: World) -> None:
    await hook(database, world)
    await database.write(append_update, world)
    lease_id = await lease(database)
    await out(database, lease_id)
    assert await database.write(give_up_lease, lease_id, now=NOW) == 1
    assert await states(database) == [(1, "pending", 0)]


async def test_under_a_lease_that_is_gone_nothing_is_leased(database: AnyDatabase, world: World) -> None:
    await hook(database, world)
    await database.write(append_update, world)
    lease_id = await lease(database)
    await database.write(give_up_lease, lease_id, now=NOW)
    done = await out(database, lease_id)
    assert (done.leased, done.overflow) == ([], 1)
    assert (await claimed(database, lease_id)).leased == []
    assert await states(database) == [(1, "pending", 0)]


# --- prune, backlog ---


async def test_prune_forgets_what_ended_and_nothing_else(database: AnyDatabase, world: World) -> None:
    await hook(database, world)
    for _ in range(2):
        await database.write(append_update, world)
    ended, unfinished = (await out(database, await lease(database))).leased
    await settled(database, ended, Verdict("exhausted"), failure())
    await database.write(append_update, world)  # not fanned out
    pruned = await database.write(prune, before=NOW + DAY)
    assert pruned.events == 2  # the verification of the hook, and the event that has ended
    assert await states(database) == [(unfinished.sequence, "sending", 0)]
    assert await database.read(lambda tx: tx.exec_driver_sql("SELECT count(*) FROM attempts").scalar()) == 0
    assert await database.read(lambda tx: tx.exec_driver_sql("SELECT count(*) FROM events").scalar()) == 2


async def test_what_never_ends_is_walked_past_once(database: AnyDatabase, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tidings.delivery.prune.PIECE", 2)
    await hook(database, world)
    await database.write(lambda tx: tx.exec_driver_sql("DELETE FROM events"))
    for _ in range(6):  # at one moment: the next piece begins in the middle of it
        await database.write(append_update, world)
    leased = (await out(database, await lease(database))).leased
    for each in leased[3:]:
        await settled(database, each, Verdict("exhausted"), failure())
    pieces = [await database.write(prune, before=NOW + DAY)]
    while pieces[-1].more:
        pieces.append(await database.write(prune, before=NOW + DAY, after=pieces[-1].reached))
    assert [piece.events for piece in pieces] == [0, 1, 2, 0]
    assert len(await states(database)) == 3


async def test_the_backlog_counts_what_is_unfinished(database: AnyDatabase, world: World) -> None:
    await hook(database, world)
    await database.write(append_update, world, at=NOW + 5)
    await out(database, await lease(database), now=NOW + 9)
    await database.write(append_update, world, at=NOW + 7)
    backlog = await database.read(measure_backlog)
    assert (backlog.waiting_events, backlog.pending, backlog.oldest_at) == (1, 1, NOW + 7)
