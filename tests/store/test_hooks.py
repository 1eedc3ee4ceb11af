"""Hooks: making, listing, deleting, and the handshake, on both engines (contract sections 0 and 2)."""

from __future__ import annotations

import asyncio

import pytest

from tests.support.databases import AnyDatabase
from tests.support.world import KEYRING, NOW, SECOND, World, code_of, make_hook, make_world
from tidings.errors import Forbidden, Invalid, NotFound
from tidings.hooks import registry, verification
from tidings.hooks.index import fresh_index
from tidings.hooks.matching import EMPTY_INDEX
from tidings.hooks.registry import NewHook
from tidings.store.database import Tx
from tidings.workspace.access import Caller

pytestmark = pytest.mark.furnished(make=make_world)

DAY = 24 * 3600 * SECOND


@pytest.fixture
def world(furniture: World) -> World:
    return furniture


async def create(
    database: AnyDatabase,
    world: World,
    ref: tuple[str, int] | None = None,
    url: str = "http://a.example/in?key=k",
    type: str = "item.update",
    caller: Caller | None = None,
    limit: int = 10,
) -> NewHook:
    ref_type, ref_id = ref or ("app", world.app_id)
    return await database.write(registry.create_hook, caller or world.user, KEYRING, ref_type, ref_id, url, type, now=NOW, limit=limit)


async def code(database: AnyDatabase, hook_id: int) -> str:
    return await database.read(code_of, hook_id)


async def test_a_new_hook_is_inactive_and_lists_as_it_was_given(database: AnyDatabase, world: World) -> None:
    made = await create(database, world)
    (hook,) = await database.read(registry.list_hooks, world.user, "app", world.app_id)
    assert (hook.hook_id, hook.status, hook.reason) == (made.hook_id, "inactive", "unverified")
    assert (hook.type, hook.url, hook.created_at) == ("item.update", "http://a.example/in?key=k", NOW)
    assert hook.created_by == world.user.author


async def test_its_secret_is_shown_once_and_sealed_at_rest(database: AnyDatabase, world: World) -> None:
    made = await create(database, world)
    assert made.secret is not None
    assert made.secret.startswith("whsec_")
    assert made.secret not in repr(made)
    sealed = await database.read(lambda tx: tx.exec_driver_sql("SELECT secret_sealed FROM hooks").scalar_one())
    index = await database.read(fresh_index, KEYRING, EMPTY_INDEX)
    (key,) = index.by_id[made.hook_id].keys
    assert key not in bytes(sealed)


async def test_the_same_url_type_and_object_again_answer_the_hook_that_is_there(database: AnyDatabase, world: World) -> None:
    first = await create(database, world)
    again = await create(database, world)
    assert again == NewHook(first.hook_id)


async def test_two_creations_at_once_make_one_hook(database: AnyDatabase, world: World) -> None:
    made = await asyncio.gather(*(create(database, world) for _ in range(8)))
    assert len({hook.hook_id for hook in made}) == 1
    assert sum(hook.secret is not None for hook in made) == 1


async def test_no_more_than_the_limit_of_one_type_hang_on_one_object(database: AnyDatabase, world: World) -> None:
    for number in range(2):
        await create(database, world, url=f"http://a.example/{number}", limit=2)
    with pytest.raises(Invalid, match="has 2 hooks of type"):
        await create(database, world, url="http://a.example/more", limit=2)
    await create(database, world, url="http://a.example/more", type="item.create", limit=2)


@pytest.mark.parametrize(
    ("ref_type", "type", "sentence"),
    [
        ("app", "item.nothing", "must be one of"),
        ("app", "hook.verify", "must be one of"),
        ("org", "item.create", "must be one of {'app','app_field','space'}"),
        ("space", "item.create", "Hook type item.create is not allowed for this object"),
        ("app_field", "app.update", "Hook type app.update is not allowed for this object"),
    ],
)
async def test_a_pairing_that_cannot_be_is_refused(database: AnyDatabase, world: World, ref_type: str, type: str, sentence: str) -> None:
    with pytest.raises(Invalid) as refused:
        await create(database, world, (ref_type, world.app_id), type=type)
    assert sentence in refused.value.description


async def test_another_organizations_user_finds_nothing(database: AnyDatabase, world: World) -> None:
    made = await create(database, world)
    other = (await database.write(make_world, "two")).user
    with pytest.raises(NotFound):
        await create(database, world, caller=other)
    with pytest.raises(NotFound):
        await database.read(registry.list_hooks, other, "app", world.app_id)
    with pytest.raises(NotFound):
        await database.write(registry.delete_hook, other, made.hook_id, now=NOW)
    with pytest.raises(NotFound):
        await database.write(verification.validate, other, made.hook_id, "x", now=NOW)


async def test_an_app_makes_and_deletes_its_own_hooks(database: AnyDatabase, world: World) -> None:
    made = await create(database, world, ("app_field", world.field_id), caller=world.app)
    await database.write(registry.delete_hook, world.app, made.hook_id, now=NOW)
    assert await database.read(registry.list_hooks, world.app, "app_field", world.field_id) == []


async def test_an_app_does_not_delete_what_a_user_made(database: AnyDatabase, world: World) -> None:
    made = await create(database, world)
    with pytest.raises(Forbidden):
        await database.write(registry.delete_hook, world.app, made.hook_id, now=NOW)


async def test_a_deleted_hook_is_not_found(database: AnyDatabase, world: World) -> None:
    made = await create(database, world)
    await database.write(registry.delete_hook, world.user, made.hook_id, now=NOW)
    with pytest.raises(NotFound):
        await database.write(registry.delete_hook, world.user, made.hook_id, now=NOW)
    assert (await create(database, world)).hook_id != made.hook_id


async def test_the_right_code_makes_a_hook_active_and_again_is_harmless(database: AnyDatabase, world: World) -> None:
    made = await create(database, world)
    right = await code(database, made.hook_id)
    assert len(right) == 32
    assert await database.write(verification.validate, world.app, made.hook_id, right, now=NOW)
    assert await database.write(verification.validate, world.app, made.hook_id, right, now=NOW)
    (hook,) = await database.read(registry.list_hooks, world.user, "app", world.app_id)
    assert (hook.status, hook.reason, hook.activated_at) == ("active", None, NOW)


async def test_five_wrong_tries_kill_a_code_and_the_next_request_makes_another(database: AnyDatabase, world: World) -> None:
    made = await create(database, world)
    right = await code(database, made.hook_id)
    for wrong in ("", "nö", "0" * 32, "abc", "abd"):
        assert not await database.write(verification.validate, world.user, made.hook_id, wrong, now=NOW)
    assert not await database.write(verification.validate, world.user, made.hook_id, right, now=NOW)
    await database.write(verification.request_verification, world.user, made.hook_id, now=NOW)
    fresh = await code(database, made.hook_id)
    assert fresh != right
    assert await database.write(verification.validate, world.user, made.hook_id, fresh, now=NOW)


async def test_a_code_is_the_same_until_it_dies_of_age(database: AnyDatabase, world: World) -> None:
    made = await create(database, world)
    first = await code(database, made.hook_id)
    await database.write(verification.request_verification, world.user, made.hook_id, now=NOW + 6 * DAY)
    assert await code(database, made.hook_id) == first
    assert not await database.write(verification.validate, world.user, made.hook_id, first, now=NOW + 7 * DAY)


async def test_creation_and_each_request_write_a_verification_meant_for_the_hook(database: AnyDatabase, world: World) -> None:
    made = await create(database, world)
    await database.write(verification.request_verification, world.user, made.hook_id, now=NOW)

    def events(tx: Tx) -> list[tuple[str, int]]:
        return [(row.type, row.hook_id) for row in tx.exec_driver_sql("SELECT type, hook_id FROM events")]

    assert await database.read(events) == [("hook.verify", made.hook_id)] * 2


async def test_an_index_is_fresh_until_a_hook_changes(database: AnyDatabase, world: World) -> None:
    index = await database.read(fresh_index, KEYRING, EMPTY_INDEX)
    assert await database.read(fresh_index, KEYRING, index) is index
    hook_id = await database.write(make_hook, world)
    later = await database.read(fresh_index, KEYRING, index)
    assert later.by_id[hook_id].active
