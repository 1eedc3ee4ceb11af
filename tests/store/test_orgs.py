"""People and organizations, on both engines."""

from __future__ import annotations

import asyncio

import pytest

from tests.support.cast import NOW
from tests.support.databases import AnyDatabase
from tidings.errors import Conflict, Forbidden, Invalid, NotFound
from tidings.store.database import Tx
from tidings.workspace.access import Caller
from tidings.workspace.accounts.users import User, create_user, find_user, find_users, get_user
from tidings.workspace.members import add_members
from tidings.workspace.orgs import Org, create_org, find_org, get_org, list_orgs, update_org
from tidings.workspace.spaces import create_space


@pytest.fixture
async def ada(database: AnyDatabase) -> Caller:
    return Caller("user", (await database.write(create_user, "ada@example.org", "hash", "Ada", now=NOW)).user_id)


async def create(database: AnyDatabase, caller: Caller, name: str) -> Org:
    return await database.write(create_org, caller, name, now=NOW)


async def test_a_new_user_reads_back(database: AnyDatabase) -> None:
    user = await database.write(create_user, " bob@example.org ", "hash", " Bob ", now=NOW)
    assert user == User(user.user_id, "bob@example.org", "Bob", NOW)
    assert await database.read(get_user, user.user_id) == user
    assert await database.read(find_user, "bob@example.org") == user
    assert await database.read(find_users, [user.user_id, 999]) == {user.user_id: user}
    assert await database.read(find_user, "nobody@example.org") is None


async def test_a_user_who_is_not_there_is_not_found(database: AnyDatabase) -> None:
    with pytest.raises(NotFound):
        await database.read(get_user, 999)


async def test_a_username_is_given_once_even_to_those_who_ask_together(database: AnyDatabase) -> None:
    asked = [database.write(create_user, "ada@example.org", "hash", f"Ada {n}", now=NOW) for n in range(5)]
    answers = await asyncio.gather(*asked, return_exceptions=True)
    assert [type(answer) for answer in answers].count(Conflict) == 4
    assert [type(answer) for answer in answers].count(User) == 1


async def test_who_makes_an_organization_is_its_admin(database: AnyDatabase, ada: Caller) -> None:
    org = await create(database, ada, "  Analytical Engines  ")
    assert (org.name, org.url_label, org.role, org.created_by) == ("Analytical Engines", "analytical-engines", "admin", ada.id)
    assert await database.read(get_org, ada, org.org_id) == org
    assert await database.read(list_orgs, ada) == [org]


async def test_labels_are_numbered_where_they_would_meet(database: AnyDatabase, ada: Caller) -> None:
    labels = [(await create(database, ada, name)).url_label for name in ("Acme", "ACME", "acme!", "Acme 2", "Acme")]
    assert labels == ["acme", "acme-2", "acme-3", "acme-2-2", "acme-4"]


async def test_labels_are_numbered_for_those_who_ask_together(database: AnyDatabase, ada: Caller) -> None:
    made = await asyncio.gather(*(create(database, ada, "Acme") for _ in range(8)))
    assert {org.url_label for org in made} == {"acme", *(f"acme-{n}" for n in range(2, 9))}


async def test_a_blank_or_over_long_name_is_refused_by_name(database: AnyDatabase, ada: Caller) -> None:
    for name in ("", "   ", "\t\n", "x" * 256):
        with pytest.raises(Invalid) as raised:
            await create(database, ada, name)
        assert raised.value.parameters["field"] == "name"
    assert await database.read(list_orgs, ada) == []


async def test_a_name_may_be_in_any_script(database: AnyDatabase, ada: Caller) -> None:
    org = await create(database, ada, "東京 Büro 🚀")
    assert (org.name, org.url_label) == ("東京 Büro 🚀", "東京-büro")
    assert (await create(database, ada, "🚀🚀")).url_label == "org"


# --- changing and finding ---


@pytest.fixture
async def bob(database: AnyDatabase) -> Caller:
    return Caller("user", (await database.write(create_user, "bob@example.org", "hash", "Bob", now=NOW)).user_id)


async def test_an_organization_keeps_its_label_unless_another_is_given(database: AnyDatabase, ada: Caller) -> None:
    org = await create(database, ada, "Acme")
    renamed = await database.write(update_org, ada, org.org_id, name=" Engines ")
    assert (renamed.name, renamed.url_label, renamed.org_id) == ("Engines", "acme", org.org_id)
    moved = await database.write(update_org, ada, org.org_id, url_label="Difference Engines")
    assert (moved.name, moved.url_label) == ("Engines", "difference-engines")
    assert await database.write(update_org, ada, org.org_id) == moved
    assert await database.read(find_org, ada, "difference-engines") == moved
    with pytest.raises(NotFound):
        await database.read(find_org, ada, "acme")


async def test_a_label_of_another_organization_is_a_conflict(database: AnyDatabase, ada: Caller) -> None:
    await create(database, ada, "Acme")
    other = await create(database, ada, "Other")
    with pytest.raises(Conflict, match="url_label: acme is"):
        await database.write(update_org, ada, other.org_id, url_label="acme")
    with pytest.raises(Invalid, match="name"):
        await database.write(update_org, ada, other.org_id, name=" ")
    assert await database.read(get_org, ada, other.org_id) == other


async def test_an_organization_is_changed_by_its_admins_and_found_by_its_people(database: AnyDatabase, ada: Caller, bob: Caller) -> None:
    org = await create(database, ada, "Acme")
    with pytest.raises(NotFound) as raised:
        await database.read(find_org, bob, "acme")
    assert raised.value.parameters == {"url": "acme"}
    with pytest.raises(NotFound):
        await database.write(update_org, bob, org.org_id, name="Mine")

    def let_in(tx: Tx) -> None:
        space = create_space(tx, ada, org.org_id, {"name": "Workshop"}, now=NOW)
        add_members(tx, ada, space.space_id, "admin", [bob.id], now=NOW)

    await database.write(let_in)
    assert (await database.read(find_org, bob, "acme")).role == "regular"
    with pytest.raises(Forbidden):
        await database.write(update_org, bob, org.org_id, name="Mine")
