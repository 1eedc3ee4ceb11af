"""A database for each test, on each engine.

`Place` says where a database is, the way `--data` and `--database` say it, so that the same place can be opened in the
test and by processes that it starts. Each place is a copy of a template that holds the tables already, which takes a few
hundredths of a second.
"""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tests.support.postgres import Postgres
from tidings.store.database import connect, open_database
from tidings.store.postgresql import PostgreSQL
from tidings.store.sqlite import SQLite

Engine = Literal["sqlite", "postgresql"]
AnyDatabase = SQLite | PostgreSQL

CONNECTIONS = 4
"""For reading, and on PostgreSQL as many for writing."""

_TEMPLATE = "tidings_template"
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
        return opening(self.url, self.data, connections=connections)


def place_on_sqlite(data: Path, template: Path | None) -> Place:
    """A database file of its own in the folder `data`: a copy of `template`, or not made yet where that is None."""
    if template is not None:
        data.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(template, data / template.name)
    return Place(data, has_tables=template is not None)


@contextmanager
def place_on_postgres(postgres: Postgres, data: Path, *, empty: bool = False) -> Iterator[Place]:
    """A database of its own on `postgres`: with the tables, or `empty`. It is dropped at the end."""
    name = f"tidings_{next(_numbers)}"
    postgres.create(name, template="template0" if empty else _TEMPLATE)
    try:
        yield Place(data, postgres.url(name), postgres, has_tables=not empty)
    finally:
        postgres.drop(name)


def make_sqlite_template(data: Path) -> Path:
    """Make the file that the others are copied from, in the folder `data`."""
    database = open_database("", data, connections=1)
    database.dispose()
    assert isinstance(database, SQLite)
    return database.path


def make_postgres_template(postgres: Postgres) -> None:
    """Make the database that the others are copied from."""
    postgres.create(_TEMPLATE)
    open_database(postgres.url(_TEMPLATE), Path(), connections=1).dispose()
