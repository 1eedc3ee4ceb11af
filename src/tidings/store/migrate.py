"""Brings the tables to the present shape, at every start. Safe when several processes start at once.

Alembic runs the steps of `store/migrations/versions`; a lock makes the others wait, and they find nothing left to do. Where
the last step has been run already, as at most starts, Alembic is not even imported: that takes a tenth of a start.
"""

from __future__ import annotations

import fcntl
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, insert, inspect, select
from sqlalchemy.exc import InterfaceError, OperationalError

from tidings.errors import Invalid, Unavailable
from tidings.store import schema
from tidings.store.postgresql import PostgreSQL
from tidings.store.sqlite import SQLite

MIGRATIONS = Path(__file__).parent / "migrations"
LOCK_NUMBER = 0x71D1495  # PostgreSQL advisory lock; any number that only we use


def migrate(database: SQLite | PostgreSQL) -> None:
    """Run the steps that this database has not seen.

    Raises `Unavailable` when it cannot be opened, `Invalid` when a newer Tidings has been at it.
    """
    try:
        with database.engine.connect() as connection:
            if _version(connection) == _last_step():
                return
        with _alone(database) as connection:
            _run_steps(connection)
            _name_instance(connection)
            connection.commit()
    except (OperationalError, InterfaceError) as error:
        raise Unavailable(f"the database cannot be opened: {type(error.orig).__name__}") from error
    except OSError as error:
        raise Unavailable(f"the database cannot be opened: {error.strerror}") from error


def _version(connection: Connection) -> str | None:
    """The last step that was run here; None where none was."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    version: str | None = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
    return version


def _last_step() -> str:
    """The steps' files begin with their numbers."""
    return max(path.name[:4] for path in (MIGRATIONS / "versions").glob("[0-9]*.py"))


def _run_steps(connection: Connection) -> None:
    from alembic import command  # noqa: PLC0415 (see the top)
    from alembic.config import Config  # noqa: PLC0415
    from alembic.util import CommandError  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise Invalid("the database was made by a newer Tidings", parameters={"setting": "database"}) from error


@contextmanager
def _alone(database: SQLite | PostgreSQL) -> Iterator[Connection]:
    """A connection on which nobody else migrates meanwhile."""
    if isinstance(database, PostgreSQL):
        with database.engine.connect() as connection:
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({LOCK_NUMBER})")
            yield connection
    else:
        with Path(f"{database.path}.migrating").open("w") as lock, database.engine.connect() as connection:
            fcntl.flock(lock, fcntl.LOCK_EX)
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            yield connection


def _name_instance(connection: Connection) -> None:
    if connection.execute(select(schema.server.c.server_id)).first() is None:
        connection.execute(insert(schema.server).values(server_id=1, instance=secrets.token_hex(4), hooks_version=1))
