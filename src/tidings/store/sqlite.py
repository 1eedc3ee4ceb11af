"""The embedded engine: SQLite in WAL mode, `synchronous=FULL`, one writer thread, a few readers.

The problem: a durable commit waits for the disk, and SQLite has one writer; one function a commit makes a slow server.
The strategy is group commit. Functions queue for the writer thread; it takes all that wait, runs each in a savepoint of
its own inside one transaction, commits once, and only then tells their callers. One function's failure rolls back to
its own savepoint and is its own. Where SQLite itself gives up the transaction (a full disk can do that), all of the
batch have failed, and all are told. Whatever goes wrong, every caller is told and the thread lives on: a writer that died
would be a server that hangs.
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import sqlite3
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, Concatenate, Literal, ParamSpec, TypeVar, cast

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from tidings.errors import Invalid, Unavailable
from tidings.store.waking import Listeners

P = ParamSpec("P")
T = TypeVar("T")

BATCH = 256  # functions committed together at most: bounds how long the first of them waits
BUSY_SECONDS = 5.0  # how long another process (`tidings seed`) may hold the write lock before we say so
WRITER_CACHE_KIB = 32_000
READER_CACHE_KIB = 4_000  # each; the operating system holds the file for all of them


class _Call:
    """One function on its way through the writer, and where to say how it went."""

    __slots__ = ("error", "fn", "future", "loop", "result")

    def __init__(self, fn: Callable[[Connection], Any], loop: asyncio.AbstractEventLoop) -> None:
        self.fn = fn
        self.loop = loop
        self.future: asyncio.Future[Any] = loop.create_future()
        self.result: Any = None
        self.error: BaseException | None = None

    def tell(self) -> None:
        if self.future.done():  # its caller was cancelled; the change stands
            return
        if self.error is not None:
            self.future.set_exception(self.error)
        else:
            self.future.set_result(self.result)


class SQLite:
    """One database file. See `store/database.py` for what `read` and `write` promise."""

    dialect: Literal["sqlite"] = "sqlite"

    def __init__(self, path: Path, *, readers: int) -> None:
        """Open `path`, making it if it is missing. Raises `Unavailable` when that cannot be done."""
        self.path = path
        self.commits = 0
        self.statements = 0
        self._listeners = Listeners()
        self.listen = self._listeners.listen
        self.engine = self._make_engine()
        with _translated():
            self._writer_connection = self.engine.connect()
        self._calls: queue.SimpleQueue[_Call | None] = queue.SimpleQueue()
        self._writer = threading.Thread(target=self._write_until_closed, name="tidings-writer", daemon=True)
        self._writer.start()
        self._reading = threading.local()
        self._readers = ThreadPoolExecutor(readers, thread_name_prefix="tidings-reader")
        self._reader_connections: list[Connection] = []
        self._door = threading.Lock()  # nothing is handed in once `_closed` is set, whatever thread it comes from
        self._closed = False

    async def read(self, fn: Callable[Concatenate[Connection, P], T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """See `Database.read`."""
        with self._door:
            self._refuse_when_closed()
            reading = asyncio.get_running_loop().run_in_executor(self._readers, partial(self._read, fn, *args, **kwargs))
        return await reading

    async def write(self, fn: Callable[Concatenate[Connection, P], T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """See `Database.write`."""
        call = _Call(lambda tx: fn(tx, *args, **kwargs), asyncio.get_running_loop())
        with self._door:
            self._refuse_when_closed()
            self._calls.put(call)
        return cast(T, await call.future)

    async def close(self) -> None:
        """See `Database.close`."""
        await asyncio.get_running_loop().run_in_executor(None, self.dispose)

    def dispose(self) -> None:
        """The same as `close`, for callers without an event loop."""
        with self._door:
            if self._closed:
                return
            self._closed = True
            self._calls.put(None)
        self._writer.join()
        self._readers.shutdown()
        for connection in [self._writer_connection, *self._reader_connections]:
            connection.close()
        self.engine.dispose()

    def _refuse_when_closed(self) -> None:
        if self._closed:
            raise Unavailable("the database is closed")

    # --- reading ---

    def _read(self, fn: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        with _translated(writing=False):
            tx = self._reader_connection()
            # By the driver: SQLAlchemy's own BEGIN and rollback cost more than most of what is read in between. It thinks
            # itself in one transaction for ever, which does no harm where nothing is written.
            driver = cast(sqlite3.Connection, tx.connection.driver_connection)
            driver.execute("BEGIN")
            try:
                return fn(tx, *args, **kwargs)
            finally:
                driver.rollback()

    def _reader_connection(self) -> Connection:
        connection: Connection | None = getattr(self._reading, "connection", None)
        if connection is None:
            connection = self.engine.connect()
            self._reader_connections.append(connection)
            connection.exec_driver_sql("PRAGMA query_only = 1")
            connection.exec_driver_sql(f"PRAGMA cache_size = -{READER_CACHE_KIB}")
            self._reading.connection = connection
        return connection

    # --- writing ---

    def _write_until_closed(self) -> None:
        while batch := self._next_batch():
            self._commit_together(batch)
            _tell_all(batch)
            self._listeners.committed(self._writer_connection)

    def _next_batch(self) -> list[_Call]:
        """All that wait, at least one; empty when the database is to be closed."""
        first = self._calls.get()
        if first is None:
            return []
        batch = [first]
        while len(batch) < BATCH:
            try:
                call = self._calls.get_nowait()
            except queue.Empty:
                break
            if call is None:
                self._calls.put(None)  # for the next round, after this batch
                break
            batch.append(call)
        return batch

    def _commit_together(self, batch: list[_Call]) -> None:
        tx = self._writer_connection
        driver = cast(sqlite3.Connection, tx.connection.driver_connection)
        try:
            with _translated():
                tx.exec_driver_sql("BEGIN IMMEDIATE")
                for call in batch:
                    if not call.future.cancelled():
                        self._run_in_savepoint(call, tx, driver)
                tx.commit()
                self.commits += 1
        except BaseException as error:  # noqa: BLE001 (their callers get it)
            for call in batch:
                call.error = call.error or error
            _abandon(tx, driver)

    def _run_in_savepoint(self, call: _Call, tx: Connection, driver: sqlite3.Connection) -> None:
        driver.execute("SAVEPOINT one")
        try:
            with _translated():
                call.result = call.fn(tx)
        except BaseException as error:
            call.error = error
            if not driver.in_transaction:
                raise Unavailable("the database gave up the transaction; nothing of it was written") from error
            driver.execute("ROLLBACK TO one")
        driver.execute("RELEASE one")

    def _make_engine(self) -> Engine:
        engine = create_engine(
            f"sqlite:///{self.path}",
            poolclass=NullPool,
            connect_args={"check_same_thread": False, "timeout": BUSY_SECONDS},
            execution_options={"ran": self._count},  # for what SQLAlchemy does not see, see `store/statements.py`
            hide_parameters=True,  # an error's text is logged, and the parameters hold hashes and sealed secrets
        )

        @event.listens_for(engine, "connect")
        def _prepare(driver: sqlite3.Connection, _record: object) -> None:
            driver.isolation_level = None  # BEGIN and COMMIT are ours to say
            for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON", "temp_store = MEMORY"):
                driver.execute(f"PRAGMA {pragma}")
            driver.execute(f"PRAGMA cache_size = -{WRITER_CACHE_KIB}")

        event.listen(engine, "before_cursor_execute", self._count)
        return engine

    def _count(self, *_: object) -> None:
        self.statements += 1


def _abandon(tx: Connection, driver: sqlite3.Connection) -> None:
    """Leave no transaction behind. After a failed COMMIT SQLAlchemy believes there is none, so the driver is asked too."""
    with contextlib.suppress(DBAPIError, sqlite3.Error):
        tx.rollback()
    with contextlib.suppress(sqlite3.Error):
        driver.rollback()


def _tell_all(batch: Iterable[_Call]) -> None:
    """Wake the callers, one wake-up a loop and not one a call."""
    by_loop: defaultdict[asyncio.AbstractEventLoop, list[_Call]] = defaultdict(list)
    for call in batch:
        by_loop[call.loop].append(call)
    for loop, calls in by_loop.items():
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits there any more
            loop.call_soon_threadsafe(_tell_each, calls)


def _tell_each(calls: list[_Call]) -> None:
    for call in calls:
        call.tell()


class _translated:  # noqa: N801 (reads as the statement it is)
    """SQLite's own errors as ours: what the disk or a lock does is `Unavailable`, a value it cannot hold is `Invalid`.

    The rest is a defect and stays one; so does a write where nothing may be written.
    """

    def __init__(self, *, writing: bool = True) -> None:
        self.weather = _WEATHER if writing else _WEATHER - {sqlite3.SQLITE_READONLY}

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
