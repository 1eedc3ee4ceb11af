"""Comments, on both engines."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import insert, select

from tests.support.cast import NOW, Cast, gather_cast
from tests.support.databases import AnyDatabase
from tests.support.rights import who_may
from tests.support.told import places_told_of, told_of
from tidings.clock import SECOND
from tidings.errors import Forbidden, Gone, Invalid, NotFound
from tidings.store.database import Tx
from tidings.store.schema import files, items, statuses, tasks
from tidings.workspace import comments
from tidings.workspace.access import SYSTEM, Caller
from tidings.workspace.comments import CommentChange, CommentView, NewComment
from tidings.workspace.items.items import NewItem, create_item, delete_item

LATER = NOW + 60 * SECOND


@dataclass(frozen=True)
class Scene:
    """The cast, and what they may comment on."""

    cast: Cast
    item_id: int
    status_id: int
    task_id: int  # on the item
    own_task_id: int  # of `regular`, on nothing


def set_scene(tx: Tx) -> Scene:
    cast = gather_cast(tx)
    item_id = create_item(tx, cast.regular, cast.app_id, NewItem({"title": "Wheel"}), now=NOW).item_id
    by = {"created_by": cast.regular.author, "created_at": NOW}
    status = insert(statuses).values(space_id=cast.space_id, value="Good news", **by).returning(statuses.c.status_id)
    task = {"text": "Turn it", "private": False, "status": "active", **by}
    on_item = {"ref_type": "item", "ref_id": item_id, "app_id": cast.app_id, "space_id": cast.space_id}
    return Scene(
        cast,
        item_id,
        tx.execute(status).scalar_one(),
        tx.execute(insert(tasks).values(**task, **on_item).returning(tasks.c.task_id)).scalar_one(),
        tx.execute(insert(tasks).values(**task).returning(tasks.c.task_id)).scalar_one(),
    )


pytestmark = pytest.mark.furnished(make=set_scene)


@pytest.fixture
def scene(furniture: Scene) -> Scene:
    return furniture


def upload(tx: Tx, caller: Caller) -> int:
    values = {"name": "a.txt", "mimetype": "text/plain", "size": 1, "storage_key": "k", "created_by": caller.author, "created_at": NOW}
    return int(tx.execute(insert(files).values(values).returning(files.c.file_id)).scalar_one())


def say(tx: Tx, caller: Caller, item_id: int, value: str = "Fine", **more: Any) -> int:
    return comments.create_comment(tx, caller, "item", item_id, NewComment(value, **more), now=NOW).comment.comment_id


def count(tx: Tx, item_id: int) -> int:
    return int(tx.execute(select(items.c.comment_count).where(items.c.item_id == item_id)).scalar_one())


async def test_a_comment_reads_back_as_it_was_made(database: AnyDatabase, scene: Scene) -> None:
    new = NewComment("  Fine\n", "ERP-1", "https://example.org/a")
    made = await database.write(comments.create_comment, scene.cast.light, "item", scene.item_id, new, now=LATER)
    comment = made.comment
    assert (comment.ref_type, comment.ref_id, comment.app_id, comment.space_id) == (
        "item",
        scene.item_id,
        scene.cast.app_id,
        scene.cast.space_id,
    )
    assert (comment.value, comment.external_id, comment.embed_url) == ("  Fine\n", "ERP-1", "https://example.org/a")
    assert (comment.created_by, comment.created_at) == (scene.cast.light.author, LATER)
    assert (made.title, made.rights, made.files) == ("Wheel", ("view", "update", "delete"), [])
    assert await database.read(comments.get_comment, scene.cast.light, comment.comment_id) == made


async def test_everybody_who_sees_the_object_may_comment_on_it(database: AnyDatabase, scene: Scene) -> None:
    def commenting(ref_type: str, ref_id: int) -> Any:
        return lambda tx, who: comments.create_comment(tx, who, ref_type, ref_id, NewComment("Fine"), now=NOW)

    cast = scene.cast
    assert await who_may(database, cast, commenting("item", scene.item_id)) == "ok ok ok ok 403 404 404 ok 403 404"
    assert await who_may(database, cast, commenting("task", scene.task_id)) == "ok ok ok ok 403 404 404 ok 403 404"
    assert await who_may(database, cast, commenting("status", scene.status_id)) == "ok ok ok ok 403 404 404 403 403 404"
    assert await who_may(database, cast, commenting("task", scene.own_task_id)) == "404 404 ok 404 404 404 404 404 404 404"


async def test_a_comment_is_read_by_all_changed_by_its_author_and_deleted_by_admins_too(database: AnyDatabase, scene: Scene) -> None:
    cast, number = scene.cast, await database.write(lambda tx: say(tx, scene.cast.light, scene.item_id))
    reading = await who_may(database, cast, lambda tx, who: comments.get_comment(tx, who, number))
    assert reading == "ok ok ok ok 403 404 404 ok 403 404"
    listing = await who_may(database, cast, lambda tx, who: comments.list_comments(tx, who, "item", scene.item_id))
    assert listing == reading
    changing = await who_may(database, cast, lambda tx, who: comments.update_comment(tx, who, number, CommentChange("New"), now=LATER))
    assert changing == "403 403 403 ok 403 404 404 403 403 404"
    deleting = await who_may(database, cast, lambda tx, who: comments.delete_comment(tx, who, number, now=LATER))
    assert deleting == "ok ok 403 ok 403 404 404 ok 403 404"


async def test_rights_say_what_the_caller_may_do(database: AnyDatabase, scene: Scene) -> None:
    number = await database.write(lambda tx: say(tx, scene.cast.light, scene.item_id))
    rights = {
        "light": ("view", "update", "delete"),
        "regular": ("view",),
        "admin": ("view", "delete"),
        "app": ("view", "delete"),
    }
    for position, expected in rights.items():
        assert (await database.read(comments.get_comment, getattr(scene.cast, position), number)).rights == expected


async def test_what_an_app_said_is_its_own_through_any_client(database: AnyDatabase, scene: Scene) -> None:
    number = await database.write(lambda tx: say(tx, scene.cast.app, scene.item_id))
    elsewhere = Caller("app", scene.cast.app_id, 9)
    await database.write(comments.update_comment, elsewhere, number, CommentChange("New"), now=LATER)
    with pytest.raises(Forbidden):
        await database.write(comments.update_comment, scene.cast.owner, number, CommentChange("Other"), now=LATER)
    await database.write(comments.update_comment, SYSTEM, number, CommentChange("Newer"), now=LATER)


async def test_a_comment_on_an_item_is_counted_and_told_of(database: AnyDatabase, scene: Scene) -> None:
    cast, item_id = scene.cast, scene.item_id
    first = await database.write(lambda tx: say(tx, cast.light, item_id))
    second = await database.write(lambda tx: say(tx, cast.regular, item_id))
    await database.write(comments.delete_comment, cast.light, first, now=LATER)
    assert await database.read(count, item_id) == 1
    assert await database.read(told_of, "comment") == [
        ("comment.create", {"item_id": str(item_id), "comment_id": str(first)}, True),
        ("comment.create", {"item_id": str(item_id), "comment_id": str(second)}, True),
        ("comment.delete", {"item_id": str(item_id), "comment_id": str(first)}, True),
    ]
    places = await database.read(places_told_of, "comment")
    assert places == {("item", item_id, cast.app_id, cast.space_id, who.author) for who in (cast.light, cast.regular)}


async def test_comments_elsewhere_are_neither_counted_nor_told_of(database: AnyDatabase, scene: Scene) -> None:
    for ref_type, ref_id in (("status", scene.status_id), ("task", scene.task_id), ("task", scene.own_task_id)):
        made = await database.write(comments.create_comment, scene.cast.regular, ref_type, ref_id, NewComment("Fine"), now=NOW)
        await database.write(comments.delete_comment, scene.cast.regular, made.comment.comment_id, now=LATER)
    assert await database.read(told_of, "comment") == []
    assert await database.read(count, scene.item_id) == 0


async def test_a_comment_on_a_status_or_task_names_what_it_is_on(database: AnyDatabase, scene: Scene) -> None:
    def on(tx: Tx, ref_type: str, ref_id: int) -> CommentView:
        return comments.create_comment(tx, scene.cast.regular, ref_type, ref_id, NewComment("Fine"), now=NOW)

    on_status = await database.write(on, "status", scene.status_id)
    assert (on_status.title, on_status.comment.app_id, on_status.comment.space_id) == ("Good news", None, scene.cast.space_id)
    on_task = await database.write(on, "task", scene.task_id)
    assert (on_task.title, on_task.comment.app_id, on_task.comment.space_id) == ("Turn it", scene.cast.app_id, scene.cast.space_id)
    alone = await database.write(on, "task", scene.own_task_id)
    assert (alone.comment.app_id, alone.comment.space_id) == (None, None)


async def test_hooks_do_not_hear_of_a_change_made_without_them(database: AnyDatabase, scene: Scene) -> None:
    new = NewComment("Fine")
    made = await database.write(comments.create_comment, scene.cast.light, "item", scene.item_id, new, now=NOW, heard=False)
    await database.write(comments.delete_comment, scene.cast.light, made.comment.comment_id, now=LATER, heard=False)
    assert [(type_, heard) for type_, _, heard in await database.read(told_of, "comment")] == [
        ("comment.create", False),
        ("comment.delete", False),
    ]


async def test_a_change_keeps_what_it_does_not_name_and_is_not_told_of(database: AnyDatabase, scene: Scene) -> None:
    number = await database.write(lambda tx: say(tx, scene.cast.light, scene.item_id, external_id=7, embed_url="http://a.example/"))
    after = await database.write(comments.update_comment, scene.cast.light, number, CommentChange("Better"), now=LATER)
    assert (after.comment.value, after.comment.external_id, after.comment.embed_url) == ("Better", "7", "http://a.example/")
    emptied = CommentChange(external_id=None, embed_url="")
    after = await database.write(comments.update_comment, scene.cast.light, number, emptied, now=LATER)
    assert (after.comment.value, after.comment.external_id, after.comment.embed_url) == ("Better", None, None)
    assert [type_ for type_, _, _ in await database.read(told_of, "comment")] == ["comment.create"]


async def test_a_comment_carries_the_files_of_its_author(database: AnyDatabase, scene: Scene) -> None:
    first, second, foreign = [await database.write(upload, who) for who in (scene.cast.light, scene.cast.light, scene.cast.regular)]
    number = await database.write(lambda tx: say(tx, scene.cast.light, scene.item_id, "", file_ids=[first]))
    added = CommentChange(file_ids=[first, second])
    after = await database.write(comments.update_comment, scene.cast.light, number, added, now=LATER)
    assert [file.file_id for file in after.files] == [first, second]
    assert {file.created_by for file in after.files} <= set(after.authors)
    with pytest.raises(NotFound):
        await database.write(lambda tx: say(tx, scene.cast.light, scene.item_id, file_ids=[foreign]))
    assert await database.read(count, scene.item_id) == 1
    assert await database.read(told_of, "file") == []


async def test_comments_are_listed_oldest_first_and_by_pages(database: AnyDatabase, scene: Scene) -> None:
    def talk(tx: Tx) -> list[int]:
        return [say(tx, scene.cast.light, scene.item_id, text) for text in ("one", "two", "three", "four")]

    numbers = await database.write(talk)
    await database.write(comments.delete_comment, scene.cast.light, numbers[1], now=LATER)

    async def page(**more: int) -> list[str]:
        found = await database.read(comments.list_comments, scene.cast.light, "item", scene.item_id, **more)
        return [view.comment.value for view in found]

    assert await page() == ["one", "three", "four"]
    assert await page(limit=1, offset=1) == ["three"]
    assert await page(offset=3) == []


async def test_a_deleted_comment_and_one_on_a_deleted_item_are_gone(database: AnyDatabase, scene: Scene) -> None:
    first, second = [await database.write(lambda tx: say(tx, scene.cast.light, scene.item_id)) for _ in range(2)]
    await database.write(comments.delete_comment, scene.cast.light, first, now=LATER)
    with pytest.raises(Gone):
        await database.read(comments.get_comment, scene.cast.light, first)
    with pytest.raises(Gone):
        await database.write(comments.delete_comment, scene.cast.light, first, now=LATER)
    await database.write(delete_item, scene.cast.regular, scene.item_id, now=LATER)
    with pytest.raises(Gone):
        await database.read(comments.get_comment, scene.cast.light, second)
    with pytest.raises(Gone):
        await database.write(lambda tx: say(tx, scene.cast.light, scene.item_id))


async def test_what_cannot_be_said_is_refused_by_name_and_nothing_is_written(database: AnyDatabase, scene: Scene) -> None:
    wrong: list[tuple[NewComment, str]] = [
        (NewComment(""), "value"),
        (NewComment(" \n"), "value"),
        (NewComment("x" * (comments.VALUE_LIMIT + 1)), "value"),
        (NewComment("x", external_id="x" * 256), "external_id"),
        (NewComment("x", embed_url="javascript:alert(1)"), "embed_url"),
        (NewComment("x", embed_url=f"http://a.example/{'x' * 3000}"), "embed_url"),
    ]
    for new, field in wrong:
        with pytest.raises(Invalid) as raised:
            await database.write(comments.create_comment, scene.cast.light, "item", scene.item_id, new, now=NOW)
        assert raised.value.parameters["field"] == field
        assert raised.value.description.startswith(field)
    number = await database.write(lambda tx: say(tx, scene.cast.light, scene.item_id))
    with pytest.raises(Invalid):
        await database.write(comments.update_comment, scene.cast.light, number, CommentChange(" "), now=NOW)
    for ref_type in ("app", "space", "comment", "user", ""):
        with pytest.raises(Invalid) as raised:
            await database.read(comments.list_comments, scene.cast.light, ref_type, scene.item_id)
        assert raised.value.parameters == {"ref_type": ["item", "status", "task"]}
    assert len(await database.read(told_of, "comment")) == 1


async def test_a_change_that_fails_leaves_neither_comment_nor_count_nor_event(database: AnyDatabase, scene: Scene) -> None:
    def fail(tx: Tx) -> None:
        say(tx, scene.cast.light, scene.item_id)
        raise RuntimeError("enough")

    with pytest.raises(RuntimeError):
        await database.write(fail)
    assert await database.read(comments.list_comments, scene.cast.light, "item", scene.item_id) == []
    assert await database.read(count, scene.item_id) == 0
    assert await database.read(told_of, "comment") == []


async def test_of_two_who_delete_one_comment_one_does(database: AnyDatabase, scene: Scene) -> None:
    numbers = [await database.write(lambda tx: say(tx, scene.cast.light, scene.item_id)) for _ in range(3)]
    deletions = [database.write(comments.delete_comment, scene.cast.owner, number, now=LATER) for number in numbers * 3]
    done = await asyncio.gather(*deletions, return_exceptions=True)
    assert sorted(type(each).__name__ for each in done) == ["Gone"] * 6 + ["NoneType"] * 3
    assert await database.read(count, scene.item_id) == 0
    assert [type_ for type_, _, _ in await database.read(told_of, "comment")] == ["comment.create"] * 3 + ["comment.delete"] * 3
