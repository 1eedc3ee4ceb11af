"""Tasks: made, seen, changed, found and deleted, with their events, on both engines."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from msgspec import Struct
from sqlalchemy import select

from tests.support.cast import NOW, Cast, gather_cast
from tests.support.databases import AnyDatabase
from tests.support.rights import answers
from tidings.clock import DAY, SECOND
from tidings.errors import Forbidden, Gone, Invalid, NotFound
from tidings.store.database import Tx
from tidings.store.schema import events, items, statuses, tasks
from tidings.workspace.access import SYSTEM, Caller
from tidings.workspace.apps import delete_app
from tidings.workspace.files.files import Stored, add_file, files_on
from tidings.workspace.items.items import NewItem, create_item, delete_item
from tidings.workspace.members import remove_members
from tidings.workspace.spaces import delete_space
from tidings.workspace.tasks.lists import Span, Wanted, count_active, find_tasks, find_tasks_on, list_labels
from tidings.workspace.tasks.tasks import Task, TaskParts, create_tasks, delete_task, get_task, tasks_on, update_task
from tidings.workspace.tasks.views import view_tasks

LATER = NOW + 60 * SECOND


class World(Struct, frozen=True):
    """The cast, and something of each kind for tasks to hang on."""

    cast: Cast
    item_id: int
    other_item_id: int
    status_id: int

    def place(self, ref_type: str) -> int:
        """The object of this kind."""
        return {"item": self.item_id, "status": self.status_id, "app": self.cast.app_id, "space": self.cast.space_id}[ref_type]


def make_world(tx: Tx) -> World:
    cast = gather_cast(tx)
    one, other = (create_item(tx, cast.regular, cast.app_id, NewItem({"title": title}), now=NOW).item_id for title in ("One", "Other"))
    values = {"space_id": cast.space_id, "value": "Hello", "created_by": cast.regular.author, "created_at": NOW}
    status_id: int = tx.execute(statuses.insert().values(values).returning(statuses.c.status_id)).scalar_one()
    return World(cast, one, other, status_id)


pytestmark = pytest.mark.furnished(make=make_world)


@pytest.fixture
def world(furniture: World) -> World:
    return furniture


@pytest.fixture
def cast(world: World) -> Cast:
    return world.cast


def parts(**said: Any) -> TaskParts:
    return msgspec.convert({"text": "Fix it", **said}, TaskParts)


def change(**said: Any) -> TaskParts:
    return msgspec.convert(said, TaskParts)


def make(tx: Tx, caller: Caller, /, **said: Any) -> Task:
    [task] = create_tasks(tx, caller, parts(**said), now=NOW)
    return task


def on(world: World, ref_type: str) -> dict[str, Any]:
    return {"ref_type": ref_type, "ref_id": world.place(ref_type)}


def task_events(tx: Tx) -> list[dict[str, Any]]:
    rows = tx.execute(select(events).where(events.c.object_type == "task").order_by(events.c.event_id)).mappings()
    return [{**row, "parameters": msgspec.json.decode(row["parameters"])} for row in rows]


def event_types(tx: Tx) -> list[str]:
    return [event["type"] for event in task_events(tx)]


def counted(tx: Tx, item_id: int) -> int:
    return int(tx.execute(select(items.c.task_count).where(items.c.item_id == item_id)).scalar_one())


# --- making ---


async def test_a_task_is_made_with_all_that_is_said_of_it(database: AnyDatabase, world: World) -> None:
    said = {
        "text": " Fix it ",
        "description": "soon",
        "private": True,
        "due_on": "2026-01-02 03:04:05",
        "labels": ["a", "b"],
        "reminder": {"remind_delta": 15},
        "external_id": 7,
        "responsible": world.cast.light.id,
        **on(world, "item"),
    }
    task = await database.write(make, world.cast.regular, **said)
    assert task == await database.read(get_task, world.cast.light, task.task_id)
    assert (task.text, task.description, task.private, task.status) == ("Fix it", "soon", True, "active")
    assert (task.due_on, task.due_time, task.labels, task.reminder, task.external_id) == ("2026-01-02", "03:04:05", ("a", "b"), 15, "7")
    assert (task.ref_type, task.ref_id, task.app_id, task.space_id) == ("item", world.item_id, world.cast.app_id, world.cast.space_id)
    assert (task.responsible_id, task.created_by, task.created_at) == (world.cast.light.id, world.cast.regular.author, NOW)


@pytest.mark.parametrize(
    ("ref_type", "app", "space"), [("item", True, False), ("app", True, True), ("space", False, True), ("status", False, True)]
)
async def test_hooks_of_the_space_hear_of_its_tasks_but_not_of_those_on_items(
    database: AnyDatabase, world: World, ref_type: str, app: bool, space: bool
) -> None:
    task = await database.write(make, world.cast.light, **on(world, ref_type))
    [event] = await database.read(task_events)
    assert (event["type"], event["object_id"], event["parameters"]) == ("task.create", task.task_id, {"task_id": str(task.task_id)})
    assert event["app_id"] == (world.cast.app_id if app else None)
    assert event["space_id"] == (world.cast.space_id if space else None)
    assert (event["created_by"], event["created_at"], bool(event["heard"])) == (world.cast.light.author, NOW, True)


async def test_a_task_on_nothing_is_of_no_app_and_no_space(database: AnyDatabase, cast: Cast) -> None:
    task = await database.write(make, cast.nobody)
    [event] = await database.read(task_events)
    assert (task.ref_type, task.space_id, event["app_id"], event["space_id"]) == (None, None, None, None)


async def test_nobody_named_is_the_person_who_calls_and_null_is_nobody(database: AnyDatabase, world: World) -> None:
    assert (await database.write(make, world.cast.light)).responsible_id == world.cast.light.id
    assert (await database.write(make, world.cast.light, responsible=0)).responsible_id == world.cast.light.id
    assert (await database.write(make, world.cast.light, responsible=None)).responsible_id is None
    assert (await database.write(make, world.cast.light, responsible=[])).responsible_id is None
    assert (await database.write(make, world.cast.app, **on(world, "item"))).responsible_id is None


async def test_several_people_get_a_task_each(database: AnyDatabase, world: World) -> None:
    people = [world.cast.light.id, {"type": "mail", "value": "admin@example.org"}, world.cast.light.id]
    made = await database.write(create_tasks, world.cast.regular, parts(responsible=people, **on(world, "item")), now=NOW)
    assert [task.responsible_id for task in made] == [world.cast.light.id, world.cast.admin.id]
    assert await database.read(event_types) == ["task.create", "task.create"]
    assert await database.read(counted, world.item_id) == 2


async def test_a_task_without_a_text_is_refused(database: AnyDatabase, cast: Cast) -> None:
    with pytest.raises(Invalid, match="text: is missing"):
        await database.write(create_tasks, cast.light, TaskParts(), now=NOW)


async def test_what_has_no_tasks_is_refused_naming_what_has(database: AnyDatabase, cast: Cast) -> None:
    for ref_type in ("conversation", "task", "comment", ""):
        with pytest.raises(Invalid) as raised:
            await database.write(make, cast.light, ref_type=ref_type, ref_id=1)
        if ref_type:
            assert "{'item','status','app','space'}" in raised.value.description
    with pytest.raises(Invalid, match="ref_id: is missing"):
        await database.write(make, cast.light, ref_type="item")


async def test_a_change_that_fails_leaves_no_task_no_count_and_no_event(database: AnyDatabase, world: World) -> None:
    def make_and_fail(tx: Tx) -> None:
        make(tx, world.cast.light, **on(world, "item"))
        raise Invalid("no")

    with pytest.raises(Invalid):
        await database.write(make_and_fail)
    assert await database.read(event_types) == []
    assert await database.read(counted, world.item_id) == 0
    assert await database.read(lambda tx: tx.execute(select(tasks)).all()) == []


async def test_hooks_hear_of_nothing_that_was_to_be_unheard(database: AnyDatabase, world: World) -> None:
    said, light = parts(**on(world, "space")), world.cast.light
    [task] = await database.write(create_tasks, light, said, now=NOW, heard=False)
    await database.write(update_task, light, task.task_id, change(text="New"), now=NOW, heard=False)
    await database.write(delete_task, light, task.task_id, now=NOW, heard=False)
    found = await database.read(task_events)
    assert [(event["type"], bool(event["heard"])) for event in found] == [
        ("task.create", False),
        ("task.update", False),
        ("task.delete", False),
    ]


# --- who may be responsible ---


async def test_only_who_can_see_the_object_can_be_responsible(database: AnyDatabase, world: World) -> None:
    for ref_type in ("item", "app", "space", "status"):
        for whom in (world.cast.colleague.id, world.cast.stranger.id, 999_999, "nobody@example.org", "ghost@example.org"):
            with pytest.raises(Invalid, match=r"^responsible: .* is nobody who can see") as raised:
                await database.write(make, world.cast.admin, responsible=whom, **on(world, ref_type))
            assert raised.value.parameters["field"] == "responsible"


async def test_a_task_on_nothing_is_for_a_colleague(database: AnyDatabase, cast: Cast) -> None:
    assert (await database.write(make, cast.light, responsible=cast.colleague.id)).responsible_id == cast.colleague.id
    assert (await database.write(make, cast.app, responsible=cast.colleague.id)).responsible_id == cast.colleague.id
    assert (await database.write(make, SYSTEM, responsible=cast.nobody.id)).responsible_id == cast.nobody.id
    for caller, whom in ((cast.light, cast.stranger.id), (cast.app, cast.stranger.id), (cast.light, 999_999), (SYSTEM, 999_999)):
        with pytest.raises(Invalid, match="responsible: "):
            await database.write(make, caller, responsible=whom)


async def test_a_task_in_hand_is_given_to_one_person(database: AnyDatabase, cast: Cast) -> None:
    task = await database.write(make, cast.light)
    with pytest.raises(Invalid, match="responsible: must be one person"):
        await database.write(update_task, cast.light, task.task_id, change(responsible=[cast.light.id, cast.admin.id]), now=NOW)


async def test_who_is_responsible_already_may_stay_it_when_they_have_gone(database: AnyDatabase, world: World) -> None:
    cast = world.cast
    task = await database.write(make, cast.regular, responsible=cast.light.id, **on(world, "space"))
    await database.write(remove_members, cast.owner, cast.space_id, [cast.light.id], now=NOW)
    await database.write(update_task, cast.regular, task.task_id, change(text="New", responsible=cast.light.id), now=NOW)
    with pytest.raises(Invalid, match="responsible: "):
        await database.write(update_task, cast.regular, task.task_id, change(**on(world, "app")), now=NOW)
    with pytest.raises(NotFound):
        await database.read(get_task, cast.light, task.task_id)


# --- who may do what ---

Act = Callable[[Tx, Caller, World], object]


def _made(tx: Tx, world: World, by: str, **said: Any) -> int:
    return make(tx, getattr(world.cast, by), **said).task_id


def _get(ref_type: str, **said: Any) -> Act:
    return lambda tx, who, world: get_task(tx, who, _made(tx, world, "regular", responsible=None, **on(world, ref_type), **said))


def _put(ref_type: str, **said: Any) -> Act:
    def act(tx: Tx, who: Caller, world: World) -> object:
        task_id = _made(tx, world, "regular", responsible=None, **on(world, ref_type), **said)
        return update_task(tx, who, task_id, change(text="New"), now=NOW)

    return act


def _delete(by: str, **said: Any) -> Act:
    return lambda tx, who, world: delete_task(tx, who, _made(tx, world, by, **said, **on(world, "item")), now=NOW)


ACTS: dict[str, Act] = {
    "make_on_item": lambda tx, who, world: make(tx, who, responsible=None, **on(world, "item")),
    "make_on_app": lambda tx, who, world: make(tx, who, responsible=None, **on(world, "app")),
    "make_on_space": lambda tx, who, world: make(tx, who, responsible=None, **on(world, "space")),
    "make_on_status": lambda tx, who, world: make(tx, who, responsible=None, **on(world, "status")),
    "make_on_nothing": lambda tx, who, _: make(tx, who, responsible=None),
    "list_on_item": lambda tx, who, world: find_tasks_on(tx, who, "item", world.item_id, Wanted()),
    "count_on_space": lambda tx, who, world: count_active(tx, who, "space", world.cast.space_id),
    "get_on_item": _get("item"),
    "get_on_space": _get("space"),
    "get_private": _get("item", private=True),
    "get_on_nothing": lambda tx, who, world: get_task(tx, who, _made(tx, world, "regular")),
    "update_on_item": _put("item"),
    "update_on_status": _put("status"),
    "update_private": _put("item", private=True),
    "update_light_s": lambda tx, who, world: update_task(
        tx, who, _made(tx, world, "light", **on(world, "item")), change(completed=True), now=NOW
    ),
    "delete_regular_s": _delete("regular", responsible=None),
    "delete_light_s": _delete("light"),
    "delete_app_s": _delete("app"),
    "delete_on_nothing": lambda tx, who, world: delete_task(tx, who, _made(tx, world, "regular", responsible=world.cast.light.id), now=NOW),
}

TABLE = """
                   owner admin regular light colleague stranger nobody app sibling far_app
make_on_item       ok    ok    ok      ok    403       404      404    ok  403     404
make_on_app        ok    ok    ok      ok    403       404      404    ok  403     404
make_on_space      ok    ok    ok      ok    403       404      404    403 403     404
make_on_status     ok    ok    ok      ok    403       404      404    403 403     404
make_on_nothing    ok    ok    ok      ok    ok        ok       ok     ok  ok      ok
list_on_item       ok    ok    ok      ok    403       404      404    ok  403     404
count_on_space     ok    ok    ok      ok    403       404      404    403 403     404
get_on_item        ok    ok    ok      ok    403       404      404    ok  403     404
get_on_space       ok    ok    ok      ok    403       404      404    403 403     404
get_private        404   404   ok      404   404       404      404    404 404     404
get_on_nothing     404   404   ok      404   404       404      404    404 404     404
update_on_item     ok    ok    ok      403   403       404      404    ok  403     404
update_on_status   ok    ok    ok      403   403       404      404    403 403     404
update_private     404   404   ok      404   404       404      404    404 404     404
update_light_s     ok    ok    ok      ok    403       404      404    ok  403     404
delete_regular_s   ok    ok    ok      403   403       404      404    ok  403     404
delete_light_s     ok    ok    403     ok    403       404      404    ok  403     404
delete_app_s       ok    ok    403     403   403       404      404    ok  403     404
delete_on_nothing  404   404   ok      403   404       404      404    404 404     404
"""


async def test_everybody_may_do_what_the_table_says(database: AnyDatabase, world: World) -> None:
    head, *lines = TABLE.strip().splitlines()
    positions = head.split()
    expected = {line.split()[0]: dict(zip(positions, line.split()[1:], strict=True)) for line in lines}
    found = {name: await answers(database, world.cast, positions, act, world) for name, act in ACTS.items()}
    assert found == expected


async def test_what_is_not_there_and_what_is_out_of_reach_say_the_same(database: AnyDatabase, world: World) -> None:
    task = await database.write(make, world.cast.regular, **on(world, "item"))
    sentences = set()
    for caller, task_id in ((world.cast.stranger, task.task_id), (world.cast.stranger, 999_999), (world.cast.regular, 999_999)):
        with pytest.raises(NotFound) as raised:
            await database.read(get_task, caller, task_id)
        sentences.add((raised.value.description, *raised.value.parameters))
    assert sentences == {("Object not found", "task_id")}


# --- changing ---


async def test_every_part_can_be_changed_each_with_an_event(database: AnyDatabase, world: World) -> None:
    task = await database.write(make, world.cast.regular, **on(world, "space"))
    changes: list[tuple[dict[str, Any], dict[str, Any]]] = [
        ({"text": "New"}, {"text": "New"}),
        ({"description": "More"}, {"description": "More"}),
        ({"private": True}, {"private": True}),
        ({"due_date": "2026-02-03", "due_time": "04:05"}, {"due_on": "2026-02-03", "due_time": "04:05:00"}),
        ({"due_on": None}, {"due_on": None, "due_time": None}),
        ({"responsible": world.cast.light.id}, {"responsible_id": world.cast.light.id}),
        ({"responsible": None}, {"responsible_id": None}),
        ({"labels": ["a"]}, {"labels": ("a",)}),
        ({"labels": None}, {"labels": ()}),
        ({"reminder": {"remind_delta": 0}}, {"reminder": 0}),
        ({"reminder": None}, {"reminder": None}),
        ({"external_id": "ERP"}, {"external_id": "ERP"}),
        (on(world, "status"), {"ref_type": "status", "ref_id": world.status_id}),
    ]
    for said, expected in changes:
        before = await database.read(get_task, world.cast.regular, task.task_id)
        after = await database.write(update_task, world.cast.regular, task.task_id, change(**said), now=LATER)
        assert after == await database.read(get_task, world.cast.regular, task.task_id)
        assert after == msgspec.structs.replace(before, **expected)
    assert await database.read(event_types) == ["task.create", *["task.update"] * len(changes)]


async def test_a_task_is_completed_and_taken_up_again(database: AnyDatabase, world: World) -> None:
    task = await database.write(make, world.cast.regular, responsible=world.cast.light.id, **on(world, "space"))
    done = await database.write(update_task, world.cast.light, task.task_id, change(completed=True), now=LATER)
    assert (done.status, done.completed_by, done.completed_at) == ("completed", world.cast.light.author, LATER)
    again = await database.write(update_task, world.cast.light, task.task_id, change(completed=False), now=LATER)
    assert again == task
    found = await database.read(task_events)
    assert [(event["type"], event["created_by"]) for event in found[1:]] == [("task.update", world.cast.light.author)] * 2


async def test_a_change_that_changes_nothing_writes_nothing(database: AnyDatabase, world: World) -> None:
    said = {"due_on": "2026-01-02 03:04:05", "labels": ["a"], "reminder": {"remind_delta": 5}, "external_id": "x", **on(world, "item")}
    task = await database.write(make, world.cast.regular, **said)
    await database.write(update_task, world.cast.regular, task.task_id, change(completed=True), now=NOW)
    for nothing in (change(), change(completed=True), parts(**said), change(responsible=world.cast.regular.id), change(private=None)):
        assert (await database.write(update_task, world.cast.admin, task.task_id, nothing, now=LATER)).completed_at == NOW
    assert await database.read(event_types) == ["task.create", "task.update"]
    assert await database.read(counted, world.item_id) == 1


async def test_a_wrong_part_changes_nothing_at_all(database: AnyDatabase, world: World) -> None:
    task = await database.write(make, world.cast.regular)
    for said in ({"text": " "}, {"due_date": "soon"}, {"ref_id": 5}, {"file_ids": [999]}, {"label_ids": [1]}):
        with pytest.raises((Invalid, NotFound)):
            await database.write(update_task, world.cast.regular, task.task_id, change(**{"description": "New", **said}), now=NOW)
    assert await database.read(get_task, world.cast.regular, task.task_id) == task


async def test_a_task_moves_to_another_object_and_is_counted_there(database: AnyDatabase, world: World) -> None:
    cast = world.cast
    task = await database.write(make, cast.regular, responsible=None, **on(world, "item"))
    await database.write(update_task, cast.regular, task.task_id, change(ref_type="item", ref_id=world.other_item_id), now=NOW)
    assert [await database.read(counted, item_id) for item_id in (world.item_id, world.other_item_id)] == [0, 1]
    moved = await database.write(update_task, cast.regular, task.task_id, change(**on(world, "space")), now=NOW)
    assert (moved.app_id, moved.space_id, await database.read(counted, world.other_item_id)) == (None, cast.space_id, 0)
    loose = await database.write(update_task, cast.regular, task.task_id, change(ref_type=None), now=NOW)
    assert (loose.ref_type, loose.ref_id, loose.app_id, loose.space_id) == (None, None, None, None)


async def test_of_a_task_that_moves_they_hear_who_hear_of_the_new_place_or_else_of_the_old(database: AnyDatabase, world: World) -> None:
    cast = world.cast
    task = await database.write(make, cast.regular, **on(world, "item"))
    places: list[tuple[dict[str, Any], tuple[int | None, int | None]]] = [
        ({"ref_id": world.other_item_id}, (cast.app_id, None)),
        (on(world, "space"), (cast.app_id, cast.space_id)),
        (on(world, "item"), (cast.app_id, cast.space_id)),
        ({"text": "New"}, (cast.app_id, None)),
        (on(world, "status"), (cast.app_id, cast.space_id)),
        ({"ref_type": None}, (None, cast.space_id)),
        ({"text": "Newer"}, (None, None)),
    ]
    for said, expected in places:
        await database.write(update_task, cast.regular, task.task_id, change(**said), now=NOW)
        event = (await database.read(task_events))[-1]
        assert (event["app_id"], event["space_id"]) == expected, said


async def test_a_task_cannot_be_moved_to_what_its_mover_cannot_see(database: AnyDatabase, world: World) -> None:
    task = await database.write(make, world.cast.regular)
    with pytest.raises(NotFound):
        await database.write(update_task, world.cast.regular, task.task_id, change(ref_type="app", ref_id=world.cast.far_app_id), now=NOW)
    with pytest.raises(Forbidden):
        await database.write(
            update_task, world.cast.app, (await database.write(make, world.cast.app)).task_id, change(**on(world, "space")), now=NOW
        )


async def test_of_two_who_complete_a_task_together_one_does(database: AnyDatabase, world: World) -> None:
    task = await database.write(make, world.cast.regular, **on(world, "item"))
    await asyncio.gather(
        *(database.write(update_task, world.cast.regular, task.task_id, change(completed=True), now=NOW) for _ in range(5)),
        *(database.write(make, world.cast.regular, **on(world, "item")) for _ in range(5)),
    )
    assert sorted(await database.read(event_types)) == ["task.create"] * 6 + ["task.update"]
    assert await database.read(counted, world.item_id) == 6


# --- deleting ---


async def test_a_deleted_task_is_gone_for_everybody_who_could_see_it(database: AnyDatabase, world: World) -> None:
    task = await database.write(make, world.cast.regular, **on(world, "item"))
    await database.write(delete_task, world.cast.regular, task.task_id, now=LATER)
    assert await database.read(counted, world.item_id) == 0
    for act in (
        lambda tx, who: get_task(tx, who, task.task_id),
        lambda tx, who: delete_task(tx, who, task.task_id, now=LATER),
        lambda tx, who: update_task(tx, who, task.task_id, change(text="New"), now=LATER),
    ):
        with pytest.raises(Gone):
            await database.write(act, world.cast.regular)
        with pytest.raises(NotFound):
            await database.write(act, world.cast.stranger)
    assert await database.read(find_tasks, world.cast.regular, Wanted()) == []
    assert (await database.read(event_types))[1:] == ["task.delete"]


async def test_what_hangs_on_something_deleted_is_out_of_reach_with_it(database: AnyDatabase, world: World) -> None:
    cast = world.cast
    made = {ref_type: await database.write(make, cast.regular, **on(world, ref_type)) for ref_type in ("item", "app", "space", "status")}
    gone: list[tuple[Callable[[Tx], object], str]] = [
        (lambda tx: delete_item(tx, cast.owner, world.item_id, now=NOW), "item"),
        (lambda tx: tx.execute(statuses.update().values(deleted_at=NOW)), "status"),
        (lambda tx: delete_app(tx, cast.owner, cast.app_id, now=NOW), "app"),
        (lambda tx: delete_space(tx, cast.owner, cast.space_id, now=NOW), "space"),
    ]
    left = {task.task_id for task in made.values()}
    for act, ref_type in gone:
        await database.write(act)
        with pytest.raises(Gone):
            await database.read(get_task, cast.regular, made[ref_type].task_id)
        left.discard(made[ref_type].task_id)
        for caller in (cast.regular, SYSTEM):
            assert {task.task_id for task in await database.read(find_tasks, caller, Wanted())} == left


# --- finding ---


async def test_everybody_finds_what_they_could_get_one_by_one(database: AnyDatabase, world: World) -> None:
    cast = world.cast

    def make_some(tx: Tx) -> list[int]:
        made = []
        for by in (cast.owner, cast.regular, cast.light, cast.app):
            for private in (False, True):
                places = ("item", "app") if by.kind == "app" else ("item", "app", "space", "status")
                made += [make(tx, by, private=private, responsible=None, **on(world, place)).task_id for place in places]
                made.append(make(tx, by, private=private, responsible=cast.regular.id, **on(world, "item")).task_id)
                made.append(make(tx, by, private=private, responsible=cast.colleague.id).task_id)
        made.append(make(tx, cast.colleague, ref_type="space", ref_id=cast.open_space_id).task_id)
        made.append(make(tx, cast.stranger, ref_type="app", ref_id=cast.far_app_id).task_id)
        return made

    def reachable(tx: Tx, caller: Caller, task_ids: list[int]) -> list[int]:
        found = []
        for task_id in task_ids:
            try:
                found.append(get_task(tx, caller, task_id).task_id)
            except (NotFound, Forbidden):
                continue
        return found

    made = await database.write(make_some)
    for caller in (
        cast.owner, cast.admin, cast.regular, cast.light, cast.colleague, cast.stranger, cast.nobody,
        cast.app, cast.sibling, cast.far_app, SYSTEM,
    ):  # fmt: skip
        found = [task.task_id for task in await database.read(find_tasks, caller, Wanted())]
        assert found == await database.read(reachable, caller, made), caller


async def test_each_filter_finds_what_it_says(database: AnyDatabase, world: World) -> None:
    cast = world.cast

    def make_some(tx: Tx) -> tuple[Task, Task, Task, Task]:
        first = make(tx, cast.owner, responsible=cast.light.id, due_date="2026-01-05", **on(world, "item"))
        second = make(tx, cast.owner, responsible=cast.owner.id, due_date="2026-01-07", external_id="ERP", **on(world, "space"))
        done = update_task(tx, cast.admin, second.task_id, change(completed=True), now=NOW + DAY)
        [third] = create_tasks(tx, cast.owner, parts(responsible=None, ref_type="space", ref_id=cast.open_space_id), now=NOW + 2 * DAY)
        [fourth] = create_tasks(tx, Caller("user", cast.owner.id, 8), parts(**on(world, "app")), now=NOW)
        return first, done, third, fourth

    first, second, third, fourth = await database.write(make_some)
    cases: list[tuple[dict[str, Any], list[Task]]] = [
        ({}, [first, second, third, fourth]),
        ({"completed": True}, [second]),
        ({"completed": False}, [first, third, fourth]),
        ({"responsible": [cast.light.id]}, [first]),
        ({"responsible": [cast.light.id, cast.owner.id]}, [first, second, fourth]),
        ({"created_by": [f"user:{cast.owner.id}"]}, [first, second, third, fourth]),
        ({"created_by": [f"app:{cast.owner.id}", f"user:{cast.owner.id}0"]}, []),
        ({"completed_by": [f"user:{cast.admin.id}"]}, [second]),
        ({"created_via": 8}, [fourth]),
        ({"created_via": 7}, [first, second, third]),
        ({"reassigned": True}, [first]),
        ({"reassigned": False}, [second, third, fourth]),
        ({"external_id": "ERP"}, [second]),
        ({"external_id": "erp"}, []),
        ({"orgs": [cast.org_id]}, [first, second, third, fourth]),
        ({"orgs": [cast.far_org_id]}, []),
        ({"spaces": [cast.space_id]}, [first, second, fourth]),
        ({"spaces": [cast.open_space_id, cast.space_id]}, [first, second, third, fourth]),
        ({"apps": [cast.app_id]}, [first, fourth]),
        ({"references": [("item", world.item_id), ("space", cast.open_space_id)]}, [first, third]),
        ({"created": Span(NOW + 1, None)}, [third]),
        ({"created": Span(None, NOW)}, [first, second, fourth]),
        ({"ended": Span(NOW, NOW + DAY)}, [second]),
        ({"ended": Span(None, None)}, [second]),
        ({"due": Span("2026-01-05", "2026-01-06")}, [first]),
        ({"due": Span("2026-01-06", None)}, [second]),
        ({"completed": False, "spaces": [cast.space_id], "apps": [cast.app_id], "reassigned": False}, [fourth]),
        ({"sort_desc": True}, [fourth, third, second, first]),
        ({"sort_by": "created_on", "limit": 2, "offset": 1}, [second, third]),
        ({"sort_by": "due_date"}, [first, second, third, fourth]),
        ({"sort_by": "due_date", "sort_desc": True}, [second, first, fourth, third]),
        ({"sort_by": "completed_on"}, [second, first, third, fourth]),
        ({"offset": 4}, []),
    ]
    for said, expected in cases:
        found = await database.read(find_tasks, cast.owner, Wanted(**said))
        assert [task.task_id for task in found] == [task.task_id for task in expected], said


async def test_the_tasks_of_one_object_are_listed_and_those_to_be_done_counted(database: AnyDatabase, world: World) -> None:
    made = [await database.write(make, world.cast.light, private=private, **on(world, "item")) for private in (False, False, True)]
    await database.write(update_task, world.cast.light, made[0].task_id, change(completed=True), now=NOW)
    await database.write(make, world.cast.light, **on(world, "app"))
    for caller, count in ((world.cast.light, 2), (world.cast.admin, 1), (world.cast.app, 1)):
        assert await database.read(count_active, caller, "item", world.item_id) == count
        found = await database.read(find_tasks_on, caller, "item", world.item_id, Wanted())
        assert [task.task_id for task in found] == [task.task_id for task in made[: count + 1]]
        beside = await database.read(tasks_on, caller, "item", [world.item_id, world.other_item_id])
        assert beside == {world.item_id: found, world.other_item_id: []}
    with pytest.raises(Invalid, match="must be one of"):
        await database.read(find_tasks_on, world.cast.light, "conversation", 1, Wanted())


# --- files ---


def add(tx: Tx, caller: Caller, name: str = "a.txt") -> int:
    return add_file(tx, caller, Stored(f"key-{name}", 3, name, "text/plain"), now=NOW).file_id


async def test_the_labels_are_those_of_one_s_own_tasks(database: AnyDatabase, world: World) -> None:
    cast = world.cast
    await database.write(make, cast.light, labels=["red", "Blue"], **on(world, "space"))
    done = await database.write(make, cast.regular, labels=["red", "done"], responsible=cast.light.id, **on(world, "item"))
    gone = await database.write(make, cast.light, labels=["gone"])
    await database.write(make, cast.regular, labels=["theirs"], **on(world, "space"))
    await database.write(delete_task, cast.light, gone.task_id, now=NOW)
    assert await database.read(list_labels, cast.light) == ["Blue", "done", "red"]
    await database.write(update_task, cast.regular, done.task_id, change(labels=[]), now=NOW)
    assert await database.read(list_labels, cast.light) == ["Blue", "red"]
    assert await database.read(list_labels, cast.nobody) == []


async def test_files_are_attached_to_a_task_and_each_of_several_gets_its_own(database: AnyDatabase, world: World) -> None:
    cast = world.cast
    first, second = await database.write(add, cast.regular, "a.txt"), await database.write(add, cast.regular, "b.txt")
    people = [cast.regular.id, cast.light.id]
    said = parts(responsible=people, file_ids=[first], **on(world, "item"))
    made = await database.write(create_tasks, cast.regular, said, now=NOW)
    await database.write(update_task, cast.regular, made[0].task_id, change(file_ids=[second]), now=NOW)
    found = await database.read(files_on, "task", [task.task_id for task in made])
    assert [[file.name for file in found[task.task_id]] for task in made] == [["a.txt", "b.txt"], ["a.txt"]]
    views = await database.read(view_tasks, made)
    assert [file.file_id for file in views[0].files] == [first, second]
    assert await database.read(event_types) == ["task.create", "task.create"]


async def test_a_file_of_somebody_else_is_not_found_and_no_task_is_made(database: AnyDatabase, cast: Cast) -> None:
    file_id = await database.write(add, cast.admin)
    with pytest.raises(NotFound):
        await database.write(create_tasks, cast.light, parts(file_ids=[file_id]), now=NOW)
    assert await database.read(find_tasks, cast.light, Wanted()) == []


async def test_a_view_tells_what_the_objects_are_called(database: AnyDatabase, world: World) -> None:
    made = [await database.write(make, world.cast.regular, **on(world, ref_type)) for ref_type in ("item", "app", "space", "status")]
    loose = await database.write(make, world.cast.regular, responsible=None)
    views = await database.read(view_tasks, [*made, loose])
    assert [view.ref_title for view in views] == ["One", "Tasks", "Workshop", "Hello", None]
    assert [view.responsible.name if view.responsible else None for view in views] == ["Regular"] * 4 + [None]
