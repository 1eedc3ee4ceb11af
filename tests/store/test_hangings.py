"""Items read with what hangs on them, on both engines."""

from __future__ import annotations

import pytest

from tests.support.cast import NOW
from tests.support.databases import AnyDatabase
from tests.support.hanging import upload
from tests.support.tasks import Tasks, make_item, make_tasks
from tidings.store.database import Tx
from tidings.workspace.access import Caller
from tidings.workspace.comments import NewComment, create_comment
from tidings.workspace.items import items
from tidings.workspace.items.enclosures import Enclosed
from tidings.workspace.items.filters import Wanted
from tidings.workspace.items.hangings import NOTHING_HANGS
from tidings.workspace.items.items import NewItem
from tidings.workspace.items.views import create_and_view, view_item, view_page, view_whole
from tidings.workspace.tasks.parts import TaskParts
from tidings.workspace.tasks.tasks import create_tasks

pytestmark = pytest.mark.furnished(make=make_tasks)


@pytest.fixture
def tasks(furniture: Tasks) -> Tasks:
    return furniture


def make_full(tx: Tx, tasks: Tasks) -> tuple[int, int]:
    """An item with something of each kind on it, the one task private; and the id of its file."""
    file_id = upload(tx, tasks.regular)
    new = NewItem({"title": "A"}, enclosed=Enclosed(["b", "a"], [file_id]))
    item_id = items.create_item(tx, tasks.regular, tasks.app_id, new, now=NOW).item_id
    for text in ("first", "second"):
        create_comment(tx, tasks.cast.light, "item", item_id, NewComment(text), now=NOW)
    for text, private in (("open", False), ("hidden", True)):
        create_tasks(tx, tasks.regular, TaskParts(text=text, private=private, ref_type="item", ref_id=item_id), now=NOW)
    return item_id, file_id


async def test_a_whole_item_has_all_that_the_caller_may_see(database: AnyDatabase, tasks: Tasks) -> None:
    item_id, file_id = await database.write(make_full, tasks)

    async def seen(caller: Caller) -> tuple[list[str], list[int], list[str], list[str]]:
        hanging = (await database.read(view_whole, caller, item_id)).hanging
        files, comments = [file.file_id for file in hanging.files], [view.comment.value for view in hanging.comments]
        assert {file.created_by for file in hanging.files} <= set(hanging.authors)
        return list(hanging.tags), files, comments, [view.task.text for view in hanging.tasks]

    assert await seen(tasks.regular) == (["a", "b"], [file_id], ["first", "second"], ["open", "hidden"])
    assert await seen(tasks.cast.light) == (["a", "b"], [file_id], ["first", "second"], ["open"])
    item = (await database.read(view_whole, tasks.cast.light, item_id)).item
    assert (item.tag_count, item.file_count, item.comment_count, item.task_count) == (2, 1, 2, 2)


async def test_a_page_has_the_tags_and_the_files_of_each_item(database: AnyDatabase, tasks: Tasks) -> None:
    item_id, file_id = await database.write(make_full, tasks)
    bare = await database.write(make_item, tasks)
    page = await database.read(view_page, tasks.regular, tasks.app_id, Wanted())
    one, other = page.items
    assert (one.item.item_id, one.hanging) == (bare, NOTHING_HANGS)
    assert (other.item.item_id, list(other.hanging.tags)) == (item_id, ["a", "b"])
    assert [file.file_id for file in other.hanging.files] == [file_id]
    assert (other.hanging.comments, other.hanging.tasks) == ((), ())


async def test_a_bare_view_and_an_item_with_nothing_on_it_hang_nothing(database: AnyDatabase, tasks: Tasks) -> None:
    item_id, _ = await database.write(make_full, tasks)
    bare = await database.write(make_item, tasks)
    assert (await database.read(view_item, tasks.regular, item_id)).hanging is NOTHING_HANGS
    assert (await database.read(view_whole, tasks.regular, bare)).hanging is NOTHING_HANGS


async def test_the_view_of_a_creation_has_what_came_along(database: AnyDatabase, tasks: Tasks) -> None:
    def run(tx: Tx) -> None:
        new = NewItem({"title": "A"}, enclosed=Enclosed(["a"], [upload(tx, tasks.regular)]))
        made = create_and_view(tx, tasks.regular, tasks.app_id, new, now=NOW, heard=True)
        read = view_whole(tx, tasks.regular, made.item.item_id)
        assert (made.item, made.hanging) == (read.item, read.hanging)

    await database.write(run)
