"""The record of an item: its revisions, and how two of them differ."""

from __future__ import annotations

import pytest

from tests.support.cast import NOW
from tests.support.databases import AnyDatabase
from tests.support.tasks import LATER, Tasks, make_item, make_tasks
from tidings.errors import NotFound
from tidings.workspace.fields import fields
from tidings.workspace.fields.fields import NewField
from tidings.workspace.items import items, revisions
from tidings.workspace.items import views as item_views
from tidings.workspace.items.rows import find_items

pytestmark = pytest.mark.furnished(make=make_tasks)


@pytest.fixture
def tasks(furniture: Tasks) -> Tasks:
    return furniture


@pytest.fixture
async def item_id(database: AnyDatabase, tasks: Tasks) -> int:
    """An item that was made, changed twice and deleted."""
    made = await database.write(make_item, tasks, {"title": "A", "status": "Open", "estimate": 1})
    await database.write(fields.create_field, tasks.cast.owner, tasks.app_id, NewField("text", {"label": "Note"}), now=NOW)
    await database.write(items.update_values, tasks.cast.admin, made, {"title": "B", "note": "N"}, now=LATER)
    await database.write(items.update_values, tasks.token, made, {"title": "A", "status": None}, now=LATER)
    await database.write(items.delete_item, tasks.regular, made, now=LATER)
    return made


async def test_every_change_is_a_revision_even_of_an_item_that_is_gone(database: AnyDatabase, tasks: Tasks, item_id: int) -> None:
    found, authors = await database.read(item_views.view_revisions, tasks.cast.light, item_id)
    assert [(each.revision, each.type, authors[each.created_by].name) for each in found] == [
        (0, "creation", "Regular"),
        (1, "update", "Admin"),
        (2, "update", "Works"),
        (3, "delete", "Regular"),
    ]
    assert [each.created_at for each in found] == [NOW, LATER, LATER, LATER]
    assert found[1].app_revision == found[0].app_revision + 1
    assert len({each.item_revision_id for each in found}) == 4


async def test_one_revision_is_found_by_its_number(database: AnyDatabase, tasks: Tasks, item_id: int) -> None:
    revision, authors = await database.read(item_views.view_revision, tasks.regular, item_id, 1)
    assert (revision.revision, revision.type, authors[revision.created_by].name) == (1, "update", "Admin")
    for missing in (4, -1):
        with pytest.raises(NotFound) as raised:
            await database.read(revisions.get_revision, tasks.regular, item_id, missing)
        assert raised.value.parameters == {"item_id": item_id, "revision": missing}


async def test_two_revisions_differ_in_the_fields_whose_values_do(database: AnyDatabase, tasks: Tasks, item_id: int) -> None:
    async def difference(before: int, after: int) -> list[tuple[str, list[object], list[object]]]:
        found = await database.read(revisions.compare_revisions, tasks.regular, item_id, before, after)
        return [(each.slot.field.external_id, each.before, each.after) for each in found]

    option = {"value": {"id": 1, "text": "Open", "status": "active", "color": "DCEBD8"}}
    a, b, n = ([{"value": text}] for text in "ABN")
    assert await difference(0, 1) == [("title", a, b), ("note", [], n)]
    assert await difference(1, 0) == [("title", b, a), ("note", n, [])]
    assert await difference(0, 2) == [("status", [option], []), ("note", [], n)]
    assert await difference(2, 3) == []
    assert await difference(1, 1) == []
    with pytest.raises(NotFound):
        await difference(0, 4)


async def test_what_a_field_held_that_is_no_more_is_left_out(database: AnyDatabase, tasks: Tasks, item_id: int) -> None:
    await database.write(fields.delete_field, tasks.cast.owner, tasks.app_id, "note", now=LATER)
    found = await database.read(revisions.compare_revisions, tasks.regular, item_id, 0, 1)
    assert [each.slot.field.external_id for each in found] == ["title"]


async def test_the_first_and_the_last_revision_of_many_items_are_found_at_once(database: AnyDatabase, tasks: Tasks, item_id: int) -> None:
    other = await database.write(make_item, tasks)
    both = await database.read(find_items, [item_id, other])
    ends = await database.read(revisions.first_and_last, both)
    assert {number: (first.revision, last.revision) for number, (first, last) in ends.items()} == {item_id: (0, 3), other: (0, 0)}
    for item in both:
        assert await database.read(revisions.first_and_last, [item]) == {item.item_id: ends[item.item_id]}
    assert await database.read(revisions.first_and_last, []) == {}
