"""Finding items: filters, sorts, pages and counts, on both engines, against what plain Python finds."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest

from tests.support.cast import NOW
from tests.support.databases import AnyDatabase
from tests.support.tasks import Tasks, make_item, make_tasks
from tidings.clock import DAY, SECOND
from tidings.errors import Invalid
from tidings.store.database import Tx
from tidings.workspace.items import filters, items
from tidings.workspace.items.filters import GREATEST_LIMIT, WIDE, Wanted
from tidings.workspace.items.items import ItemChange, NewItem
from tidings.workspace.items.rows import Item

STATUSES = ("Open", "Done")
LABELS = ("Red", "Green", "Blue")


pytestmark = pytest.mark.furnished(make=make_tasks)


@pytest.fixture
def tasks(furniture: Tasks) -> Tasks:
    return furniture


def make_few(tx: Tx, tasks: Tasks) -> dict[str, int]:
    """A handful of items that filters tell apart, among many that match none of them."""
    crowd = [NewItem({"title": f"crowd {number}", "estimate": 1000 + number}) for number in range(3 * WIDE)]
    items.create_items(tx, tasks.cast.owner, tasks.app_id, crowd, now=NOW)
    part = make_item(tx, tasks, {"title": "part"})
    made = {
        "one": make_item(
            tx, tasks, {"title": "One", "status": "Open", "estimate": 1, "due": "2026-01-01"}, external_id="E1", now=NOW + 1 * DAY
        ),
        "two": make_item(
            tx, tasks, {"title": "Two ÄÖ 100%", "status": "Done", "estimate": "2.5", "due": "2026-01-02 10:00:00"}, external_id="E2"
        ),
        "three": make_item(tx, tasks, {"title": "one", "labels": ["Red", "Blue"], "price": {"value": 9, "currency": "EUR"}, "parts": part}),
        "four": make_item(
            tx, tasks, {"labels": ["Green", "Red"], "owner": tasks.cast.light.id, "mail": ["a@x.org", "b@x.org"], "estimate": -3}
        ),
    }
    items.update_item(tx, tasks.token, made["two"], ItemChange({"price": {"value": "12.50", "currency": "USD"}}), now=NOW + 2 * DAY)
    items.delete_item(tx, tasks.regular, make_item(tx, tasks, {"title": "One", "status": "Open", "estimate": 1}, external_id="E1"), now=NOW)
    return {**made, "part": part}


FOUND: list[tuple[Any, set[str]]] = [
    ({"estimate": 1}, {"one"}),
    ({"estimate": "2.50"}, {"two"}),
    ({"estimate": [1, -3]}, {"one", "four"}),
    ({"estimate": {"from": 1, "to": 2.5}}, {"one", "two"}),
    ({"estimate": {"to": 0}}, {"four"}),
    ({"estimate": {"from": "1.0001", "to": 999}}, {"two"}),
    ({"price": {"from": 9}}, {"two", "three"}),
    ({"price": "12.5"}, {"two"}),
    ({"status": 1}, {"one"}),
    ({"status": ["Open", "Done"]}, {"one", "two"}),
    ({"status": {"value": {"id": 2}}}, {"two"}),
    ({"labels": "Red"}, {"three", "four"}),
    ({"labels": ["Blue", "Green", "Red"]}, {"three", "four"}),
    ({"due": "2026-01-02"}, {"two"}),
    ({"due": {"from": "2026-01-01 00:00:01"}}, {"two"}),
    ({"due": {"from": "2026-01-01", "to": "2026-01-02"}}, {"one", "two"}),
    ({"due": {"to": "2026-01-02 09:59:59"}}, {"one"}),
    ({"title": "ONE"}, {"one", "three"}),
    ({"title": ["two äö 100%", "nothing"]}, {"two"}),
    ({"title": {"contains": "äÖ"}}, {"two"}),
    ({"title": {"contains": "0%"}}, {"two"}),
    ({"title": {"contains": "_n_"}}, set()),
    ({"mail": "B@x.org"}, {"four"}),
    ({"mail": {"contains": "x.org"}}, {"four"}),
    ({"external_id": "E1"}, {"one"}),
    ({"external_id": ["E1", "E2", "E3"]}, {"one", "two"}),
    ({"created_on": {"from": "2026-01-03"}}, {"one"}),
    ({"last_edit_on": {"from": "2026-01-04", "to": "2026-01-04 03:00:00"}}, {"two"}),
    ({"title": "one", "estimate": None}, {"three"}),
    ({"title": [None]}, {"four"}),
    ({"title": None, "labels": "Blue"}, set()),
    ({"estimate": {"to": 10}, "status": ["Open"]}, {"one"}),
    ([{"key": "status", "values": [1, 2]}, {"key": "estimate", "values": {"from": 2}}], {"two"}),
    ({"labels": "Red", "created_by": {"type": "user", "id": 3}}, {"three", "four"}),
    ({"labels": "Red", "created_by": [{"type": "app", "id": 1}]}, set()),
]


async def test_a_filter_finds_what_it_says(database: AnyDatabase, tasks: Tasks) -> None:
    made = await database.write(make_few, tasks)
    names = {item_id: name for name, item_id in made.items()}
    assert tasks.regular.id == 3
    wanted = [*FOUND, ({"parts": made["part"]}, {"three"}), ({"owner": [tasks.cast.light.id]}, {"four"})]
    for given, expected in wanted:
        by_id = {str(tasks.fields.get(key, key)): value for key, value in given.items()} if isinstance(given, dict) else given
        for filters_given in (given, by_id):
            page = await database.read(filters.filter_items, tasks.cast.light, tasks.app_id, Wanted(filters_given))
            assert ({names.get(item.item_id) for item in page.items}, page.filtered) == (expected, len(expected)), given
            assert page.total == 3 * WIDE + 5


async def test_a_wide_filter_finds_the_same_as_a_narrow_one(database: AnyDatabase, tasks: Tasks) -> None:
    await database.write(make_few, tasks)
    wide = Wanted({"estimate": {"from": 0}, "title": {"contains": "crowd"}}, limit=GREATEST_LIMIT)
    page = await database.read(filters.filter_items, tasks.regular, tasks.app_id, wide)
    assert [item.title for item in page.items] == [f"crowd {number}" for number in reversed(range(3 * WIDE))]
    assert page.filtered == 3 * WIDE
    empty = await database.read(filters.filter_items, tasks.regular, tasks.app_id, Wanted({"status": None}, limit=1, offset=3))
    assert (empty.filtered, len(empty.items)) == (3 * WIDE + 3, 1)


WRONG: list[tuple[Any, str]] = [
    ({"colour": "red"}, "must be a field of this app, or one of {created_on"),
    ({"estimate": "x"}, r"must be a number .* \(filter 'estimate'\)"),
    ({"estimate": {"from": None}}, "a range with a from, a to, or both"),
    ({"estimate": []}, "must be one value, or a list"),
    ({"estimate": [1] * 501}, "must be one value, or a list"),
    ({"estimate": {"fron": 1}}, "must be a number"),
    ({"status": "Lost"}, "must be one of {'Open','Done'}"),
    ({"due": "yesterday"}, "must be a date"),
    ({"due": {"from": "-1m"}}, "must be a date"),
    ({"title": {"contains": 5}}, "must be {'contains': text}"),
    ({"title": 5}, "must be text"),
    ({"created_by": 5}, "must be {'type'"),
    ({"created_by": {"type": "user", "id": "x"}}, "must be {'type'"),
    ({"external_id": 5}, "must be text"),
    ([{"key": "title"}], "must be an object with a key and values"),
    ("title", "must be an object, from a key"),
    ([{"key": "title", "values": "x"}] * 51, "at most 50"),
    ([{"key": [], "values": "x"}], "must be a field of this app"),
]


async def test_a_filter_that_says_nothing_sensible_is_refused_by_name(database: AnyDatabase, tasks: Tasks) -> None:
    for given, sentence in WRONG:
        with pytest.raises(Invalid, match=sentence.replace("{", r"\{")) as raised:
            await database.read(filters.filter_items, tasks.regular, tasks.app_id, Wanted(given))
        assert str(raised.value.parameters["field"]).startswith("filters")
    with pytest.raises(Invalid, match="Invalid value 'colour'") as raised:
        await database.read(filters.filter_items, tasks.regular, tasks.app_id, Wanted(sort_by="colour"))
    assert raised.value.parameters == {"field": "sort_by"}


# --- pages and sorts, against Python ---


def make_many(tx: Tx, tasks: Tasks) -> list[Item]:
    """Items with values at random, every kind of them missing now and then."""
    dice = random.Random(7)

    def some(value: object) -> object:
        return value if dice.random() < 0.7 else None

    new = [
        NewItem(
            {
                "title": some(f"t{dice.randrange(12)}"),
                "status": some(dice.choice(STATUSES)),
                "labels": some(dice.sample(LABELS, dice.randrange(4))),
                "estimate": some(dice.randrange(10)),
            }
        )
        for _ in range(120)
    ]
    made = items.create_items(tx, tasks.regular, tasks.app_id, new, now=NOW)
    for item in dice.sample(made, 20):
        items.delete_item(tx, tasks.regular, item.item_id, now=NOW)
        made.remove(item)
    for number, item in enumerate(dice.sample(made, 30)):
        items.update_values(tx, tasks.regular, item.item_id, {"estimate": dice.randrange(10)}, now=NOW + number * SECOND)
    return [items.get_item(tx, tasks.regular, item.item_id) for item in made]


def ask(dice: random.Random, tasks: Tasks) -> tuple[Wanted, Callable[[Item], bool], Callable[[Item], Any]]:
    """A question at random, and in Python what matches it, and what its answer is sorted by (None: no value)."""

    def those(item: Item, name: str) -> list[Any]:
        return [value["value"] for value in item.values.get(tasks.fields[name], [])]

    low, high = sorted(dice.choices(range(10), k=2))
    status, label, title = dice.randrange(2) + 1, dice.randrange(3) + 1, f"t{dice.randrange(12)}"
    terms: dict[str, tuple[Any, Callable[[Item], bool]]] = {
        "estimate": ({"from": low, "to": high}, lambda item: any(low <= float(value) <= high for value in those(item, "estimate"))),
        "status": (status, lambda item: status in those(item, "status")),
        "labels": ([label, 3], lambda item: bool({label, 3} & set(those(item, "labels")))),
        "title": (title, lambda item: title in those(item, "title")),
    }
    chosen = dice.sample(sorted(terms), dice.randrange(3))
    empty = dice.choice([None, "labels", "estimate"])
    given = {name: terms[name][0] for name in chosen} | ({empty: None} if empty and empty not in chosen else {})
    sorts: dict[str, Callable[[Item], Any]] = {
        "created_on": lambda item: item.item_id,
        "last_edit_on": lambda item: item.last_event_at,
        "app_item_id": lambda item: item.app_item_id,
        "title": lambda item: next(iter(those(item, "title")), None),
        "estimate": lambda item: next((float(value) for value in those(item, "estimate")), None),
        "status": lambda item: next(iter(those(item, "status")), None),
    }
    sort_by = dice.choice(sorted(sorts))
    wanted = Wanted(
        given, sort_by=sort_by, sort_desc=dice.random() < 0.5, limit=dice.choice([1, 7, 500]), offset=dice.choice([0, 0, 3, 40])
    )

    def matches(item: Item) -> bool:
        return all(terms[name][1](item) if value is not None else not those(item, name) for name, value in given.items())

    return wanted, matches, sorts[sort_by]


def answer(everything: list[Item], wanted: Wanted, matches: Callable[[Item], bool], key: Callable[[Item], Any]) -> list[int]:
    """What Python finds."""
    found = [item for item in everything if matches(item)]
    valued = sorted((item for item in found if key(item) is not None), key=lambda item: (key(item), item.item_id), reverse=wanted.sort_desc)
    empty = sorted((item for item in found if key(item) is None), key=lambda item: item.item_id, reverse=True)
    return [item.item_id for item in [*valued, *empty]][wanted.offset : wanted.offset + wanted.limit]


async def test_any_page_of_any_sort_is_what_python_finds(database: AnyDatabase, tasks: Tasks) -> None:
    everything = await database.write(make_many, tasks)
    dice = random.Random(11)

    def compare(tx: Tx) -> None:
        for _ in range(60):
            wanted, matches, key = ask(dice, tasks)
            page = filters.filter_items(tx, tasks.regular, tasks.app_id, wanted)
            assert [item.item_id for item in page.items] == answer(everything, wanted, matches, key), wanted
            assert (page.total, page.filtered) == (100, sum(map(matches, everything))), wanted

    await database.read(compare)


async def test_a_page_holds_the_items_as_they_are(database: AnyDatabase, tasks: Tasks) -> None:
    everything = await database.write(make_many, tasks)
    page = await database.read(filters.filter_items, tasks.regular, tasks.app_id, Wanted(sort_desc=False, limit=500))
    assert page.items == everything


async def test_the_items_of_an_app_are_counted(database: AnyDatabase, tasks: Tasks) -> None:
    assert await database.read(filters.count_items, tasks.regular, tasks.app_id) == 0
    await database.write(make_few, tasks)
    assert await database.read(filters.count_items, tasks.regular, tasks.app_id) == 3 * WIDE + 5


@pytest.mark.only("sqlite", reason="PostgreSQL reads so small a table whole, whatever indexes it has")
async def test_a_filter_and_a_sort_by_a_field_read_its_index(database: AnyDatabase, tasks: Tasks) -> None:
    await database.write(make_few, tasks)

    def plans(tx: Tx, wanted: Wanted) -> list[str]:
        asked: list[str] = []
        driver = tx.connection.driver_connection
        assert driver is not None
        driver.set_trace_callback(asked.append)
        filters.filter_items(tx, tasks.regular, tasks.app_id, wanted)
        driver.set_trace_callback(None)
        of_values = [text for text in asked if "FROM item_values" in text]
        return [row[3] for text in of_values for row in driver.execute(f"EXPLAIN QUERY PLAN {text}")]

    narrow = await database.read(plans, Wanted({"estimate": {"from": 1, "to": 2}}))
    assert [step for step in narrow if "SEARCH found" in step] == [
        "SEARCH found USING COVERING INDEX ix_item_values_field_id_number (field_id=? AND number>? AND number<?)"
    ] * 2
    by_text = await database.read(plans, Wanted({"title": "one"}))
    assert {step for step in by_text if "SEARCH found" in step} == {
        "SEARCH found USING COVERING INDEX ix_item_values_field_id_text (field_id=? AND text=?)"
    }
    in_order = await database.read(plans, Wanted(sort_by="estimate", limit=3))
    assert in_order == ["SEARCH sorting USING COVERING INDEX ix_item_values_field_id_number (field_id=? AND number>?)"]
