"""Items: made, read, changed, deleted, with their revisions and events, on both engines."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from sqlalchemy import select

from tests.support.cast import NOW
from tests.support.databases import AnyDatabase
from tests.support.tasks import LATER, Tasks, make_item, make_tasks, written
from tidings.errors import Conflict, Forbidden, Gone, Invalid, NotFound, TidingsError
from tidings.store.database import Tx
from tidings.store.schema import events, item_revisions, item_values
from tidings.workspace import apps, members
from tidings.workspace.access import SYSTEM, Caller
from tidings.workspace.fields import fields
from tidings.workspace.fields.fields import FieldChange
from tidings.workspace.items import filters, items, revisions
from tidings.workspace.items import views as item_views
from tidings.workspace.items.filters import Wanted
from tidings.workspace.items.items import Changed, ItemChange, NewItem

pytestmark = pytest.mark.furnished(make=make_tasks)


@pytest.fixture
def tasks(furniture: Tasks) -> Tasks:
    return furniture


def last_event(tx: Tx) -> dict[str, Any]:
    row = tx.execute(select(events).order_by(events.c.event_id.desc()).limit(1)).mappings().one()
    texts = {name: msgspec.json.decode(row[name]) for name in ("parameters", "field_ids", "changes")}
    return {**row, **texts}


# --- making ---


async def test_an_item_is_made_with_its_revision_its_values_and_its_event(database: AnyDatabase, tasks: Tasks) -> None:
    new = NewItem({"title": "Fix it", "estimate": 12}, "ERP-9")
    item = await database.write(items.create_item, tasks.regular, tasks.app_id, new, now=NOW)
    kept = await database.read(items.get_item, tasks.regular, item.item_id)
    assert kept == item
    assert (item.app_item_id, item.external_id, item.title, item.revision) == (1, "ERP-9", "Fix it", 0)
    assert item.values == {tasks.fields["title"]: [{"value": "Fix it"}], tasks.fields["estimate"]: [{"value": "12.0000"}]}
    assert (item.created_by, item.created_at, item.last_event_at) == (tasks.regular.author, NOW, NOW)
    event = await database.read(last_event)
    assert list(event["parameters"].items()) == [("item_id", str(item.item_id)), ("item_revision_id", "0"), ("external_id", "ERP-9")]
    assert (event["type"], event["app_id"], event["space_id"]) == ("item.create", tasks.app_id, tasks.cast.space_id)
    assert (event["object_type"], event["object_id"], event["created_by"]) == ("item", item.item_id, tasks.regular.author)
    assert bool(event["heard"]) is True
    assert event["field_ids"] == [tasks.fields["title"], tasks.fields["estimate"]]
    assert [(change["before"], change["after"]) for change in event["changes"]] == [
        ([], [{"value": "Fix it"}]),
        ([], [{"value": "12.0000"}]),
    ]


async def test_an_item_without_an_external_id_says_so_by_empty_text(database: AnyDatabase, tasks: Tasks) -> None:
    await database.write(make_item, tasks)
    assert (await database.read(last_event))["parameters"]["external_id"] == ""


async def test_items_are_numbered_within_their_app(database: AnyDatabase, tasks: Tasks) -> None:
    for _ in range(2):
        await database.write(make_item, tasks)
    await database.write(items.create_item, tasks.cast.regular, tasks.cast.app_id, NewItem({"title": "Other"}), now=NOW)
    last = await database.write(make_item, tasks)
    item = await database.read(items.get_item, tasks.regular, last)
    assert (item.app_item_id, item.title) == (3, "Work 3")


async def test_items_made_at_once_have_numbers_of_their_own(database: AnyDatabase, tasks: Tasks) -> None:
    made = await asyncio.gather(*(database.write(make_item, tasks) for _ in range(20)))
    numbers = [(await database.read(items.get_item, SYSTEM, item_id)).app_item_id for item_id in made]
    assert sorted(numbers) == list(range(1, 21))


async def test_a_change_with_hook_false_is_recorded_unheard(database: AnyDatabase, tasks: Tasks) -> None:
    await database.write(items.create_item, tasks.regular, tasks.app_id, NewItem(), now=NOW, heard=False)
    assert bool((await database.read(last_event))["heard"]) is False


WRONG = [
    (NewItem({"colour": "red"}), "must be the external_id or the field_id"),
    (NewItem({"estimate": "x"}), r"must be a number .* \(field 'estimate'\)"),
    (NewItem({}, "x" * 256), "as external_id of at most 255 characters"),
    (NewItem({}, external_id=True), "must be text, as external_id"),
    (NewItem({"parts": 4711}), r"must be the id of an item that you have access to \(field 'parts'\)"),
    (NewItem({"owner": 4711}), r"must be the id of a person of this organization \(field 'owner'\)"),
]


async def test_a_wrong_item_writes_nothing(database: AnyDatabase, tasks: Tasks) -> None:
    before = await database.read(written)
    for new, sentence in WRONG:
        with pytest.raises(Invalid, match=sentence):
            await database.write(items.create_item, tasks.regular, tasks.app_id, new, now=NOW)
    assert await database.read(written) == before
    assert (await database.read(items.get_item, SYSTEM, await database.write(make_item, tasks))).app_item_id == 1


async def test_many_items_are_made_as_one_by_one(database: AnyDatabase, tasks: Tasks) -> None:
    await database.write(make_item, tasks)
    new = [NewItem({"title": f"Number {number}", "labels": ["Red", "Blue"]}, f"E{number}") for number in range(10)]
    made = await database.write(items.create_items, tasks.regular, tasks.app_id, new, now=NOW)
    assert [item.app_item_id for item in made] == list(range(2, 12))
    assert [item.external_id for item in made] == [f"E{number}" for number in range(10)]
    assert [await database.read(items.get_item, tasks.regular, item.item_id) for item in made] == made
    assert await database.read(written) == {
        "items": 11,
        "item_revisions": 11,
        "item_values": 30,
        "events": (await database.read(written))["events"],
    }
    event = await database.read(last_event)
    assert (event["object_id"], event["parameters"]["external_id"]) == (made[-1].item_id, "E9")
    single = await database.read(items.get_item, SYSTEM, await database.write(make_item, tasks))
    assert single.item_id > made[-1].item_id
    assert await database.write(items.create_items, tasks.regular, tasks.app_id, [], now=NOW) == []


async def test_one_wrong_item_among_many_makes_none_and_is_named(database: AnyDatabase, tasks: Tasks) -> None:
    before = await database.read(written)
    with pytest.raises(Invalid, match=r"\(field 'estimate'\) \(item 1\)") as raised:
        await database.write(items.create_items, tasks.regular, tasks.app_id, [NewItem(), NewItem({"estimate": "x"})], now=NOW)
    assert raised.value.parameters == {"field": "estimate", "item": 1}
    assert await database.read(written) == before


async def test_a_required_field_must_be_given(database: AnyDatabase, tasks: Tasks) -> None:
    change = FieldChange(config={"required": True})
    await database.write(fields.update_field, tasks.cast.owner, tasks.app_id, "title", change, now=NOW)
    with pytest.raises(Invalid, match=r"A value is required \(field 'title'\)"):
        await database.write(make_item, tasks, {"estimate": 1})
    item_id = await database.write(make_item, tasks, {"title": "A"})
    with pytest.raises(Invalid, match=r"A value is required \(field 'title'\)"):
        await database.write(items.update_values, tasks.regular, item_id, {"title": []}, now=LATER)
    assert (await database.write(items.update_values, tasks.regular, item_id, {"estimate": 5}, now=LATER)).revision == 1


async def test_a_new_field_can_be_used_at_once(database: AnyDatabase, tasks: Tasks) -> None:
    await database.write(make_item, tasks, {"title": "A"})
    await database.write(fields.create_field, tasks.cast.owner, tasks.app_id, fields.NewField("text", {"label": "Note"}), now=NOW)
    item_id = await database.write(make_item, tasks, {"note": "B"})
    await database.write(fields.delete_field, tasks.cast.owner, tasks.app_id, "note", now=NOW)
    with pytest.raises(Invalid, match="'note'"):
        await database.write(make_item, tasks, {"note": "B"})
    view = await database.read(item_views.view_item, tasks.regular, item_id)
    assert [slot.field.external_id for slot in view.fieldset.slots] == list(tasks.fields)


# --- reading ---


async def test_an_item_is_found_by_its_number_within_the_app(database: AnyDatabase, tasks: Tasks) -> None:
    item_id = await database.write(make_item, tasks)
    view = await database.read(item_views.view_by_app_item_id, tasks.regular, tasks.app_id, 1)
    assert view.item.item_id == item_id
    with pytest.raises(NotFound):
        await database.read(item_views.view_by_app_item_id, tasks.regular, tasks.app_id, 2)
    await database.write(items.delete_item, tasks.regular, item_id, now=LATER)
    with pytest.raises(Gone):
        await database.read(item_views.view_by_app_item_id, tasks.regular, tasks.app_id, 1)


async def test_an_external_id_means_the_newest_item_that_has_it(database: AnyDatabase, tasks: Tasks) -> None:
    older, newer = [await database.write(make_item, tasks, external_id="E") for _ in range(2)]

    async def found() -> int:
        view = await database.read(item_views.view_by_external_id, tasks.regular, tasks.app_id, "E")
        return view.item.item_id

    assert await found() == newer
    await database.write(items.delete_item, tasks.regular, newer, now=LATER)
    assert await found() == older
    await database.write(items.delete_item, tasks.regular, older, now=LATER)
    with pytest.raises(NotFound):
        await found()


async def test_a_view_says_who_made_the_item_and_who_changed_it_last(database: AnyDatabase, tasks: Tasks) -> None:
    item_id = await database.write(make_item, tasks, {"title": "A"})
    await database.write(items.update_values, tasks.cast.admin, item_id, {"title": "B"}, now=LATER)
    await database.write(items.update_values, tasks.token, item_id, {"title": "C"}, now=LATER)
    view = await database.read(item_views.view_item, tasks.regular, item_id)
    assert (view.first.revision, view.first.type, view.authors[view.first.created_by].name) == (0, "creation", "Regular")
    assert (view.last.revision, view.last.type, view.authors[view.last.created_by].name) == (2, "update", "Works")
    assert (view.last.created_at, view.app.config.name, view.app.role) == (LATER, "Works", "regular")
    assert view.last.item_revision_id > view.first.item_revision_id


async def test_the_view_of_a_creation_is_what_a_reader_sees(database: AnyDatabase, tasks: Tasks) -> None:
    part = await database.write(make_item, tasks, {"title": "Part"})
    new = NewItem({"title": "A", "parts": [part], "owner": tasks.regular.id, "status": "Done"})
    made = await database.write(item_views.create_and_view, tasks.regular, tasks.app_id, new, now=NOW, heard=True)
    read = await database.read(item_views.view_item, tasks.regular, made.item.item_id)
    assert (made.item, made.app, made.known, made.authors, made.first, made.last) == (
        read.item, read.app, read.known, read.authors, read.first, read.last,
    )  # fmt: skip
    assert made.known.items[part].title == "Part"
    assert made.known.people == {tasks.regular.id: "Regular"}


# --- changing ---


async def test_a_change_makes_a_revision_and_an_event_with_the_values_before_and_after(database: AnyDatabase, tasks: Tasks) -> None:
    item_id = await database.write(make_item, tasks, {"title": "A", "estimate": 1, "status": "Open"}, external_id="E")
    changed = await database.write(
        items.update_item, tasks.cast.admin, item_id, ItemChange({"title": "B", "status": None, "estimate": "1"}), now=LATER
    )
    assert changed == Changed(1, "B")
    item = await database.read(items.get_item, tasks.regular, item_id)
    assert item.values == {tasks.fields["title"]: [{"value": "B"}], tasks.fields["estimate"]: [{"value": "1.0000"}]}
    assert (item.revision, item.title, item.last_event_at, item.created_at, item.external_id) == (1, "B", LATER, NOW, "E")
    event = await database.read(last_event)
    assert (event["type"], event["created_by"], event["created_at"]) == ("item.update", tasks.cast.admin.author, LATER)
    assert event["parameters"] == {"item_id": str(item_id), "item_revision_id": "1", "external_id": "E"}
    assert event["field_ids"] == [tasks.fields["title"], tasks.fields["status"]]
    option = {"id": 1, "text": "Open", "status": "active", "color": "DCEBD8"}
    assert [(change["before"], change["after"]) for change in event["changes"]] == [
        ([{"value": "A"}], [{"value": "B"}]),
        ([{"value": option}], []),
    ]


NO_CHANGES = [
    ItemChange(),
    ItemChange({"title": "A"}),
    ItemChange({"estimate": "1.00", "due": {"start": "2026-01-02 10:00"}, "labels": ["Blue", 1]}, "E"),
    ItemChange({"price": []}, revision=0),
]


async def test_a_change_that_changes_nothing_writes_nothing(database: AnyDatabase, tasks: Tasks) -> None:
    held = {"title": "A", "estimate": 1, "due": "2026-01-02 10:00:00", "labels": ["Blue", "Red"]}
    item_id = await database.write(make_item, tasks, held, external_id="E")
    before = await database.read(written)
    for change in NO_CHANGES:
        assert await database.write(items.update_item, tasks.regular, item_id, change, now=LATER) == Changed(0, "A")
    assert await database.read(written) == before
    assert (await database.read(items.get_item, tasks.regular, item_id)).last_event_at == NOW


async def test_an_external_id_can_be_changed_and_taken_away(database: AnyDatabase, tasks: Tasks) -> None:
    item_id = await database.write(make_item, tasks, external_id="E")
    assert (await database.write(items.update_item, tasks.regular, item_id, ItemChange(external_id=17), now=LATER)).revision == 1
    event = await database.read(last_event)
    assert (event["parameters"]["external_id"], event["changes"]) == ("17", [])
    assert (await database.write(items.update_item, tasks.regular, item_id, ItemChange(external_id=""), now=LATER)).revision == 2
    assert (await database.read(items.get_item, tasks.regular, item_id)).external_id is None


async def test_a_change_made_for_another_revision_is_a_conflict(database: AnyDatabase, tasks: Tasks) -> None:
    item_id = await database.write(make_item, tasks, {"title": "A"})
    assert (
        await database.write(items.update_item, tasks.regular, item_id, ItemChange({"title": "B"}, revision=0), now=LATER)
    ).revision == 1
    before = await database.read(written)
    with pytest.raises(Conflict, match="at revision 1, not 0") as raised:
        await database.write(items.update_item, tasks.regular, item_id, ItemChange({"title": "C"}, revision=0), now=LATER)
    assert raised.value.parameters == {"revision": 1}
    assert await database.read(written) == before


async def test_one_field_is_changed_by_either_of_its_names(database: AnyDatabase, tasks: Tasks) -> None:
    item_id = await database.write(make_item, tasks, {"title": "A"})
    change = items.update_field_value
    assert await database.write(change, tasks.regular, item_id, "title", "B", now=LATER) == Changed(1, "B")
    assert await database.write(change, tasks.regular, item_id, str(tasks.fields["title"]), [{"value": "C"}], now=LATER) == Changed(2, "C")
    with pytest.raises(Invalid, match="'colour'"):
        await database.write(change, tasks.regular, item_id, "colour", "red", now=LATER)


async def test_the_index_follows_every_change(database: AnyDatabase, tasks: Tasks) -> None:
    def keys(tx: Tx) -> list[tuple[Any, ...]]:
        query = select(item_values.c.field_id, item_values.c.position, item_values.c.number, item_values.c.text)
        return [tuple(row) for row in tx.execute(query.order_by(item_values.c.field_id, item_values.c.position))]

    item_id = await database.write(make_item, tasks, {"title": "Äa", "labels": ["Red", "Blue"]})
    title, labels, estimate = (tasks.fields[name] for name in ("title", "labels", "estimate"))
    assert await database.read(keys) == [(title, 0, None, "äa"), (labels, 0, 1.0, None), (labels, 1, 3.0, None)]
    await database.write(items.update_values, tasks.regular, item_id, {"labels": "Green", "estimate": -1.5}, now=LATER)
    assert await database.read(keys) == [(title, 0, None, "äa"), (labels, 0, 2.0, None), (estimate, 0, -1.5, None)]
    await database.write(items.delete_item, tasks.regular, item_id, now=LATER)
    assert await database.read(keys) == []


async def test_changes_of_one_item_made_at_once_all_happen_and_their_events_lie_in_order(database: AnyDatabase, tasks: Tasks) -> None:
    item_id = await database.write(make_item, tasks, {"title": "A"})
    changes = (database.write(items.update_values, tasks.regular, item_id, {"title": f"T{number}"}, now=LATER) for number in range(20))
    revisions = [changed.revision for changed in await asyncio.gather(*changes)]
    assert sorted(revisions) == list(range(1, 21))

    def told(tx: Tx) -> list[str]:
        query = select(events.c.parameters).where(events.c.type == "item.update").order_by(events.c.event_id)
        return [msgspec.json.decode(text)["item_revision_id"] for text in tx.execute(query).scalars()]

    assert await database.read(told) == [str(number) for number in range(1, 21)]


# --- what values refer to ---


async def test_a_reference_is_shown_as_the_item_is_now(database: AnyDatabase, tasks: Tasks) -> None:
    part = await database.write(make_item, tasks, {"title": "Part"})
    item_id = await database.write(make_item, tasks, {"title": "Whole", "parts": [part]})
    event = await database.read(last_event)
    assert event["changes"][-1]["after"][0]["value"]["title"] == "Part"
    await database.write(items.update_values, tasks.regular, part, {"title": "Renamed"}, now=LATER)
    view = await database.read(item_views.view_item, tasks.regular, item_id)
    assert view.known.items[part].title == "Renamed"
    await database.write(items.delete_item, tasks.regular, part, now=LATER)
    view = await database.read(item_views.view_item, tasks.regular, item_id)
    assert not view.known.items
    assert (await database.write(items.update_values, tasks.regular, item_id, {"parts": [part]}, now=LATER)).revision == 0
    with pytest.raises(Invalid, match="'parts'"):
        await database.write(make_item, tasks, {"parts": [part]})


async def test_a_reference_leads_only_to_what_the_caller_may_look_at(database: AnyDatabase, tasks: Tasks) -> None:
    far = await database.write(
        items.create_item, tasks.cast.stranger, tasks.cast.far_app_id, NewItem(), now=NOW
    )  # fmt: skip
    sibling = await database.write(items.create_item, tasks.regular, tasks.cast.sibling_id, NewItem(), now=NOW)
    with pytest.raises(Invalid, match="that you have access to"):
        await database.write(make_item, tasks, {"parts": [far.item_id]})
    item_id = await database.write(make_item, tasks, {"parts": [sibling.item_id]})
    seen = await database.read(item_views.view_item, tasks.regular, item_id)
    assert set(seen.known.items) == {sibling.item_id}
    by_token = await database.read(item_views.view_item, tasks.token, item_id)
    assert not by_token.known.items
    with pytest.raises(Invalid, match="that you have access to"):
        await database.write(items.create_item, tasks.token, tasks.app_id, NewItem({"parts": [sibling.item_id]}), now=NOW)


async def test_a_reference_is_to_an_item_of_the_apps_that_the_field_names(database: AnyDatabase, tasks: Tasks) -> None:
    change = FieldChange(config={"settings": {"referenceable_types": [tasks.cast.sibling_id]}})
    await database.write(fields.update_field, tasks.cast.owner, tasks.app_id, "parts", change, now=NOW)
    own = await database.write(make_item, tasks)
    with pytest.raises(Invalid, match=rf"in one of the apps \[{tasks.cast.sibling_id}\]"):
        await database.write(make_item, tasks, {"parts": [own]})


async def test_a_person_is_one_of_the_organization(database: AnyDatabase, tasks: Tasks) -> None:
    for outside in (tasks.cast.stranger, tasks.cast.nobody):
        with pytest.raises(Invalid, match="a person of this organization"):
            await database.write(make_item, tasks, {"owner": outside.id})
    item_id = await database.write(make_item, tasks, {"owner": [tasks.cast.light.id, tasks.cast.colleague.id]})
    view = await database.read(item_views.view_item, tasks.token, item_id)
    assert view.known.people == {tasks.cast.light.id: "Light", tasks.cast.colleague.id: "Colleague"}


# --- deleting ---


async def test_a_deleted_item_is_gone_and_its_record_stays(database: AnyDatabase, tasks: Tasks) -> None:
    item_id = await database.write(make_item, tasks, {"title": "A", "estimate": 1}, external_id="E")
    await database.write(items.delete_item, tasks.cast.admin, item_id, now=LATER)
    event = await database.read(last_event)
    assert (event["type"], event["created_by"]) == ("item.delete", tasks.cast.admin.author)
    assert event["parameters"] == {"item_id": str(item_id), "item_revision_id": "1", "external_id": "E"}
    assert [(change["before"], change["after"]) for change in event["changes"]] == [([{"value": "A"}], []), ([{"value": "1.0000"}], [])]

    def types(tx: Tx) -> list[tuple[int, str]]:
        return [
            tuple(row) for row in tx.execute(select(item_revisions.c.revision, item_revisions.c.type).order_by(item_revisions.c.revision))
        ]

    assert await database.read(types) == [(0, "creation"), (1, "delete")]
    operations: list[Callable[[Tx], object]] = [
        lambda tx: items.get_item(tx, tasks.regular, item_id),
        lambda tx: items.update_values(tx, tasks.regular, item_id, {"title": "B"}, now=LATER),
        lambda tx: items.delete_item(tx, tasks.regular, item_id, now=LATER),
    ]
    for operation in operations:
        with pytest.raises(Gone):
            await database.write(operation)


async def test_many_items_are_deleted_at_once_and_the_rest_is_let_be(database: AnyDatabase, tasks: Tasks) -> None:
    first, second, third, gone = [await database.write(make_item, tasks) for _ in range(4)]
    other = (await database.write(items.create_item, tasks.regular, tasks.cast.app_id, NewItem({"title": "O"}), now=NOW)).item_id
    await database.write(items.delete_item, tasks.regular, gone, now=LATER)
    wanted = [third, first, first, gone, other, 4711]
    assert await database.write(items.delete_items, tasks.regular, tasks.app_id, wanted, now=LATER) == [first, third]
    for item_id in (second, other):
        await database.read(items.get_item, tasks.regular, item_id)
    assert await database.write(items.delete_items, tasks.regular, tasks.app_id, [], now=LATER) == []
    with pytest.raises(Invalid, match="at most 1000"):
        await database.write(items.delete_items, tasks.regular, tasks.app_id, range(1, 1002), now=LATER)


async def test_items_of_a_deleted_app_are_gone(database: AnyDatabase, tasks: Tasks) -> None:
    item_id = await database.write(make_item, tasks)
    await database.write(apps.delete_app, tasks.cast.owner, tasks.app_id, now=LATER)
    with pytest.raises(Gone):
        await database.read(items.get_item, tasks.regular, item_id)
    with pytest.raises(Gone):
        await database.write(make_item, tasks)


# --- who may ---

OPERATIONS: dict[str, Callable[[Tx, Caller, Tasks, int], object]] = {
    "read": lambda tx, who, _, item_id: item_views.view_item(tx, who, item_id),
    "list": lambda tx, who, tasks, _: filters.filter_items(tx, who, tasks.app_id, Wanted()),
    "count": lambda tx, who, tasks, _: filters.count_items(tx, who, tasks.app_id),
    "revisions": lambda tx, who, _, item_id: revisions.list_revisions(tx, who, item_id),
    "revision": lambda tx, who, _, item_id: revisions.get_revision(tx, who, item_id, 0),
    "compare": lambda tx, who, _, item_id: revisions.compare_revisions(tx, who, item_id, 0, 0),
    "create": lambda tx, who, tasks, _: items.create_item(tx, who, tasks.app_id, NewItem(), now=NOW),
    "create many": lambda tx, who, tasks, _: items.create_items(tx, who, tasks.app_id, [NewItem()], now=NOW),
    "update": lambda tx, who, _, item_id: items.update_values(tx, who, item_id, {"title": "B"}, now=NOW),
    "delete": lambda tx, who, _, item_id: items.delete_item(tx, who, item_id, now=NOW),
    "delete many": lambda tx, who, tasks, item_id: items.delete_items(tx, who, tasks.app_id, [item_id], now=NOW),
}
READS = ("read", "list", "count", "revisions", "revision", "compare")

WHO: dict[str, tuple[type[TidingsError] | None, type[TidingsError] | None]] = {  # what refuses them to read, and to change
    "owner": (None, None),
    "admin": (None, None),
    "regular": (None, None),
    "light": (None, Forbidden),
    "colleague": (Forbidden, Forbidden),
    "stranger": (NotFound, NotFound),
    "nobody": (NotFound, NotFound),
    "sibling": (Forbidden, Forbidden),
    "far_app": (NotFound, NotFound),
}


@pytest.mark.parametrize("name", OPERATIONS)
async def test_items_are_read_by_those_who_may_look_and_changed_by_regular_members(database: AnyDatabase, tasks: Tasks, name: str) -> None:
    for who, (may_read, may_change) in WHO.items():
        item_id = await database.write(make_item, tasks, {"title": "A"})
        call = database.write(OPERATIONS[name], getattr(tasks.cast, who), tasks, item_id)
        refused = may_read if name in READS else may_change
        if refused is None:
            await call
            continue
        before = await database.read(written)
        with pytest.raises(refused) as raised:
            await call
        assert await database.read(written) == before
        if refused is NotFound:
            assert raised.value.parameters in ({"item_id": item_id}, {"app_id": tasks.app_id})


async def test_who_has_left_can_change_nothing_any_more(database: AnyDatabase, tasks: Tasks) -> None:
    item_id = await database.write(make_item, tasks)
    await database.write(members.remove_members, tasks.cast.owner, tasks.cast.space_id, [tasks.regular.id], now=NOW)
    with pytest.raises((Forbidden, NotFound)):
        await database.write(items.update_values, tasks.regular, item_id, {"title": "B"}, now=LATER)


async def test_an_item_that_never_was_is_not_found(database: AnyDatabase, tasks: Tasks) -> None:
    with pytest.raises(NotFound) as raised:
        await database.read(items.get_item, tasks.regular, 4711)
    assert raised.value.parameters == {"item_id": 4711}
