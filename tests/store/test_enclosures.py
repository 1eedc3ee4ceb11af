"""Tags and files that come in one body with an item, on both engines."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.support.cast import NOW
from tests.support.databases import AnyDatabase
from tests.support.hanging import on, story, upload
from tests.support.tasks import LATER, Tasks, make_item, make_tasks, written
from tidings.errors import Conflict, Gone, Invalid, NotFound
from tidings.store.database import Tx
from tidings.workspace.files.files import delete_file
from tidings.workspace.items import items
from tidings.workspace.items.enclosures import Enclosed
from tidings.workspace.items.items import Changed, ItemChange, NewItem

pytestmark = pytest.mark.furnished(make=make_tasks)


@pytest.fixture
def tasks(furniture: Tasks) -> Tasks:
    return furniture


async def test_an_item_comes_with_its_tags_and_files_in_one_transaction_and_their_order(database: AnyDatabase, tasks: Tasks) -> None:
    def run(tx: Tx) -> None:
        first, second = upload(tx, tasks.regular), upload(tx, tasks.regular)
        new = NewItem({"title": "A"}, "ERP-9", Enclosed([" red", "blue", "red"], [second, first, second]))
        item = items.create_item(tx, tasks.regular, tasks.app_id, new, now=NOW)
        assert on(tx, item.item_id) == (["blue", "red"], [first, second], 2, 2)
        assert (item.tag_count, item.file_count, item.revision) == (2, 2, 0)
        assert story(tx, item.item_id) == [
            ("item.create", "ERP-9", True),
            ("file.change", f"{second},{first}", True),
            ("tag.add", "blue", True),
            ("tag.add", "red", True),
        ]

    await database.write(run)


async def test_an_update_sets_the_tags_and_adds_the_files(database: AnyDatabase, tasks: Tasks) -> None:
    def run(tx: Tx) -> None:
        old, new = upload(tx, tasks.regular), upload(tx, tasks.regular)
        item_id = make_item(tx, tasks)
        before = ItemChange({"title": "B"}, enclosed=Enclosed(["a", "b"], [old]))
        assert items.update_item(tx, tasks.regular, item_id, before, now=LATER) == Changed(1, "B")
        after = ItemChange({"title": "C"}, enclosed=Enclosed(["b", "c"], [old, new]))
        assert items.update_item(tx, tasks.regular, item_id, after, now=LATER) == Changed(2, "C")
        assert on(tx, item_id) == (["b", "c"], [old, new], 2, 2)
        assert [(kind, says) for kind, says, _ in story(tx, item_id)][5:] == [
            ("item.update", ""),
            ("file.change", str(new)),
            ("tag.delete", "a"),
            ("tag.add", "c"),
        ]

    await database.write(run)


async def test_a_change_of_tags_and_files_alone_makes_no_revision_and_no_item_update(database: AnyDatabase, tasks: Tasks) -> None:
    def run(tx: Tx) -> None:
        item_id, file_id = make_item(tx, tasks, {"title": "A"}), upload(tx, tasks.regular)
        change = ItemChange({"title": "A"}, enclosed=Enclosed(["a"], [file_id]))
        assert items.update_item(tx, tasks.regular, item_id, change, now=LATER) == Changed(0, "A")
        assert [kind for kind, _, _ in story(tx, item_id)] == ["item.create", "file.change", "tag.add"]
        held = written(tx)
        assert items.update_item(tx, tasks.regular, item_id, change, now=LATER) == Changed(0, "A")
        assert written(tx) == held

    await database.write(run)


async def test_tags_and_files_that_are_not_named_stay(database: AnyDatabase, tasks: Tasks) -> None:
    def run(tx: Tx) -> None:
        file_id = upload(tx, tasks.regular)
        new = NewItem({"title": "A"}, enclosed=Enclosed(["a"], [file_id]))
        item_id = items.create_item(tx, tasks.regular, tasks.app_id, new, now=NOW).item_id
        items.update_item(tx, tasks.regular, item_id, ItemChange({"title": "B"}), now=LATER)
        assert on(tx, item_id) == (["a"], [file_id], 1, 1)
        items.update_item(tx, tasks.regular, item_id, ItemChange(enclosed=Enclosed([])), now=LATER)
        assert on(tx, item_id) == ([], [file_id], 0, 1)

    await database.write(run)


async def test_with_hook_false_nothing_of_it_is_heard(database: AnyDatabase, tasks: Tasks) -> None:
    def run(tx: Tx) -> list[tuple[str, str, bool]]:
        new = NewItem({"title": "A"}, enclosed=Enclosed(["a"], [upload(tx, tasks.regular)]))
        return story(tx, items.create_item(tx, tasks.regular, tasks.app_id, new, now=NOW, heard=False).item_id)

    assert [heard for _, _, heard in await database.write(run)] == [False] * 3


async def test_what_cannot_come_along_undoes_the_whole_change(database: AnyDatabase, tasks: Tasks) -> None:
    def prepare(tx: Tx) -> tuple[int, dict[str, int]]:
        deleted, attached = upload(tx, tasks.regular), upload(tx, tasks.regular)
        delete_file(tx, tasks.regular, deleted, now=NOW)
        items.create_item(tx, tasks.regular, tasks.app_id, NewItem(enclosed=Enclosed(None, [attached])), now=NOW)
        ids = {"deleted": deleted, "attached": attached, "foreign": upload(tx, tasks.cast.admin), "own": upload(tx, tasks.regular)}
        return make_item(tx, tasks), ids

    item_id, ids = await database.write(prepare)
    before = await database.read(written)
    wrong: list[tuple[Enclosed, type[Exception]]] = [
        (Enclosed(["a" * 256]), Invalid),
        (Enclosed(["a", " "]), Invalid),
        (Enclosed([f"tag {number}" for number in range(201)]), Invalid),
        (Enclosed(["a"], [4711]), NotFound),
        (Enclosed(["a"], [ids["own"], ids["deleted"]]), Gone),
        (Enclosed(["a"], [ids["attached"]]), Invalid),
        (Enclosed(["a"], [ids["foreign"]]), NotFound),
    ]
    for enclosed, error in wrong:
        with pytest.raises(error):
            await database.write(items.create_item, tasks.regular, tasks.app_id, NewItem({"title": "A"}, enclosed=enclosed), now=NOW)
        change = ItemChange({"title": "B"}, enclosed=enclosed)
        with pytest.raises(error):
            await database.write(items.update_item, tasks.regular, item_id, change, now=LATER)
    with pytest.raises(Conflict):
        await database.write(items.update_item, tasks.regular, item_id, ItemChange(revision=3, enclosed=Enclosed(["a"])), now=LATER)
    assert await database.read(written) == before
    assert await database.read(on, item_id) == ([], [], 0, 0)


async def test_many_items_come_each_with_its_own(database: AnyDatabase, tasks: Tasks) -> None:
    def run(tx: Tx) -> None:
        file_id = upload(tx, tasks.regular)
        new = [NewItem(enclosed=Enclosed(["a"])), NewItem(), NewItem(enclosed=Enclosed(None, [file_id]))]
        made = items.create_items(tx, tasks.regular, tasks.app_id, new, now=NOW)
        assert [on(tx, item.item_id)[:2] for item in made] == [(["a"], []), ([], []), ([], [file_id])]

    await database.write(run)


async def test_tags_set_together_end_as_those_of_the_last(database: AnyDatabase, tasks: Tasks) -> None:
    item_id = await database.write(make_item, tasks)

    def change(text: str) -> Any:
        return database.write(items.update_item, tasks.regular, item_id, ItemChange(enclosed=Enclosed([text])), now=LATER)

    await asyncio.gather(*(change(str(number)) for number in range(10)))
    (left,), _, counted, _ = await database.read(on, item_id)
    told = await database.read(story, item_id)
    assert counted == 1
    assert [says for kind, says, _ in told if kind == "tag.add"][-1] == left
    assert [kind for kind, _, _ in told] == ["item.create", "tag.add", *["tag.delete", "tag.add"] * 9]
