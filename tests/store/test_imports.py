"""Rows of a table become items: batches, on both engines."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from sqlalchemy import select

from tests.support.cast import NOW
from tests.support.databases import AnyDatabase
from tests.support.tasks import LATER, Tasks, make_item, make_tasks, written
from tidings.errors import Conflict, Forbidden, Gone, Invalid, NotFound
from tidings.store.database import Tx
from tidings.store.schema import events, items
from tidings.workspace import apps, imports
from tidings.workspace.access import Caller
from tidings.workspace.cells.columns import match_columns
from tidings.workspace.cells.judging import Order, Row
from tidings.workspace.fields.fields import NewField, create_field, load_fields
from tidings.workspace.imports import Imported
from tidings.workspace.items.items import delete_item

HEADINGS = ("Key", "Title", "Status", "Estimate", "Owner", "Parts")


pytestmark = pytest.mark.furnished(make=make_tasks)


@pytest.fixture
def tasks(furniture: Tasks) -> Tasks:
    return furniture


def order_for(tx: Tx, /, tasks: Tasks, **more: Any) -> Order:
    """What to do with rows under `HEADINGS`."""
    columns = match_columns(HEADINGS, load_fields(tx, tasks.app_id), mapping={}, external_id="Key")
    return Order(columns, **more)


async def imported(database: AnyDatabase, tasks: Tasks, *rows: tuple[str, ...], caller: Caller | None = None, **order: Any) -> Imported:
    made = await database.read(order_for, tasks, **order)
    numbered = [Row(line, cells) for line, cells in enumerate(rows, 2)]
    return await database.write(imports.import_rows, caller or tasks.cast.owner, tasks.app_id, made, numbered, now=LATER)


def titles(tx: Tx) -> list[tuple[str | None, str, int]]:
    return [tuple(row) for row in tx.execute(select(items.c.external_id, items.c.title, items.c.revision).order_by(items.c.item_id))]


def told(tx: Tx) -> list[tuple[str, bool]]:
    rows = tx.execute(select(events.c.type, events.c.heard).where(events.c.created_at == LATER).order_by(events.c.event_id))
    return [(row.type, bool(row.heard)) for row in rows]


def reasons(of: Imported) -> list[tuple[int, str, str]]:
    return [(each.row.line, complaint.column, complaint.reason) for each in of.rejected for complaint in each.complaints]


async def test_every_row_becomes_an_item_with_an_event_in_their_order(database: AnyDatabase, tasks: Tasks) -> None:
    result = await imported(database, tasks, ("a", "One", "open", "1"), ("b", "Two"), ("c", "Three"))

    assert (result.made, result.rejected, result.named) == (3, (), ("a", "b", "c"))
    assert await database.read(titles) == [("a", "One", 0), ("b", "Two", 0), ("c", "Three", 0)]
    assert await database.read(told) == [("item.create", True)] * 3


async def test_a_bad_row_stays_out_and_the_others_of_its_batch_go_in(database: AnyDatabase, tasks: Tasks) -> None:
    result = await imported(database, tasks, ("a", "One"), ("b", "Two", "Purple", "many"), ("c", "Three"))

    assert result.made == 2
    assert [(line, column) for line, column, _ in reasons(result)] == [(3, "Status"), (3, "Estimate")]
    assert [title for _, title, _ in await database.read(titles)] == ["One", "Three"]


async def test_a_batch_of_nothing_but_bad_rows_writes_nothing(database: AnyDatabase, tasks: Tasks) -> None:
    before = await database.read(written)

    assert (await imported(database, tasks, ("a", "One", "Purple"))).made == 0

    assert await database.read(written) == before


async def test_what_is_there_is_passed_over(database: AnyDatabase, tasks: Tasks) -> None:
    await imported(database, tasks, ("a", "One"), ("b", "Two"))

    again = await imported(database, tasks, ("a", "Changed"), ("b", "Two"), ("c", "Three"))

    assert (again.made, again.skipped, again.updated) == (1, 2, 0)
    assert await database.read(titles) == [("a", "One", 0), ("b", "Two", 0), ("c", "Three", 0)]


async def test_what_is_there_is_updated_when_that_is_asked(database: AnyDatabase, tasks: Tasks) -> None:
    await database.write(make_item, tasks, {"title": "One", "estimate": 5}, external_id="a")
    await database.write(make_item, tasks, {"title": "Two"}, external_id="b")

    result = await imported(database, tasks, ("a", "Changed", "", ""), ("b", "Two"), ("c", "Three"), update=True)

    assert (result.made, result.updated, result.unchanged) == (1, 1, 1)
    assert await database.read(titles) == [("a", "Changed", 1), ("b", "Two", 0), ("c", "Three", 0)]
    assert await database.read(told) == [("item.create", True), ("item.update", True)]


async def test_two_imports_of_the_same_rows_at_once_make_each_item_once(database: AnyDatabase, tasks: Tasks) -> None:
    rows = [(f"key-{number}", f"Row {number}") for number in range(20)]

    results = await asyncio.gather(*(imported(database, tasks, *rows) for _ in range(4)))

    assert sum(result.made for result in results) == 20
    assert sum(result.skipped for result in results) == 60
    assert len(await database.read(titles)) == 20


async def test_an_item_that_was_deleted_is_made_anew(database: AnyDatabase, tasks: Tasks) -> None:
    item_id = await database.write(make_item, tasks, {"title": "One"}, external_id="a")
    await database.write(delete_item, tasks.regular, item_id, now=NOW)

    assert (await imported(database, tasks, ("a", "One"))).made == 1


async def test_no_hook_hears_of_it_when_that_is_asked(database: AnyDatabase, tasks: Tasks) -> None:
    await database.write(make_item, tasks, {"title": "One"}, external_id="a")

    await imported(database, tasks, ("a", "Changed"), ("b", "Two", "Purple"), update=True, add_options=True, heard=False)

    assert await database.read(told) == [("app.update", False), ("item.create", False), ("item.update", False)]


async def test_options_that_are_lacking_are_added_for_good_rows(database: AnyDatabase, tasks: Tasks) -> None:
    rows = (("a", "One", "Purple"), ("b", "Two", "purple"), ("c", "Three", "Pink", "many"), ("d", "Four", "Done"))

    result = await imported(database, tasks, *rows, add_options=True)

    assert result.made == 3
    assert [(line, column) for line, column, _ in reasons(result)] == [(4, "Status"), (4, "Estimate")]
    assert await database.read(_options, tasks) == ["Open", "Done", "Purple"]
    assert [type for type, _ in await database.read(told)] == ["app.update", "item.create", "item.create", "item.create"]


def _options(tx: Tx, tasks: Tasks) -> list[str]:
    [field] = [field for field in load_fields(tx, tasks.app_id) if field.external_id == "status"]
    return [option["text"] for option in field.config.settings["options"]]


async def test_an_option_that_fits_nowhere_is_refused_and_not_added(database: AnyDatabase, tasks: Tasks) -> None:
    result = await imported(database, tasks, ("a", "One", "x" * 300), ("b", "Two", "nul\0"), add_options=True)

    assert [(line, column) for line, column, _ in reasons(result)] == [(2, "Status"), (3, "Status")]
    assert await database.read(_options, tasks) == ["Open", "Done"]


async def test_people_are_found_by_mail_address_in_the_organization_alone(database: AnyDatabase, tasks: Tasks) -> None:
    rows = (("a", "One", "", "", "Regular@Example.org; admin@example.org"), ("b", "Two", "", "", "stranger@example.org"))

    result = await imported(database, tasks, *rows, ("c", "Three", "", "", "nobody.here@example.org"))

    assert result.made == 1
    assert [(line, column) for line, column, _ in reasons(result)] == [(3, "Owner"), (4, "Owner")]


async def test_items_are_found_by_id_where_the_caller_may_look(database: AnyDatabase, tasks: Tasks) -> None:
    part = await database.write(make_item, tasks, {"title": "Part"})

    result = await imported(database, tasks, ("a", "One", "", "", "", str(part)), ("b", "Two", "", "", "", "999"))

    assert result.made == 1
    assert reasons(result) == [(3, "Parts", "Invalid value 999 (integer): must be the id of an item that you have access to")]


async def test_trying_writes_nothing_and_says_what_would_come(database: AnyDatabase, tasks: Tasks) -> None:
    await database.write(make_item, tasks, {"title": "One"}, external_id="a")
    before = await database.read(written)
    rows = [Row(2, ("a", "One")), Row(3, ("b", "Two", "Purple")), Row(4, ("c", "Three")), Row(5, ("d", "Four", "", "many"))]

    def come_to(**order: Any) -> Any:
        return database.read(lambda tx: imports.try_rows(tx, tasks.cast.owner, tasks.app_id, order_for(tx, tasks, **order), rows))

    plain, adding, updating = await come_to(), await come_to(add_options=True), await come_to(update=True)

    assert (plain.made, plain.skipped, [each.row.line for each in plain.rejected]) == (1, 1, [3, 5])
    assert (adding.made, adding.skipped, [each.row.line for each in adding.rejected]) == (2, 1, [5])
    assert (updating.made, updating.updated, updating.skipped) == (1, 1, 0)
    assert await database.read(written) == before


async def test_who_may_make_no_items_may_not_import(database: AnyDatabase, tasks: Tasks) -> None:
    with pytest.raises(Forbidden):
        await imported(database, tasks, ("a", "One"), caller=tasks.cast.light)


async def test_who_may_not_change_the_app_adds_no_options(database: AnyDatabase, tasks: Tasks) -> None:
    with pytest.raises(Forbidden):
        await imported(database, tasks, ("a", "One", "Purple"), caller=tasks.regular, add_options=True)


async def test_a_required_field_that_comes_meanwhile_is_heeded(database: AnyDatabase, tasks: Tasks) -> None:
    made = await database.read(order_for, tasks)
    late = NewField("text", {"label": "Late", "required": True})
    await database.write(create_field, tasks.cast.owner, tasks.app_id, late, now=NOW)

    result = await database.write(imports.import_rows, tasks.regular, tasks.app_id, made, [Row(2, ("a", "One"))], now=LATER)

    assert reasons(result) == [(2, "late", "A value is required")]


# --- who imports where ---


async def test_an_import_acts_as_the_first_admin_of_the_organization_or_as_the_one_who_is_named(
    database: AnyDatabase, tasks: Tasks
) -> None:
    by_default, app = await database.read(imports.open_app, tasks.app_id, None)
    named, _ = await database.read(imports.open_app, tasks.app_id, "regular@example.org")

    assert (by_default.id, named.id, app.app_id) == (tasks.cast.owner.id, tasks.regular.id, tasks.app_id)
    for username, error in (("light@example.org", Forbidden), ("stranger@example.org", NotFound), ("who", NotFound)):
        with pytest.raises(error):
            await database.read(imports.open_app, tasks.app_id, username)


async def test_an_app_that_is_not_there_is_not_found_and_one_that_was_deleted_gone(database: AnyDatabase, tasks: Tasks) -> None:
    await database.write(apps.delete_app, tasks.cast.owner, tasks.app_id, now=NOW)

    with pytest.raises(Gone):
        await database.read(imports.open_app, tasks.app_id, None)
    with pytest.raises(NotFound):
        await database.read(imports.open_app, 999, None)


async def test_a_space_must_be_named_where_there_are_several_and_have_no_app_of_the_name(database: AnyDatabase, tasks: Tasks) -> None:
    with pytest.raises(Invalid, match="name a space by --space: "):
        await database.read(imports.choose_space, None, None, "New")
    with pytest.raises(Conflict, match=f"import into it by --app {tasks.app_id}"):
        await database.read(imports.choose_space, tasks.cast.space_id, None, "works ")

    caller, space_id = await database.read(imports.choose_space, tasks.cast.space_id, None, "New")

    assert (caller.id, space_id) == (tasks.cast.owner.id, tasks.cast.space_id)
