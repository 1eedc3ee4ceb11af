"""Many rows at once, each engine by its fastest road. For the hot statements; everything else is plain SQLAlchemy.

SQLite: statements of many rows, in which a value that all rows share is bound once. (Each step of a statement lets go of the
interpreter's lock and fights for it again, so fewer steps leave more time to the threads beside the writer.) PostgreSQL:
COPY for new rows (80,000 a second where `executemany` makes 15,000) and one `UPDATE ... FROM unnest(...)` for changed ones.
What goes wrong comes out as SQLAlchemy's errors, as everywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache, lru_cache, partial
from itertools import chain, count
from typing import Any

from sqlalchemy import Boolean, Column, Float, Integer, LargeBinary, Table, Text

from tidings.store.database import Tx
from tidings.store.statements import driver_errors, run_on_driver

Row = tuple[Any, ...]
Shared = tuple[bool, ...]  # for each column, whether all rows have the same value there

CHUNKS = (512, 256, 128, 64, 32, 16, 8)  # rows a statement on SQLite; 16 columns are then far below its limit of 32,766 values
ALIKE = 32  # rows that it is worth looking through for what they share; each pattern of it is a statement of its own
KEPT = 128  # such statements, of up to 60,000 characters


def insert_rows(tx: Tx, table: Table, columns: Sequence[str], rows: Sequence[Row]) -> None:
    """Insert `rows`, each a tuple in the order of `columns`."""
    if not rows:
        return
    if tx.dialect.name == "sqlite":
        _in_chunks(tx, table, columns, rows, partial(_inserting, table, tuple(columns)))
    else:
        _copy(tx, f"COPY {table.name} ({', '.join(columns)}) FROM STDIN", rows)


def update_rows(tx: Tx, table: Table, keys: Sequence[str], columns: Sequence[str], rows: Sequence[Row]) -> int:
    """Set `columns` in the rows whose `keys` match; each tuple holds the new values, then the keys.

    A column may be both, a key is never None, and no two tuples have the same keys. Answers how many rows were changed:
    fewer than were given where a key no longer matched.
    """
    if not rows:
        return 0
    if tx.dialect.name == "sqlite":
        return _in_chunks(tx, table, (*columns, *keys), rows, partial(_updating, table, tuple(keys), tuple(columns)))
    arrays = tuple(list(values) for values in zip(*rows, strict=True))
    return tx.exec_driver_sql(_update_from_text(table, tuple(keys), tuple(columns)), arrays).rowcount


def _copy(tx: Tx, statement: str, rows: Sequence[Row]) -> None:
    driver = tx.connection.driver_connection
    assert driver is not None
    with driver_errors(tx, statement), driver.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row(row)


def _in_chunks(
    tx: Tx, table: Table, columns: Sequence[str], rows: Sequence[Row], statement: Callable[[Shared, Row, int], tuple[str, Row]]
) -> int:
    """Run `statement(columns shared, what to bind, rows)` over all of `rows`, in few steps. Answers how many rows were changed."""
    changed = start = 0
    for size in CHUNKS:
        while len(rows) - start >= size:
            shared, values = _bind(table, columns, rows[start : start + size])
            changed += run_on_driver(tx, *statement(shared, values, size)).rowcount
            start += size
    if start < len(rows):
        one, _ = statement((False,) * len(columns), (), 1)
        changed += run_on_driver(tx, one, rows[start:], many=True).rowcount
    return changed


def _bind(table: Table, columns: Sequence[str], rows: Sequence[Row]) -> tuple[Shared, Row]:
    """Which columns have one value in all of `rows`; and what to bind: each of those values once, then the others' row by row.

    Binding is half the price of a row. Python's module moreover asks its adapters about every value that is not exactly an
    int, a float, a str or a bytearray, which takes five times as long: so what varies goes as one of those, or is None.
    """
    by_column = list(zip(*rows, strict=True))
    shared = tuple(len(rows) >= ALIKE and values[0] == values[-1] and values.count(values[0]) == len(values) for values in by_column)
    once = [values[0] for values, same in zip(by_column, shared, strict=True) if same]
    converters = _converters(table)
    varying = [
        [None if value is None else convert(value) for value in values] if (convert := converters.get(name)) else values
        for name, values, same in zip(columns, by_column, shared, strict=True)
        if not same
    ]
    return shared, (*once, *chain.from_iterable(zip(*varying, strict=True)))


@cache
def _converters(table: Table) -> dict[str, Callable[[Any], Any]]:
    plain = {LargeBinary: bytearray, Boolean: int}
    return {column.name: plain[type(column.type)] for column in table.c if type(column.type) in plain}


def _inserting(table: Table, columns: tuple[str, ...], shared: Shared, values: Row, rows: int) -> tuple[str, Row]:
    return _insert_text(table, columns, shared, rows), values


def _updating(table: Table, keys: tuple[str, ...], columns: tuple[str, ...], shared: Shared, values: Row, rows: int) -> tuple[str, Row]:
    if not all(shared[: len(columns)]) or shared.count(False) != 1:
        return _update_text(table, keys, columns, shared, rows), values
    varying = values[-rows:]
    if type(varying[0]) is int and varying == tuple(range(varying[0], varying[0] + rows)):
        return _update_alike_text(table, keys, columns, shared), (*values[:-rows], varying[0], varying[-1])
    return _update_alike_text(table, keys, columns, shared, rows), values


@lru_cache(KEPT)
def _insert_text(table: Table, columns: tuple[str, ...], shared: Shared, rows: int) -> str:
    return f"INSERT INTO {table.name} ({', '.join(columns)}) VALUES {_marks(shared, rows)}"


@lru_cache(KEPT)
def _update_text(table: Table, keys: tuple[str, ...], columns: tuple[str, ...], shared: Shared, rows: int) -> str:
    setting = ", ".join(f"{name} = given.column{place}" for place, name in enumerate(columns, 1))
    matching = " AND ".join(f"{table.name}.{name} = given.column{place}" for place, name in enumerate(keys, len(columns) + 1))
    return f"UPDATE {table.name} SET {setting} FROM (VALUES {_marks(shared, rows)}) AS given WHERE {matching}"


@lru_cache(KEPT)
def _update_alike_text(table: Table, keys: tuple[str, ...], columns: tuple[str, ...], shared: Shared, among: int | None = None) -> str:
    """All rows get the same values, and differ in one key: SQLite then changes each where it finds it.

    That key is `among` so many, or counts up: then SQLite goes from row to row, and its ends are bound in place of hundreds.
    """
    setting = ", ".join(f"{name} = ?" for name in columns)
    same = [f"{name} = ?" for name, is_same in zip(keys, shared[len(columns) :], strict=True) if is_same]
    these = f"IN ({', '.join('?' * among)})" if among else "BETWEEN ? AND ?"
    differing = keys[shared.index(False) - len(columns)]
    return f"UPDATE {table.name} SET {setting} WHERE {' AND '.join([*same, f'{differing} {these}'])}"


def _marks(shared: Shared, rows: int) -> str:
    """The rows of a statement, each value by its number in what `_bind` answers."""
    once, varying = count(1), count(1 + sum(shared))
    numbers = [next(once) if same else None for same in shared]
    return ", ".join([f"({', '.join([f'?{number or next(varying)}' for number in numbers])})" for _ in range(rows)])


@cache
def _update_from_text(table: Table, keys: tuple[str, ...], columns: tuple[str, ...]) -> str:
    # A column that is both set and compared comes twice, so each kind has a prefix of its own.
    names = [*(f"new_{name}" for name in columns), *(f"old_{name}" for name in keys)]
    arrays = ", ".join(f"%s::{_type_name(table.c[name])}[]" for name in (*columns, *keys))
    setting = ", ".join(f"{name} = given.new_{name}" for name in columns)
    matching = " AND ".join(f"{table.name}.{name} = given.old_{name}" for name in keys)
    return f"UPDATE {table.name} SET {setting} FROM unnest({arrays}) AS given ({', '.join(names)}) WHERE {matching}"


def _type_name(column: Column[Any]) -> str:
    match column.type:
        case Integer():  # and BigInteger, which is one
            return "bigint"
        case Boolean():
            return "boolean"
        case Float():
            return "double precision"
        case LargeBinary():
            return "bytea"
        case Text():
            return "text"
        case other:
            raise TypeError(f"no array of {other!r} has been needed so far")
