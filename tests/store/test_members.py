"""Who is in a space, on both engines."""

from __future__ import annotations

import asyncio

import pytest

from tests.support.cast import NOW, Cast, gather_cast
from tests.support.databases import AnyDatabase
from tests.support.told import places_told_of, told_of
from tidings.errors import Conflict, Forbidden, Invalid, NotFound
from tidings.workspace.access import Caller
from tidings.workspace.members import (
    PEOPLE_LIMIT,
    add_members,
    get_member,
    join_space,
    leave_space,
    list_members,
    remove_members,
    set_role,
)
from tidings.workspace.orgs import get_org
from tidings.workspace.spaces import create_space

pytestmark = pytest.mark.furnished(make=gather_cast)


@pytest.fixture
def cast(furniture: Cast) -> Cast:
    return furniture


async def roles(database: AnyDatabase, cast: Cast, space_id: int | None = None) -> dict[str, str]:
    found = await database.read(list_members, cast.owner, space_id or cast.space_id)
    return {member.user.name: member.role for member in found}


async def told(database: AnyDatabase, space_id: int) -> list[tuple[str, int, bool]]:
    """Who came into a space and who went, in the order in which it was told, and whether hooks hear of it."""
    every = await database.read(told_of, "member")
    here = [(type_, parameters, heard) for type_, parameters, heard in every if parameters["space_id"] == str(space_id)]
    assert all(set(parameters) == {"space_id", "user_id"} for _, parameters, _ in here)
    return [(type_, int(parameters["user_id"]), heard) for type_, parameters, heard in here]


async def test_the_members_are_listed_with_their_roles(database: AnyDatabase, cast: Cast) -> None:
    assert await roles(database, cast) == {"Owner": "admin", "Admin": "admin", "Regular": "regular", "Light": "light"}
    member = await database.read(get_member, cast.light, cast.space_id, cast.regular.id)
    assert (member.user.name, member.role, member.created_at) == ("Regular", "regular", NOW)


async def test_who_is_no_member_is_not_found_among_them(database: AnyDatabase, cast: Cast) -> None:
    with pytest.raises(NotFound):
        await database.read(get_member, cast.owner, cast.space_id, cast.nobody.id)


async def test_people_are_taken_in_by_id_and_by_username(database: AnyDatabase, cast: Cast) -> None:
    await database.write(add_members, cast.admin, cast.space_id, "light", [cast.nobody.id], ["stranger@example.org"], now=NOW)
    assert (await roles(database, cast)).items() >= {"Nobody": "light", "Stranger": "light"}.items()


async def test_who_is_taken_into_a_space_belongs_to_its_organization(database: AnyDatabase, cast: Cast) -> None:
    await database.write(add_members, cast.admin, cast.space_id, "light", [cast.nobody.id], now=NOW)
    assert (await database.read(get_org, cast.nobody, cast.org_id)).role == "regular"


async def test_who_leaves_their_last_space_leaves_the_organization(database: AnyDatabase, cast: Cast) -> None:
    await database.write(join_space, cast.light, cast.open_space_id, now=NOW)
    await database.write(leave_space, cast.light, cast.space_id, now=NOW)
    await database.read(get_org, cast.light, cast.org_id)
    await database.write(leave_space, cast.light, cast.open_space_id, now=NOW)
    with pytest.raises(NotFound):
        await database.read(get_org, cast.light, cast.org_id)


async def test_the_admin_of_an_organization_stays_it_without_a_space(database: AnyDatabase, cast: Cast) -> None:
    await database.write(leave_space, cast.owner, cast.space_id, now=NOW)
    assert "Owner" not in await roles(database, cast)
    assert (await database.read(get_org, cast.owner, cast.org_id)).role == "admin"


async def test_adding_a_member_again_changes_nothing(database: AnyDatabase, cast: Cast) -> None:
    before = await roles(database, cast)
    await database.write(add_members, cast.admin, cast.space_id, "light", [cast.regular.id, cast.regular.id], now=NOW + 1)
    assert await roles(database, cast) == before


async def test_who_does_not_exist_is_named_and_nobody_is_added(database: AnyDatabase, cast: Cast) -> None:
    with pytest.raises(Invalid) as raised:
        await database.write(add_members, cast.admin, cast.space_id, "light", [cast.nobody.id, 998, 999], now=NOW)
    assert raised.value.parameters == {"users": [998, 999]}
    with pytest.raises(Invalid, match=r"ghost@example\.org") as raised:
        await database.write(add_members, cast.admin, cast.space_id, "light", [cast.nobody.id], ["ghost@example.org"], now=NOW)
    assert raised.value.parameters == {"mails": ["ghost@example.org"]}
    assert "Nobody" not in await roles(database, cast)


async def test_a_crowd_is_refused(database: AnyDatabase, cast: Cast) -> None:
    crowd = range(1, PEOPLE_LIMIT + 2)
    with pytest.raises(Invalid):
        await database.write(add_members, cast.admin, cast.space_id, "light", crowd, now=NOW)
    with pytest.raises(Invalid):
        await database.write(remove_members, cast.admin, cast.space_id, crowd, now=NOW)


async def test_a_role_can_be_changed(database: AnyDatabase, cast: Cast) -> None:
    await database.write(set_role, cast.admin, cast.space_id, [cast.light.id, cast.regular.id], "admin")
    assert set((await roles(database, cast)).values()) == {"admin"}


async def test_members_can_be_taken_out(database: AnyDatabase, cast: Cast) -> None:
    await database.write(remove_members, cast.admin, cast.space_id, [cast.light.id, cast.regular.id], now=NOW)
    assert set(await roles(database, cast)) == {"Owner", "Admin"}
    with pytest.raises(NotFound):
        await database.write(remove_members, cast.admin, cast.space_id, [cast.light.id], now=NOW)
    with pytest.raises(NotFound):
        await database.write(set_role, cast.admin, cast.space_id, [cast.light.id], "admin")


async def test_the_last_admin_can_neither_leave_nor_be_demoted_nor_taken_out(database: AnyDatabase, cast: Cast) -> None:
    await database.write(leave_space, cast.owner, cast.space_id, now=NOW)
    with pytest.raises(Conflict):
        await database.write(leave_space, cast.admin, cast.space_id, now=NOW)
    with pytest.raises(Conflict):
        await database.write(set_role, cast.admin, cast.space_id, [cast.admin.id, cast.light.id], "regular")
    with pytest.raises(Conflict):
        await database.write(remove_members, cast.owner, cast.space_id, [cast.admin.id], now=NOW)
    assert (await roles(database, cast)).items() >= {"Admin": "admin", "Light": "light"}.items()


async def test_two_admins_who_leave_together_do_not_leave_none(database: AnyDatabase, cast: Cast) -> None:
    left = await asyncio.gather(
        *(database.write(leave_space, caller, cast.space_id, now=NOW) for caller in (cast.owner, cast.admin)), return_exceptions=True
    )
    assert [type(answer) for answer in left].count(Conflict) == 1
    assert list((await roles(database, cast)).values()).count("admin") == 1


async def test_an_open_space_is_joined_as_regular(database: AnyDatabase, cast: Cast) -> None:
    await database.write(join_space, cast.light, cast.open_space_id, now=NOW)
    assert (await roles(database, cast, cast.open_space_id))["Light"] == "regular"


async def test_a_closed_space_is_not_joined(database: AnyDatabase, cast: Cast) -> None:
    with pytest.raises(Forbidden):
        await database.write(join_space, cast.colleague, cast.space_id, now=NOW)


async def test_joining_again_changes_nothing(database: AnyDatabase, cast: Cast) -> None:
    await database.write(join_space, cast.light, cast.space_id, now=NOW)
    assert (await roles(database, cast))["Light"] == "light"


async def test_who_is_no_member_cannot_leave(database: AnyDatabase, cast: Cast) -> None:
    with pytest.raises(NotFound):
        await database.write(leave_space, cast.light, cast.open_space_id, now=NOW)


async def test_people_who_join_together_are_all_in(database: AnyDatabase, cast: Cast) -> None:
    joining: list[Caller] = [cast.admin, cast.regular, cast.light]
    await asyncio.gather(*(database.write(join_space, caller, cast.open_space_id, now=NOW) for caller in joining * 2))
    assert set(await roles(database, cast, cast.open_space_id)) == {"Owner", "Colleague", "Admin", "Regular", "Light"}


# --- what is told ------------------------------------------------------------------------------------------------------


async def test_everybody_who_comes_in_is_told_of_once(database: AnyDatabase, cast: Cast) -> None:
    before = await told(database, cast.space_id)
    assert before == [("member.add", who.id, True) for who in (cast.owner, cast.admin, cast.regular, cast.light)]
    people = [cast.nobody.id, cast.colleague.id, cast.light.id]
    await database.write(add_members, cast.admin, cast.space_id, "light", people, ["nobody@example.org"], now=NOW)
    assert (await told(database, cast.space_id))[len(before) :] == [
        ("member.add", cast.colleague.id, True),
        ("member.add", cast.nobody.id, True),
    ]
    places = await database.read(places_told_of, "member")
    assert ("member", cast.nobody.id, None, cast.space_id, cast.admin.author) in places


async def test_everybody_who_goes_out_is_told_of_once(database: AnyDatabase, cast: Cast) -> None:
    people = [cast.regular.id, cast.light.id, cast.regular.id]
    await database.write(remove_members, cast.admin, cast.space_id, people, now=NOW)
    await database.write(leave_space, cast.admin, cast.space_id, now=NOW)
    assert (await told(database, cast.space_id))[4:] == [("member.remove", who.id, True) for who in (cast.regular, cast.light, cast.admin)]


async def test_joining_is_told_of_and_joining_again_is_not(database: AnyDatabase, cast: Cast) -> None:
    for _ in range(2):
        await database.write(join_space, cast.light, cast.open_space_id, now=NOW)
    assert (await told(database, cast.open_space_id))[2:] == [("member.add", cast.light.id, True)]


async def test_who_makes_a_space_is_its_first_member_and_told_of(database: AnyDatabase, cast: Cast) -> None:
    space = await database.write(create_space, cast.colleague, cast.org_id, {"name": "Mine"}, now=NOW)
    assert await told(database, space.space_id) == [("member.add", cast.colleague.id, True)]


async def test_hooks_do_not_hear_of_people_who_come_and_go_without_them(database: AnyDatabase, cast: Cast) -> None:
    await database.write(add_members, cast.admin, cast.space_id, "light", [cast.nobody.id], now=NOW, heard=False)
    await database.write(remove_members, cast.admin, cast.space_id, [cast.nobody.id], now=NOW, heard=False)
    await database.write(join_space, cast.light, cast.open_space_id, now=NOW, heard=False)
    await database.write(leave_space, cast.light, cast.open_space_id, now=NOW, heard=False)
    here = [("member.add", cast.nobody.id, False), ("member.remove", cast.nobody.id, False)]
    there = [("member.add", cast.light.id, False), ("member.remove", cast.light.id, False)]
    assert (await told(database, cast.space_id))[4:] == here
    assert (await told(database, cast.open_space_id))[2:] == there


async def test_another_role_is_not_told_of_and_neither_is_what_was_refused(database: AnyDatabase, cast: Cast) -> None:
    before = await told(database, cast.space_id)
    await database.write(set_role, cast.admin, cast.space_id, [cast.light.id], "regular")
    with pytest.raises(Invalid):
        await database.write(add_members, cast.admin, cast.space_id, "light", [cast.nobody.id, 998], now=NOW)
    await database.write(leave_space, cast.owner, cast.space_id, now=NOW)
    with pytest.raises(Conflict):
        await database.write(leave_space, cast.admin, cast.space_id, now=NOW)
    assert await told(database, cast.space_id) == [*before, ("member.remove", cast.owner.id, True)]
