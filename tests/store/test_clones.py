"""Clones of items, on both engines."""

from __future__ import annotations

import pytest

from tests.support.cast import NOW
from tests.support.databases import AnyDatabase
from tests.support.hanging import on, story, upload
from tests.support.rights import who_may
from tests.support.tasks import LATER, Tasks, make_item, make_tasks, written
from tidings.errors import Conflict, Gone
from tidings.store.database import Tx
from tidings.workspace import apps
from tidings.workspace.fields import fields
from tidings.workspace.fields.fields import FieldChange, NewField
from tidings.workspace.files.rows import find_file
from tidings.workspace.items import clones, filters, items
from tidings.workspace.items.enclosures import Enclosed
from tidings.workspace.items.filters import Wanted
from tidings.workspace.items.items import NewItem
from tidings.workspace.items.rows import Item

pytestmark = pytest.mark.furnished(make=make_tasks)


@pytest.fixture
def tasks(furniture: Tasks) -> Tasks:
    return furniture


def clone(tx: Tx, tasks: Tasks, item_id: int, *, heard: bool = True) -> Item:
    return clones.clone_item(tx, tasks.regular, item_id, now=LATER, heard=heard)


async def test_a_clone_has_the_values_the_tags_and_copies_of_the_files(database: AnyDatabase, tasks: Tasks) -> None:
    def run(tx: Tx) -> None:
        file_id = upload(tx, tasks.cast.admin)
        new = NewItem({"title": "A", "labels": ["Red"], "due": "2026-02-01"}, "ERP-9", Enclosed(["b", "a"], [file_id]))
        source = items.create_item(tx, tasks.cast.admin, tasks.app_id, new, now=NOW)
        made = clone(tx, tasks, source.item_id)
        kept = items.get_item(tx, tasks.regular, made.item_id)
        assert (kept.values, kept.title, kept.external_id) == (source.values, "A", None)
        assert (kept.app_item_id, kept.revision, kept.created_by, kept.created_at) == (2, 0, tasks.regular.author, LATER)
        tags, (copy,), *counts = on(tx, made.item_id)
        assert (tags, counts) == (["a", "b"], [2, 1])
        assert copy != file_id
        assert find_file(tx, copy).storage_key == find_file(tx, file_id).storage_key
        assert on(tx, source.item_id) == (["a", "b"], [file_id], 2, 1)
        assert story(tx, made.item_id) == [
            ("item.create", "", True),
            ("file.change", str(copy), True),
            ("tag.add", "a", True),
            ("tag.add", "b", True),
        ]
        found = filters.filter_items(tx, tasks.regular, tasks.app_id, Wanted(filters={"labels": ["Red"]}))
        assert [item.item_id for item in found.items] == [made.item_id, source.item_id]

    await database.write(run)


async def test_a_clone_has_copies_of_the_files_that_its_values_name(database: AnyDatabase, tasks: Tasks) -> None:
    def run(tx: Tx) -> None:
        image = fields.create_field(tx, tasks.cast.owner, tasks.app_id, NewField("image", {"label": "Photo"}), now=NOW).field_id
        file_id = upload(tx, tasks.regular)
        source = make_item(tx, tasks, {"photo": [file_id]})
        made = clone(tx, tasks, source)
        copy = find_file(tx, file_id + 1)
        assert made.values[image] == [{"value": copy.file_id}]
        assert (copy.ref_type, copy.ref_id, copy.field_id) == ("item", made.item_id, image)
        assert items.get_item(tx, tasks.regular, source).values[image] == [{"value": file_id}]
        assert [kind for kind, _, _ in story(tx, made.item_id)] == ["item.create"]

    await database.write(run)


async def test_what_could_not_be_written_any_more_is_cloned_as_it_is(database: AnyDatabase, tasks: Tasks) -> None:
    def run(tx: Tx) -> None:
        part = make_item(tx, tasks, {"title": "Part"})
        source = make_item(tx, tasks, {"title": "A", "labels": ["Red"], "parts": [part], "estimate": 5})
        items.delete_item(tx, tasks.regular, part, now=NOW)
        owner, app_id = tasks.cast.owner, tasks.app_id
        options = FieldChange(config={"settings": {"options": [{"id": 2, "text": "Green"}]}})
        fields.update_field(tx, owner, app_id, "labels", options, now=NOW)
        fields.create_field(tx, owner, app_id, NewField("text", {"label": "Must", "required": True}), now=NOW)
        fields.delete_field(tx, owner, app_id, "estimate", now=NOW)
        values = items.get_item(tx, tasks.regular, source).values
        assert clone(tx, tasks, source).values == {key: value for key, value in values.items() if key != tasks.fields["estimate"]}

    await database.write(run)


async def test_a_clone_with_hook_false_is_unheard(database: AnyDatabase, tasks: Tasks) -> None:
    def run(tx: Tx) -> list[bool]:
        new = NewItem({}, None, Enclosed(["a"], [upload(tx, tasks.regular)]))
        source = items.create_item(tx, tasks.regular, tasks.app_id, new, now=NOW)
        return [heard for _, _, heard in story(tx, clone(tx, tasks, source.item_id, heard=False).item_id)]

    assert await database.write(run) == [False] * 3


async def test_what_is_gone_and_what_takes_no_new_items_cannot_be_cloned(database: AnyDatabase, tasks: Tasks) -> None:
    item_id, gone = await database.write(make_item, tasks), await database.write(make_item, tasks)
    await database.write(items.delete_item, tasks.regular, gone, now=LATER)
    with pytest.raises(Gone):
        await database.write(clone, tasks, gone)
    await database.write(apps.set_app_status, tasks.cast.owner, tasks.app_id, "inactive", now=LATER)
    before = await database.read(written)
    with pytest.raises(Conflict, match="takes no new items"):
        await database.write(clone, tasks, item_id)
    assert await database.read(written) == before


async def test_who_may_make_items_may_clone(database: AnyDatabase, tasks: Tasks) -> None:
    item_id = await database.write(
        lambda tx: items.create_item(tx, tasks.regular, tasks.cast.app_id, NewItem(), now=NOW).item_id,
    )
    answers = await who_may(database, tasks.cast, lambda tx, caller: clones.clone_item(tx, caller, item_id, now=LATER))
    assert answers == "ok ok ok 403 403 404 404 ok 403 404"
