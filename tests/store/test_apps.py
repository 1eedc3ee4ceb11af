"""Apps: made, changed, switched off, deleted, and what each of these says, on both engines."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from sqlalchemy import select, update

from tests.support.cast import FIELDS, KEYRING, NOW, Cast, gather_cast, read_events
from tests.support.databases import AnyDatabase
from tidings.errors import Gone, Invalid, NotFound, Unavailable
from tidings.store import schema
from tidings.store.sealing import Keyring
from tidings.workspace.apps import (
    App,
    create_app,
    delete_app,
    find_app,
    get_app,
    list_apps,
    list_own_apps,
    open_app_token,
    set_app_status,
    update_app,
)
from tidings.workspace.fields.fields import FieldChange, NewField
from tidings.workspace.names import TEXT_LIMIT

pytestmark = pytest.mark.furnished(make=gather_cast)


@pytest.fixture
def cast(furniture: Cast) -> Cast:
    return furniture


async def create(database: AnyDatabase, cast: Cast, config: dict[str, Any], *fields: NewField, heard: bool = True) -> App:
    return await database.write(create_app, cast.admin, cast.space_id, config, fields, keyring=KEYRING, now=NOW, heard=heard)


# --- making --------------------------------------------------------------------------------------------------------------


async def test_a_new_app_reads_back_with_its_fields(database: AnyDatabase, cast: Cast) -> None:
    app = await create(database, cast, {"name": " Orders ", "item_name": "Order", "allow_tags": None, "tasks": []}, *FIELDS)
    assert (app.config.name, app.config.item_name, app.config.allow_tags) == ("Orders", "Order", True)
    assert (app.status, app.revision, app.url_label, app.org_label, app.space_label) == ("active", 0, "orders", "engines", "workshop")
    assert (app.owner.name, app.role, app.created_at) == ("Admin", "admin", NOW)
    assert [(field.external_id, field.type, field.position) for field in app.fields] == [
        ("title", "text", 0),
        ("status", "category", 1),
        ("due-date", "date", 2),
    ]
    assert await database.read(get_app, cast.admin, app.app_id) == app
    assert await database.read(find_app, cast.admin, cast.space_id, "orders") == app


async def test_items_are_called_as_their_app_where_nothing_is_said(database: AnyDatabase, cast: Cast) -> None:
    assert (await create(database, cast, {"name": "Orders"})).config.item_name == "Orders"


async def test_a_new_app_says_so_once_whatever_fields_it_has(database: AnyDatabase, cast: Cast) -> None:
    app = await create(database, cast, {"name": "Orders"}, *FIELDS)
    [event] = await database.read(
        lambda tx: tx.execute(
            select(schema.events).where(schema.events.c.object_id == app.app_id, schema.events.c.object_type == "app")
        ).all()
    )
    assert (event.type, event.space_id, event.app_id, event.object_id) == ("app.create", cast.space_id, app.app_id, app.app_id)
    assert json.loads(event.parameters) == {"app_id": str(app.app_id)}
    assert (event.heard, event.created_by, event.created_at) == (True, cast.admin.author, NOW)


async def test_labels_are_numbered_in_their_space(database: AnyDatabase, cast: Cast) -> None:
    made = await asyncio.gather(*(create(database, cast, {"name": "Tasks"}) for _ in range(4)))
    assert {app.url_label for app in made} == {"tasks-2", "tasks-3", "tasks-4", "tasks-5"}


IMPOSSIBLE: list[tuple[dict[str, Any], list[NewField], str]] = [
    ({}, [], "config.name"),
    ({"name": ""}, [], "config.name"),
    ({"name": "x" * 256}, [], "config.name"),
    ({"name": ["x"]}, [], "config.name"),
    ({"name": "A", "item_name": " "}, [], "config.item_name"),
    ({"name": "A", "type": "odd"}, [], "config.type"),
    ({"name": "A", "description": "x" * (TEXT_LIMIT + 1)}, [], "config.description"),
    ({"name": "A", "allow_edit": "yes"}, [], "config.allow_edit"),
    ({"name": "A", "app_item_id_padding": 11}, [], "config.app_item_id_padding"),
    ({"name": "A"}, [NewField("text", {})], "fields[0].config.label"),
    ({"name": "A"}, [*FIELDS, NewField("text", {"label": " "})], "fields[3].config.label"),
    ({"name": "A"}, [NewField("number", {"label": "N", "settings": {"decimals": -1}})], "fields[0].config.settings.decimals"),
    ({"name": "A"}, [NewField("text", {"label": "N", "settings": "small"})], "fields[0].config.settings"),
    ({"name": "A"}, [NewField("text", {"label": "N"}, external_id="Not A Label")], "fields[0].external_id"),
]


async def test_what_an_app_cannot_be_is_refused_by_name_and_nothing_is_written(database: AnyDatabase, cast: Cast) -> None:
    before = await database.read(list_apps, cast.admin, cast.space_id)
    for config, fields, field in IMPOSSIBLE:
        with pytest.raises(Invalid) as raised:
            await create(database, cast, config, *fields)
        assert raised.value.parameters["field"] == field
    assert await database.read(list_apps, cast.admin, cast.space_id) == before


# --- the token -----------------------------------------------------------------------------------------------------------


async def test_the_token_is_32_hex_digits_sealed_for_this_very_app(database: AnyDatabase, cast: Cast) -> None:
    token = await database.read(open_app_token, cast.admin, cast.app_id, keyring=KEYRING)
    assert len(token) == 32
    assert int(token, 16) > 0
    assert token != await database.read(open_app_token, cast.admin, cast.sibling_id, keyring=KEYRING)
    with pytest.raises(Unavailable):
        await database.read(open_app_token, cast.admin, cast.app_id, keyring=Keyring(b"x" * 32))
    sealed = select(schema.apps.c.token_sealed).where(schema.apps.c.app_id == cast.app_id).scalar_subquery()
    await database.write(lambda tx: tx.execute(update(schema.apps).values(token_sealed=sealed)).rowcount)
    with pytest.raises(Unavailable):
        await database.read(open_app_token, cast.admin, cast.sibling_id, keyring=KEYRING)


async def test_the_token_is_in_no_app_that_is_handed_round(database: AnyDatabase, cast: Cast) -> None:
    token = await database.read(open_app_token, cast.admin, cast.app_id, keyring=KEYRING)
    assert token not in repr(await database.read(get_app, cast.admin, cast.app_id))


# --- changing ------------------------------------------------------------------------------------------------------------


async def test_a_change_keeps_what_it_does_not_name(database: AnyDatabase, cast: Cast) -> None:
    before = await database.read(get_app, cast.admin, cast.app_id)
    revision = await database.write(update_app, cast.admin, cast.app_id, {"description": "All of it"}, now=NOW)
    after = await database.read(get_app, cast.admin, cast.app_id)
    assert (revision, after.revision, after.config.description) == (1, 1, "All of it")
    assert (after.config.name, after.config.item_name, after.fields, after.url_label) == ("Tasks", "Task", before.fields, "tasks")
    assert await database.read(read_events, cast.app_id) == [("app.create", True), ("app.update", True)]


async def test_a_change_that_changes_nothing_writes_nothing(database: AnyDatabase, cast: Cast) -> None:
    app = await database.read(get_app, cast.admin, cast.app_id)
    same = [
        FieldChange(field.field_id, field.type, {"label": field.config.label, "settings": field.config.settings}) for field in app.fields
    ]
    assert await database.write(update_app, cast.admin, cast.app_id, {"name": "Tasks"}, same, now=NOW) == 0
    await database.write(set_app_status, cast.admin, cast.app_id, "active", now=NOW)
    assert await database.read(read_events, cast.app_id) == [("app.create", True)]
    assert await database.read(get_app, cast.admin, cast.app_id) == app


async def test_one_change_of_config_and_many_fields_is_one_revision(database: AnyDatabase, cast: Cast) -> None:
    app = await database.read(get_app, cast.admin, cast.app_id)
    changes = [
        FieldChange(app.fields[0].field_id, config={"label": "Headline", "required": True}),
        FieldChange(type="money", config={"label": "Price"}),
        FieldChange(type="text", config={"label": "Title"}),
    ]
    assert await database.write(update_app, cast.admin, cast.app_id, {"name": "Jobs"}, changes, now=NOW, heard=False) == 1
    after = await database.read(get_app, cast.admin, cast.app_id)
    assert [(field.external_id, field.config.label) for field in after.fields] == [
        ("title", "Headline"),
        ("status", "Status"),
        ("due-date", "Due date"),
        ("price", "Price"),
        ("title-2", "Title"),
    ]
    assert after.fields[0].config.required
    assert await database.read(read_events, cast.app_id) == [("app.create", True), ("app.update", False)]


async def test_a_wrong_field_undoes_the_whole_change(database: AnyDatabase, cast: Cast) -> None:
    wrong = [
        (FieldChange(type="money", config={}), "fields[0].config.label"),
        (FieldChange(config={"label": "New"}), "fields[0].type"),
        (FieldChange(type="text", config={"label": "New"}, external_id="title"), "fields[0].external_id"),
    ]
    for change, field in wrong:
        with pytest.raises(Invalid) as raised:
            await database.write(update_app, cast.admin, cast.app_id, {"name": "Jobs"}, [change], now=NOW)
        assert raised.value.parameters["field"] == field
    assert (await database.read(get_app, cast.admin, cast.app_id)).config.name == "Tasks"
    assert await database.read(read_events, cast.app_id) == [("app.create", True)]


async def test_a_field_of_another_app_is_not_found(database: AnyDatabase, cast: Cast) -> None:
    app = await database.read(get_app, cast.admin, cast.app_id)
    change = FieldChange(app.fields[0].field_id, config={"label": "Mine now"})
    with pytest.raises(NotFound):
        await database.write(update_app, cast.admin, cast.sibling_id, {}, [change], now=NOW)


async def test_of_changes_made_together_none_is_lost(database: AnyDatabase, cast: Cast) -> None:
    parts = ["description", "usage", "icon", "default_view", "app_item_id_prefix", "external_id"]
    revisions = await asyncio.gather(*(database.write(update_app, cast.admin, cast.app_id, {part: part}, now=NOW) for part in parts))
    assert sorted(revisions) == [1, 2, 3, 4, 5, 6]
    config = (await database.read(get_app, cast.admin, cast.app_id)).config
    assert [getattr(config, part) for part in parts] == parts


async def test_an_app_switched_off_is_listed_only_when_asked_for(database: AnyDatabase, cast: Cast) -> None:
    async def names(*, include_inactive: bool) -> list[str]:
        found = await database.read(list_apps, cast.light, cast.space_id, include_inactive=include_inactive)
        return [app.config.name for app in found]

    await database.write(set_app_status, cast.admin, cast.app_id, "inactive", now=NOW)
    assert await names(include_inactive=False) == ["Bugs"]
    assert await names(include_inactive=True) == ["Tasks", "Bugs"]
    await database.write(set_app_status, cast.admin, cast.app_id, "active", now=NOW)
    assert await names(include_inactive=False) == ["Tasks", "Bugs"]
    assert await database.read(read_events, cast.app_id) == [("app.create", True), ("app.update", True), ("app.update", True)]


# --- deleting and finding ------------------------------------------------------------------------------------------------


async def test_a_deleted_app_says_so_and_is_gone(database: AnyDatabase, cast: Cast) -> None:
    await database.write(delete_app, cast.app, cast.app_id, now=NOW)
    assert await database.read(read_events, cast.app_id) == [("app.create", True), ("app.delete", True)]
    with pytest.raises(Gone):
        await database.read(get_app, cast.admin, cast.app_id)
    with pytest.raises(Gone):
        await database.read(find_app, cast.admin, cast.space_id, "tasks")
    with pytest.raises(Gone):
        await database.write(delete_app, cast.admin, cast.app_id, now=NOW)
    assert [app.app_id for app in await database.read(list_apps, cast.admin, cast.space_id)] == [cast.sibling_id]
    assert (await create(database, cast, {"name": "Tasks"})).url_label == "tasks-2"


async def test_an_app_deleted_twice_at_once_says_so_once(database: AnyDatabase, cast: Cast) -> None:
    asked = [database.write(delete_app, cast.admin, cast.app_id, now=NOW) for _ in range(4)]
    answers = await asyncio.gather(*asked, return_exceptions=True)
    assert [type(answer) for answer in answers].count(Gone) == 3
    assert await database.read(read_events, cast.app_id) == [("app.create", True), ("app.delete", True)]


async def test_one_s_own_apps_are_those_one_may_look_into(database: AnyDatabase, cast: Cast) -> None:
    async def own(caller: Any) -> list[int]:
        return [app.app_id for app in await database.read(list_own_apps, caller)]

    assert await own(cast.owner) == await own(cast.light) == [cast.app_id, cast.sibling_id]
    assert await own(cast.colleague) == await own(cast.nobody) == []
    assert await own(cast.stranger) == await own(cast.far_app) == [cast.far_app_id]
    assert await own(cast.app) == [cast.app_id]


async def test_a_label_of_no_app_is_not_found(database: AnyDatabase, cast: Cast) -> None:
    with pytest.raises(NotFound):
        await database.read(find_app, cast.admin, cast.space_id, "x" * 5_000)
