"""Who may do what: every operation of the workspace (but for items) by everybody in every position, in one table."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.support.cast import KEYRING, NOW, Cast, gather_cast
from tests.support.databases import AnyDatabase
from tests.support.rights import answers
from tidings.errors import Forbidden, Gone, NotFound
from tidings.store.database import Tx
from tidings.workspace import apps, members, orgs, spaces
from tidings.workspace.access import SYSTEM, Caller, reach_app, reach_org, reach_space
from tidings.workspace.accounts import users
from tidings.workspace.fields import fields
from tidings.workspace.fields.fields import FieldChange, NewField

Operation = Callable[[Tx, Caller, Cast], object]

OPERATIONS: dict[str, Operation] = {
    "get_myself": lambda tx, who, _: users.get_myself(tx, who),
    "create_org": lambda tx, who, _: orgs.create_org(tx, who, "New", now=NOW),
    "list_orgs": lambda tx, who, _: orgs.list_orgs(tx, who),
    "get_org": lambda tx, who, cast: orgs.get_org(tx, who, cast.org_id),
    "list_spaces": lambda tx, who, cast: spaces.list_spaces(tx, who, cast.org_id),
    "create_space": lambda tx, who, cast: spaces.create_space(tx, who, cast.org_id, {"name": "New"}, now=NOW),
    "get_space": lambda tx, who, cast: spaces.get_space(tx, who, cast.space_id),
    "find_space": lambda tx, who, _: spaces.find_space(tx, who, "engines", "workshop"),
    "update_space": lambda tx, who, cast: spaces.update_space(tx, who, cast.space_id, {"name": "New"}),
    "delete_space": lambda tx, who, cast: spaces.delete_space(tx, who, cast.space_id, now=NOW),
    "list_members": lambda tx, who, cast: members.list_members(tx, who, cast.space_id),
    "get_member": lambda tx, who, cast: members.get_member(tx, who, cast.space_id, cast.light.id),
    "add_members": lambda tx, who, cast: members.add_members(tx, who, cast.space_id, "light", [cast.nobody.id], now=NOW),
    "set_role": lambda tx, who, cast: members.set_role(tx, who, cast.space_id, [cast.light.id], "regular"),
    "remove_members": lambda tx, who, cast: members.remove_members(tx, who, cast.space_id, [cast.light.id], now=NOW),
    "join_space": lambda tx, who, cast: members.join_space(tx, who, cast.space_id, now=NOW),
    "join_open_space": lambda tx, who, cast: members.join_space(tx, who, cast.open_space_id, now=NOW),
    "leave_space": lambda tx, who, cast: members.leave_space(tx, who, cast.space_id, now=NOW),
    "create_app": lambda tx, who, cast: apps.create_app(tx, who, cast.space_id, {"name": "New"}, keyring=KEYRING, now=NOW),
    "list_apps": lambda tx, who, cast: apps.list_apps(tx, who, cast.space_id),
    "list_own_apps": lambda tx, who, _: apps.list_own_apps(tx, who),
    "find_app": lambda tx, who, cast: apps.find_app(tx, who, cast.space_id, "tasks"),
    "get_app": lambda tx, who, cast: apps.get_app(tx, who, cast.app_id),
    "open_app_token": lambda tx, who, cast: apps.open_app_token(tx, who, cast.app_id, keyring=KEYRING),
    "update_app": lambda tx, who, cast: apps.update_app(tx, who, cast.app_id, {"name": "New"}, now=NOW),
    "set_app_status": lambda tx, who, cast: apps.set_app_status(tx, who, cast.app_id, "inactive", now=NOW),
    "delete_app": lambda tx, who, cast: apps.delete_app(tx, who, cast.app_id, now=NOW),
    "get_field": lambda tx, who, cast: fields.get_field(tx, who, cast.app_id, "title"),
    "create_field": lambda tx, who, cast: fields.create_field(tx, who, cast.app_id, NewField("text", {"label": "New"}), now=NOW),
    "update_field": lambda tx, who, cast: fields.update_field(tx, who, cast.app_id, "title", FieldChange(config={"label": "New"}), now=NOW),
    "delete_field": lambda tx, who, cast: fields.delete_field(tx, who, cast.app_id, "title", now=NOW),
}

TABLE = """
                 owner admin regular light colleague stranger nobody app sibling far_app
get_myself       ok    ok    ok      ok    ok        ok       ok     403 403     403
create_org       ok    ok    ok      ok    ok        ok       ok     403 403     403
list_orgs        ok    ok    ok      ok    ok        ok       ok     403 403     403
get_org          ok    ok    ok      ok    ok        404      404    403 403     404
list_spaces      ok    ok    ok      ok    ok        404      404    403 403     404
create_space     ok    ok    ok      ok    ok        404      404    403 403     404
get_space        ok    ok    ok      ok    403       404      404    403 403     404
find_space       ok    ok    ok      ok    403       404      404    403 403     404
update_space     ok    ok    403     403   403       404      404    403 403     404
delete_space     ok    ok    403     403   403       404      404    403 403     404
list_members     ok    ok    ok      ok    403       404      404    403 403     404
get_member       ok    ok    ok      ok    403       404      404    403 403     404
add_members      ok    ok    403     403   403       404      404    403 403     404
set_role         ok    ok    403     403   403       404      404    403 403     404
remove_members   ok    ok    403     403   403       404      404    403 403     404
join_space       ok    ok    ok      ok    403       404      404    403 403     404
join_open_space  ok    ok    ok      ok    ok        404      404    403 403     404
leave_space      ok    ok    ok      ok    403       404      404    403 403     404
create_app       ok    ok    403     403   403       404      404    403 403     404
list_apps        ok    ok    ok      ok    403       404      404    403 403     404
list_own_apps    ok    ok    ok      ok    ok        ok       ok     ok  ok      ok
find_app         ok    ok    ok      ok    403       404      404    403 403     404
get_app          ok    ok    ok      ok    403       404      404    ok  403     404
open_app_token   ok    ok    403     403   403       404      404    ok  403     404
update_app       ok    ok    403     403   403       404      404    ok  403     404
set_app_status   ok    ok    403     403   403       404      404    ok  403     404
delete_app       ok    ok    403     403   403       404      404    ok  403     404
get_field        ok    ok    ok      ok    403       404      404    ok  403     404
create_field     ok    ok    403     403   403       404      404    ok  403     404
update_field     ok    ok    403     403   403       404      404    ok  403     404
delete_field     ok    ok    403     403   403       404      404    ok  403     404
"""


pytestmark = pytest.mark.furnished(make=gather_cast)


@pytest.fixture
def cast(furniture: Cast) -> Cast:
    return furniture


async def test_every_operation_answers_everybody_as_the_table_says(database: AnyDatabase, cast: Cast) -> None:
    head, *lines = TABLE.strip().splitlines()
    positions = head.split()
    expected = {line.split()[0]: dict(zip(positions, line.split()[1:], strict=True)) for line in lines}
    found = {name: await answers(database, cast, positions, operation, cast) for name, operation in OPERATIONS.items()}
    assert found == expected


async def test_what_is_out_of_reach_and_what_is_not_there_say_the_same(database: AnyDatabase, cast: Cast) -> None:
    async def sentence(reach: Callable[[Tx, Caller, int], object], caller: Caller, number: int) -> tuple[str, object]:
        with pytest.raises(NotFound) as raised:
            await database.read(reach, caller, number)
        return raised.value.description, sorted(raised.value.parameters)

    theirs: list[tuple[Callable[[Tx, Caller, int], object], int]] = [
        (reach_app, cast.app_id),
        (reach_space, cast.space_id),
        (reach_org, cast.org_id),
    ]
    for caller in (cast.stranger, cast.nobody, cast.far_app):
        for reach, number in theirs:
            assert await sentence(reach, caller, number) == await sentence(reach, caller, 999_999)


async def test_a_deleted_app_is_gone_for_its_people_and_was_never_there_for_others(database: AnyDatabase, cast: Cast) -> None:
    await database.write(apps.delete_app, cast.owner, cast.app_id, now=NOW)
    for caller in (cast.owner, cast.light, cast.app):
        with pytest.raises(Gone):
            await database.read(reach_app, caller, cast.app_id)
    for stranger in (cast.stranger, cast.far_app):
        with pytest.raises(NotFound):
            await database.read(reach_app, stranger, cast.app_id)
    with pytest.raises(Forbidden):
        await database.read(reach_app, cast.colleague, cast.app_id)


async def test_a_deleted_space_takes_what_is_in_it_along(database: AnyDatabase, cast: Cast) -> None:
    await database.write(spaces.delete_space, cast.owner, cast.space_id, now=NOW)
    with pytest.raises(Gone):
        await database.read(reach_space, cast.light, cast.space_id)
    with pytest.raises(Gone):
        await database.read(reach_app, cast.app, cast.app_id)


async def test_an_open_space_lets_the_organization_look_but_not_touch(database: AnyDatabase, cast: Cast) -> None:
    space = await database.read(spaces.get_space, cast.light, cast.open_space_id)
    assert space.role == "light"
    with pytest.raises(Forbidden):
        await database.read(reach_space, cast.light, cast.open_space_id, "regular")


async def test_tidings_itself_may_do_anything(database: AnyDatabase, cast: Cast) -> None:
    for app_id in (cast.app_id, cast.far_app_id):
        assert (await database.read(reach_app, SYSTEM, app_id, "admin"))["app_id"] == app_id


async def test_an_app_and_the_caller_s_role_are_read_in_one_statement(database: AnyDatabase, cast: Cast) -> None:
    def count(tx: Tx, caller: Caller) -> int:
        before = database.statements
        reach_app(tx, caller, cast.app_id, "regular")
        return database.statements - before

    for caller in (cast.regular, cast.app, SYSTEM):
        assert await database.read(count, caller) == 1


@pytest.mark.parametrize("author", [Caller("user", 6, 1), Caller("app", 2**31 - 1, 0), SYSTEM])
def test_an_author_reads_back_as_the_caller(author: Caller) -> None:
    assert Caller.from_author(author.author) == author
