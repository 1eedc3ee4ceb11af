"""Whole functions, each run as one transaction: `await database.write(create_item, caller, ...)`.

The functions are plain and synchronous; their first argument is `tx`, an SQLAlchemy `Connection` inside a transaction
that commits when the function returns and is rolled back when it raises. Nothing awaits in the middle of one, so no
database connection is ever held while a stranger is being talked to.

What is always true: when `write` returns, the change is on disk. When it raises, nothing of it was written, except
where it raises `Unavailable` because the connection broke during the commit: then it may have been.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Concatenate, Literal, ParamSpec, Protocol, TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import ArgumentError

from tidings.errors import Invalid, Unavailable
from tidings.store.migrate import migrate
from tidings.store.postgresql import PostgreSQL
from tidings.store.sqlite import SQLite
from tidings.store.waking import WAKE, Rider, Wake

P = ParamSpec("P")
T = TypeVar("T")

Tx = Connection
"""What a function of the house is handed: a connection inside a transaction that is not its to end."""


def wake_after(tx: Tx, what: Wake = "events") -> None:
    """When this transaction has committed, call those who `listen` to this. (After a rollback they may be called for nothing.)"""
    asked: set[Wake] | None = tx.info.get(WAKE)
    if asked is None:
        tx.info[WAKE] = {what}
    else:
        asked.add(what)


class Database(Protocol):
    """What both engines do. Every behaviour of it is stated in `tests/store`, for both."""

    @property
    def dialect(self) -> Literal["sqlite", "postgresql"]:
        """Which engine this is."""

    async def read(self, fn: Callable[Concatenate[Tx, P], T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `fn(tx, ...)` on one consistent state of the data, and answer what it answers. It must not write."""

    async def glance(self, fn: Callable[Concatenate[Tx, P], T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """The same for a function that looks up a few rows by their keys, and does nothing that takes long.

        It may hold up the loop of its caller meanwhile, where that costs less than a thread.
        """

    async def write(self, fn: Callable[Concatenate[Tx, P], T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `fn(tx, ...)` as one durable transaction, and answer what it answers.

        Raises what `fn` raises, and `Unavailable` when the database cannot be reached, is locked or is full.
        `fn` may be run again, after a deadlock or after the failure of another, so it touches nothing but `tx`.
        """

    def listen(self, callback: Callable[[], None], what: Wake = "events") -> None:
        """Call `callback` after every commit of a transaction that asked for it (`wake_after`), on any thread."""

    def let_ride(self, rider: Rider) -> None:
        """Run `rider(tx)` at the end of every transaction that asked for `events`, before it commits; on SQLite alone.

        It answers whom to call, on the writer's thread, when all of it has committed; or None, and then those who `listen` are
        called. What it raises undoes what it wrote, and nothing else.
        """

    async def close(self) -> None:
        """Finish what was handed in, then let go of every connection and thread."""


def open_database(url: str, data: Path, *, connections: int = 8) -> SQLite | PostgreSQL:
    """The database at `url` (PostgreSQL), or the SQLite file in the folder `data` when `url` is empty; tables made.

    Raises `Invalid` for a URL that is none of ours, `Unavailable` when the database cannot be opened.
    """
    database = connect(url, data, connections=connections)
    try:
        migrate(database)
    except BaseException:
        database.dispose()
        raise
    return database


def connect(url: str, data: Path, *, connections: int) -> SQLite | PostgreSQL:
    """The same where the tables are known to be of this version. Raises what `open_database` raises."""
    return _postgresql(url, connections) if url else _sqlite(data, connections)


def _sqlite(data: Path, connections: int) -> SQLite:
    try:
        data.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise Unavailable(f"the data folder cannot be made: {error.strerror}") from error
    return SQLite(data / "tidings.db", readers=connections)


def _postgresql(url: str, connections: int) -> PostgreSQL:
    parameters = {"setting": "database"}
    if not url.startswith(("postgresql://", "postgres://")):
        raise Invalid("the database is a `postgresql://` URL, or empty for SQLite", parameters=parameters)
    try:
        return PostgreSQL(url, connections=connections)
    except ModuleNotFoundError:
        raise Invalid("PostgreSQL needs the extra `postgres`: pip install 'tidings[postgres]'", parameters=parameters) from None
    except (ArgumentError, ValueError):
        # The text itself is left out: it holds a password.
        raise Invalid("the database URL cannot be read", parameters=parameters) from None
