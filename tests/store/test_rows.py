"""Many rows at once: the same rows arrive, and the same errors come out, by whichever road the engine has."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import BigInteger, Boolean, Column, Float, Integer, LargeBinary, MetaData, Table, Text, delete, select
from sqlalchemy.exc import DBAPIError, IntegrityError

from tests.support.databases import AnyDatabase, Place
from tidings.errors import Invalid, Unavailable
from tidings.store.database import Tx
from tidings.store.rows import Row, insert_rows, update_rows

# One column of every type that the schema uses.
samples = Table(
    "samples",
    MetaData(),
    Column("shelf", Integer, primary_key=True, autoincrement=False),
    Column("place", BigInteger, primary_key=True, autoincrement=False),
    Column("label", Text, nullable=False),
    Column("note", Text),
    Column("content", LargeBinary),
    Column("weight", Float(53)),
    Column("whole", BigInteger),
    Column("sealed", Boolean),
)
KEY = ("shelf", "place")


class Named(StrEnum):
    RESET = "reset"


pytestmark = pytest.mark.furnished(make=samples.metadata.create_all)


@pytest.fixture
def shelves(database: AnyDatabase) -> AnyDatabase:
    """A database with the table of this file."""
    return database


async def put(database: AnyDatabase, columns: Sequence[str], *values: Row) -> None:
    """Rows on shelf 1, in places 0, 1, 2 ..."""
    rows = [(1, place, "label", *row) for place, row in enumerate(values)]
    await database.write(insert_rows, samples, (*KEY, "label", *columns), rows)


def stored(tx: Tx, *columns: str) -> list[tuple[Any, ...]]:
    """All of the table, in the order of its key."""
    return [tuple(row) for row in tx.execute(select(*(samples.c[name] for name in columns)).order_by(samples.c.shelf, samples.c.place))]


async def test_no_rows_are_nothing_to_do(shelves: AnyDatabase) -> None:
    await shelves.write(insert_rows, samples, KEY, [])
    assert await shelves.write(update_rows, samples, KEY, ("label",), []) == 0
    assert await shelves.read(stored, "place") == []


@pytest.mark.parametrize(
    "text",
    ["", " ", "\t\n\r\\", "\\N", "\\.", "NULL", "'\"`$1 %s ? {}", "Grüße, 東京 🗺️", "\u2028\x7f\x01", "x" * 100_000],
    ids=["empty", "space", "controls", "copy's null", "copy's end", "null", "quotes", "everywhere", "odd", "long"],
)
async def test_a_text_arrives_as_it_was(shelves: AnyDatabase, text: str) -> None:
    await put(shelves, ("note",), (text,), (None,))
    assert await shelves.read(stored, "note") == [(text,), (None,)]


@pytest.mark.parametrize("value", [b"", bytes(range(256)), b"\\x41", b"\\N\n"], ids=["empty", "every byte", "hexadecimal", "copy's null"])
async def test_bytes_arrive_as_they_were(shelves: AnyDatabase, value: bytes) -> None:
    await put(shelves, ("content",), (value,), (None,))
    assert await shelves.read(stored, "content") == [(value,), (None,)]


async def test_whole_numbers_arrive_to_the_ends_of_64_bits(shelves: AnyDatabase) -> None:
    numbers = [(-(2**63),), (-1,), (0,), (1,), (2**31,), (2**63 - 1,), (None,)]
    await put(shelves, ("whole",), *numbers)
    assert await shelves.read(stored, "whole") == numbers


async def test_numbers_with_a_fraction_arrive_exactly(shelves: AnyDatabase) -> None:
    numbers = [(0.1,), (-1e300,), (5e-324,), (math.pi,), (3,), (math.inf,), (None,)]
    await put(shelves, ("weight",), *numbers)
    assert await shelves.read(stored, "weight") == numbers


async def test_truth_arrives_as_truth(shelves: AnyDatabase) -> None:
    await put(shelves, ("sealed",), (True,), (False,), (None,))
    assert [value for (value,) in await shelves.read(stored, "sealed")] == [True, False, None]


async def test_a_named_text_arrives_as_its_text(shelves: AnyDatabase) -> None:
    await put(shelves, ("note",), (Named.RESET,))
    assert await shelves.read(stored, "note") == [("reset",)]


storable_text = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))
any_row = st.tuples(
    storable_text,
    st.none() | storable_text,
    st.none() | st.binary(),
    st.none() | st.floats(allow_nan=False),
    st.none() | st.integers(-(2**63), 2**63 - 1),
    st.none() | st.booleans(),
)


@given(rows=st.lists(any_row, max_size=20), changed=st.lists(any_row, max_size=25))
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_any_rows_arrive_and_any_rows_replace_them(shelves: AnyDatabase, rows: list[Row], changed: list[Row]) -> None:
    columns = ("label", "note", "content", "weight", "whole", "sealed")

    def insert_and_update(tx: Tx) -> tuple[list[Row], int, list[Row]]:
        tx.execute(delete(samples))
        insert_rows(tx, samples, (*KEY, *columns), [(1, place, *row) for place, row in enumerate(rows)])
        inserted = stored(tx, *columns)
        count = update_rows(tx, samples, KEY, columns, [(*row, 1, place) for place, row in enumerate(changed)])
        return inserted, count, stored(tx, *columns)

    both = min(len(rows), len(changed))
    assert await shelves.write(insert_and_update) == (rows, both, changed[:both] + rows[both:])


# --- what is refused ------------------------------------------------------------------------------------------------


async def test_one_row_that_breaks_a_rule_keeps_all_of_them_out(shelves: AnyDatabase) -> None:
    with pytest.raises(IntegrityError):
        await shelves.write(insert_rows, samples, (*KEY, "label"), [(1, 1, "a"), (1, 2, "b"), (1, 1, "c")])
    assert await shelves.read(stored, "place") == []
    await put(shelves, (), ())


async def test_a_missing_value_is_refused(shelves: AnyDatabase) -> None:
    with pytest.raises(IntegrityError):
        await shelves.write(insert_rows, samples, KEY, [(1, 1)])


async def test_a_column_that_is_not_there_is_a_defect(shelves: AnyDatabase) -> None:
    with pytest.raises(DBAPIError, match="nowhere"):
        await shelves.write(insert_rows, samples, ("nowhere",), [(1,)])


@pytest.mark.parametrize(("column", "value"), [("note", "\ud800"), ("whole", 2**63)], ids=["half a character", "a number too large"])
async def test_a_value_that_cannot_be_stored_is_invalid(shelves: AnyDatabase, column: str, value: object) -> None:
    with pytest.raises(Invalid):
        await put(shelves, (column,), (None,), (value,))
    await put(shelves, (column,), (None,))
    with pytest.raises(Invalid):
        await shelves.write(update_rows, samples, KEY, (column,), [(value, 1, 0)])
    assert await shelves.read(stored, column) == [(None,)]


@pytest.mark.only("postgresql", reason="SQLite keeps a NUL; the doors refuse it before it comes here")
async def test_a_nul_in_a_text_is_invalid(shelves: AnyDatabase) -> None:
    with pytest.raises(Invalid):
        await put(shelves, ("note",), ("a\0b",))


@pytest.mark.only("postgresql", reason="SQLite has no server that could go away")
async def test_a_server_that_goes_away_among_many_rows_is_unavailable(place: Place, shelves: AnyDatabase) -> None:
    postgres = place.postgres
    assert postgres is not None

    def insert_while_it_stops(tx: Tx) -> None:
        insert_rows(tx, samples, (*KEY, "label"), [(1, 1, "a")])
        postgres.stop()
        insert_rows(tx, samples, (*KEY, "label"), [(1, 2, "b")])

    try:
        with pytest.raises(Unavailable):
            await shelves.write(insert_while_it_stops)
    finally:
        postgres.start()
    await put(shelves, (), ())
    assert await shelves.read(stored, "place") == [(0,)]


# --- changing -------------------------------------------------------------------------------------------------------


async def test_only_rows_whose_keys_match_are_changed_and_they_are_counted(shelves: AnyDatabase) -> None:
    await put(shelves, ("note",), ("a",), ("b",), ("c",))
    changes = [("A", 1, 0), (None, 1, 2), ("nobody", 1, 99), ("nobody", 2, 1)]
    assert await shelves.write(update_rows, samples, KEY, ("note",), changes) == 2
    assert await shelves.read(stored, "note") == [("A",), ("b",), (None,)]


async def test_a_column_can_be_compared_and_set_at_once(shelves: AnyDatabase) -> None:
    """How a delivery is settled: only while it is held under the lease that it was sent under."""
    await put(shelves, ("whole", "note"), (7, "held"), (8, "held"), (None, "held"), (7, "free"))
    changes = [(0, "done", 1, place, 7, "held") for place in range(4)]
    assert await shelves.write(update_rows, samples, (*KEY, "whole", "note"), ("whole", "note"), changes) == 1
    assert await shelves.read(stored, "whole", "note") == [(0, "done"), (8, "held"), (None, "held"), (7, "free")]


@pytest.mark.parametrize("count", [49, 50, 51, 500, 1234])
async def test_many_rows_go_in_and_change_together(shelves: AnyDatabase, count: int) -> None:
    await put(shelves, ("whole",), *((number,) for number in range(count)))
    changes = [(-number, 1, number) for number in range(count)]
    assert await shelves.write(update_rows, samples, KEY, ("whole",), [*changes, (0, 2, 0)]) == count
    assert await shelves.read(stored, "whole") == [(-number,) for number in range(count)]


@pytest.mark.parametrize("count", [1, 31, 32, 700])
async def test_what_all_rows_share_arrives_in_each(shelves: AnyDatabase, count: int) -> None:
    rows = [("same", None, b"same", bytes([place % 256]) if place % 3 else None, place % 2 == 0) for place in range(count)]

    def insert(tx: Tx) -> None:
        columns = (*KEY, "label", "note", "content", "sealed")
        insert_rows(tx, samples, columns, [(1, place, label, note, same, True) for place, (label, note, same, *_) in enumerate(rows)])
        insert_rows(
            tx, samples, columns, [(2, place, label, note, other, sealed) for place, (label, note, _, other, sealed) in enumerate(rows)]
        )

    await shelves.write(insert)
    shared = [("same", None, b"same", True)] * count
    varying = [("same", None, other, sealed) for *_, other, sealed in rows]
    assert await shelves.read(stored, "label", "note", "content", "sealed") == shared + varying


@pytest.mark.parametrize("shelf_of", [lambda _: 1, lambda place: place % 2], ids=["on one shelf", "on two"])
async def test_rows_that_get_the_same_values_change_where_their_keys_match(shelves: AnyDatabase, shelf_of: Callable[[int], int]) -> None:
    """How most deliveries are settled: many of one hook that went well."""
    places = range(100)
    await shelves.write(
        insert_rows,
        samples,
        (*KEY, "label", "note", "whole"),
        [(shelf_of(place), place, "sent", "reset", 7 + place // 90) for place in places],
    )
    changes = [("done", None, 0, shelf_of(place), place, 7) for place in places]
    changed = await shelves.write(update_rows, samples, (*KEY, "whole"), ("label", "note", "whole"), changes)
    assert changed == 90
    done = await shelves.read(stored, "place", "label", "note", "whole")
    assert sorted(done) == [(place, "done", None, 0) if place < 90 else (place, "sent", "reset", 8) for place in places]


@pytest.mark.parametrize(
    "places",
    [range(40, 140), [*range(40, 90), *range(91, 141)], range(139, 39, -1), range(40, 240, 2)],
    ids=["counting up", "with a gap", "counting down", "every other one"],
)
async def test_rows_between_those_that_change_stay_as_they_are(shelves: AnyDatabase, places: Sequence[int]) -> None:
    await put(shelves, ("note",), *(("before",) for _ in range(300)))
    changed = await shelves.write(update_rows, samples, KEY, ("note",), [("after", 1, place) for place in places])
    assert changed == len(places)
    assert await shelves.read(stored, "note") == [("after" if place in set(places) else "before",) for place in range(300)]
