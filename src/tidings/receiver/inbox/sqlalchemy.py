"""An inbox in any database that SQLAlchemy reaches, for receivers of many processes or machines. Needs `sqlalchemy` and a driver."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import BigInteger, Column, Connection, Index, LargeBinary, MetaData, String, Table, Text, create_engine, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import IntegrityError

from tidings.receiver.core import LONGEST_ID
from tidings.receiver.inbox.numbers import COUNT, PLAIN_COUNT
from tidings.receiver.inbox.rows import INSERT, PLAIN_INSERT, Values

_LETS_CONFLICTS_BE = ("postgresql", "sqlite")  # those that know `ON CONFLICT DO NOTHING`
_PLAIN = {INSERT: PLAIN_INSERT, COUNT: PLAIN_COUNT}  # for those that do not

_metadata = MetaData()
_table = Table(
    "tidings_inbox",
    _metadata,
    Column("id", String(LONGEST_ID), primary_key=True),
    Column("hook_id", BigInteger, nullable=False),
    Column("type", Text, nullable=False),
    Column("headers", Text, nullable=False),
    Column("body", LargeBinary(2**24), nullable=False),
    Column("state", String(10), nullable=False),
    Column("attempts", BigInteger, nullable=False),
    Column("due_at", BigInteger, nullable=False),
    Column("owner", String(40), nullable=False),
    Column("received_at", BigInteger, nullable=False),
    Column("ended_at", BigInteger),
    Column("finished", Text, nullable=False),
    Column("error", Text, nullable=False),
)
Index("tidings_inbox_due", _table.c.state, _table.c.due_at)
Table(
    "tidings_inbox_numbers",
    _metadata,
    Column("hook_id", BigInteger, primary_key=True, autoincrement=False),
    Column("first_number", BigInteger, primary_key=True, autoincrement=False),
    Column("last_number", BigInteger, nullable=False),
    Column("seen_at", BigInteger, nullable=False),
)


class SqlalchemyPlace:
    """The database at `url`."""

    def __init__(self, url: str | URL) -> None:
        """Raises `sqlalchemy.exc.ArgumentError` for a URL that is none."""
        self._engine = create_engine(url, pool_size=1, max_overflow=0, pool_pre_ping=True, hide_parameters=True)
        self._open: Connection | None = None
        self._inserts_twice = self._engine.dialect.name in _LETS_CONFLICTS_BE

    def open(self) -> None:
        """Reach it, and make the tables where they are missing."""
        if self._open is None or self._open.invalidated:
            self.close()
            _metadata.create_all(self._engine)
            self._open = self._engine.connect()

    def execute(self, statement: str, values: Values) -> int:
        """Run a statement that changes rows; how many it changed."""
        if statement in _PLAIN and not self._inserts_twice:
            return self._insert(_PLAIN[statement], values)
        return self._connection.execute(text(statement), dict(values)).rowcount

    def rows(self, statement: str, values: Values) -> list[Sequence[Any]]:
        """Run a statement that finds rows."""
        return [tuple(row) for row in self._connection.execute(text(statement), dict(values))]

    def commit(self) -> None:
        """Make lasting what was done."""
        self._connection.commit()

    def rollback(self) -> None:
        """Undo what was done since the last commit."""
        if self._open is not None:
            self._open.rollback()

    def close(self) -> None:
        """Let go of it."""
        if self._open is not None:
            self._open.close()
            self._engine.dispose()
            self._open = None

    def _insert(self, statement: str, values: Values) -> int:
        try:
            with self._connection.begin_nested():
                return self._connection.execute(text(statement), dict(values)).rowcount
        except IntegrityError:
            return 0

    @property
    def _connection(self) -> Connection:
        assert self._open is not None
        return self._open
