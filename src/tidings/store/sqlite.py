"""The embedded engine: SQLite in WAL mode, `synchronous=FULL`, one writer thread, a few readers.

The problem: a durable commit waits for the disk, and SQLite has one writer; one function a commit makes a slow server.
The strategy is group commit. Functions queue for the writer thread; it takes all that wait, runs them one after the other
inside one transaction, commits once, and only then tells their callers. One function's failure is its own: where it had
written something, the transaction is begun anew, and each function runs in a savepoint that can be rolled back. Savepoints
from the start would cost every function a tenth of its time, for the few that write and then fail. Where SQLite itself gives
up the transaction (a full disk can do that), all of the batch have failed, and all are told. Whatever goes wrong, every
caller is told and the thread lives on: a writer that died would be a server that hangs.

Reading has threads too, for what may take long. What is short (`glance`) is read on the caller's own thread, by a connection
that is that thread's alone: to hand a function over costs more than to look up a few rows.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Concatenate, Literal, ParamSpec, TypeVar, cast

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from tidings.cores import roam
from tidings.errors import Invalid, Unavailable
from tidings.store.calls import Call, CallQueue, CallThreads, database_closed, tell_all
from tidings.store.waking import WAKE, Listeners, Rider, tell

P = ParamSpec("P")
T = TypeVar("T")

BATCH = 256  # functions committed together at most: bounds how long the first of them waits
BUSY_SECONDS = 5.0  # how long another process (`tidings seed`) may hold the write lock before we say so
BUSY_STEP = 0.01  # seconds
WRITER_CACHE_KIB = 32_000
READER_CACHE_KIB = 4_000  # each; the operating system holds the file for all of them
PREPARED = 512  # statements that a connection keeps prepared

_log = logging.getLogger(__name__)


class SQLite:
    """One database file. See `store/database.py` for what `read`, `glance` and `write` promise."""

    dialect: Literal["sqlite"] = "sqlite"

    def __init__(self, path: Path, *, readers: int) -> None:
        """Open `path`, making it if it is missing. Raises `Unavailable` when that cannot be done."""
        self.path = path
        self.commits = 0
        self.statements = 0
        self._listeners = Listeners()
        self.listen = self._listeners.listen
        self._rider: Rider | None = None
        self.engine = self._make_engine()
        with _translated():
            self._tx = self._connect()
        self._driver = _driver(self._tx)
        self._calls = CallQueue()
        self._writer = threading.Thread(target=self._write_until_closed, name="tidings-writer", daemon=True)
        self._writer.start()
        self._threads = CallThreads(readers, "tidings-reader", begin=roam)
        self._of_thread = threading.local()
        self._readers: list[_Reader] = []
        self._door = threading.Lock()  # no reader is opened once `_closed` is set
        self._closed = False

    async def read(self, fn: Callable[Concatenate[Connection, P], T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """See `Database.read`."""
        return cast(T, await self._threads.hand_in(lambda: self._reader().read(fn, *args, **kwargs)))

    async def glance(self, fn: Callable[Concatenate[Connection, P], T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """See `Database.glance`."""
        return self._reader().read(fn, *args, **kwargs)

    async def write(self, fn: Callable[Concatenate[Connection, P], T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """See `Database.write`."""
        return cast(T, await self._calls.hand_in(partial(fn, self._tx, *args, **kwargs)))

    def let_ride(self, rider: Rider) -> None:
        """See `Database.let_ride`."""
        self._rider = rider

    async def close(self) -> None:
        """See `Database.close`."""
        await asyncio.get_running_loop().run_in_executor(None, self.dispose)

    def dispose(self) -> None:
        """The same as `close`, for callers without an event loop."""
        self._calls.close()
        self._writer.join()
        self._threads.close()
        with self._door:
            self._closed = True
            readers = list(self._readers)
        for reader in readers:
            reader.close()
        self._tx.close()
        self.engine.dispose()

    # --- reading ---

    def _reader(self) -> _Reader:
        """The one of this thread."""
        reader: _Reader | None = getattr(self._of_thread, "reader", None)
        if reader is None:
            with self._door, _translated():
                if self._closed:
                    raise database_closed()
                reader = self._of_thread.reader = _Reader(self._connect())
                self._readers.append(reader)
        return reader

    # --- writing ---

    def _write_until_closed(self) -> None:
        while batch := self._calls.take(BATCH):
            self._commit_together(batch)
            tell_all(batch)
            self._listeners.committed(self._tx)

    def _commit_together(self, batch: Sequence[Call]) -> None:
        try:
            with _translated():
                try:
                    self._commit(batch, self._run)
                except _Spoilt:
                    _abandon(self._tx, self._driver)
                    self._commit(batch, self._run_in_savepoint)
        except BaseException as error:  # noqa: BLE001 (their callers get it)
            for call in batch:
                call.error = call.error or error
            _abandon(self._tx, self._driver)

    def _commit(self, batch: Sequence[Call], run: Callable[[Call], None]) -> None:
        self._tx.exec_driver_sql("BEGIN IMMEDIATE")
        for call in batch:
            if not call.future.cancelled():
                run(call)
        arrived = self._ride()
        self._tx.commit()
        self.commits += 1
        if arrived:
            tell(arrived)

    def _ride(self) -> Callable[[], None] | None:
        """Let the rider write too, where this batch has events for it. What goes wrong there is its own: it hears of the events
        again, as everybody who listens."""
        if self._rider is None or "events" not in self._tx.info.get(WAKE, ()):
            return None
        arrived = None
        self._driver.execute("SAVEPOINT rider")
        try:
            arrived = self._rider(self._tx)
        except Exception as error:  # noqa: BLE001 (whatever it is)
            _log.exception("what was to be written along with a change was not")
            self._must_go_on_after(error)
            self._driver.execute("ROLLBACK TO rider")
        self._driver.execute("RELEASE rider")
        if arrived:
            self._tx.info[WAKE].discard("events")
        return arrived

    def _run(self, call: Call) -> None:
        before = self._driver.total_changes
        try:
            with _translated():
                call.result = call.fn()
        except BaseException as error:  # noqa: BLE001 (its caller gets it)
            self._note(call, error)
            if self._driver.total_changes != before:
                raise _Spoilt from None

    def _run_in_savepoint(self, call: Call) -> None:
        call.error = None
        self._driver.execute("SAVEPOINT one")
        try:
            with _translated():
                call.result = call.fn()
        except BaseException as error:  # noqa: BLE001 (its caller gets it)
            self._note(call, error)
            self._driver.execute("ROLLBACK TO one")
        self._driver.execute("RELEASE one")

    def _note(self, call: Call, error: BaseException) -> None:
        call.error = error
        self._must_go_on_after(error)

    def _must_go_on_after(self, error: BaseException) -> None:
        if not self._driver.in_transaction:
            raise Unavailable("the database gave up the transaction; nothing of it was written") from error

    def _connect(self) -> Connection:
        tx = self.engine.connect()
        return tx.execution_options(driver=_driver(tx))  # it stays the same, and to ask for it costs as much as a short statement

    def _make_engine(self) -> Engine:
        engine = create_engine(
            f"sqlite:///{self.path}",
            poolclass=NullPool,
            connect_args={"check_same_thread": False, "timeout": BUSY_SECONDS, "cached_statements": PREPARED},
            execution_options={"ran": self._count},  # for what SQLAlchemy does not see, see `store/statements.py`
            hide_parameters=True,  # an error's text is logged, and the parameters hold hashes and sealed secrets
        )

        @event.listens_for(engine, "connect")
        def _prepare(driver: sqlite3.Connection, _record: object) -> None:
            driver.isolation_level = None  # BEGIN and COMMIT are ours to say
            _use_wal(driver)
            for pragma in ("synchronous = FULL", "foreign_keys = ON", "temp_store = MEMORY"):
                driver.execute(f"PRAGMA {pragma}")
            driver.execute(f"PRAGMA cache_size = -{WRITER_CACHE_KIB}")

        event.listen(engine, "before_cursor_execute", self._count)
        return engine

    def _count(self, *_: object) -> None:
        self.statements += 1


class _Spoilt(Exception):
    """A function has written something and failed: what the batch has written so far cannot stay as it is."""


class _Reader:
    """A connection for reading, of one thread. Only its end may come from another."""

    def __init__(self, tx: Connection) -> None:
        self._tx = tx
        self._driver = _driver(tx)
        self._in_use = threading.Lock()
        self._closed = False
        for pragma in ("query_only = 1", f"cache_size = -{READER_CACHE_KIB}"):
            self._driver.execute(f"PRAGMA {pragma}")

    def read(self, fn: Callable[Concatenate[Connection, P], T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Answer `fn(tx, ...)`, all of it on one state of the data."""
        with self._in_use, _translated(writing=False):
            if self._closed:
                raise database_closed()
            # By the driver: SQLAlchemy's own BEGIN and rollback cost more than most of what is read in between. It thinks
            # itself in one transaction for ever, which does no harm where nothing is written.
            self._driver.execute("BEGIN")
            try:
                return fn(self._tx, *args, **kwargs)
            finally:
                self._driver.rollback()

    def close(self) -> None:
        """When what is read has been read."""
        with self._in_use:
            self._closed = True
            self._tx.close()


def _driver(tx: Connection) -> sqlite3.Connection:
    return cast(sqlite3.Connection, tx.connection.driver_connection)


def _use_wal(driver: sqlite3.Connection) -> None:
    """Write ahead, in this file. Two who open a new file at once both have to change it for that, and there SQLite says at once
    that it is locked, whatever its time to wait: so the waiting is ours."""
    patience = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            driver.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if _primary_code(error) != sqlite3.SQLITE_BUSY or time.monotonic() > patience:
                raise
            time.sleep(BUSY_STEP)
        else:
            return


def _abandon(tx: Connection, driver: sqlite3.Connection) -> None:
    """Leave no transaction behind. After a failed COMMIT SQLAlchemy believes there is none, so the driver is asked too."""
    with contextlib.suppress(DBAPIError, sqlite3.Error):
        tx.rollback()
    with contextlib.suppress(sqlite3.Error):
        driver.rollback()


class _translated:  # noqa: N801 (reads as the statement it is)
    """SQLite's own errors as ours: what the disk or a lock does is `Unavailable`, a value it cannot hold is `Invalid`.

    The rest is a defect and stays one; so does a write where nothing may be written.
    """

    def __init__(self, *, writing: bool = True) -> None:
        self.weather = _WEATHER if writing else _WEATHER_OF_READING

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        match error.orig if isinstance(error, DBAPIError) else error:
            case sqlite3.DatabaseError() as cause if _primary_code(cause) in self.weather:
                raise Unavailable(f"the database cannot be used at the moment: {cause}") from error
            case OverflowError() | UnicodeEncodeError():
                raise Invalid("a value cannot be stored") from error
            case StopIteration():
                # A future cannot carry it: its caller would wait for ever.
                raise RuntimeError("a function of a transaction let StopIteration out") from error
            case _:
                return


def _primary_code(error: sqlite3.DatabaseError) -> int | None:
    code: int | None = getattr(error, "sqlite_errorcode", None)  # missing where Python's module raised it by itself
    return None if code is None else code & 0xFF


_WEATHER = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_NOTADB,
    sqlite3.SQLITE_READONLY,
}
_WEATHER_OF_READING = _WEATHER - {sqlite3.SQLITE_READONLY}
