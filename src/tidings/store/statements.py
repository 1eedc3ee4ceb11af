"""One statement of the hot path: compiled once from SQLAlchemy Core for each engine, and run by the driver itself.

For single statements that stand on the way of every item. Measured on SQLite, for one row by its key: 36 microseconds
through SQLAlchemy, 29 by `exec_driver_sql`, 4 so. What it costs: values and rows are the driver's own (a Boolean of
SQLite is 0 or 1). Errors come out as SQLAlchemy's, as everywhere. Everything else is plain SQLAlchemy; many rows at once are
`store/rows.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import ClauseElement
from sqlalchemy.dialects import sqlite
from sqlalchemy.exc import DBAPIError

from tidings.store.database import Tx


class Statement:
    """A statement whose values are all named: `Statement(select(...).where(c == bindparam("id"))).all(tx, {"id": 1})`."""

    __slots__ = ("_core", "_texts")

    def __init__(self, core: ClauseElement) -> None:
        """Nothing is compiled before the first use."""
        self._core = core
        self._texts: dict[str, str] = {}  # by the name of the engine

    def all(self, tx: Tx, values: dict[str, Any]) -> list[tuple[Any, ...]]:
        """Run it, and answer all its rows."""
        cursor = self._execute(tx, values)
        # To the end always: SQLite cannot commit while a statement that returned a row waits to be asked for the next.
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows

    def first(self, tx: Tx, values: dict[str, Any]) -> tuple[Any, ...] | None:
        """Run it, and answer its first row, if there is one."""
        rows = self.all(tx, values)
        return rows[0] if rows else None

    def run(self, tx: Tx, values: dict[str, Any]) -> None:
        """Run it for what it does."""
        self._execute(tx, values)

    def _execute(self, tx: Tx, values: dict[str, Any]) -> Any:
        return run_on_driver(tx, self._texts.get(tx.dialect.name) or self._compile(tx), values)

    def _compile(self, tx: Tx) -> str:
        dialect = sqlite.dialect(paramstyle="named") if tx.dialect.name == "sqlite" else tx.dialect
        text = self._texts[tx.dialect.name] = str(self._core.compile(dialect=dialect))
        return text


def run_on_driver(tx: Tx, text: str, values: Any, *, many: bool = False) -> Any:
    """Run `text` by the driver itself, in its own style of parameters; `many`: once for each of `values`. Answers its cursor."""
    options = tx.get_execution_options()  # see `SQLite` and `PostgreSQL`
    options["ran"]()
    driver: Any = options.get("driver") or tx.connection.driver_connection
    try:
        return driver.executemany(text, values) if many else driver.execute(text, values)
    except Exception as error:
        _raise_as_sqlalchemy(tx, text, error)
        raise


@contextmanager
def driver_errors(tx: Tx, text: str) -> Iterator[None]:
    """Counts one statement, and raises the driver's errors as SQLAlchemy does, who does not see what is run here."""
    tx.get_execution_options()["ran"]()
    try:
        yield
    except Exception as error:
        _raise_as_sqlalchemy(tx, text, error)
        raise


def _raise_as_sqlalchemy(tx: Tx, text: str, error: Exception) -> None:
    driver_error = tx.dialect.dbapi.Error  # type: ignore[union-attr]  # a dialect in use has its driver
    if isinstance(error, driver_error):
        raise DBAPIError.instance(text, None, error, driver_error, hide_parameters=True, dialect=tx.dialect) from error
