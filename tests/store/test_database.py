"""What `Database` promises, stated once and held by both engines. What only one of them has is skipped with a reason."""

from __future__ import annotations

import asyncio
import contextlib
import resource
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import func, insert, select, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError

from tests.support.databases import CONNECTIONS, AnyDatabase, Place
from tests.support.forking import Forked
from tests.support.processes import wait_until
from tests.support.writing_child import add_pair, write_until_killed
from tidings.errors import Invalid, NotFound, Unavailable
from tidings.store import postgresql, schema, sqlite
from tidings.store.database import Tx, open_database, wake_after

SOON = 10.0  # seconds: a bound on waiting, never how long a test takes


def add_user(tx: Tx, username: str) -> None:
    tx.execute(insert(schema.users).values(username=username, password_hash="hash", name=username, created_at=0))


def usernames(tx: Tx) -> set[str]:
    return set(tx.scalars(select(schema.users.c.username)))


def add_one_to_hooks_version(tx: Tx) -> None:
    tx.execute(update(schema.server).values(hooks_version=schema.server.c.hooks_version + 1))


class Turnstile:
    """A function of a transaction stops here until the test lets it on."""

    def __init__(self) -> None:
        self.reached = threading.Event()
        self.open = threading.Event()

    def pass_through(self) -> None:
        self.reached.set()
        assert self.open.wait(SOON)

    async def wait_until_reached(self) -> None:
        assert await asyncio.to_thread(self.reached.wait, SOON)


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(SOON):
        while not condition():  # noqa: ASYNC110 (other threads make it true)
            await asyncio.sleep(0.002)


async def until_read(database: AnyDatabase, expected: Callable[[set[str]], bool]) -> None:
    """Wait until the users are as `expected`."""
    async with asyncio.timeout(SOON):
        while not expected(await database.read(usernames)):  # noqa: ASYNC110 (other threads make it true)
            await asyncio.sleep(0.002)


async def keep_writers_busy(database: AnyDatabase, turnstile: Turnstile) -> list[asyncio.Task[None]]:
    """Occupy every writing thread, so that what comes after has to queue."""
    arrived: set[int] = set()

    def stand(_tx: Tx, number: int) -> None:
        arrived.add(number)
        turnstile.pass_through()

    threads = 1 if database.dialect == "sqlite" else CONNECTIONS
    tasks = [asyncio.create_task(database.write(stand, number)) for number in range(threads)]
    await until(lambda: len(arrived) == threads)
    return tasks


# --- one transaction ------------------------------------------------------------------------------------------------


async def test_what_a_function_wrote_is_there_when_write_returns(place: Place) -> None:
    first = place.open()
    await first.write(add_user, "ada")
    second = place.open()
    assert await second.read(usernames) == {"ada"}
    await first.close()
    await second.close()


async def test_a_function_is_handed_its_arguments_and_its_answer_comes_back(database: AnyDatabase) -> None:
    def answer(_tx: Tx, first: int, /, second: str, *, third: bytes) -> tuple[int, str, bytes]:
        return first, second, third

    assert await database.write(answer, 1, "two", third=b"3") == (1, "two", b"3")
    assert await database.read(answer, 1, second="two", third=b"3") == (1, "two", b"3")


async def test_a_function_that_raises_has_written_nothing_and_its_caller_hears_why(database: AnyDatabase) -> None:
    def write_and_refuse(tx: Tx) -> None:
        add_user(tx, "ada")
        raise NotFound("there is no such org")

    with pytest.raises(NotFound, match="there is no such org"):
        await database.write(write_and_refuse)
    assert await database.read(usernames) == set()


async def test_a_broken_rule_of_the_tables_is_an_integrity_error_and_undoes_the_whole_function(database: AnyDatabase) -> None:
    def write_twice(tx: Tx) -> None:
        add_user(tx, "ada")
        add_user(tx, "ada")

    with pytest.raises(IntegrityError):
        await database.write(write_twice)
    assert await database.read(usernames) == set()


async def test_a_reference_to_nothing_is_refused(database: AnyDatabase) -> None:
    def add_org_of_nobody(tx: Tx) -> None:
        tx.execute(insert(schema.orgs).values(name="Org", url_label="org", created_by=404, created_at=0))

    with pytest.raises(IntegrityError):
        await database.write(add_org_of_nobody)


async def test_a_nested_part_can_fail_alone(database: AnyDatabase) -> None:
    def write_with_a_failing_part(tx: Tx) -> None:
        add_user(tx, "ada")
        with contextlib.suppress(IntegrityError), tx.begin_nested():
            add_user(tx, "ada")
        add_user(tx, "grace")

    await database.write(write_with_a_failing_part)
    assert await database.read(usernames) == {"ada", "grace"}


@pytest.mark.parametrize("error", [StopIteration(), SystemExit(1), KeyboardInterrupt(), asyncio.CancelledError()], ids=repr)
async def test_no_error_at_all_leaves_a_caller_waiting_or_harms_the_next(database: AnyDatabase, error: BaseException) -> None:
    turnstile = Turnstile()
    busy = await keep_writers_busy(database, turnstile)

    def fail(tx: Tx) -> None:
        add_user(tx, "ada")
        raise error

    other = asyncio.create_task(database.write(add_user, "grace"))
    asyncio.get_running_loop().call_soon(turnstile.open.set)
    with pytest.raises(RuntimeError if isinstance(error, StopIteration) else type(error)):
        async with asyncio.timeout(SOON):
            await database.write(fail)
    await asyncio.gather(other, *busy)
    assert await database.read(usernames) == {"grace"}


@pytest.mark.parametrize("value", ["\ud800", 2**70], ids=["half a character", "a number too large"])
async def test_a_value_that_cannot_be_stored_is_invalid(database: AnyDatabase, value: object) -> None:
    column = "username" if isinstance(value, str) else "created_at"

    def store(tx: Tx) -> None:
        tx.execute(insert(schema.users).values({"username": "ada", "password_hash": "", "name": "", "created_at": 0, column: value}))

    with pytest.raises(Invalid):
        await database.write(store)
    assert await database.read(usernames) == set()


async def test_an_error_of_the_database_says_nothing_of_the_values(database: AnyDatabase) -> None:
    def add(tx: Tx, name: str | None) -> None:
        tx.execute(insert(schema.users).values(username="s3cret", password_hash="s3cret", name=name, created_at=0))

    await database.write(add, "s3cret")
    for name in ("s3cret", None):  # a name that is taken, and one that is missing
        with pytest.raises(IntegrityError) as caught:
            await database.write(add, name)
        assert "s3cret" not in f"{caught.value!r} {caught.value} {caught.value.__cause__!r}"


# --- many at once ---------------------------------------------------------------------------------------------------


async def test_one_functions_failure_is_only_its_own_among_many_that_wait(database: AnyDatabase) -> None:
    def add_if_odd(tx: Tx, number: int) -> None:
        add_user(tx, str(number))
        if number % 2 == 0:
            raise Invalid(f"{number} is even")

    results = await asyncio.gather(*(database.write(add_if_odd, number) for number in range(100)), return_exceptions=True)
    assert [str(result) for result in results if result is not None] == [f"{number} is even" for number in range(0, 100, 2)]
    assert await database.read(usernames) == {str(number) for number in range(1, 100, 2)}


async def test_what_a_function_wrote_and_took_back_by_failing_does_not_touch_those_beside_it(database: AnyDatabase) -> None:
    turnstile = Turnstile()
    busy = await keep_writers_busy(database, turnstile)

    def write_and_fail(tx: Tx) -> None:
        add_user(tx, "linus")
        raise Invalid("no")

    functions: list[Callable[[Tx], None]] = [
        partial(add_user, username="ada"),
        write_and_fail,
        partial(add_user, username="grace"),
        write_and_fail,
    ]
    writing = [asyncio.create_task(database.write(function)) for function in functions]
    await asyncio.sleep(0)
    turnstile.open.set()
    results = await asyncio.gather(*writing, return_exceptions=True)
    await asyncio.gather(*busy)
    assert [type(result) for result in results] == [type(None), Invalid, type(None), Invalid]
    assert await database.read(usernames) == {"ada", "grace"}


@pytest.mark.only("sqlite", reason="PostgreSQL has many writers, each with a commit of its own")
async def test_functions_that_wait_together_are_committed_together(database: AnyDatabase) -> None:
    turnstile = Turnstile()
    busy = await keep_writers_busy(database, turnstile)
    before = database.commits
    writing = [asyncio.create_task(database.write(add_user, str(number))) for number in range(100)]
    await asyncio.sleep(0)
    turnstile.open.set()
    await asyncio.gather(*busy, *writing)
    assert database.commits - before == 2  # the one that stood in the way, and the hundred


async def test_no_increment_is_lost_among_concurrent_writers(database: AnyDatabase) -> None:
    before = await database.read(lambda tx: tx.scalar(select(schema.server.c.hooks_version)))
    await asyncio.gather(*(database.write(add_one_to_hooks_version) for _ in range(200)))
    assert await database.read(lambda tx: tx.scalar(select(schema.server.c.hooks_version))) == (before or 0) + 200


async def test_loops_in_many_threads_share_one_database(database: AnyDatabase) -> None:
    async def write_and_read(thread: int) -> None:
        for number in range(20):
            await database.write(add_user, f"{thread}-{number}")
            assert f"{thread}-{number}" in await database.read(usernames)

    def run(thread: int) -> None:
        asyncio.run(write_and_read(thread))

    await asyncio.gather(*(asyncio.to_thread(run, thread) for thread in range(4)))
    assert len(await database.read(usernames)) == 80


async def test_two_openings_of_one_place_share_it(place: Place) -> None:
    one, other = place.open(), place.open()
    await asyncio.gather(*((one, other)[number % 2].write(add_user, str(number)) for number in range(100)))
    assert len(await one.read(usernames)) == len(await other.read(usernames)) == 100
    await one.close()
    await other.close()


@pytest.mark.only("postgresql", reason="SQLite has one writer, who cannot meet another")
async def test_a_deadlock_is_run_again_until_both_are_through(database: AnyDatabase) -> None:
    await database.write(add_user, "ada")
    await database.write(add_user, "grace")
    both_hold_one = threading.Barrier(2)
    runs: list[str] = []

    def rename(tx: Tx, first: str, then: str) -> None:
        runs.append(first)
        tx.execute(update(schema.users).where(schema.users.c.username == first).values(name=schema.users.c.name + "!"))
        if len(runs) <= 2:
            both_hold_one.wait(SOON)
        tx.execute(update(schema.users).where(schema.users.c.username == then).values(name=schema.users.c.name + "!"))

    await asyncio.gather(database.write(rename, "ada", "grace"), database.write(rename, "grace", "ada"))
    assert len(runs) == 3
    names = await database.read(lambda tx: set(tx.scalars(select(schema.users.c.name))))
    assert names == {"ada!!", "grace!!"}


@pytest.mark.only("postgresql", reason="SQLite has one writer, who cannot meet another")
async def test_a_function_that_meets_a_conflict_every_time_is_unavailable_in_the_end(database: AnyDatabase) -> None:
    runs = []

    def conflict(tx: Tx) -> None:
        runs.append(1)
        tx.execute(text("DO $$ BEGIN RAISE EXCEPTION 'again' USING ERRCODE = '40001'; END $$"))

    with pytest.raises(Unavailable):
        await database.write(conflict)
    assert len(runs) == postgresql.RUNS


# --- reading --------------------------------------------------------------------------------------------------------


async def test_a_read_sees_one_state_however_much_is_written_meanwhile(database: AnyDatabase) -> None:
    turnstile = Turnstile()

    def read_twice(tx: Tx) -> tuple[set[str], set[str]]:
        before = usernames(tx)
        turnstile.pass_through()
        return before, usernames(tx)

    await database.write(add_user, "ada")
    reading = asyncio.create_task(database.read(read_twice))
    await turnstile.wait_until_reached()
    await database.write(add_user, "grace")
    turnstile.open.set()
    assert await reading == ({"ada"}, {"ada"})
    assert await database.read(usernames) == {"ada", "grace"}


async def test_a_read_that_writes_is_a_defect_and_writes_nothing(database: AnyDatabase) -> None:
    with pytest.raises(DBAPIError):
        await database.read(add_user, "ada")
    assert await database.read(usernames) == set()


async def test_a_read_that_raises_leaves_its_connection_fit_for_the_next(database: AnyDatabase) -> None:
    def refuse(tx: Tx) -> None:
        usernames(tx)
        raise NotFound

    for _ in range(20):
        with pytest.raises(NotFound):
            await database.read(refuse)
    await database.write(add_user, "ada")
    assert await database.read(usernames) == {"ada"}


async def test_a_glance_is_a_read(database: AnyDatabase) -> None:
    def answer(tx: Tx, /, first: int, *, second: str) -> tuple[set[str], int, str]:
        return usernames(tx), first, second

    def refuse(tx: Tx) -> None:
        usernames(tx)
        raise NotFound

    await database.write(add_user, "ada")
    assert await database.glance(answer, 1, second="two") == ({"ada"}, 1, "two")
    with pytest.raises(NotFound):
        await database.glance(refuse)
    with pytest.raises(DBAPIError):
        await database.glance(add_user, "grace")
    await database.write(add_user, "linus")
    assert await database.glance(usernames) == {"ada", "linus"}


async def test_loops_in_many_threads_glance_at_one_database_until_it_closes(database: AnyDatabase) -> None:
    begun: set[int] = set()

    async def glance_until_refused(thread: int) -> None:
        with contextlib.suppress(Unavailable):
            for _ in range(100_000):
                assert await database.glance(usernames) == {"ada"}
                begun.add(thread)

    await database.write(add_user, "ada")
    threads = [asyncio.create_task(asyncio.to_thread(asyncio.run, glance_until_refused(thread))) for thread in range(3)]
    await until(lambda: len(begun) == 3)
    await database.close()
    async with asyncio.timeout(SOON):
        await asyncio.gather(*threads)


async def test_writers_do_not_wait_for_readers_nor_readers_for_writers(database: AnyDatabase) -> None:
    reader, writer = Turnstile(), Turnstile()
    reading = asyncio.create_task(database.read(lambda _tx: reader.pass_through()))
    await reader.wait_until_reached()
    await database.write(add_user, "ada")
    writing = asyncio.create_task(database.write(lambda _tx: writer.pass_through()))
    await writer.wait_until_reached()
    assert await database.read(usernames) == {"ada"}
    reader.open.set()
    writer.open.set()
    await asyncio.gather(reading, writing)


# --- callers that go away -------------------------------------------------------------------------------------------


async def test_a_caller_cancelled_under_way_leaves_a_whole_change(database: AnyDatabase) -> None:
    turnstile = Turnstile()

    def write_in_two_steps(tx: Tx) -> None:
        add_user(tx, "ada")
        turnstile.pass_through()
        add_user(tx, "grace")

    writing = asyncio.create_task(database.write(write_in_two_steps))
    await turnstile.wait_until_reached()
    writing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await writing
    turnstile.open.set()
    await database.close()
    assert await stored_usernames(database) == {"ada", "grace"}


async def test_a_caller_cancelled_while_it_waits_has_changed_nothing(database: AnyDatabase) -> None:
    turnstile = Turnstile()
    busy = await keep_writers_busy(database, turnstile)
    writing = asyncio.create_task(database.write(add_user, "ada"))
    await asyncio.sleep(0)
    writing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await writing
    turnstile.open.set()
    await asyncio.gather(*busy)
    await database.write(add_user, "grace")
    assert await database.read(usernames) == {"grace"}


async def test_a_loop_that_closed_before_its_answer_came_harms_nobody(database: AnyDatabase) -> None:
    turnstile = Turnstile()

    def write_slowly(tx: Tx) -> None:
        add_user(tx, "ada")
        turnstile.pass_through()

    def hand_in_and_leave() -> None:
        loop = asyncio.new_event_loop()
        task = loop.create_task(database.write(write_slowly))
        task._log_destroy_pending = False  # type: ignore[attr-defined]  # on purpose, here
        loop.call_soon(loop.stop)
        loop.run_forever()
        loop.close()

    await asyncio.to_thread(hand_in_and_leave)
    await turnstile.wait_until_reached()
    turnstile.open.set()
    await database.write(add_user, "grace")
    await until_read(database, lambda names: names == {"ada", "grace"})


# --- closing --------------------------------------------------------------------------------------------------------


async def stored_usernames(closed: AnyDatabase) -> set[str]:
    """What is stored where `closed` was open."""
    if isinstance(closed, sqlite.SQLite):
        again = open_database("", closed.path.parent)
    else:
        again = open_database(closed.engine.url.set(drivername="postgresql").render_as_string(hide_password=False), Path())
    try:
        return await again.read(usernames)
    finally:
        await again.close()


async def test_close_finishes_what_was_handed_in(database: AnyDatabase) -> None:
    turnstile = Turnstile()
    busy = await keep_writers_busy(database, turnstile)
    waiting = [asyncio.create_task(database.write(add_user, str(number))) for number in range(50)]
    await asyncio.sleep(0)
    closing = asyncio.create_task(database.close())
    await asyncio.sleep(0)
    turnstile.open.set()
    await asyncio.gather(*busy, *waiting, closing)
    assert len(await stored_usernames(database)) == 50


async def test_a_closed_database_is_unavailable_and_can_be_closed_again(database: AnyDatabase) -> None:
    await database.close()
    with pytest.raises(Unavailable):
        await database.write(add_user, "ada")
    with pytest.raises(Unavailable):
        await database.read(usernames)
    with pytest.raises(Unavailable):
        await database.glance(usernames)
    await database.close()


async def test_whoever_comes_while_it_closes_is_served_or_refused_and_never_left_waiting(database: AnyDatabase) -> None:
    async def write_until_refused(thread: int) -> int:
        for number in range(100_000):
            try:
                await database.write(add_user, f"{thread}-{number}")
            except Unavailable:
                return number
        raise AssertionError("it was never closed")

    threads = [asyncio.create_task(asyncio.to_thread(asyncio.run, write_until_refused(thread))) for thread in range(3)]
    await until_read(database, lambda names: len(names) > 20)
    await database.close()
    async with asyncio.timeout(SOON):
        served = await asyncio.gather(*threads)
    assert len(await stored_usernames(database)) == sum(served)


# --- waking ---------------------------------------------------------------------------------------------------------


async def test_listeners_are_called_after_a_commit_that_asked_for_it(place: Place, database: AnyDatabase) -> None:
    other = place.open()
    called = threading.Event()
    database.listen(called.set)

    def add_and_wake(tx: Tx) -> None:
        add_user(tx, "ada")
        wake_after(tx)

    await database.write(add_user, "grace")
    assert not called.is_set()
    await database.write(add_and_wake)
    await until(called.is_set)
    assert await other.read(usernames) == {"ada", "grace"}
    await other.close()


RIDES_ON_SQLITE = pytest.mark.only("sqlite", reason="on PostgreSQL nobody rides: one process at a time fans out, and others would wait")


class Passenger:
    """Rides along: adds users of its own, and notes who was there when it was called upon the commit."""

    def __init__(self, database: AnyDatabase, *usernames: str, error: Exception | None = None) -> None:
        self.rode: list[set[str]] = []
        self.arrived = threading.Event()
        self._usernames = list(usernames)
        self._error = error
        database.let_ride(self._ride)

    def _ride(self, tx: Tx) -> Callable[[], None] | None:
        self.rode.append(usernames(tx))
        for username in self._usernames:
            add_user(tx, username)
        if self._error:
            raise self._error
        return self.arrived.set if self._usernames else None


def change_and_wake(tx: Tx, username: str) -> None:
    add_user(tx, username)
    wake_after(tx)


@RIDES_ON_SQLITE
async def test_who_rides_along_writes_in_the_same_commit_and_nobody_is_woken(database: AnyDatabase) -> None:
    woken, commits = threading.Event(), database.commits
    database.listen(woken.set)
    passenger = Passenger(database, "grace")
    await database.write(change_and_wake, "ada")
    assert passenger.rode == [{"ada"}]
    assert passenger.arrived.is_set()
    assert await database.read(usernames) == {"ada", "grace"}
    assert database.commits - commits == 1
    assert not woken.is_set()


@RIDES_ON_SQLITE
async def test_a_change_that_wakes_nobody_takes_nobody_along(database: AnyDatabase) -> None:
    passenger = Passenger(database, "grace")
    await database.write(add_user, "ada")
    await database.write(lambda tx: wake_after(tx, "deliveries"))
    assert passenger.rode == []


@RIDES_ON_SQLITE
async def test_who_did_not_want_to_ride_is_woken(database: AnyDatabase) -> None:
    woken = threading.Event()
    database.listen(woken.set)
    Passenger(database)
    await database.write(change_and_wake, "ada")
    await until(woken.is_set)


@RIDES_ON_SQLITE
@pytest.mark.parametrize("error", [RuntimeError("defect"), Unavailable("weather"), StopIteration()], ids=["defect", "weather", "stop"])
async def test_who_fails_on_the_ride_has_written_nothing_and_the_change_stands(
    database: AnyDatabase, error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    woken = threading.Event()
    database.listen(woken.set)
    passenger = Passenger(database, "grace", error=error)
    await database.write(change_and_wake, "ada")
    await until(woken.is_set)
    assert await database.read(usernames) == {"ada"}
    assert not passenger.arrived.is_set()
    assert "was not" in caplog.text


@RIDES_ON_SQLITE
async def test_nobody_arrives_where_the_commit_fails(database: AnyDatabase) -> None:
    passenger = Passenger(database, "grace")

    def promise_too_much(tx: Tx) -> None:
        tx.exec_driver_sql("PRAGMA defer_foreign_keys = ON")
        tx.execute(insert(schema.orgs).values(name="Org", url_label="org", created_by=404, created_at=0))
        wake_after(tx)

    with pytest.raises(IntegrityError):
        await database.write(promise_too_much)
    assert passenger.rode == [set()]
    assert not passenger.arrived.is_set()
    assert await database.read(usernames) == set()


@RIDES_ON_SQLITE
async def test_who_fails_on_arrival_harms_nobody(database: AnyDatabase, caplog: pytest.LogCaptureFixture) -> None:
    def fail() -> None:
        raise RuntimeError("the loop is closed")

    database.let_ride(lambda _: fail)
    await database.write(change_and_wake, "ada")
    assert await database.read(usernames) == {"ada"}
    assert "a listener failed" in caplog.text


@RIDES_ON_SQLITE
async def test_a_transaction_that_sqlite_gives_up_on_the_ride_is_unavailable(database: AnyDatabase) -> None:
    def give_up(tx: Tx) -> None:
        tx.exec_driver_sql("ROLLBACK")
        raise RuntimeError("as a full disk may do")

    database.let_ride(give_up)
    with pytest.raises(Unavailable):
        await database.write(change_and_wake, "ada")
    database.let_ride(lambda _: None)
    assert await database.read(usernames) == set()
    await database.write(add_user, "grace")
    assert await database.read(usernames) == {"grace"}


@pytest.mark.only("postgresql", reason="SQLite has one writer, on whose thread there is room for one more")
async def test_on_postgresql_nobody_rides(database: AnyDatabase) -> None:
    woken = threading.Event()
    database.listen(woken.set)
    passenger = Passenger(database, "grace")
    await database.write(change_and_wake, "ada")
    await until(woken.is_set)
    assert passenger.rode == []


async def test_a_listener_that_fails_harms_neither_the_writer_nor_the_other_listeners(
    database: AnyDatabase, caplog: pytest.LogCaptureFixture
) -> None:
    def fail() -> None:
        raise RuntimeError("the loop is closed")

    called = threading.Event()
    database.listen(fail)
    database.listen(called.set)
    await database.write(wake_after)
    await until(called.is_set)
    await database.write(add_user, "ada")
    assert "a listener failed" in caplog.text


# --- bad weather ----------------------------------------------------------------------------------------------------


async def test_a_locked_database_is_unavailable_until_it_is_let_go(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "BUSY_SECONDS", 0.05)
    monkeypatch.setattr(postgresql, "STATEMENT_MILLISECONDS", 50)
    database, other = place.open(), place.open()
    turnstile = Turnstile()

    def hold(tx: Tx) -> None:
        if other.dialect == "postgresql":
            tx.execute(text("LOCK TABLE users"))
        turnstile.pass_through()

    holding = asyncio.create_task(other.write(hold))
    await turnstile.wait_until_reached()
    with pytest.raises(Unavailable):
        await database.write(add_user, "ada")
    turnstile.open.set()
    await holding
    await database.write(add_user, "grace")
    assert await database.read(usernames) == {"grace"}
    await database.close()
    await other.close()


def fill(tx: Tx) -> None:
    """More than a full disk takes."""
    tx.execute(insert(schema.users).values(username="large", password_hash="", name="x" * 2_000_000, created_at=0))


@pytest.mark.only("sqlite", reason="PostgreSQL has no such limit; its server's own words for a full disk are tested below")
async def test_a_database_that_may_not_grow_is_unavailable_and_nothing_is_half_written(database: AnyDatabase) -> None:
    def limit_pages(tx: Tx, more: int) -> None:
        pages = tx.execute(text("PRAGMA page_count")).scalar_one()
        tx.execute(text(f"PRAGMA max_page_count = {pages + more}"))

    await database.write(limit_pages, 5)
    # Those who shared the transaction with the one that was too large may be told so too; what they are told is true.
    names = [str(number) for number in range(20)]
    writing = [database.write(add_user, name) for name in names]
    results = await asyncio.gather(*writing[:10], database.write(fill), *writing[10:], return_exceptions=True)
    assert isinstance(results.pop(10), Unavailable)
    assert {type(result) for result in results} <= {type(None), Unavailable}
    written = {name for name, result in zip(names, results, strict=True) if result is None}
    assert await database.read(usernames) == written
    await database.write(limit_pages, 1_000_000)
    await database.write(fill)
    assert await database.read(usernames) == {*written, "large"}


@contextlib.contextmanager
def files_may_not_grow_beyond(size: int) -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.only("sqlite", reason="PostgreSQL's files are its server's; its own words for a full disk are tested below")
async def test_a_disk_that_refuses_writes_is_unavailable_and_keeps_all_that_was_acknowledged(place: Place) -> None:
    database = place.open()
    await database.write(add_user, "ada")
    with files_may_not_grow_beyond(1_000_000):
        for _ in range(3):
            with pytest.raises(Unavailable):
                await database.write(fill)
        with pytest.raises(Unavailable):
            await asyncio.gather(database.write(fill), database.write(fill))
        assert await database.read(usernames) == {"ada"}
    await database.write(add_user, "grace")
    await database.write(fill)
    await database.close()
    assert await stored_usernames(database) == {"ada", "grace", "large"}


@pytest.mark.only("sqlite", reason="on PostgreSQL every function has a transaction of its own")
async def test_all_of_a_batch_hear_it_when_the_transaction_is_given_up(database: AnyDatabase) -> None:
    turnstile = Turnstile()
    busy = await keep_writers_busy(database, turnstile)

    def give_up(tx: Tx) -> None:
        add_user(tx, "ada")
        tx.execute(text("INSERT OR ROLLBACK INTO users (username, password_hash, name, created_at) VALUES ('ada', '', '', 0)"))

    functions = (partial(add_user, username="before"), give_up, partial(add_user, username="after"))
    writing = [asyncio.create_task(database.write(function)) for function in functions]
    await asyncio.sleep(0)
    turnstile.open.set()
    results = await asyncio.gather(*writing, return_exceptions=True)
    await asyncio.gather(*busy)
    assert [type(result) for result in results] == [Unavailable, IntegrityError, Unavailable]
    assert await database.read(usernames) == set()
    await database.write(add_user, "later")
    assert await database.read(usernames) == {"later"}


async def test_a_commit_that_fails_writes_nothing_and_the_next_one_succeeds(database: AnyDatabase) -> None:
    def break_a_rule_that_is_checked_at_commit(tx: Tx) -> None:
        if database.dialect == "sqlite":
            tx.execute(text("PRAGMA defer_foreign_keys = ON"))
        else:
            tx.execute(text("ALTER TABLE orgs ALTER CONSTRAINT fk_orgs_created_by DEFERRABLE INITIALLY DEFERRED"))
        tx.execute(insert(schema.orgs).values(name="Org", url_label="org", created_by=404, created_at=0))

    with pytest.raises(IntegrityError):
        await database.write(break_a_rule_that_is_checked_at_commit)
    await database.write(add_user, "ada")
    assert await database.read(usernames) == {"ada"}
    assert await database.read(lambda tx: tx.scalar(select(func.count()).select_from(schema.orgs))) == 0


@pytest.mark.parametrize("sqlstate", ["53100", "57P01", "58030", "08006"], ids=["full disk", "shut down", "disk error", "connection lost"])
@pytest.mark.only("postgresql", reason="SQLite's troubles are made for real above")
async def test_what_postgresql_says_of_its_troubles_is_unavailable(database: AnyDatabase, sqlstate: str) -> None:
    def trouble(tx: Tx) -> None:
        add_user(tx, "ada")
        tx.execute(text(f"DO $$ BEGIN RAISE EXCEPTION 'trouble' USING ERRCODE = '{sqlstate}'; END $$"))

    with pytest.raises(Unavailable):
        await database.write(trouble)
    assert await database.read(usernames) == set()


@pytest.mark.only("postgresql", reason="SQLite has no server that could go away")
async def test_a_server_that_goes_away_is_unavailable_until_it_is_back(place: Place, database: AnyDatabase) -> None:
    assert place.postgres is not None
    turnstile = Turnstile()

    def write_in_two_steps(tx: Tx) -> None:
        add_user(tx, "ada")
        turnstile.pass_through()
        add_user(tx, "grace")

    await database.write(add_user, "before")
    writing = asyncio.create_task(database.write(write_in_two_steps))
    await turnstile.wait_until_reached()
    place.postgres.stop()
    try:
        turnstile.open.set()
        with pytest.raises(Unavailable):
            await writing
        with pytest.raises(Unavailable):
            await database.read(usernames)
        with pytest.raises(Unavailable):
            open_database(place.url, place.data)
    finally:
        place.postgres.start()
    await database.write(add_user, "after")
    assert await database.read(usernames) == {"before", "after"}


# --- kill -9 --------------------------------------------------------------------------------------------------------


def killed_while_writing(place: Place, run: str, *, acknowledged: int) -> set[str]:
    """The names that a child had acknowledged when it was killed in the middle of its work."""
    child = Forked(write_until_killed, place.url, place.data, run, output=place.data / f"{run}.log")
    wait_until(lambda: child.output.count("\n") >= acknowledged, step=0.002)
    child.kill()
    child.wait()
    return {line.strip() for line in child.output.splitlines(keepends=True) if line.endswith("\n")}


async def test_every_acknowledged_write_survives_kill_9_and_no_other_is_there_by_half(place: Place) -> None:
    acknowledged: set[str] = set()
    for run in ("first", "second"):
        acknowledged |= await asyncio.to_thread(killed_while_writing, place, run, acknowledged=150)

    def both_halves(tx: Tx) -> tuple[set[str], set[str]]:
        return usernames(tx), set(tx.scalars(select(schema.clients.c.client_id)))

    database = place.open()
    users, clients = await database.read(both_halves)
    assert len(acknowledged) >= 300
    assert acknowledged <= users
    assert users == clients
    await database.write(add_pair, "afterwards")
    await database.close()


# --- opening --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("url", ["mysql://host/name", "sqlite:///x", "host", "postgresql://user:s3cret@host:port/name"])
def test_a_url_that_is_not_postgresql_is_refused_without_repeating_it(url: str, tmp_path: Path) -> None:
    with pytest.raises(Invalid) as caught:
        open_database(url, tmp_path)
    assert "s3cret" not in f"{caught.value!r}"
    assert caught.value.__cause__ is None


def test_a_server_that_is_not_there_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(Unavailable):
        open_database(f"postgresql://postgres@/name?host={tmp_path}", tmp_path)


def test_a_data_folder_that_cannot_be_made_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(Unavailable):
        open_database("", tmp_path / "file" / "folder")


def test_a_file_that_is_no_database_is_unavailable_and_is_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "tidings.db").write_bytes(b"a shopping list\n" * 100)
    with pytest.raises(Unavailable):
        open_database("", tmp_path)
    assert (tmp_path / "tidings.db").read_bytes() == b"a shopping list\n" * 100
