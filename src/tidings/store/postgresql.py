"""The engine for many processes: PostgreSQL through psycopg 3, a pool of connections, a thread for each.

Any number of `tidings serve` processes share one database and nothing else. Transactions are READ COMMITTED; a function
that meets a deadlock or a serialization failure is run again, which is safe because it touches nothing but `tx`.

The driver's own errors never come out of here, except as the SQLAlchemy errors that both engines raise for a defect.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any, Concatenate, Literal, ParamSpec, TypeVar, cast

from sqlalchemy import Connection, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DataError, DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from tidings.errors import Invalid, Unavailable
from tidings.store.calls import CallThreads
from tidings.store.waking import Listeners, Rider

P = ParamSpec("P")
T = TypeVar("T")

RUNS = 5  # of one function, when it meets a deadlock
_RUN_AGAIN = {"40001", "40P01"}  # serialization_failure, deadlock_detected
_WEATHER_CLASSES = ("08", "53", "57", "58")  # connection, resources (a full disk), operator (shutting down), system
POOL_SECONDS = 10.0
STATEMENT_MILLISECONDS = 30_000


class PostgreSQL:
    """One PostgreSQL database. See `store/database.py` for what `read` and `write` promise."""

    dialect: Literal["postgresql"] = "postgresql"

    def __init__(self, url: str, *, connections: int) -> None:
        """Prepare a pool for `url`; the first use connects."""
        self.commits = 0
        self.statements = 0
        self._listeners = Listeners()
        self.listen = self._listeners.listen
        self.engine = create_engine(
            make_url(url).set(drivername="postgresql+psycopg"),
            pool_size=2 * connections,
            max_overflow=0,
            pool_timeout=POOL_SECONDS,
            pool_pre_ping=True,
            isolation_level="READ COMMITTED",
            connect_args={"connect_timeout": 10, "options": f"-c statement_timeout={STATEMENT_MILLISECONDS}"},
            execution_options={"ran": self._count},  # for what SQLAlchemy does not see, see `store/statements.py`
            hide_parameters=True,  # an error's text is logged, and the parameters hold hashes and sealed secrets
        )
        event.listen(self.engine, "before_cursor_execute", self._count)
        self._readers = CallThreads(connections, "tidings-reader")
        self._writers = CallThreads(connections, "tidings-writer")

    async def read(self, fn: Callable[Concatenate[Connection, P], T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """See `Database.read`."""
        return cast(T, await self._readers.hand_in(partial(self._read, fn, *args, **kwargs)))

    glance = read  # a round trip is nothing to wait for on a loop's own thread

    async def write(self, fn: Callable[Concatenate[Connection, P], T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """See `Database.write`."""
        return cast(T, await self._writers.hand_in(partial(self._write, fn, *args, **kwargs)))

    def let_ride(self, rider: Rider) -> None:
        """See `Database.let_ride`. Nobody rides here: one process at a time fans out, and others would wait for its lock."""

    async def close(self) -> None:
        """See `Database.close`."""
        await asyncio.get_running_loop().run_in_executor(None, self.dispose)

    def dispose(self) -> None:
        """The same as `close`, for callers without an event loop."""
        self._readers.close()
        self._writers.close()
        self.engine.dispose()

    def _read(self, fn: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        with _translated(), self.engine.connect() as tx:
            tx.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            try:
                return fn(tx, *args, **kwargs)
            finally:
                tx.rollback()

    def _write(self, fn: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        for _ in range(RUNS):
            try:
                return self._write_once(fn, *args, **kwargs)
            except DBAPIError as error:
                if _sqlstate(error) not in _RUN_AGAIN:
                    raise
        raise Unavailable("others kept changing the same rows")

    def _write_once(self, fn: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        with _translated(), self.engine.connect() as tx:
            with tx.begin():
                result = fn(tx, *args, **kwargs)
            self.commits += 1
            self._listeners.committed(tx)
            return result

    def _count(self, *_: object) -> None:
        self.statements += 1


class _translated:  # noqa: N801 (reads as the statement it is)
    """PostgreSQL's own errors as ours: what the network or the disk does is `Unavailable`; a defect stays one."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, DBAPIError):
            _leave_out_rows(error)
        match error:
            case DataError() | OverflowError() | UnicodeEncodeError():
                raise Invalid("a value cannot be stored") from error
            case DBAPIError() if _sqlstate(error) in _RUN_AGAIN:
                return
            case OperationalError() | InterfaceError() if not _sqlstate(error) or _sqlstate(error).startswith(_WEATHER_CLASSES):
                raise Unavailable("the database cannot be reached at the moment") from error
            case PoolTimeout():
                raise Unavailable("every database connection is in use") from error
            case StopIteration():
                # A future cannot carry it: its caller would wait for ever.
                raise RuntimeError("a function of a transaction let StopIteration out") from error
            case _:
                return


def _sqlstate(error: DBAPIError) -> str:
    return getattr(error.orig, "sqlstate", None) or ""


def _leave_out_rows(error: DBAPIError) -> None:
    """PostgreSQL quotes the row, sealed secrets and all, under `DETAIL`; what is left says which column and which rule."""
    for each in (error, error.orig):
        if each is not None:
            each.args = tuple(str(text).partition("\nDETAIL:")[0] for text in each.args)
