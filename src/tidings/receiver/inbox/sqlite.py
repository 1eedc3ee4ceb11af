"""An inbox in a SQLite file: write-ahead log, and on the disk before a commit returns."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tidings.receiver.inbox.rows import Values

_PATIENCE = 10.0  # seconds that another process may hold the file
_TABLE = """
CREATE TABLE IF NOT EXISTS tidings_inbox (
    id TEXT PRIMARY KEY, hook_id INTEGER NOT NULL, type TEXT NOT NULL, headers TEXT NOT NULL, body BLOB NOT NULL,
    state TEXT NOT NULL, attempts INTEGER NOT NULL, due_at INTEGER NOT NULL, owner TEXT NOT NULL,
    received_at INTEGER NOT NULL, ended_at INTEGER, finished TEXT NOT NULL, error TEXT NOT NULL
) WITHOUT ROWID
"""
_NUMBERS = """
CREATE TABLE IF NOT EXISTS tidings_inbox_numbers (
    hook_id INTEGER NOT NULL, first_number INTEGER NOT NULL, last_number INTEGER NOT NULL, seen_at INTEGER NOT NULL,
    PRIMARY KEY (hook_id, first_number)
) WITHOUT ROWID
"""
_DUE_INDEX = "CREATE INDEX IF NOT EXISTS tidings_inbox_due ON tidings_inbox (due_at) WHERE state = 'pending'"


class SqlitePlace:
    """The file at `path`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._open: sqlite3.Connection | None = None

    def open(self) -> None:
        """Reach it, and make the file and the tables where they are missing."""
        if self._open is not None:
            return
        connection = sqlite3.connect(self._path, timeout=_PATIENCE, isolation_level="IMMEDIATE", check_same_thread=False)
        try:
            for statement in ("PRAGMA journal_mode = WAL", "PRAGMA synchronous = FULL", _TABLE, _DUE_INDEX, _NUMBERS):
                connection.execute(statement)
        except sqlite3.Error:
            connection.close()
            raise
        self._open = connection

    def execute(self, statement: str, values: Values) -> int:
        """Run a statement that changes rows; how many it changed."""
        return self._connection.execute(statement, values).rowcount

    def rows(self, statement: str, values: Values) -> list[Sequence[Any]]:
        """Run a statement that finds rows."""
        return list(self._connection.execute(statement, values))

    def commit(self) -> None:
        """On the disk when this returns."""
        self._connection.commit()

    def rollback(self) -> None:
        """Undo what was done since the last commit."""
        if self._open is not None:
            self._open.rollback()

    def close(self) -> None:
        """Let go of the file."""
        if self._open is not None:
            self._open.close()
            self._open = None

    @property
    def _connection(self) -> sqlite3.Connection:
        assert self._open is not None
        return self._open
