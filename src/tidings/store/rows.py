"""Many rows at once, each engine by its fastest road. For the hot statements; everything else is plain SQLAlchemy.

SQLite: statements of many rows, `executemany` for the rest: each step of a statement lets go of the interpreter's lock and
fights for it again, so fewer steps leave more time to the threads beside the writer. PostgreSQL: COPY for new rows (80,000
a second where `executemany` makes 15,000) and one `UPDATE ... FROM unnest(...)` for changed ones. What goes wrong comes out
as SQLAlchemy's errors, as everywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache, partial
from itertools import chain
from typing import Any

from sqlalchemy import Boolean, Column, Float, Integer, LargeBinary, Table, Text

from tidings.store.database import Tx
from tidings.store.statements import driver_errors, run_on_driver

Row = tuple[Any, ...]

CHUNKS = (512, 128, 32, 8)  # rows a statement on SQLite; times 16 columns that is far below its limit of 32,766 values


def insert_rows(tx: Tx, table: Table, columns: Sequence[str], rows: Sequence[Row]) -> None:
    """Insert `rows`, each a tuple in the order of `columns`."""
    if not rows:
        return
    if tx.dialect.name == "sqlite":
        _in_chunks(tx, rows, partial(_insert_text, table, tuple(columns)))
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
        return _in_chunks(tx, rows, partial(_update_text, table, tuple(keys), tuple(columns)))
    arrays = tuple(list(values) for values in zip(*rows, strict=True))
    return tx.exec_driver_sql(_update_from_text(table, tuple(keys), tuple(columns)), arrays).rowcount


def _copy(tx: Tx, statement: str, rows: Sequence[Row]) -> None:
    driver = tx.connection.driver_connection
    assert driver is not None
    with driver_errors(tx, statement), driver.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row(row)


def _in_chunks(tx: Tx, rows: Sequence[Row], text: Callable[[int], str]) -> int:
    """Run the statement `text(rows)` over all of `rows`, in few steps. Answers how many rows were changed."""
    changed = start = 0
    for size in CHUNKS:
        while len(rows) - start >= size:
            chunk = rows[start : start + size]
            changed += run_on_driver(tx, text(size), tuple(chain.from_iterable(chunk))).rowcount
            start += size
    if start < len(rows):
        changed += run_on_driver(tx, text(1), rows[start:], many=True).rowcount
    return changed


@cache
def _insert_text(table: Table, columns: tuple[str, ...], rows: int) -> str:
    return f"INSERT INTO {table.name} ({', '.join(columns)}) VALUES {_marks(len(columns), rows)}"


@cache
def _update_text(table: Table, keys: tuple[str, ...], columns: tuple[str, ...], rows: int) -> str:
    setting = ", ".join(f"{name} = given.column{place}" for place, name in enumerate(columns, 1))
    matching = " AND ".join(f"{table.name}.{name} = given.column{place}" for place, name in enumerate(keys, len(columns) + 1))
    given = f"(VALUES {_marks(len(columns) + len(keys), rows)}) AS given"
    return f"UPDATE {table.name} SET {setting} FROM {given} WHERE {matching}"


def _marks(columns: int, rows: int) -> str:
    return ", ".join([f"({', '.join('?' * columns)})"] * rows)


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
