"""A database for each test, on each engine.

`Place` says where a database is, the way `--data` and `--database` say it, so that the same place can be opened in the
test and by processes that it starts. Each place is a copy of a template that holds the tables already; on PostgreSQL it is lent
(`tests/support/lending.py`).
"""

from __future__ import annotations

import asyncio
import itertools
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from tests.support.lending import keep
from tests.support.postgres import Postgres
from tidings.store.database import Tx, connect, open_database
from tidings.store.postgresql import PostgreSQL
from tidings.store.sqlite import SQLite

Engine = Literal["sqlite", "postgresql"]
AnyDatabase = SQLite | PostgreSQL
Make = Callable[[Tx], object]

CONNECTIONS = 2
"""For reading, and on PostgreSQL as many for writing."""

TABLES = "tidings_template"
"""The database on PostgreSQL that holds the tables and nothing else."""

_numbers = itertools.count(1)


@dataclass(frozen=True)
class Place:
    """Where one database is."""

    data: Path
    url: str = ""
    postgres: Postgres | None = None  # the server it is on; None for SQLite
    has_tables: bool = False  # those of this version

    @property
    def engine(self) -> Engine:
        """Which engine it is for."""
        return "postgresql" if self.url else "sqlite"

    @property
    def arguments(self) -> list[str]:
        """The place on the command line."""
        return ["--data", str(self.data), *(["--database", self.url] if self.url else [])]

    def open(self, *, connections: int = CONNECTIONS) -> AnyDatabase:
        """Open it, making its tables where they are missing. The caller closes it."""
        # To find that nothing is to be done takes Alembic as long as many a test takes in all.
        opening = connect if self.has_tables else open_database
        database = opening(self.url, self.data, connections=connections)
        _share_compiled(database)
        return database


_compiled: dict[str, tuple[Any, Any]] = {}  # by the name of the engine


def _share_compiled(database: AnyDatabase) -> None:
    """Let all databases that this program opens share what SQLAlchemy has compiled: most tests take longer to compile their
    statements than to run them. It keeps them by dialect, so the dialect is shared with them."""
    engine = database.engine
    engine.dialect, engine._compiled_cache = _compiled.setdefault(database.dialect, (engine.dialect, engine._compiled_cache))
    if isinstance(database, SQLite):
        database._tx.dialect = engine.dialect  # the writer's connection was there before


def place_on_sqlite(data: Path, template: Path | None) -> Place:
    """A database file of its own in the folder `data`: a copy of `template`, or not made yet where that is None."""
    if template is not None:
        data.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(template, data / template.name)
    return Place(data, has_tables=template is not None)


@contextmanager
def place_on_postgres(postgres: Postgres, data: Path, *, template: str = TABLES) -> Iterator[Place]:
    """A database of its own on `postgres`: a copy of `template`. Nobody is connected to it, at first and at the end."""
    name = postgres.copies.lend(template)
    try:
        yield Place(data, postgres.url(name), postgres, has_tables=True)
    finally:
        postgres.copies.take_back(name, template)


@contextmanager
def empty_place_on_postgres(postgres: Postgres, data: Path) -> Iterator[Place]:
    """The same without the tables. It is dropped at the end, whoever is connected to it."""
    name = f"tidings_{next(_numbers)}"
    postgres.create(name)
    try:
        yield Place(data, postgres.url(name), postgres)
    finally:
        postgres.drop(name)


class Templates:
    """Databases to be copied that hold more than the tables: what `make(tx)` made, once for each engine in this program."""

    def __init__(self, folder: Path) -> None:
        """SQLite's lie in `folder`."""
        self._folder = folder
        self._made: dict[tuple[Engine, Make], tuple[Any, Any]] = {}

    def on_sqlite(self, make: Make, tables: Path) -> tuple[Path, Any]:
        """The file to be copied, made from that with the `tables`, and what `make` answered."""
        if ("sqlite", make) not in self._made:
            place = place_on_sqlite(self._folder / str(next(_numbers)), tables)
            made = asyncio.run(_furnish(place, make))
            self._made["sqlite", make] = (place.data / tables.name, made)
        return self._made["sqlite", make]

    def on_postgres(self, make: Make, postgres: Postgres) -> tuple[str, Any]:
        """The same for a server: the name of the database."""
        if ("postgresql", make) not in self._made:
            name = f"tidings_template_{next(_numbers)}"
            postgres.create(name, template=TABLES)
            place = Place(self._folder, postgres.url(name), postgres, has_tables=True)
            self._made["postgresql", make] = (name, asyncio.run(_furnish(place, make)))
            keep(place.url)
        return self._made["postgresql", make]


async def _furnish(place: Place, make: Make) -> object:
    database = place.open()
    try:
        return await database.write(make)
    finally:
        await database.close()


def open_once(url: str, data: Path) -> None:
    """Open a database, which makes its tables, and close it."""
    open_database(url, data).dispose()


def make_sqlite_template(data: Path) -> Path:
    """Make the file that the others are copied from, in the folder `data`."""
    database = open_database("", data, connections=1)
    database.dispose()
    assert isinstance(database, SQLite)
    return database.path


def make_postgres_template(postgres: Postgres) -> None:
    """Make the database that the others are copied from."""
    postgres.create(TABLES)
    open_database(postgres.url(TABLES), Path(), connections=1).dispose()
    keep(postgres.url(TABLES))
