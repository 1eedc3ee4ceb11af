"""Spaces, on both engines."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from sqlalchemy import select

from tests.support.cast import NOW, Cast, gather_cast
from tests.support.databases import AnyDatabase
from tidings.errors import Conflict, Forbidden, Gone, Invalid, NotFound
from tidings.store.database import Tx
from tidings.store.schema import events
from tidings.workspace.access import Caller
from tidings.workspace.orgs import create_org
from tidings.workspace.spaces import Space, create_space, delete_space, find_space, get_space, list_own_spaces, list_spaces, update_space

pytestmark = pytest.mark.furnished(make=gather_cast)


@pytest.fixture
def cast(furniture: Cast) -> Cast:
    return furniture


async def create(database: AnyDatabase, cast: Cast, **config: Any) -> Space:
    return await database.write(create_space, cast.owner, cast.org_id, {"name": "New", **config}, now=NOW)


async def test_a_space_has_podio_s_defaults(database: AnyDatabase, cast: Cast) -> None:
    config = (await create(database, cast)).config
    assert (config.privacy, config.auto_join, config.post_on_new_app, config.post_on_new_member) == ("closed", False, True, True)


async def test_a_space_reads_back_as_it_was_made(database: AnyDatabase, cast: Cast) -> None:
    space = await create(database, cast, privacy="open", auto_join=True, post_on_new_app=False, surprise=1)
    assert (space.config.privacy, space.config.auto_join, space.config.post_on_new_app) == ("open", True, False)
    assert (space.org_label, space.config.url_label, space.role) == ("engines", "new", "admin")
    assert await database.read(get_space, cast.owner, space.space_id) == space
    assert await database.read(find_space, cast.owner, "engines", "new") == space


async def test_any_member_of_the_organization_may_make_one_and_is_its_admin(database: AnyDatabase, cast: Cast) -> None:
    space = await database.write(create_space, cast.colleague, cast.org_id, {"name": "Mine"}, now=NOW)
    assert space.role == "admin"


async def test_a_label_is_unique_in_its_organization_alone(database: AnyDatabase, cast: Cast) -> None:
    assert (await create(database, cast, name="Workshop")).config.url_label == "workshop-2"
    other = await database.write(create_org, cast.owner, "Other", now=NOW)
    space = await database.write(create_space, cast.owner, other.org_id, {"name": "Workshop"}, now=NOW)
    assert space.config.url_label == "workshop"


async def test_labels_are_numbered_for_those_who_ask_together(database: AnyDatabase, cast: Cast) -> None:
    made = await asyncio.gather(*(create(database, cast, name="Team") for _ in range(6)))
    assert len({space.config.url_label for space in made}) == 6


async def test_the_label_of_a_deleted_space_is_not_given_again(database: AnyDatabase, cast: Cast) -> None:
    await database.write(delete_space, cast.owner, cast.space_id, now=NOW)
    assert (await create(database, cast, name="Workshop")).config.url_label == "workshop-2"
    with pytest.raises(Gone):
        await database.read(find_space, cast.owner, "engines", "workshop")


async def test_a_change_keeps_what_it_does_not_name(database: AnyDatabase, cast: Cast) -> None:
    before = await create(database, cast, auto_join=True)
    after = await database.write(update_space, cast.owner, before.space_id, {"name": "Newer"})
    assert after.config.name == "Newer"
    assert (after.config.auto_join, after.config.privacy, after.config.url_label) == (True, "closed", "new")
    opened = await database.write(update_space, cast.owner, before.space_id, {"privacy": "open", "auto_join": None})
    assert (opened.config.name, opened.config.privacy, opened.config.auto_join) == ("Newer", "open", False)


async def test_a_label_can_be_chosen_where_it_is_free(database: AnyDatabase, cast: Cast) -> None:
    space = await create(database, cast)
    changed = await database.write(update_space, cast.owner, space.space_id, {"url_label": "The New One"})
    assert changed.config.url_label == "the-new-one"
    with pytest.raises(Conflict):
        await database.write(update_space, cast.owner, space.space_id, {"url_label": "workshop"})


async def test_what_a_space_cannot_be_is_refused_by_name(database: AnyDatabase, cast: Cast) -> None:
    impossible: list[tuple[dict[str, Any], str]] = [
        ({"name": " "}, "name"),
        ({"name": "x" * 256}, "name"),
        ({"name": 5}, "name"),
        ({"name": None}, "name"),
        ({"privacy": "secret"}, "privacy"),
        ({"auto_join": "yes"}, "auto_join"),
    ]
    for config, field in impossible:
        with pytest.raises(Invalid) as raised:
            await create(database, cast, **config)
        assert raised.value.parameters["field"] == field
        with pytest.raises(Invalid) as raised:
            await database.write(update_space, cast.owner, cast.space_id, config)
        assert raised.value.parameters["field"] == field


async def test_only_what_one_may_look_into_is_listed(database: AnyDatabase, cast: Cast) -> None:
    async def names(caller: Any) -> list[str]:
        return [space.config.name for space in await database.read(list_spaces, caller, cast.org_id)]

    assert await names(cast.owner) == ["Workshop", "Hall"]
    assert await names(cast.light) == ["Workshop", "Hall"]
    assert await names(cast.colleague) == ["Hall"]


async def test_one_s_own_spaces_are_those_one_is_a_member_of(database: AnyDatabase, cast: Cast) -> None:
    async def names(caller: Caller) -> list[str]:
        return [space.config.name for space in await database.read(list_own_spaces, caller)]

    assert await names(cast.owner) == ["Workshop", "Hall"]
    assert await names(cast.light) == ["Workshop"]
    assert await names(cast.nobody) == []
    await database.write(delete_space, cast.owner, cast.space_id, now=NOW)
    assert await names(cast.owner) == ["Hall"]
    with pytest.raises(Forbidden):
        await names(cast.app)


async def test_a_label_that_names_nothing_is_not_found(database: AnyDatabase, cast: Cast) -> None:
    for labels in (("engines", "nowhere"), ("nowhere", "workshop"), ("", ""), ("x" * 3000, "y")):
        with pytest.raises(NotFound):
            await database.read(find_space, cast.owner, *labels)


async def test_what_is_out_of_reach_does_not_tell_its_id_by_its_label(database: AnyDatabase, cast: Cast) -> None:
    with pytest.raises(NotFound) as raised:
        await database.read(find_space, cast.stranger, "engines", "workshop")
    assert raised.value.parameters == {"url": "engines/workshop"}


async def test_every_app_of_a_deleted_space_says_that_it_is_deleted(database: AnyDatabase, cast: Cast) -> None:
    def deleted(tx: Tx) -> list[tuple[int, bool]]:
        rows = tx.execute(select(events).where(events.c.type == "app.delete").order_by(events.c.event_id))
        return [(int(json.loads(row.parameters)["app_id"]), row.heard) for row in rows]

    await database.write(delete_space, cast.owner, cast.space_id, now=NOW, heard=False)
    assert await database.read(deleted) == [(cast.app_id, False), (cast.sibling_id, False)]
