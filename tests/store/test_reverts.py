"""Going back to a revision, and taking one back, on both engines."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

import pytest

from tests.support.cast import NOW
from tests.support.databases import AnyDatabase
from tests.support.hanging import story
from tests.support.rights import who_may
from tests.support.tasks import LATER, Tasks, make_item, make_tasks, written
from tidings.errors import Gone, Invalid, NotFound
from tidings.store.database import Tx
from tidings.workspace.access import SYSTEM
from tidings.workspace.fields import fields
from tidings.workspace.fields.fields import FieldChange, NewField
from tidings.workspace.items import filters, items, reverts, revisions
from tidings.workspace.items.filters import Wanted
from tidings.workspace.items.items import Changed, ItemChange, NewItem

pytestmark = pytest.mark.furnished(make=make_tasks)


@pytest.fixture
def tasks(furniture: Tasks) -> Tasks:
    return furniture


def make(tx: Tx, tasks: Tasks, *changes: dict[str, Any]) -> int:
    """An item with these values, then changed so."""
    first, *later = changes
    item_id = make_item(tx, tasks, first, external_id="ERP-9")
    for change in later:
        items.update_values(tx, tasks.regular, item_id, change, now=NOW)
    return item_id


def values(tx: Tx, tasks: Tasks, item_id: int) -> dict[str, Any]:
    """The first value of each field, by the field's external_id."""
    held, names = items.get_item(tx, SYSTEM, item_id).values, {number: name for name, number in tasks.fields.items()}
    return {names[number]: next(iter(several[0].values())) for number, several in held.items()}


def cleared_of(names: Iterable[str]) -> dict[str, Any]:
    """A change that clears these fields."""
    return {name: [] for name in names}


FULL = {
    "title": "A", "status": 1, "labels": ["Red", "Blue"], "estimate": 5, "price": {"value": 3, "currency": "EUR"},
    "due": {"start": "2026-01-02", "end": "2026-01-03 10:00:00"}, "mail": {"type": "work", "value": "a@example.org"},
}  # fmt: skip


async def test_going_back_makes_a_new_revision_with_the_values_as_they_stood(database: AnyDatabase, tasks: Tasks) -> None:
    def run(tx: Tx) -> None:
        cleared = {**cleared_of(FULL), "title": "B"}
        item_id = make(tx, tasks, {**FULL, "owner": tasks.regular.id}, {**cleared, "owner": []}, {"title": "C"})
        assert reverts.revert_to(tx, tasks.regular, item_id, 0, now=LATER) == Changed(3, "A")
        item = items.get_item(tx, SYSTEM, item_id)
        assert item.values == revisions.values_after(tx, item_id, 0)
        assert (item.revision, item.external_id, item.last_event_at) == (3, "ERP-9", LATER)
        assert revisions.get_revision(tx, tasks.regular, item_id, 3).type == "update"
        assert story(tx, item_id)[-1] == ("item.update", "ERP-9", True)
        assert filters.filter_items(tx, tasks.regular, tasks.app_id, Wanted(filters={"labels": ["Red"]})).filtered == 1
        assert reverts.revert_to(tx, tasks.regular, item_id, 1, now=LATER) == Changed(4, "B")
        assert values(tx, tasks, item_id) == {"title": "B"}

    await database.write(run)


async def test_going_back_to_what_it_is_changes_nothing(database: AnyDatabase, tasks: Tasks) -> None:
    def run(tx: Tx) -> None:
        item_id = make(tx, tasks, {"title": "A"}, {"title": "B"}, {"title": "A"})
        held = written(tx)
        assert reverts.revert_to(tx, tasks.regular, item_id, 0, now=LATER) == Changed(2, "A")
        assert reverts.revert_to(tx, tasks.regular, item_id, 2, now=LATER) == Changed(2, "A")
        assert written(tx) == held

    await database.write(run)


async def test_a_revision_taken_back_leaves_what_others_changed(database: AnyDatabase, tasks: Tasks) -> None:
    def run(tx: Tx) -> None:
        item_id = make(tx, tasks, {"title": "A", "estimate": 1}, {"title": "B"}, {"estimate": 2, "status": "Done"}, {"title": "C"})
        assert reverts.revert(tx, tasks.regular, item_id, 2, now=LATER) == Changed(4, "C")
        assert values(tx, tasks, item_id) == {"title": "C", "estimate": "1.0000"}
        assert reverts.revert(tx, tasks.regular, item_id, 1, now=LATER) == Changed(5, "A")  # also over what came after it
        with pytest.raises(Invalid, match="0 is the creation"):
            reverts.revert(tx, tasks.regular, item_id, 0, now=LATER)

    await database.write(run)


async def test_values_that_are_no_longer_allowed_are_refused_by_their_field(database: AnyDatabase, tasks: Tasks) -> None:
    owner, app_id = tasks.cast.owner, tasks.app_id

    def prepare(tx: Tx) -> dict[str, int]:
        part = make_item(tx, tasks)
        price, due = {"value": 1, "currency": "EUR"}, {"start": "2026-01-02 10:00:00"}
        changes: list[dict[str, Any]] = [{"labels": ["Red"]}, {"parts": [part]}, {"due": due}, {"price": price}]
        made = {next(iter(change)): make(tx, tasks, change, cleared_of(change)) for change in changes}
        made["must"] = make(tx, tasks, {"title": "A"})
        items.delete_item(tx, tasks.regular, part, now=NOW)
        settings: dict[str, dict[str, Any]] = {
            "labels": {"options": [{"id": 2, "text": "Green"}]},
            "due": {"time": "disabled"},
            "price": {"allowed_currencies": ["DKK"]},
        }
        for name, each in settings.items():
            fields.update_field(tx, owner, app_id, name, FieldChange(config={"settings": each}), now=NOW)
        fields.create_field(tx, owner, app_id, NewField("text", {"label": "Must", "required": True}), now=NOW)
        items.update_values(tx, tasks.regular, made["must"], {"must": "be"}, now=NOW)
        return made

    made = await database.write(prepare)
    before = await database.read(written)
    for name, item_id in made.items():
        with pytest.raises(Invalid) as raised:
            await database.write(reverts.revert_to, tasks.regular, item_id, 0, now=LATER)
        assert raised.value.parameters["field"] == name
    assert await database.read(written) == before


async def test_a_field_that_is_no_more_is_let_be(database: AnyDatabase, tasks: Tasks) -> None:
    def run(tx: Tx) -> None:
        item_id = make(tx, tasks, {"title": "A", "estimate": 1}, {"title": "B", "estimate": 2})
        fields.delete_field(tx, tasks.cast.owner, tasks.app_id, "estimate", now=NOW)
        assert reverts.revert_to(tx, tasks.regular, item_id, 0, now=LATER) == Changed(2, "A")
        assert values(tx, tasks, item_id) == {"title": "A", "estimate": "2.0000"}

    await database.write(run)


async def test_what_is_not_there_is_not_found_and_what_is_deleted_is_gone(database: AnyDatabase, tasks: Tasks) -> None:
    item_id = await database.write(make_item, tasks)
    for operation in (reverts.revert_to, reverts.revert):
        for number in (7, 2**31 - 1):
            with pytest.raises(NotFound):
                await database.write(operation, tasks.regular, item_id, number, now=LATER)
    await database.write(items.delete_item, tasks.regular, item_id, now=LATER)
    with pytest.raises(Gone):
        await database.write(reverts.revert_to, tasks.regular, item_id, 0, now=LATER)


async def test_with_hook_false_nobody_hears_of_it(database: AnyDatabase, tasks: Tasks) -> None:
    item_id = await database.write(make, tasks, {"title": "A"}, {"title": "B"})
    await database.write(reverts.revert_to, tasks.regular, item_id, 0, now=LATER, heard=False)
    await database.write(reverts.revert, tasks.regular, item_id, 1, now=LATER, heard=False)
    assert [heard for _, _, heard in await database.read(story, item_id)] == [True, True, False]


async def test_reverts_made_together_all_have_a_revision_of_their_own(database: AnyDatabase, tasks: Tasks) -> None:
    item_id = await database.write(make, tasks, {"title": "A"}, {"title": "B"})
    await asyncio.gather(*(database.write(reverts.revert_to, tasks.regular, item_id, number % 2, now=LATER) for number in range(10)))
    numbers = [each.revision for each in await database.read(revisions.list_revisions, tasks.regular, item_id)]
    assert numbers == list(range(len(numbers)))


async def test_who_may_change_the_item_may_go_back(database: AnyDatabase, tasks: Tasks) -> None:
    def prepare(tx: Tx) -> int:
        item_id = items.create_item(tx, tasks.regular, tasks.cast.app_id, NewItem({"title": "A"}), now=NOW).item_id
        items.update_item(tx, tasks.regular, item_id, ItemChange({"title": "B"}), now=NOW)
        return item_id

    item_id = await database.write(prepare)
    for operation, number in ((reverts.revert_to, 0), (reverts.revert, 1)):
        answers = await who_may(database, tasks.cast, lambda tx, who, run=operation, n=number: run(tx, who, item_id, n, now=LATER))  # type: ignore[misc]
        assert answers == "ok ok ok 403 403 404 404 ok 403 404"
