"""Files on both engines: attached, replaced, deleted, and as values of fields, each change with its event."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import pytest
from sqlalchemy import insert, select

from tests.support.cast import KEYRING, NOW, Cast, gather_cast
from tests.support.databases import AnyDatabase
from tidings.errors import Conflict, Forbidden, Gone, Invalid, NotFound
from tidings.store.database import Tx
from tidings.store.schema import comments, events, items, statuses, tasks
from tidings.workspace.access import SYSTEM, Caller
from tidings.workspace.anchors import reach_anchor
from tidings.workspace.apps import create_app
from tidings.workspace.fields.fields import NewField
from tidings.workspace.files import files
from tidings.workspace.files.files import ATTACH_LIMIT, Stored, add_file, attach_file, attach_files, copy_file, delete_file, files_on
from tidings.workspace.files.rows import find_file, needed_keys
from tidings.workspace.files.views import view_file, view_files_in
from tidings.workspace.items.items import ItemChange, NewItem, create_item, create_items, delete_item, get_item, update_item


@dataclass(frozen=True)
class Scene:
    """The cast, and what files can be attached to."""

    cast: Cast
    item_id: int
    comment_id: int  # of `light`, on the item
    status_id: int  # of `regular`
    task_id: int  # of `regular`, private
    album_id: int  # an app with an image field and a file field


def set_scene(tx: Tx) -> Scene:
    cast = gather_cast(tx)
    regular = {"created_by": cast.regular.author, "created_at": NOW}
    item_id = create_item(tx, cast.regular, cast.app_id, NewItem({"title": "Wheel"}), now=NOW).item_id
    on_item = {"ref_type": "item", "ref_id": item_id, "app_id": cast.app_id, "space_id": cast.space_id}
    comment = (
        insert(comments).values(value="Look", **on_item, created_by=cast.light.author, created_at=NOW).returning(comments.c.comment_id)
    )
    status = insert(statuses).values(space_id=cast.space_id, value="News", **regular).returning(statuses.c.status_id)
    in_space = {"ref_type": "space", "ref_id": cast.space_id, "space_id": cast.space_id}
    task = insert(tasks).values(text="Turn", private=True, status="active", **in_space, **regular).returning(tasks.c.task_id)
    fields = [
        NewField("text", {"label": "Title"}),
        NewField("image", {"label": "Photo", "settings": {"allowed_mimetypes": ["image/*"]}}),
        NewField("file", {"label": "Papers"}),
    ]
    album = create_app(tx, cast.owner, cast.space_id, {"name": "Album"}, fields, keyring=KEYRING, now=NOW)
    comment_id, status_id, task_id = (tx.execute(each).scalar_one() for each in (comment, status, task))
    return Scene(cast, item_id, comment_id, status_id, task_id, album.app_id)


pytestmark = pytest.mark.furnished(make=set_scene)


@pytest.fixture
def scene(furniture: Scene) -> Scene:
    return furniture


def upload(tx: Tx, caller: Caller, name: str = "a.png", mimetype: str = "image/png") -> int:
    return add_file(tx, caller, Stored(f"mark/{name}", 5, name, mimetype), now=NOW).file_id


def told(tx: Tx) -> list[dict[str, str]]:
    """The parameters of every file.change."""
    chosen = select(events.c.parameters).where(events.c.type == "file.change").order_by(events.c.event_id)
    return [msgspec.json.decode(text) for text in tx.execute(chosen).scalars()]


def count(tx: Tx, item_id: int) -> int:
    return int(tx.execute(select(items.c.file_count).where(items.c.item_id == item_id)).scalar_one())


def on(tx: Tx, ref_type: str, ref_id: int) -> list[int]:
    return [file.file_id for file in files_on(tx, ref_type, [ref_id])[ref_id]]


def attach_all(tx: Tx, caller: Caller, file_ids: Sequence[int], item_id: int, *, heard: bool = True) -> None:
    anchor = reach_anchor(tx, caller, "item", item_id, "regular", among=["item"], lock=True)
    attach_files(tx, caller, file_ids, anchor, now=NOW, heard=heard)


# --- attaching ---------------------------------------------------------------------------------------------------------


async def test_all_files_of_a_call_are_one_event_in_their_order(database: AnyDatabase, scene: Scene) -> None:
    def run(tx: Tx) -> tuple[list[int], list[dict[str, str]], int, list[int]]:
        made = [upload(tx, scene.cast.regular) for _ in range(3)]
        attach_all(tx, scene.cast.regular, [made[2], made[0], made[2]], scene.item_id)
        attach_all(tx, scene.cast.regular, [made[0], made[1]], scene.item_id)
        attach_all(tx, scene.cast.regular, made, scene.item_id)
        attach_all(tx, scene.cast.regular, [], scene.item_id)
        return made, told(tx), count(tx, scene.item_id), on(tx, "item", scene.item_id)

    made, changes, counted, attached = await database.write(run)
    assert [each["file_ids"] for each in changes] == [f"{made[2]},{made[0]}", f"{made[1]}"]
    assert {(each["item_id"], each["action_type"]) for each in changes} == {(str(scene.item_id), "file_created")}
    assert (counted, attached) == (3, made)


async def test_a_change_that_is_rolled_back_tells_nothing(database: AnyDatabase, scene: Scene) -> None:
    def run(tx: Tx) -> None:
        attach_all(tx, scene.cast.regular, [upload(tx, scene.cast.regular), 999], scene.item_id)

    with pytest.raises(NotFound):
        await database.write(run)
    assert await database.read(told) == []
    assert await database.read(count, scene.item_id) == 0


@pytest.mark.parametrize(
    ("ref_type", "who"),
    [
        ("item", {"owner", "admin", "regular", "app", "system"}),
        ("space", {"owner", "admin", "regular", "system"}),
        ("comment", {"owner", "admin", "light", "app", "system"}),
        ("status", {"owner", "admin", "regular", "system"}),
        ("task", {"regular", "system"}),
    ],
)
async def test_who_may_attach_to_what(database: AnyDatabase, scene: Scene, ref_type: str, who: set[str]) -> None:
    cast = scene.cast
    ids = {"item": scene.item_id, "space": cast.space_id, "comment": scene.comment_id, "status": scene.status_id, "task": scene.task_id}
    ref_id = ids[ref_type]
    callers = {
        "owner": cast.owner, "admin": cast.admin, "regular": cast.regular, "light": cast.light, "colleague": cast.colleague,
        "stranger": cast.stranger, "nobody": cast.nobody, "app": cast.app, "sibling": cast.sibling, "system": SYSTEM,
    }  # fmt: skip
    allowed = set()
    for name, caller in callers.items():
        file_id = await database.write(upload, caller)
        try:
            await database.write(attach_file, caller, file_id, ref_type, ref_id, now=NOW)
        except (NotFound, Forbidden):
            continue
        allowed.add(name)
        assert await database.read(on, ref_type, ref_id) != []
    assert allowed == who


async def test_a_file_on_a_comment_is_no_change_of_the_item(database: AnyDatabase, scene: Scene) -> None:
    def run(tx: Tx) -> tuple[list[dict[str, str]], int]:
        attach_file(tx, scene.cast.light, upload(tx, scene.cast.light), "comment", scene.comment_id, now=NOW)
        return told(tx), count(tx, scene.item_id)

    assert await database.write(run) == ([], 0)


async def test_more_files_than_a_call_may_have_are_refused(database: AnyDatabase, scene: Scene) -> None:
    with pytest.raises(Invalid, match="at most"):
        await database.write(attach_all, scene.cast.regular, list(range(1, ATTACH_LIMIT + 2)), scene.item_id)


async def test_of_two_who_attach_one_file_at_once_one_is_refused(database: AnyDatabase, scene: Scene) -> None:
    regular = scene.cast.regular
    other = (await database.write(create_item, regular, scene.cast.app_id, NewItem({"title": "B"}), now=NOW)).item_id
    file_id = await database.write(upload, regular)
    both = (database.write(attach_file, regular, file_id, "item", each, now=NOW) for each in (scene.item_id, other))
    outcomes = await asyncio.gather(*both, return_exceptions=True)
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Invalid", "NoneType"]
    assert len(await database.read(told)) == 1


# --- changing ----------------------------------------------------------------------------------------------------------


async def test_replacing_keeps_the_count_and_deleting_what_was_replaced_tells_nothing(database: AnyDatabase, scene: Scene) -> None:
    regular = scene.cast.regular

    def run(tx: Tx) -> tuple[list[dict[str, str]], int, list[int]]:
        old, new = upload(tx, regular), upload(tx, regular)
        attach_file(tx, regular, old, "item", scene.item_id, now=NOW)
        files.replace_file(tx, regular, new, old, now=NOW)
        delete_file(tx, regular, old, now=NOW)
        return told(tx), count(tx, scene.item_id), on(tx, "item", scene.item_id)

    changes, counted, attached = await database.write(run)
    assert [each["action_type"] for each in changes] == ["file_created", "file_replaced"]
    assert [changes[1]["file_ids"]] == [str(each) for each in attached]
    assert counted == 1


async def test_bytes_are_needed_until_the_last_copy_is_deleted(database: AnyDatabase, scene: Scene) -> None:
    regular = scene.cast.regular
    file_id = await database.write(upload, regular)
    copy = await database.write(copy_file, regular, file_id, now=NOW)
    assert await database.write(delete_file, regular, file_id, now=NOW) is None
    assert await database.read(needed_keys, ["mark/a.png", "mark/b"]) == {"mark/a.png"}
    assert await database.write(delete_file, regular, copy.file_id, now=NOW) == "mark/a.png"
    assert await database.read(needed_keys, ["mark/a.png"]) == set()
    with pytest.raises(Gone):
        await database.write(copy_file, regular, file_id, now=NOW)


async def test_of_a_copy_and_a_deletion_at_once_neither_loses_the_bytes(database: AnyDatabase, scene: Scene) -> None:
    regular = scene.cast.regular
    for _ in range(5):
        file_id = await database.write(upload, regular)
        copied, key = await asyncio.gather(
            database.write(copy_file, regular, file_id, now=NOW),
            database.write(delete_file, regular, file_id, now=NOW),
            return_exceptions=True,
        )
        assert isinstance(copied, Gone) == (key is not None)
        if not isinstance(copied, BaseException):
            await database.write(delete_file, regular, copied.file_id, now=NOW)


async def test_a_file_that_is_deleted_twice_at_once_is_told_once(database: AnyDatabase, scene: Scene) -> None:
    regular = scene.cast.regular
    file_id = await database.write(upload, regular)
    await database.write(attach_file, regular, file_id, "item", scene.item_id, now=NOW)
    outcomes = await asyncio.gather(*(database.write(delete_file, regular, file_id, now=NOW) for _ in range(3)), return_exceptions=True)
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Gone", "Gone", "str"]
    assert await database.read(count, scene.item_id) == 0
    assert [each["action_type"] for each in await database.read(told)] == ["file_created", "file_deleted"]


async def test_files_of_private_tasks_are_in_no_list(database: AnyDatabase, scene: Scene) -> None:
    def run(tx: Tx) -> tuple[list[Any], list[Any]]:
        regular = scene.cast.regular
        for kind, number in (("item", scene.item_id), ("status", scene.status_id), ("space", scene.cast.space_id), ("task", scene.task_id)):
            attach_file(tx, regular, upload(tx, regular), kind, number, now=NOW)
        attach_file(tx, scene.cast.light, upload(tx, scene.cast.light), "comment", scene.comment_id, now=NOW)
        view = view_files_in(tx, regular, "space", scene.cast.space_id, limit=50, offset=0)
        app = view_files_in(tx, scene.cast.app, "app", scene.cast.app_id, limit=50, offset=0)
        return [file.ref_type for file in view.files], [(file.ref_type, view.titles[file.ref_type, file.ref_id]) for file in app.files]

    in_space, in_app = await database.write(run)
    assert in_space == ["comment", "space", "status", "item"]
    assert in_app == [("comment", "Look"), ("item", "Wheel")]


async def test_a_deleted_item_s_files_and_its_comments_files_are_in_no_list(database: AnyDatabase, scene: Scene) -> None:
    def run(tx: Tx) -> list[Any]:
        attach_file(tx, scene.cast.regular, upload(tx, scene.cast.regular), "item", scene.item_id, now=NOW)
        attach_file(tx, scene.cast.light, upload(tx, scene.cast.light), "comment", scene.comment_id, now=NOW)
        delete_item(tx, scene.cast.regular, scene.item_id, now=NOW)
        return list(view_files_in(tx, scene.cast.owner, "space", scene.cast.space_id, limit=50, offset=0).files)

    assert await database.write(run) == []


# --- as values ---------------------------------------------------------------------------------------------------------


async def test_a_file_is_a_value_of_a_field_and_no_attachment(database: AnyDatabase, scene: Scene) -> None:
    regular = scene.cast.regular

    def run(tx: Tx) -> tuple[int, Any, list[dict[str, str]], list[int]]:
        photo, paper = upload(tx, regular), upload(tx, regular, "b.pdf", "application/pdf")
        item = create_item(tx, regular, scene.album_id, NewItem({"photo": [{"value": photo}], "papers": [paper, photo]}), now=NOW)
        seen = view_file(tx, scene.cast.light, photo)
        return item.item_id, (seen.files[0].ref_id, count(tx, item.item_id)), told(tx), on(tx, "item", item.item_id)

    item_id, counted, changes, attached = await database.write(run)
    assert (counted, changes, attached) == ((item_id, 0), [], [])


async def test_the_event_tells_of_a_file_as_a_value(database: AnyDatabase, scene: Scene) -> None:
    regular = scene.cast.regular

    def run(tx: Tx) -> tuple[int, Any]:
        photo = upload(tx, regular)
        item = create_item(tx, regular, scene.album_id, NewItem({"title": "A"}), now=NOW)
        update_item(tx, regular, item.item_id, ItemChange({"photo": photo}), now=NOW)
        chosen = select(events.c.changes).where(events.c.type == "item.update")
        return photo, msgspec.json.decode(tx.execute(chosen).scalar_one())[0]["after"][0]["value"]

    photo, shown = await database.write(run)
    assert (shown["file_id"], shown["name"], shown["mimetype"], shown["size"]) == (photo, "a.png", "image/png", 5)


@pytest.mark.parametrize("whose", ["another's", "no", "of another item", "of another type", "deleted"])
async def test_a_file_that_is_not_one_s_own_to_give_is_refused_as_a_value(database: AnyDatabase, scene: Scene, whose: str) -> None:
    regular = scene.cast.regular

    def run(tx: Tx) -> None:
        file_id = upload(
            tx, scene.cast.owner if whose == "another's" else regular, mimetype="text/x" if whose == "of another type" else "image/png"
        )
        if whose == "deleted":
            delete_file(tx, regular, file_id, now=NOW)
        if whose == "of another item":
            create_item(tx, regular, scene.album_id, NewItem({"photo": file_id}), now=NOW)
        create_item(tx, regular, scene.album_id, NewItem({"photo": 999 if whose == "no" else file_id}), now=NOW)

    with pytest.raises(Invalid, match=r"the id of a file|attached to item"):
        await database.write(run)


async def test_one_file_cannot_be_a_value_of_two_new_items(database: AnyDatabase, scene: Scene) -> None:
    file_id = await database.write(upload, scene.cast.regular)
    new = [NewItem({"photo": file_id})] * 2
    with pytest.raises(Invalid, match="attached to item"):
        await database.write(create_items, scene.cast.regular, scene.album_id, new, now=NOW)
    assert (await database.read(find_file, file_id)).ref_type is None


async def test_a_file_that_a_field_holds_is_neither_deleted_nor_replaced_until_it_is_taken_out(database: AnyDatabase, scene: Scene) -> None:
    regular = scene.cast.regular

    def make(tx: Tx) -> tuple[int, int]:
        photo = upload(tx, regular)
        return photo, create_item(tx, regular, scene.album_id, NewItem({"photo": photo}), now=NOW).item_id

    photo, item_id = await database.write(make)
    new = await database.write(upload, regular, "b.png")
    for refused in (
        database.write(delete_file, regular, photo, now=NOW),
        database.write(files.replace_file, regular, new, photo, now=NOW),
    ):
        with pytest.raises((Invalid, Conflict)):
            await refused
    await database.write(update_item, regular, item_id, ItemChange({"photo": []}), now=NOW)
    await database.write(update_item, regular, item_id, ItemChange({"photo": photo}), now=NOW)  # it is on the item still
    await database.write(update_item, regular, item_id, ItemChange({"photo": []}), now=NOW)
    assert await database.write(delete_file, regular, photo, now=NOW) == "mark/a.png"
    assert (await database.read(get_item, regular, item_id)).values == {}
    assert await database.read(told) == []


async def test_an_attachment_may_become_a_value_of_its_item(database: AnyDatabase, scene: Scene) -> None:
    regular = scene.cast.regular

    def run(tx: Tx) -> list[int]:
        item = create_item(tx, regular, scene.album_id, NewItem({"title": "A"}), now=NOW)
        photo = upload(tx, regular)
        attach_file(tx, regular, photo, "item", item.item_id, now=NOW)
        update_item(tx, regular, item.item_id, ItemChange({"photo": photo}), now=NOW)
        return on(tx, "item", item.item_id)

    assert len(await database.write(run)) == 1
