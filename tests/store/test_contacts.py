"""Contacts, on both engines."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.support.cast import NOW, Cast, gather_cast
from tests.support.databases import AnyDatabase
from tests.support.rights import who_may
from tests.support.told import places_told_of, told_of
from tidings.clock import SECOND
from tidings.errors import Forbidden, Gone, Invalid
from tidings.store.database import Tx
from tidings.workspace import contacts, spaces
from tidings.workspace.access import Caller
from tidings.workspace.accounts.users import create_user
from tidings.workspace.contacts import FIRST_PROFILE_ID, Contact, ContactFilter, Profile

LATER = NOW + 60 * SECOND
OUTSIDE = ContactFilter(["space"])


pytestmark = pytest.mark.furnished(make=gather_cast)


@pytest.fixture
def cast(furniture: Cast) -> Cast:
    return furniture


def make(tx: Tx, caller: Caller, space_id: int, name: str = "Grace", /, **config: Any) -> int:
    return contacts.create_contact(tx, caller, space_id, {"name": name, **config}, now=NOW).profile_id


async def types_told(database: AnyDatabase) -> list[str]:
    return [type_ for type_, _, _ in await database.read(told_of, "contact")]


async def test_a_contact_reads_back_as_it_was_made(database: AnyDatabase, cast: Cast) -> None:
    config = {
        "name": " Grace Hopper ",
        "external_id": 7,
        "mail": ["g@example.org", ""],
        "phone": "1",
        "birthdate": "1906-12-09",
        "city": "",
        "about": "Compilers\n",
        "avatar": 0,
        "surprise": 1,
        "url": None,
    }
    made = await database.write(contacts.create_contact, cast.regular, cast.space_id, config, now=NOW)
    profile = Profile(mail=["g@example.org"], phone=["1"], birthdate="1906-12-09", about="Compilers\n")
    assert made == Contact(made.profile_id, "space", "Grace Hopper", cast.space_id, "7", profile, ("view", "update", "delete"))
    assert made.user_id is None
    assert await database.read(contacts.get_contact, cast.regular, made.profile_id) == made


async def test_contacts_are_kept_by_members_and_read_by_everybody_in_the_space(database: AnyDatabase, cast: Cast) -> None:
    making = await who_may(database, cast, lambda tx, who: make(tx, who, cast.space_id))
    assert making == "ok ok ok 403 403 404 404 403 403 404"
    number = await database.write(make, cast.regular, cast.space_id)
    for change in (
        await who_may(database, cast, lambda tx, who: contacts.update_contact(tx, who, number, {"name": "New"}, now=LATER)),
        await who_may(database, cast, lambda tx, who: contacts.delete_contacts(tx, who, [number], now=LATER)),
    ):
        assert change == making
    reading = await who_may(database, cast, lambda tx, who: contacts.get_contact(tx, who, number))
    assert reading == "ok ok ok ok 403 404 404 403 403 404"
    listing = await who_may(database, cast, lambda tx, who: contacts.list_contacts(tx, who, cast.space_id, OUTSIDE))
    assert listing == reading
    assert (await database.read(contacts.get_contact, cast.light, number)).rights == ("view",)


async def test_every_change_of_a_contact_is_told_of(database: AnyDatabase, cast: Cast) -> None:
    number = await database.write(make, cast.regular, cast.space_id)
    await database.write(contacts.update_contact, cast.regular, number, {"city": "Arlington"}, now=LATER)
    await database.write(contacts.delete_contacts, cast.regular, [number], now=LATER, heard=False)
    parameters = {"space_id": str(cast.space_id), "profile_id": str(number)}
    assert await database.read(told_of, "contact") == [
        ("contact.create", parameters, True),
        ("contact.update", parameters, True),
        ("contact.delete", parameters, False),
    ]
    assert await database.read(places_told_of, "contact") == {("contact", number, None, cast.space_id, cast.regular.author)}


async def test_a_change_keeps_what_it_does_not_name_and_null_empties(database: AnyDatabase, cast: Cast) -> None:
    config: dict[str, Any] = {"mail": ["a@example.org"], "city": "Arlington", "external_id": "E"}
    number = await database.write(lambda tx: make(tx, cast.regular, cast.space_id, **config))
    changed = {"mail": ["b@example.org", "c@example.org"], "city": None}
    after = await database.write(contacts.update_contact, cast.regular, number, changed, now=LATER)
    assert (after.name, after.external_id) == ("Grace", "E")
    assert after.profile == Profile(mail=["b@example.org", "c@example.org"])


async def test_a_change_that_changes_nothing_is_not_told_of(database: AnyDatabase, cast: Cast) -> None:
    number = await database.write(lambda tx: make(tx, cast.regular, cast.space_id, mail="a@example.org", external_id=5))
    same: list[dict[str, Any]] = [{}, {"name": "Grace "}, {"mail": ["a@example.org"], "phone": []}, {"external_id": "5"}, {"city": ""}]
    for config in same:
        await database.write(contacts.update_contact, cast.regular, number, config, now=LATER)
    assert await types_told(database) == ["contact.create"]


async def test_the_profiles_of_a_space_are_listed_by_name(database: AnyDatabase, cast: Cast) -> None:
    for name in ("mary", "Betty", "Ada 100%"):
        await database.write(make, cast.regular, cast.space_id, name)
    await database.write(make, cast.owner, cast.open_space_id, "Elsewhere")

    async def names(wanted: ContactFilter, **more: int) -> list[str]:
        return [each.name for each in await database.read(contacts.list_contacts, cast.light, cast.space_id, wanted, **more)]

    assert await names(ContactFilter()) == ["Ada 100%", "Admin", "Betty", "mary", "Owner", "Regular"]
    assert await names(ContactFilter(with_self=True)) == ["Ada 100%", "Admin", "Betty", "Light", "mary", "Owner", "Regular"]
    assert await names(OUTSIDE) == ["Ada 100%", "Betty", "mary"]
    assert await names(ContactFilter(["user"])) == ["Admin", "Owner", "Regular"]
    assert await names(OUTSIDE, limit=1, offset=1) == ["Betty"]
    assert await names(ContactFilter(name="ETT")) == ["Betty"]
    assert await names(ContactFilter(name="0%")) == ["Ada 100%"]
    assert await names(ContactFilter(name="%%")) == []


async def test_contacts_are_found_by_their_external_id(database: AnyDatabase, cast: Cast) -> None:
    number = await database.write(lambda tx: make(tx, cast.regular, cast.space_id, external_id="E"))
    found = await database.read(contacts.list_contacts, cast.light, cast.space_id, ContactFilter(external_id="E"))
    assert [each.profile_id for each in found] == [number]


async def test_a_person_is_a_profile_that_their_organization_reads_and_nobody_changes(database: AnyDatabase, cast: Cast) -> None:
    person = await database.read(contacts.get_contact, cast.colleague, cast.light.id)
    assert (person.type, person.profile_id, person.user_id, person.name) == ("user", cast.light.id, cast.light.id, "Light")
    assert (person.profile, person.space_id, person.rights) == (Profile(mail=["light@example.org"]), None, ("view",))
    reading = await who_may(database, cast, lambda tx, who: contacts.get_contact(tx, who, cast.light.id))
    assert reading == "ok ok ok ok ok 404 404 ok ok 404"
    assert (await database.read(contacts.get_contact, cast.nobody, cast.nobody.id)).name == "Nobody"
    changing = await who_may(database, cast, lambda tx, who: contacts.update_contact(tx, who, cast.light.id, {"name": "X"}, now=NOW))
    assert changing == "403 403 403 403 403 404 404 403 403 404"
    with pytest.raises(Forbidden):
        await database.write(contacts.delete_contacts, cast.owner, [cast.light.id], now=NOW)


async def test_no_person_and_no_contact_have_the_same_profile_id(database: AnyDatabase, cast: Cast) -> None:
    numbers = await asyncio.gather(*(database.write(make, who, cast.space_id) for who in (cast.regular, cast.admin) * 4))
    assert sorted(numbers) == list(range(FIRST_PROFILE_ID, FIRST_PROFILE_ID + 8))
    assert (await database.write(create_user, "late@example.org", "", "Late", now=NOW)).user_id < FIRST_PROFILE_ID


async def test_several_are_deleted_together_or_not_at_all(database: AnyDatabase, cast: Cast) -> None:
    first, second, third = [await database.write(make, cast.regular, cast.space_id) for _ in range(3)]
    await database.write(contacts.delete_contacts, cast.regular, [third], now=LATER)
    with pytest.raises(Gone):
        await database.write(contacts.delete_contacts, cast.regular, [first, third], now=LATER)
    assert len(await database.read(contacts.get_contacts, cast.light, [second, first])) == 2
    await database.write(contacts.delete_contacts, cast.regular, [second, first, second], now=LATER)
    assert await types_told(database) == ["contact.create"] * 3 + ["contact.delete"] * 3
    assert await database.read(contacts.list_contacts, cast.light, cast.space_id, OUTSIDE) == []
    with pytest.raises(Invalid):
        await database.write(contacts.delete_contacts, cast.regular, range(FIRST_PROFILE_ID, FIRST_PROFILE_ID + 200), now=LATER)


async def test_the_contacts_of_a_deleted_space_are_gone(database: AnyDatabase, cast: Cast) -> None:
    number = await database.write(make, cast.regular, cast.space_id)
    await database.write(spaces.delete_space, cast.owner, cast.space_id, now=NOW)
    with pytest.raises(Gone):
        await database.read(contacts.get_contact, cast.regular, number)


async def test_what_a_contact_cannot_be_is_refused_by_name_and_nothing_is_written(database: AnyDatabase, cast: Cast) -> None:
    number = await database.write(make, cast.regular, cast.space_id)
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"name": " "}, "name"),
        ({"name": None}, "name"),
        ({"name": "x" * 256}, "name"),
        ({"mail": 5}, "mail"),
        ({"mail": ["x"] * 101}, "mail"),
        ({"phone": ["x" * 20_001]}, "phone"),
        ({"about": "x" * 20_001}, "about"),
        ({"birthdate": "9 December"}, "birthdate"),
        ({"external_id": "x" * 256}, "external_id"),
        ({"avatar": 5}, "avatar"),
    ]
    for config, field in wrong:
        for change in (
            database.write(contacts.create_contact, cast.regular, cast.space_id, {"name": "Grace", **config}, now=NOW),
            database.write(contacts.update_contact, cast.regular, number, config, now=NOW),
        ):
            with pytest.raises(Invalid) as raised:
                await change
            assert (raised.value.parameters["field"], raised.value.description.startswith(field)) == (field, True)
    assert await types_told(database) == ["contact.create"]
