"""Hooks that are there: read, paused, moved, changed and tried, on both engines."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from msgspec.structs import asdict
from sqlalchemy import select, update

from tests.support.cast import KEYRING, NOW, Cast, gather_cast
from tests.support.databases import AnyDatabase
from tests.support.rights import who_may
from tests.support.world import code_of
from tidings.clock import DAY
from tidings.delivery.claims import claim
from tidings.delivery.deliveries import Delivery
from tidings.delivery.fanout import FannedOut, fan_out
from tidings.delivery.leases import take_lease
from tidings.errors import Conflict, NotFound
from tidings.events.types import EVENT_TYPES
from tidings.hooks import registry, verification
from tidings.hooks.changing import change_hook
from tidings.hooks.health import Turn, record_turns
from tidings.hooks.index import fresh_index
from tidings.hooks.matching import EMPTY_INDEX, Format, Hook
from tidings.hooks.moving import move_hook
from tidings.hooks.pausing import pause_hook, resume_hook
from tidings.hooks.reach import lock_hook
from tidings.hooks.registry import HookRecord, get_hook, list_place_hooks, list_space_hooks
from tidings.hooks.trying import try_hook
from tidings.store.database import Tx
from tidings.store.schema import apps, events, fields, hook_health
from tidings.workspace.items.items import NewItem, create_item

pytestmark = pytest.mark.furnished(make=gather_cast)

OLD, NEW, THIRD = "http://a.example/in", "http://b.example/in", "http://c.example/in"
LEASE = 10**15


@pytest.fixture
def cast(furniture: Cast) -> Cast:
    return furniture


def add_hook(tx: Tx, /, cast: Cast, ref: tuple[str, int] | None = None, *, url: str = OLD, active: bool = True, **more: Any) -> int:
    """A hook on the app, or on `ref`, with nothing of its verification left to be fanned out."""
    ref_type, ref_id = ref or ("app", cast.app_id)
    type = more.pop("type", "item.create")
    hook_id = registry.create_hook(tx, cast.owner, KEYRING, ref_type, ref_id, url, type, now=NOW, limit=10, **more).hook_id
    if active:
        assert verification.validate(tx, cast.owner, hook_id, code_of(tx, hook_id), now=NOW)
        tx.execute(update(events).values(matched=0))
    return hook_id


async def hook(database: AnyDatabase, cast: Cast, hook_id: int) -> HookRecord:
    return await database.read(get_hook, cast.owner, hook_id)


async def index_of(database: AnyDatabase, hook_id: int) -> Hook:
    return (await database.read(fresh_index, KEYRING, EMPTY_INDEX)).by_id[hook_id]


def much(_: Hook) -> int:
    return 1_000


async def fanned_out(database: AnyDatabase, lease_id: int) -> FannedOut:
    return await database.write(fan_out, KEYRING, EMPTY_INDEX, lease_id, much, now=NOW)


async def claimed(database: AnyDatabase, lease_id: int, room: int = 1_000) -> tuple[list[Delivery], bool]:
    done = await database.write(claim, KEYRING, EMPTY_INDEX, lease_id, lambda _: room, (), swept=0, now=NOW)
    return done.leased, done.more


async def test_only_who_may_add_hooks_may_read_and_change_them(database: AnyDatabase, cast: Cast) -> None:
    hook_id = await database.write(add_hook, cast)
    allowed = "ok ok 403 403 403 404 404 ok 403 404"
    assert await who_may(database, cast, lambda tx, caller: get_hook(tx, caller, hook_id)) == allowed
    assert await who_may(database, cast, lambda tx, caller: pause_hook(tx, caller, hook_id, now=NOW)) == allowed
    assert await who_may(database, cast, lambda tx, caller: resume_hook(tx, caller, hook_id)) == allowed
    assert await who_may(database, cast, lambda tx, caller: move_hook(tx, caller, hook_id, NEW, now=NOW)) == allowed
    assert await who_may(database, cast, lambda tx, caller: change_hook(tx, caller, hook_id, order="object")) == allowed
    assert await who_may(database, cast, lambda tx, caller: try_hook(tx, caller, hook_id, now=NOW)) == allowed
    assert await who_may(database, cast, lambda tx, caller: list_place_hooks(tx, caller, cast.app_id)) == allowed
    of_space = "ok ok 403 403 403 404 404 403 403 404"
    assert await who_may(database, cast, lambda tx, caller: list_space_hooks(tx, caller, cast.space_id)) == of_space


# --- reading -----------------------------------------------------------------------------------------------------------


async def test_a_hook_is_read_as_it_stands(database: AnyDatabase, cast: Cast) -> None:
    hook_id = await database.write(add_hook, cast, active=False, concurrency=3, preserve_query=True, order="object", format="json")
    found = await hook(database, cast, hook_id)
    assert (found.app_id, found.space_id, found.next_url, found.paused_at) == (cast.app_id, cast.space_id, None, None)
    assert (found.concurrency, found.preserve_query, found.order, found.format) == (3, True, "object", "json")
    assert (found.verify_expires_at, found.verify_tries, found.last_answer) == (NOW + 7 * DAY, 0, None)
    assert not await database.write(verification.validate, cast.owner, hook_id, "wrong", now=NOW)
    assert (await hook(database, cast, hook_id)).verify_tries == 1
    code = await database.read(code_of, hook_id)
    await database.write(verification.validate, cast.owner, hook_id, code, now=NOW)
    assert (await hook(database, cast, hook_id)).verify_expires_at is None


async def test_a_deleted_hook_is_not_found(database: AnyDatabase, cast: Cast) -> None:
    hook_id = await database.write(add_hook, cast)
    await database.write(registry.delete_hook, cast.owner, hook_id, now=NOW)
    for operation in (get_hook, resume_hook):
        with pytest.raises(NotFound):
            await database.write(operation, cast.owner, hook_id)


async def test_the_hooks_of_a_place_are_those_of_what_is_in_it_page_by_page(database: AnyDatabase, cast: Cast) -> None:
    field_id = await database.read(_field_of, cast.app_id)
    refs = [("app", cast.app_id), ("app", cast.sibling_id), ("app_field", field_id), ("space", cast.space_id)]
    made = [await database.write(add_hook, cast, ref, type="task.create" if ref[0] == "space" else "item.create") for ref in refs]
    of_app = await database.read(list_place_hooks, cast.app, cast.app_id)
    assert [each.hook_id for each in of_app] == [made[0], made[2]]
    first = await database.read(list_space_hooks, cast.owner, cast.space_id, limit=3)
    rest = await database.read(list_space_hooks, cast.owner, cast.space_id, after=first[-1].hook_id, limit=3)
    assert [each.hook_id for each in (*first, *rest)] == made
    assert await hook(database, cast, made[0]) == of_app[0]


# --- pausing -----------------------------------------------------------------------------------------------------------


async def test_pausing_and_resuming_twice_is_nothing(database: AnyDatabase, cast: Cast) -> None:
    hook_id = await database.write(add_hook, cast)
    for later in (0, 5):
        await database.write(pause_hook, cast.app, hook_id, now=NOW + later)
    paused = await hook(database, cast, hook_id)
    assert (paused.status, paused.paused_at) == ("active", NOW)
    assert (await index_of(database, hook_id)).paused
    for _ in range(2):
        await database.write(resume_hook, cast.owner, hook_id)
    assert (await hook(database, cast, hook_id)).paused_at is None
    assert not (await index_of(database, hook_id)).paused


async def test_an_inactive_hook_is_not_paused(database: AnyDatabase, cast: Cast) -> None:
    hook_id = await database.write(add_hook, cast, active=False)
    with pytest.raises(Conflict, match="nothing to pause"):
        await database.write(pause_hook, cast.owner, hook_id, now=NOW)


async def test_a_paused_hook_that_becomes_inactive_is_paused_no_more(database: AnyDatabase, cast: Cast) -> None:
    hook_id = await database.write(add_hook, cast)
    await database.write(pause_hook, cast.owner, hook_id, now=NOW)
    turn = Turn(hook_id, gone=True)
    turn.failure(NOW, "status", 410, None)
    assert await database.write(record_turns, [turn], now=NOW) == [(hook_id, "gone")]
    found = await hook(database, cast, hook_id)
    assert (found.status, found.paused_at) == ("inactive", None)


async def test_a_paused_hook_keeps_what_it_hears_and_tells_it_in_order_when_it_is_resumed(database: AnyDatabase, cast: Cast) -> None:
    hook_id = await database.write(add_hook, cast)
    lease_id = await database.write(take_lease, "test", now=NOW, duration=LEASE)
    await database.write(pause_hook, cast.owner, hook_id, now=NOW)
    for number in range(5):
        await database.write(create_item, cast.owner, cast.app_id, NewItem({"title": str(number)}), now=NOW)
    done = await fanned_out(database, lease_id)
    assert (done.leased, done.overflow) == ([], 5)
    assert await claimed(database, lease_id) == ([], False)
    await database.write(resume_hook, cast.owner, hook_id)
    leased, _ = await claimed(database, lease_id, room=3)
    assert [each.sequence for each in leased] == [1, 2, 3]
    assert [each.sequence for each in (await claimed(database, lease_id))[0]] == [4, 5]


async def test_what_becomes_due_of_a_paused_hook_is_put_aside(database: AnyDatabase, cast: Cast) -> None:
    hook_id = await database.write(add_hook, cast)
    await database.write(create_item, cast.owner, cast.app_id, NewItem({"title": "One"}), now=NOW)
    no_lease = await fanned_out(database, 77)  # nobody holds it: the delivery is left for claims
    assert no_lease.overflow == 1
    await database.write(pause_hook, cast.owner, hook_id, now=NOW)
    lease_id = await database.write(take_lease, "test", now=NOW, duration=LEASE)
    assert await claimed(database, lease_id) == ([], False)
    held = "SELECT state, lease_id FROM deliveries WHERE ended_at IS NULL"
    assert await database.read(lambda tx: tuple(tx.exec_driver_sql(held).one())) == ("pending", -hook_id)


async def test_what_a_deleted_hook_was_paused_for_is_cancelled(database: AnyDatabase, cast: Cast) -> None:
    hook_id = await database.write(add_hook, cast)
    lease_id = await database.write(take_lease, "test", now=NOW, duration=LEASE)
    await database.write(pause_hook, cast.owner, hook_id, now=NOW)
    await database.write(create_item, cast.owner, cast.app_id, NewItem({"title": "One"}), now=NOW)
    await fanned_out(database, lease_id)
    await database.write(registry.delete_hook, cast.owner, hook_id, now=NOW)
    while (await claimed(database, lease_id))[1]:
        pass
    ended = "SELECT state, reason, lease_id FROM deliveries"
    assert await database.read(lambda tx: {tuple(row) for row in tx.exec_driver_sql(ended)}) >= {("cancelled", "hook_deleted", 0)}


# --- moving ------------------------------------------------------------------------------------------------------------


async def test_an_active_hook_keeps_its_url_until_the_next_one_is_verified(database: AnyDatabase, cast: Cast) -> None:
    hook_id = await database.write(add_hook, cast)
    await database.write(move_hook, cast.app, hook_id, NEW, now=NOW)
    moving = await hook(database, cast, hook_id)
    assert (moving.status, moving.url, moving.next_url) == ("active", OLD, NEW)
    assert not await database.write(verification.validate, cast.owner, hook_id, "wrong", now=NOW)
    code = await database.read(code_of, hook_id)
    assert await database.write(verification.validate, cast.owner, hook_id, code, now=NOW + 1)
    moved = await hook(database, cast, hook_id)
    assert (moved.status, moved.url, moved.next_url, moved.activated_at) == ("active", NEW, None, NOW + 1)
    assert await database.write(verification.validate, cast.owner, hook_id, "whatever", now=NOW)


async def test_the_code_of_a_move_was_sent_to_no_other_url(database: AnyDatabase, cast: Cast) -> None:
    """Neither one that the present URL was sent, nor one of a move to somewhere else, proves the next URL."""
    hook_id = await database.write(add_hook, cast)
    await database.write(verification.request_verification, cast.owner, hook_id, now=NOW)
    codes = [await database.read(code_of, hook_id)]
    for url in (NEW, THIRD):
        await database.write(move_hook, cast.owner, hook_id, url, now=NOW)
        codes.append(await database.read(code_of, hook_id))
    assert len(set(codes)) == 3
    for known_elsewhere in codes[:2]:
        assert not await database.write(verification.validate, cast.owner, hook_id, known_elsewhere, now=NOW)
    lease_id = await database.write(take_lease, "test", now=NOW, duration=LEASE)
    await fanned_out(database, 77)
    [delivery], _ = await claimed(database, lease_id)
    assert (delivery.event.parameters, delivery.hook.next_url) == (f'{{"code":"{codes[2]}"}}', THIRD)
    reasons = "SELECT reason FROM deliveries WHERE state = 'cancelled'"
    assert await database.read(lambda tx: list(tx.exec_driver_sql(reasons).scalars())) == ["superseded"] * 2


async def test_moving_back_to_the_present_url_ends_the_move(database: AnyDatabase, cast: Cast) -> None:
    hook_id = await database.write(add_hook, cast)
    await database.write(move_hook, cast.owner, hook_id, NEW, now=NOW)
    await database.write(move_hook, cast.owner, hook_id, OLD, now=NOW)
    back = await hook(database, cast, hook_id)
    assert (back.status, back.url, back.next_url, back.verify_expires_at) == ("active", OLD, None, None)
    assert (await index_of(database, hook_id)).code is None


async def test_a_move_to_where_it_moves_already_sends_nothing_more(database: AnyDatabase, cast: Cast) -> None:
    hook_id = await database.write(add_hook, cast)
    await database.write(move_hook, cast.owner, hook_id, NEW, now=NOW)
    code = await database.read(code_of, hook_id)
    await database.write(move_hook, cast.owner, hook_id, NEW, now=NOW)
    assert await database.read(code_of, hook_id) == code
    waiting = "SELECT count(*) FROM events WHERE matched IS NULL"
    assert await database.read(lambda tx: tx.exec_driver_sql(waiting).scalar()) == 1


async def test_the_url_of_an_inactive_hook_is_another_at_once(database: AnyDatabase, cast: Cast) -> None:
    hook_id = await database.write(add_hook, cast, active=False)
    former = await database.read(code_of, hook_id)
    await database.write(move_hook, cast.owner, hook_id, NEW, now=NOW)
    moved = await hook(database, cast, hook_id)
    assert (moved.status, moved.reason, moved.url, moved.next_url) == ("inactive", "unverified", NEW, None)
    assert not await database.write(verification.validate, cast.owner, hook_id, former, now=NOW)
    assert await database.write(verification.validate, cast.owner, hook_id, await database.read(code_of, hook_id), now=NOW)


async def test_a_hook_that_became_inactive_while_it_moved_begins_at_its_next_url(database: AnyDatabase, cast: Cast) -> None:
    hook_id = await database.write(add_hook, cast)
    await database.write(move_hook, cast.owner, hook_id, NEW, now=NOW)
    turn = Turn(hook_id, gone=True)
    turn.failure(NOW, "status", 410, None)
    await database.write(record_turns, [turn], now=NOW)
    assert await database.write(verification.validate, cast.owner, hook_id, await database.read(code_of, hook_id), now=NOW)
    moved = await hook(database, cast, hook_id)
    assert (moved.status, moved.url, moved.next_url, moved.failures_in_row) == ("active", NEW, None, 0)


async def test_two_hooks_never_tell_one_url_of_the_same(database: AnyDatabase, cast: Cast) -> None:
    first, second = await database.write(add_hook, cast), await database.write(add_hook, cast, url=NEW)
    for taken in (NEW, THIRD):
        with pytest.raises(Conflict, match=f"Hook {second} tells this URL"):
            await database.write(move_hook, cast.owner, first, taken, now=NOW)
        if taken == NEW:
            await database.write(move_hook, cast.owner, second, THIRD, now=NOW)
    assert await database.write(add_hook, cast, url=THIRD, active=False) == second


async def test_two_moves_at_once_to_one_url_are_one(database: AnyDatabase, cast: Cast) -> None:
    made = [await database.write(add_hook, cast, url=f"http://a.example/{number}") for number in range(4)]
    done = await asyncio.gather(*(database.write(move_hook, cast.owner, each, NEW, now=NOW) for each in made), return_exceptions=True)
    assert [type(each) for each in done if each is not None] == [Conflict] * 3


async def test_a_paused_hook_is_neither_moved_nor_verified(database: AnyDatabase, cast: Cast) -> None:
    hook_id = await database.write(add_hook, cast)
    await database.write(pause_hook, cast.owner, hook_id, now=NOW)
    with pytest.raises(Conflict, match="resume it first"):
        await database.write(move_hook, cast.owner, hook_id, NEW, now=NOW)
    with pytest.raises(Conflict, match="resume it first"):
        await database.write(verification.request_verification, cast.owner, hook_id, now=NOW)
    await database.write(move_hook, cast.owner, hook_id, OLD, now=NOW)


async def test_a_hook_that_has_moved_has_as_long_to_do_well_as_a_new_one(database: AnyDatabase, cast: Cast) -> None:
    hook_id = await database.write(add_hook, cast)
    long_after = NOW + 3 * DAY
    await database.write(lambda tx: tx.execute(update(hook_health).values(last_success_at=NOW)))
    await database.write(move_hook, cast.owner, hook_id, NEW, now=long_after)
    await database.write(verification.validate, cast.owner, hook_id, await database.read(code_of, hook_id), now=long_after)
    turn = Turn(hook_id, failures=50, failing_since=long_after, failed_at=long_after)
    assert await database.write(record_turns, [turn], now=long_after + DAY - 1) == []
    turn = Turn(hook_id, failures=1, failing_since=long_after, failed_at=long_after)
    assert await database.write(record_turns, [turn], now=long_after + DAY) == [(hook_id, "failing")]


async def test_a_code_is_sent_to_the_next_url_again_however_little_room_the_hook_has(database: AnyDatabase, cast: Cast) -> None:
    hook_id = await database.write(add_hook, cast)
    await database.write(move_hook, cast.owner, hook_id, NEW, now=NOW)
    lease_id = await database.write(take_lease, "test", now=NOW, duration=LEASE)
    await fanned_out(database, lease_id)
    await database.write(lambda tx: tx.exec_driver_sql("UPDATE deliveries SET state = 'pending', lease_id = 0"))  # it failed, and is due
    done = await database.write(claim, KEYRING, EMPTY_INDEX, lease_id, lambda _: 0, (hook_id,), swept=0, now=NOW)
    assert [each.event.type for each in done.leased] == ["hook.verify"]


async def test_a_fresh_code_of_a_hook_that_is_asked_for_again_is_one_that_every_process_hears_of(database: AnyDatabase, cast: Cast) -> None:
    hook_id = await database.write(add_hook, cast, active=False)
    held = await database.read(fresh_index, KEYRING, EMPTY_INDEX)
    create = registry.create_hook
    await database.write(create, cast.owner, KEYRING, "app", cast.app_id, OLD, "item.create", now=NOW + 8 * DAY, limit=10)
    fresh = await database.read(fresh_index, KEYRING, held)
    assert fresh.by_id[hook_id].code == await database.read(code_of, hook_id) != held.by_id[hook_id].code


async def test_a_hook_that_was_deleted_a_moment_ago_is_not_locked_but_missed(database: AnyDatabase, cast: Cast) -> None:
    hook_id = await database.write(add_hook, cast)
    await database.write(registry.delete_hook, cast.owner, hook_id, now=NOW)
    with pytest.raises(NotFound):
        await database.write(lock_hook, hook_id)


# --- changing ----------------------------------------------------------------------------------------------------------


async def test_what_is_given_is_changed_and_the_rest_stays(database: AnyDatabase, cast: Cast) -> None:
    hook_id = await database.write(add_hook, cast, concurrency=3)
    before = asdict(await hook(database, cast, hook_id))
    changes: list[dict[str, Any]] = [{"order": "object"}, {"format": "json"}, {"preserve_query": True}, {"concurrency": None}, {}]
    for change in changes:
        await database.write(change_hook, cast.app, hook_id, **change)
        before |= change
        assert asdict(await hook(database, cast, hook_id)) == before
    known = await index_of(database, hook_id)
    assert (known.order, known.format, known.preserve_query, known.concurrency) == ("object", "json", True, None)


async def test_the_app_knows_how_many_of_its_hooks_are_told_of_everything(database: AnyDatabase, cast: Cast) -> None:
    hook_id = await database.write(add_hook, cast)

    async def full_hooks() -> int:
        return await database.read(lambda tx: tx.execute(select(apps.c.full_hooks).where(apps.c.app_id == cast.app_id)).scalar_one())

    told: list[tuple[Format, int]] = [("json", 1), ("cloudevents", 1), ("podio", 0)]
    for format, count in told:
        await database.write(change_hook, cast.owner, hook_id, format=format)
        assert await full_hooks() == count


async def test_what_waits_is_told_in_the_format_of_the_moment(database: AnyDatabase, cast: Cast) -> None:
    hook_id = await database.write(add_hook, cast)
    await database.write(create_item, cast.owner, cast.app_id, NewItem({"title": "One"}), now=NOW)
    await fanned_out(database, 77)
    await database.write(change_hook, cast.owner, hook_id, format="json")
    lease_id = await database.write(take_lease, "test", now=NOW, duration=LEASE)
    [delivery], _ = await claimed(database, lease_id)
    assert delivery.hook.format == "json"
    assert delivery.whole is not None


# --- trying ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scope", ["app", "app_field", "space"])
async def test_a_hook_of_any_type_can_be_tried_with_nothing_in_its_place(database: AnyDatabase, cast: Cast, scope: str) -> None:
    """The one who tries it is the one who hears of it, and the form is whole."""
    far = {"app": cast.app_id, "space": cast.space_id, "app_field": await database.read(_field_of, cast.app_id)}
    types = [each for each in EVENT_TYPES.values() if scope in each.scopes]

    def try_all(tx: Tx) -> dict[int, str]:
        made = {add_hook(tx, cast, (scope, far[scope]), type=each.name): each.name for each in types}
        for hook_id in made:
            try_hook(tx, cast.owner, hook_id, now=NOW)
        return made

    made = await database.write(try_all)
    lease_id = await database.write(take_lease, "test", now=NOW, duration=LEASE)
    done = await fanned_out(database, lease_id)
    assert {each.hook_id: each.event.type for each in done.leased} == made
    assert all(each.event.test for each in done.leased)
    for each in done.leased:
        assert tuple(json.loads(each.event.parameters)) == EVENT_TYPES[each.event.type].parameters


def _field_of(tx: Tx, app_id: int) -> int:
    field_id: int = tx.execute(select(fields.c.field_id).where(fields.c.app_id == app_id).limit(1)).scalar_one()
    return field_id


async def test_a_trial_names_the_newest_item_and_shows_it_where_the_format_does(database: AnyDatabase, cast: Cast) -> None:
    hook_id = await database.write(add_hook, cast, format="json", order="object")
    other = await database.write(add_hook, cast, url=NEW)
    item = await database.write(create_item, cast.owner, cast.app_id, NewItem({"title": "One"}, external_id="e1"), now=NOW)
    await database.write(lambda tx: tx.execute(update(events).values(matched=0)))
    await database.write(try_hook, cast.owner, hook_id, now=NOW)
    lease_id = await database.write(take_lease, "test", now=NOW, duration=LEASE)
    [delivery] = (await fanned_out(database, lease_id)).leased
    assert delivery.hook_id == hook_id != other
    assert json.loads(delivery.event.parameters) == {"item_id": str(item.item_id), "item_revision_id": "0", "external_id": "e1"}
    assert delivery.lane is None
    assert delivery.whole is not None
    assert delivery.whole.object is not None
    assert json.loads(delivery.whole.object)["title"] == "One"


async def test_what_would_not_be_sent_is_not_tried(database: AnyDatabase, cast: Cast) -> None:
    inactive, paused = await database.write(add_hook, cast, active=False), await database.write(add_hook, cast, url=NEW)
    await database.write(pause_hook, cast.owner, paused, now=NOW)
    for hook_id, why in ((inactive, "must be verified first"), (paused, "resume it first")):
        with pytest.raises(Conflict, match=why):
            await database.write(try_hook, cast.owner, hook_id, now=NOW)
