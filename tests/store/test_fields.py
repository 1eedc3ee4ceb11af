"""The fields of an app, and the definition that is remembered, on both engines."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from sqlalchemy import select

from tests.support.cast import NOW, Cast, gather_cast, read_events
from tests.support.databases import AnyDatabase
from tidings.errors import Gone, Invalid, NotFound
from tidings.store.database import Tx
from tidings.store.schema import apps
from tidings.workspace.access import reach_app
from tidings.workspace.apps import delete_app, get_app
from tidings.workspace.fields.fields import (
    FIELD_LIMIT,
    REMEMBERED,
    Field,
    FieldChange,
    NewField,
    create_field,
    definition,
    delete_field,
    get_field,
    insert_fields,
    load_fields,
    update_field,
)

pytestmark = pytest.mark.furnished(make=gather_cast)


@pytest.fixture
def cast(furniture: Cast) -> Cast:
    return furniture


async def create(database: AnyDatabase, cast: Cast, field_type: str = "text", **config: Any) -> Field:
    new = NewField(field_type, {"label": "New", **config})
    return await database.write(create_field, cast.admin, cast.app_id, new, now=NOW)


async def change(database: AnyDatabase, cast: Cast, name: str, **config: Any) -> int:
    return await database.write(update_field, cast.admin, cast.app_id, name, FieldChange(config=config), now=NOW)


class _Undone(Exception):
    """So that a transaction is rolled back."""


def defined(tx: Tx, cast: Cast) -> tuple[Field, ...]:
    return definition(tx, reach_app(tx, cast.admin, cast.app_id))


# --- making, changing, deleting ------------------------------------------------------------------------------------------


async def test_a_new_field_stands_last_and_says_that_the_app_changed(database: AnyDatabase, cast: Cast) -> None:
    field = await create(database, cast, "number", required=True, description="How many", settings={"decimals": 2})
    assert (field.external_id, field.type, field.status, field.position) == ("new", "number", "active", 3)
    assert (field.config.required, field.config.description, field.config.settings) == (True, "How many", {"decimals": 2})
    assert (await database.read(load_fields, cast.app_id))[-1] == field
    app = await database.read(get_app, cast.admin, cast.app_id)
    assert (app.revision, app.fields[-1]) == (1, field)
    assert await database.read(read_events, cast.app_id) == [("app.create", True), ("app.update", True)]


async def test_a_field_is_found_by_its_id_and_its_external_id(database: AnyDatabase, cast: Cast) -> None:
    field = await create(database, cast, label="2024")
    assert field.external_id == "2024"
    assert await database.read(get_field, cast.light, cast.app_id, str(field.field_id)) == field
    assert await database.read(get_field, cast.light, cast.app_id, "2024") == field


async def test_a_name_of_no_field_is_not_found(database: AnyDatabase, cast: Cast) -> None:
    for name in ("nothing", "0", "-1", "99999999999999999999", str(2**31 - 1), "\N{ARABIC-INDIC DIGIT THREE}", "x" * 5_000):
        with pytest.raises(NotFound):
            await database.read(get_field, cast.light, cast.app_id, name)


async def test_a_field_of_another_app_is_not_found(database: AnyDatabase, cast: Cast) -> None:
    field = await database.read(get_field, cast.light, cast.app_id, "title")
    with pytest.raises(NotFound):
        await database.read(get_field, cast.light, cast.sibling_id, str(field.field_id))


async def test_a_change_keeps_what_it_does_not_name(database: AnyDatabase, cast: Cast) -> None:
    assert await change(database, cast, "status", label="State", required=True) == 1
    assert await change(database, cast, "status", settings={"multiple": True}) == 2
    field = await database.read(get_field, cast.light, cast.app_id, "status")
    assert (field.external_id, field.config.label, field.config.required, field.position) == ("status", "State", True, 1)
    assert field.config.settings["multiple"] is True
    assert [option["text"] for option in field.config.settings["options"]] == ["Open", "Done"]


async def test_a_change_that_changes_nothing_writes_nothing(database: AnyDatabase, cast: Cast) -> None:
    field = await database.read(get_field, cast.light, cast.app_id, "status")
    assert await change(database, cast, "status", label=" Status ", settings=field.config.settings, mapping=None) == 0
    assert await change(database, cast, "status") == 0
    assert await database.read(read_events, cast.app_id) == [("app.create", True)]


async def test_a_field_keeps_its_type(database: AnyDatabase, cast: Cast) -> None:
    same = FieldChange(type="text", config={"label": "Name"})
    assert await database.write(update_field, cast.admin, cast.app_id, "title", same, now=NOW) == 1
    with pytest.raises(Invalid, match="is of the type text, and stays so") as raised:
        await database.write(update_field, cast.admin, cast.app_id, "title", FieldChange(type="number"), now=NOW)
    assert raised.value.parameters["field"] == "type"


async def test_what_a_field_cannot_be_is_refused_by_name(database: AnyDatabase, cast: Cast) -> None:
    impossible: list[tuple[dict[str, Any], str]] = [
        ({"label": ""}, "label"),
        ({"label": 5}, "label"),
        ({"required": "yes"}, "required"),
        ({"delta": 2**31}, "delta"),
        ({"delta": "first"}, "delta"),
        ({"settings": {"size": "huge"}}, "settings.size"),
        ({"description": "x" * 20_001}, "description"),
    ]
    for config, field in impossible:
        with pytest.raises(Invalid) as raised:
            await create(database, cast, **config)
        assert raised.value.parameters["field"] == f"config.{field}"
        with pytest.raises(Invalid) as raised:
            await change(database, cast, "title", **config)
        assert raised.value.parameters["field"] == field
    assert await database.read(read_events, cast.app_id) == [("app.create", True)]


async def test_fields_stand_in_the_order_of_their_delta(database: AnyDatabase, cast: Cast) -> None:
    await create(database, cast, label="First", delta=-1)
    await change(database, cast, "title", delta=9)
    await create(database, cast, label="Last")
    fields = await database.read(load_fields, cast.app_id)
    assert [field.external_id for field in fields] == ["first", "status", "due-date", "title", "last"]
    assert [field.config.delta for field in fields] == [-1, 1, 2, 9, 10]


async def test_what_clients_send_for_nothing_means_nothing(database: AnyDatabase, cast: Cast) -> None:
    for label, nothing in (("A", None), ("B", [])):
        field = await create(database, cast, "text", label=label, settings=nothing, delta=None, description=None)
        assert (field.config.settings, field.position) == ({"size": "small", "format": "plain"}, 3 + "AB".index(label))
        assert await change(database, cast, field.external_id, settings=nothing, delta=None) == field.position - 2


async def test_a_delta_at_the_end_of_all_numbers_is_not_overrun(database: AnyDatabase, cast: Cast) -> None:
    await create(database, cast, delta=2**31 - 1)
    assert (await create(database, cast)).position == 2**31 - 1


async def test_external_ids_are_numbered_and_never_given_again(database: AnyDatabase, cast: Cast) -> None:
    assert (await create(database, cast, label="Title")).external_id == "title-2"
    await database.write(delete_field, cast.admin, cast.app_id, "title", now=NOW)
    assert (await create(database, cast, label="TITLE")).external_id == "title-3"
    assert (await create(database, cast, label="🚀")).external_id == "text"


async def test_an_external_id_can_be_chosen_once(database: AnyDatabase, cast: Cast) -> None:
    new = NewField("text", {"label": "New"}, external_id="my_own")
    assert (await database.write(create_field, cast.admin, cast.app_id, new, now=NOW)).external_id == "my_own"
    for taken in (new, NewField("text", {"label": "New"}, external_id="title")):
        with pytest.raises(Invalid, match="is, or was, a field of this app"):
            await database.write(create_field, cast.admin, cast.app_id, taken, now=NOW)


async def test_a_deleted_field_is_gone_and_the_app_says_that_it_changed(database: AnyDatabase, cast: Cast) -> None:
    field = await database.read(get_field, cast.light, cast.app_id, "title")
    assert await database.write(delete_field, cast.admin, cast.app_id, str(field.field_id), now=NOW, heard=False) == 1
    assert [each.external_id for each in await database.read(load_fields, cast.app_id)] == ["status", "due-date"]
    assert await database.read(read_events, cast.app_id) == [("app.create", True), ("app.update", False)]
    for name in ("title", str(field.field_id)):
        with pytest.raises(Gone):
            await database.read(get_field, cast.light, cast.app_id, name)
        with pytest.raises(Gone):
            await database.write(delete_field, cast.admin, cast.app_id, name, now=NOW)
        with pytest.raises(Gone):
            await change(database, cast, name, label="Back")


async def test_an_app_has_so_many_fields_and_no_more(database: AnyDatabase, cast: Cast) -> None:
    def fill(tx: Tx) -> None:
        insert_fields(tx, cast.app_id, cast.org_id, [("", NewField("text", {"label": "X"}))] * (FIELD_LIMIT - 3))

    await database.write(fill)
    with pytest.raises(Invalid, match=f"at most {FIELD_LIMIT}"):
        await create(database, cast)


async def test_fields_made_together_are_all_there(database: AnyDatabase, cast: Cast) -> None:
    made = await asyncio.gather(*(create(database, cast) for _ in range(8)))
    assert len({field.external_id for field in made}) == 8
    assert sorted(field.position for field in made) == list(range(3, 11))
    assert (await database.read(get_app, cast.admin, cast.app_id)).revision == 8


# --- references ----------------------------------------------------------------------------------------------------------


async def test_a_field_refers_to_apps_of_its_own_organization(database: AnyDatabase, cast: Cast) -> None:
    field = await create(database, cast, "app", settings={"referenceable_types": [cast.sibling_id, cast.app_id]})
    assert field.config.settings["referenced_apps"] == [
        {"app_id": cast.sibling_id, "view_id": None},
        {"app_id": cast.app_id, "view_id": None},
    ]


async def test_an_app_elsewhere_is_refused_in_the_words_of_one_that_is_not_there(database: AnyDatabase, cast: Cast) -> None:
    sentences = set()
    for app_id in (cast.far_app_id, 999_999):
        with pytest.raises(Invalid) as raised:
            await create(database, cast, "app", settings={"referenceable_types": [app_id]})
        sentences.add(raised.value.description.replace(str(app_id), "N"))
    assert len(sentences) == 1


async def test_a_reference_whose_app_was_deleted_does_not_hinder_other_changes(database: AnyDatabase, cast: Cast) -> None:
    await create(database, cast, "app", settings={"referenceable_types": [cast.sibling_id]})
    await database.write(delete_app, cast.admin, cast.sibling_id, now=NOW)
    assert await change(database, cast, "new", label="Newer") == 2
    with pytest.raises(Invalid):
        await create(database, cast, "app", settings={"referenceable_types": [cast.sibling_id]})


# --- the definition that is remembered -----------------------------------------------------------------------------------


async def test_a_definition_is_what_load_fields_reads(database: AnyDatabase, cast: Cast) -> None:
    for _ in range(2):
        assert await database.read(defined, cast) == tuple(await database.read(load_fields, cast.app_id))
    await change(database, cast, "title", label="Name")
    assert await database.read(defined, cast) == tuple(await database.read(load_fields, cast.app_id))


async def test_a_definition_is_read_once_a_connection_while_nothing_changes(database: AnyDatabase, cast: Cast) -> None:
    def statements(tx: Tx) -> list[int]:
        app = reach_app(tx, cast.admin, cast.app_id)
        counts = []
        for _ in range(3):
            before = database.statements
            definition(tx, app)
            counts.append(database.statements - before)
        return counts

    assert (await database.write(statements))[1:] == [0, 0]


async def test_an_app_without_fields_has_an_empty_definition(database: AnyDatabase, cast: Cast) -> None:
    assert await database.read(lambda tx: definition(tx, reach_app(tx, cast.admin, cast.sibling_id))) == ()


async def test_a_change_rolled_back_leaves_nothing_behind_in_memory(database: AnyDatabase, cast: Cast) -> None:
    def change_and_fail(tx: Tx) -> None:
        update_field(tx, cast.admin, cast.app_id, "title", FieldChange(config={"label": "Never"}), now=NOW)
        assert defined(tx, cast)[0].config.label == "Never"
        raise _Undone

    def change_and_look(tx: Tx) -> str:
        # The revision is the same as the one that never came to be.
        assert update_field(tx, cast.admin, cast.app_id, "title", FieldChange(config={"label": "Really"}), now=NOW) == 1
        return defined(tx, cast)[0].config.label

    for _ in range(4):  # more than once, so that a pool's connections have all seen it
        with pytest.raises(_Undone):
            await database.write(change_and_fail)
    assert (await database.read(defined, cast))[0].config.label == "Title"
    assert await database.write(change_and_look) == "Really"
    labels = await asyncio.gather(*(database.write(lambda tx: defined(tx, cast)[0].config.label) for _ in range(8)))
    assert set(labels) == {"Really"}


async def test_a_row_that_is_older_than_the_fields_is_not_remembered_with_them(database: AnyDatabase, cast: Cast) -> None:
    old = await database.read(lambda tx: dict(reach_app(tx, cast.admin, cast.app_id)))
    await change(database, cast, "title", label="Newer")

    def look(tx: Tx) -> tuple[str, str, str]:
        remembered: dict[int, tuple[str, object]] = {}
        tx.info["definitions"] = remembered
        definition(tx, old)  # type: ignore[arg-type]  # a row, as somebody may have read it a moment ago
        text, _ = remembered[cast.app_id]
        present = tx.execute(select(apps.c.config).where(apps.c.app_id == cast.app_id)).scalar_one()
        return text, present, old["config"]

    text, present, before = await database.write(look)
    assert text == present != before


async def test_memory_is_bounded(database: AnyDatabase, cast: Cast) -> None:
    def look(tx: Tx) -> int:
        tx.info["definitions"] = dict.fromkeys(range(1_000, 1_000 + REMEMBERED), ("", ()))
        defined(tx, cast)
        remembered = tx.info["definitions"]
        assert cast.app_id in remembered
        return len(remembered)

    assert await database.write(look) == REMEMBERED
