"""The server's own keys, and the secrets of hooks: made, changed with an overlap, and retired, on both engines."""

from __future__ import annotations

import asyncio

import pytest

from tests.support.databases import AnyDatabase
from tests.support.world import KEYRING, NOW, SECOND, World, make_hook, make_world
from tidings.errors import Conflict, Forbidden, Invalid, NotFound, Unavailable
from tidings.hooks import registry, secrets, signing_keys
from tidings.hooks.index import fresh_index
from tidings.hooks.matching import EMPTY_INDEX, Hook, Signing
from tidings.store.sealing import Keyring
from tidings.wire.ed25519 import PrivateKey
from tidings.wire.signing import secret_key
from tidings.workspace.access import Caller

pytestmark = pytest.mark.furnished(make=make_world)

HOUR = 3600 * SECOND


@pytest.fixture
def world(furniture: World) -> World:
    return furniture


async def create(database: AnyDatabase, world: World, signing: Signing, url: str = "http://a.example/") -> registry.NewHook:
    place = "app", world.app_id
    return await database.write(registry.create_hook, world.user, KEYRING, *place, url, "item.update", now=NOW, limit=10, signing=signing)


async def rotate(database: AnyDatabase, *, overlap: int = HOUR, now: int = NOW) -> bytes:
    return (await database.write(signing_keys.rotate_keys, KEYRING, overlap=overlap, now=now)).public


async def public_keys(database: AnyDatabase, now: int = NOW) -> list[bytes]:
    return [key.public for key in await database.read(signing_keys.list_keys, now=now)]


async def held(database: AnyDatabase, hook_id: int) -> Hook:
    return (await database.read(fresh_index, KEYRING, EMPTY_INDEX)).by_id[hook_id]


# --- the server's keys -------------------------------------------------------------------------------------------------


async def test_there_is_no_key_before_the_first_hook_that_asks_for_one(database: AnyDatabase, world: World) -> None:
    await create(database, world, "hmac")
    assert await public_keys(database) == []
    made = await create(database, world, "ed25519", "http://b.example/")
    assert made.secret is None
    [public] = await public_keys(database)
    assert [PrivateKey(key).public for key in (await held(database, made.hook_id)).keys] == [public]


async def test_two_first_hooks_at_once_make_one_key(database: AnyDatabase, world: World) -> None:
    await asyncio.gather(*(create(database, world, "ed25519", f"http://a.example/{number}") for number in range(6)))
    assert len(await public_keys(database)) == 1


async def test_a_rotated_key_signs_beside_the_new_one_until_it_retires(database: AnyDatabase, world: World) -> None:
    made = await create(database, world, "ed25519")
    [former] = await public_keys(database)
    present = await rotate(database)
    assert await public_keys(database, NOW + HOUR - 1) == [present, former]
    assert await public_keys(database, NOW + HOUR) == [present]
    hook = await held(database, made.hook_id)
    assert ([PrivateKey(key).public for key in hook.keys], hook.former_until) == ([present, former], NOW + HOUR)


async def test_never_more_than_two_keys_sign(database: AnyDatabase, world: World) -> None:
    made = await create(database, world, "ed25519")
    keys = [await rotate(database) for _ in range(3)]
    assert await public_keys(database) == [keys[2], keys[1]]
    assert len((await held(database, made.hook_id)).keys) == 2


async def test_an_overlap_of_nothing_retires_the_former_key_at_once(database: AnyDatabase) -> None:
    await rotate(database)
    present = await rotate(database, overlap=0)
    assert await public_keys(database) == [present]


async def test_an_overlap_has_its_bounds(database: AnyDatabase) -> None:
    for overlap in (-1, signing_keys.LONGEST_OVERLAP + 1):
        with pytest.raises(Invalid, match="overlap"):
            await rotate(database, overlap=overlap)


async def test_private_keys_are_sealed(database: AnyDatabase, world: World) -> None:
    made = await create(database, world, "ed25519")
    [seed] = (await held(database, made.hook_id)).keys
    sealed = await database.read(lambda tx: tx.exec_driver_sql("SELECT private_sealed FROM signing_keys").scalar_one())
    assert seed not in bytes(sealed)
    with pytest.raises(Unavailable):
        await database.read(signing_keys.open_keys, Keyring(b"x" * 32))


# --- a hook's own secret -----------------------------------------------------------------------------------------------


async def renew(database: AnyDatabase, caller: Caller, hook_id: int, *, overlap: int = HOUR, now: int = NOW) -> str:
    return await database.write(secrets.renew_secret, caller, KEYRING, hook_id, overlap=overlap, now=now)


async def test_a_renewed_secret_leaves_the_former_one_for_a_while(database: AnyDatabase, world: World) -> None:
    made = await create(database, world, "hmac")
    renewed = await renew(database, world.user, made.hook_id)
    hook = await held(database, made.hook_id)
    assert made.secret is not None
    assert (hook.keys, hook.former_until) == ((secret_key(renewed), secret_key(made.secret)), NOW + HOUR)


async def test_of_several_renewals_two_secrets_stay(database: AnyDatabase, world: World) -> None:
    made = await create(database, world, "hmac")
    renewed = [await renew(database, world.user, made.hook_id) for _ in range(3)]
    assert (await held(database, made.hook_id)).keys == (secret_key(renewed[2]), secret_key(renewed[1]))


async def test_without_an_overlap_the_former_secret_is_gone(database: AnyDatabase, world: World) -> None:
    made = await create(database, world, "hmac")
    await renew(database, world.user, made.hook_id)
    renewed = await renew(database, world.user, made.hook_id, overlap=0)
    assert (await held(database, made.hook_id)).keys == (secret_key(renewed),)


async def test_a_hook_that_the_server_signs_for_has_no_secret_to_renew(database: AnyDatabase, world: World) -> None:
    made = await create(database, world, "ed25519")
    with pytest.raises(Conflict, match="server's own key"):
        await renew(database, world.user, made.hook_id)


async def test_only_who_may_add_hooks_may_renew_a_secret(database: AnyDatabase, world: World) -> None:
    hook_id = await database.write(make_hook, world)
    other = await database.write(make_world, "two")
    with pytest.raises((NotFound, Forbidden)):
        await renew(database, other.user, hook_id)
    with pytest.raises(Invalid, match="overlap"):
        await renew(database, world.user, hook_id, overlap=secrets.LONGEST_OVERLAP + 1)
    with pytest.raises(NotFound):
        await renew(database, world.user, 99)


# --- the same hook again -----------------------------------------------------------------------------------------------


async def test_the_same_hook_in_another_format_or_signature_is_a_conflict(database: AnyDatabase, world: World) -> None:
    made = await create(database, world, "hmac")
    with pytest.raises(Conflict, match="signed with hmac"):
        await create(database, world, "ed25519")
    again = await create(database, world, "hmac")
    assert again.hook_id == made.hook_id


async def test_an_app_knows_how_many_of_its_hooks_are_told_in_full(database: AnyDatabase, world: World) -> None:
    async def full() -> int:
        return int(await database.read(lambda tx: tx.exec_driver_sql("SELECT full_hooks FROM apps").scalar_one()))

    made = []
    for place in (("app", world.app_id), ("app_field", world.field_id)):
        new = await database.write(
            registry.create_hook, world.user, KEYRING, *place, "http://a.example/", "item.update", now=NOW, limit=10, format="json"
        )
        made.append(new.hook_id)
    await database.write(make_hook, world)
    assert await full() == 2
    for hook_id in made:
        await database.write(registry.delete_hook, world.user, hook_id, now=NOW)
    assert await full() == 0
