"""Who is in a space, on both engines."""

from __future__ import annotations

import asyncio

import pytest

from tests.support.cast import NOW, Cast, gather_cast
from tests.support.databases import AnyDatabase
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


@pytest.fixture
async def cast(database: AnyDatabase) -> Cast:
    return await database.write(gather_cast)


async def roles(database: AnyDatabase, cast: Cast, space_id: int | None = None) -> dict[str, str]:
    found = await database.read(list_members, cast.owner, space_id or cast.space_id)
    return {member.user.name: member.role for member in found}


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
    await database.write(leave_space, cast.light, cast.space_id)
    await database.read(get_org, cast.light, cast.org_id)
    await database.write(leave_space, cast.light, cast.open_space_id)
    with pytest.raises(NotFound):
        await database.read(get_org, cast.light, cast.org_id)


async def test_the_admin_of_an_organization_stays_it_without_a_space(database: AnyDatabase, cast: Cast) -> None:
    await database.write(leave_space, cast.owner, cast.space_id)
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
        await database.write(remove_members, cast.admin, cast.space_id, crowd)


async def test_a_role_can_be_changed(database: AnyDatabase, cast: Cast) -> None:
    await database.write(set_role, cast.admin, cast.space_id, [cast.light.id, cast.regular.id], "admin")
    assert set((await roles(database, cast)).values()) == {"admin"}


async def test_members_can_be_taken_out(database: AnyDatabase, cast: Cast) -> None:
    await database.write(remove_members, cast.admin, cast.space_id, [cast.light.id, cast.regular.id])
    assert set(await roles(database, cast)) == {"Owner", "Admin"}
    with pytest.raises(NotFound):
        await database.write(remove_members, cast.admin, cast.space_id, [cast.light.id])
    with pytest.raises(NotFound):
        await database.write(set_role, cast.admin, cast.space_id, [cast.light.id], "admin")


async def test_the_last_admin_can_neither_leave_nor_be_demoted_nor_taken_out(database: AnyDatabase, cast: Cast) -> None:
    await database.write(leave_space, cast.owner, cast.space_id)
    with pytest.raises(Conflict):
        await database.write(leave_space, cast.admin, cast.space_id)
    with pytest.raises(Conflict):
        await database.write(set_role, cast.admin, cast.space_id, [cast.admin.id, cast.light.id], "regular")
    with pytest.raises(Conflict):
        await database.write(remove_members, cast.owner, cast.space_id, [cast.admin.id])
    assert (await roles(database, cast)).items() >= {"Admin": "admin", "Light": "light"}.items()


async def test_two_admins_who_leave_together_do_not_leave_none(database: AnyDatabase, cast: Cast) -> None:
    left = await asyncio.gather(
        *(database.write(leave_space, caller, cast.space_id) for caller in (cast.owner, cast.admin)), return_exceptions=True
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
        await database.write(leave_space, cast.light, cast.open_space_id)


async def test_people_who_join_together_are_all_in(database: AnyDatabase, cast: Cast) -> None:
    joining: list[Caller] = [cast.admin, cast.regular, cast.light]
    await asyncio.gather(*(database.write(join_space, caller, cast.open_space_id, now=NOW) for caller in joining * 2))
    assert set(await roles(database, cast, cast.open_space_id)) == {"Owner", "Colleague", "Admin", "Regular", "Light"}
