"""Deleting what a filter finds, and the neighbours of an item, on both engines."""

from __future__ import annotations

import pytest

from tests.support.cast import NOW
from tests.support.databases import AnyDatabase
from tests.support.hanging import story
from tests.support.rights import who_may
from tests.support.tasks import LATER, Tasks, make_item, make_tasks, written
from tidings.errors import Gone, Invalid, NotFound
from tidings.store.database import Tx
from tidings.workspace.items import clearing, filters, items, neighbours
from tidings.workspace.items.clearing import Cleared, delete_matching
from tidings.workspace.items.items import NewItem
from tidings.workspace.items.neighbours import reach_neighbour

pytestmark = pytest.mark.furnished(make=make_tasks)


@pytest.fixture
def tasks(furniture: Tasks) -> Tasks:
    return furniture


async def test_what_matches_is_deleted_oldest_first_and_the_rest_is_let_be(database: AnyDatabase, tasks: Tasks) -> None:
    def run(tx: Tx) -> None:
        made = [make_item(tx, tasks, {"status": 1 + number % 2, "estimate": number}) for number in range(6)]
        cleared = delete_matching(tx, tasks.regular, tasks.app_id, {"status": [1], "estimate": {"from": 2}}, now=LATER)
        assert cleared == Cleared([made[2], made[4]], [])
        assert filters.count_items(tx, tasks.regular, tasks.app_id) == 4
        assert story(tx, made[2]) == [("item.create", "", True), ("item.delete", "", True)]
        assert delete_matching(tx, tasks.regular, tasks.app_id, [{"key": "status", "values": [1]}], now=LATER).deleted == [made[0]]

    await database.write(run)


async def test_what_is_beyond_the_limit_is_named_and_deleted_by_the_next_call(database: AnyDatabase, tasks: Tasks) -> None:
    def run(tx: Tx) -> None:
        made = [make_item(tx, tasks, {"status": 1}) for _ in range(5)]
        calls = [delete_matching(tx, tasks.regular, tasks.app_id, {"status": [1]}, limit=2, now=LATER, heard=False) for _ in range(4)]
        assert [call.deleted for call in calls] == [made[:2], made[2:4], made[4:], []]
        assert [call.pending for call in calls] == [made[2:4], made[4:], [], []]
        assert story(tx, made[4])[-1] == ("item.delete", "", False)

    await database.write(run)


async def test_a_filter_that_says_nothing_or_nonsense_deletes_nothing(database: AnyDatabase, tasks: Tasks) -> None:
    await database.write(make_item, tasks)
    before = await database.read(written)
    nothings: list[object] = [None, {}, [], {"colour": "red"}, {"status": ["Lost"]}]
    for nothing in nothings:
        with pytest.raises(Invalid):
            await database.write(delete_matching, tasks.regular, tasks.app_id, nothing, now=LATER)
    assert await database.read(written) == before


async def test_who_may_delete_items_may_delete_those_that_match(database: AnyDatabase, tasks: Tasks) -> None:
    app_id = tasks.cast.app_id
    await database.write(items.create_item, tasks.regular, app_id, NewItem({"title": "A"}), now=NOW)
    answers = await who_may(database, tasks.cast, lambda tx, who: clearing.delete_matching(tx, who, app_id, {"title": "A"}, now=LATER))
    assert answers == "ok ok ok 403 403 404 404 ok 403 404"


async def test_the_neighbours_of_an_item_are_of_its_app_and_not_deleted(database: AnyDatabase, tasks: Tasks) -> None:
    def run(tx: Tx) -> None:
        first, gone, last = (make_item(tx, tasks) for _ in range(3))
        other = items.create_item(tx, tasks.regular, tasks.cast.app_id, NewItem(), now=NOW).item_id
        items.delete_item(tx, tasks.regular, gone, now=LATER)
        assert reach_neighbour(tx, tasks.regular, first, "next")[0].item_id == last
        assert reach_neighbour(tx, tasks.regular, last, "previous")[0].item_id == first
        ends: list[tuple[int, neighbours.Direction]] = [(first, "previous"), (last, "next"), (other, "next"), (other, "previous")]
        for item_id, direction in ends:
            with pytest.raises(NotFound):
                reach_neighbour(tx, tasks.regular, item_id, direction)
        with pytest.raises(Gone):
            reach_neighbour(tx, tasks.regular, gone, "next")

    await database.write(run)


async def test_who_may_look_at_an_item_may_look_at_its_neighbours(database: AnyDatabase, tasks: Tasks) -> None:
    app_id = tasks.cast.app_id
    item = await database.write(items.create_item, tasks.regular, app_id, NewItem(), now=NOW)
    await database.write(items.create_item, tasks.regular, app_id, NewItem(), now=NOW)
    answers = await who_may(database, tasks.cast, lambda tx, who: reach_neighbour(tx, who, item.item_id, "next"))
    assert answers == "ok ok ok ok 403 404 404 ok 403 404"
