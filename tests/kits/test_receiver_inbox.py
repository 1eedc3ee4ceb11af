"""What is in the inbox is dealt with, whatever fails meanwhile, and is not begun again once it is done."""

from __future__ import annotations

import asyncio
import http.client
import itertools
import os
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.support.databases import Place as Database
from tests.support.processes import free_port, wait_until
from tidings.receiver import Event, Gap, Receiver
from tidings.receiver.inbox import Inbox
from tidings.receiver.inbox.rows import INSERT, RENEW, arrival
from tidings.receiver.inbox.sqlite import SqlitePlace
from tidings.receiver.inbox.writer import Writer
from tidings.receiver.testing import SECRET, deliver_to, deliver_to_async

CHILD = Path(__file__).parent.parent / "support" / "receiving_child.py"


class Clock:
    """Goes on only when it is told to."""

    def __init__(self) -> None:
        self.now = time.time()

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def where(empty_place: Database) -> str:
    """Where an inbox may be: a file, and a database of PostgreSQL."""
    return empty_place.url.replace("postgresql://", "postgresql+psycopg://") or str(empty_place.data / "inbox.db")


Make = Callable[..., Inbox]


@pytest.fixture
def make(where: str, clock: Clock) -> Iterator[Make]:
    """Makes inboxes of the same place, and closes them at the end."""
    made: list[Inbox] = []

    def make_inbox(**options: Any) -> Inbox:
        made.append(Inbox(where, **{"clock": clock, "poll": 0.01, "retries": [5.0, 30.0], **options}))
        return made[-1]

    yield make_inbox
    for inbox in made:
        inbox.close()


def hearing(inbox: Inbox, function: Callable[[Event], Any], *patterns: str) -> Receiver:
    receiver = Receiver(secret=SECRET, inbox=inbox)
    receiver.on(*(patterns or ("*",)))(function)
    return receiver


async def until(condition: Callable[[], object]) -> None:
    await asyncio.to_thread(wait_until, condition)


# --- keeping --------------------------------------------------------------------------------------------------------


async def test_what_is_taken_is_dealt_with_and_done(make: Make) -> None:
    heard: list[Event] = []
    inbox = make()
    receiver = hearing(inbox, heard.append)

    assert (await deliver_to_async(receiver, "item.create", item_id=42)).status == 204
    await until(lambda: inbox.counts()["done"] == 1)
    await receiver.stop_async()

    assert [(event.item_id, event.app_id) for event in heard] == [(42, 5)]
    assert [kept.body for kept in inbox.list("done")] == [b""]


def test_a_receiver_of_threads_has_an_inbox_too(make: Make) -> None:
    heard: list[Event] = []
    inbox = make()
    receiver = hearing(inbox, heard.append)

    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda number: deliver_to(receiver, "item.create", item_id=number).status, range(50)))
    wait_until(lambda: len(heard) == 50)
    receiver.stop()

    assert answers == [204] * 50
    assert inbox.counts()["done"] == 50


async def test_a_repeat_is_answered_and_dropped_while_it_waits_and_when_it_is_done(make: Make) -> None:
    heard: list[Event] = []
    inbox, go_on = make(), asyncio.Event()

    async def wait(event: Event) -> None:
        await go_on.wait()
        heard.append(event)

    receiver = hearing(inbox, wait)
    for _ in range(2):
        assert (await deliver_to_async(receiver, "item.create", message_id="m")).status == 204
    go_on.set()
    await until(lambda: inbox.counts()["done"] == 1)
    assert (await deliver_to_async(receiver, "item.create", message_id="m")).status == 204
    await receiver.stop_async()

    assert len(heard) == 1
    assert inbox.counts() == {"pending": 0, "done": 1, "failed": 0, "dropped": 0}


async def test_what_nobody_hears_is_not_kept(make: Make) -> None:
    inbox = make()
    receiver = hearing(inbox, print, "task.*")

    assert (await deliver_to_async(receiver, "item.create")).status == 204
    await receiver.stop_async()

    assert sum(inbox.counts().values()) == 0


async def test_what_cannot_be_kept_is_a_503(tmp_path: Path) -> None:
    receiver = hearing(Inbox(tmp_path), print)  # a folder

    answer = await deliver_to_async(receiver, "item.create")
    await receiver.stop_async()

    assert answer.status == 503


# --- trying again ---------------------------------------------------------------------------------------------------


async def test_a_failure_is_tried_again_after_each_wait_and_then_listed(make: Make, clock: Clock) -> None:
    inbox, attempts = make(), list[float]()

    def fail(event: Event) -> None:
        attempts.append(clock.now)
        raise RuntimeError("no such customer")

    receiver = hearing(inbox, fail)
    begun = clock.now
    await deliver_to_async(receiver, "item.create", message_id="m")
    for number, wait in enumerate((0, 5, 30), 1):
        clock.now += wait
        await until(partial(_is_noted, inbox, attempts, number))
    await until(lambda: inbox.counts()["failed"])
    await receiver.stop_async()

    assert [at - begun for at in attempts] == pytest.approx([0, 5, 35])
    (failed,) = inbox.list()
    assert (failed.id, failed.type, failed.hook_id, failed.attempts) == ("m", "item.create", 7, 3)
    assert failed.error == "RuntimeError: no such customer"


async def test_who_is_done_is_not_called_again_because_another_failed(make: Make, clock: Clock) -> None:
    inbox, called = make(), list[str]()
    receiver = hearing(inbox, lambda _: called.append("first"))

    @receiver.on("*")
    def second(event: Event) -> None:
        called.append("second")
        if len(called) == 2:
            raise RuntimeError

    await deliver_to_async(receiver, "item.create")
    await until(lambda: called == ["first", "second"])
    clock.now += 6
    await until(lambda: inbox.counts()["done"])
    await receiver.stop_async()

    assert called == ["first", "second", "second"]


async def test_what_failed_is_tried_again_or_dropped_when_somebody_says_so(make: Make) -> None:
    inbox, broken, heard = make(retries=()), [True], list[str]()

    def hear(event: Event) -> None:
        if broken:
            raise RuntimeError
        heard.append(event.id)

    receiver = hearing(inbox, hear)
    for name in "abc":
        await deliver_to_async(receiver, "item.create", message_id=name)
    await until(lambda: inbox.counts()["failed"] == 3)
    broken.clear()

    assert (inbox.drop(["a", "nobody"]), inbox.retry(["b"]), inbox.retry()) == (1, 1, 1)
    await until(lambda: inbox.counts()["done"] == 2)
    assert (await deliver_to_async(receiver, "item.create", message_id="a")).status == 204
    await receiver.stop_async()

    assert sorted(heard) == ["b", "c"]
    assert inbox.counts() == {"pending": 0, "done": 2, "failed": 0, "dropped": 1}


def _is_noted(inbox: Inbox, attempts: list[float], number: int) -> bool:
    return len(attempts) == number and not any(kept.owner for kept in inbox.list("pending"))


# --- order, and so many at a time -----------------------------------------------------------------------------------


async def test_one_objects_events_are_dealt_with_one_after_the_other_and_others_meanwhile(make: Make) -> None:
    inbox, under_way, most, order = make(), list[int](), [0], list[int]()

    async def hear(event: Event) -> None:
        assert event.item_id not in under_way
        under_way.append(event.item_id)
        most[0] = max(most[0], len(under_way))
        await asyncio.sleep(0.002)
        under_way.remove(event.item_id)
        if event.item_id == 1:
            order.append(event.item_revision_id)

    receiver = hearing(inbox, hear)
    for revision in range(10):
        for item in (1, 2, 3):
            await deliver_to_async(receiver, "item.update", item_id=item, item_revision_id=revision)
    await until(lambda: inbox.counts()["done"] == 30)
    await receiver.stop_async()

    assert order == list(range(10))
    assert most[0] > 1


async def test_more_than_memory_has_room_for_waits_in_the_table(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tidings.receiver.inbox.work.HELD", 4)
    inbox, heard, go_on = make(), list[int](), asyncio.Event()

    async def hear(event: Event) -> None:
        await go_on.wait()
        heard.append(event.item_id)

    receiver = hearing(inbox, hear)
    await asyncio.gather(*(deliver_to_async(receiver, "item.create", item_id=number) for number in range(40)))
    go_on.set()
    await until(lambda: inbox.counts()["done"] == 40)
    await receiver.stop_async()

    assert sorted(heard) == list(range(40))


# --- dying ----------------------------------------------------------------------------------------------------------


async def test_what_a_dead_process_left_is_taken_up_once_its_lease_runs_out(make: Make, clock: Clock) -> None:
    never = asyncio.Event()
    dying, living, heard = make(grace=0), make(), list[Event]()
    first = hearing(dying, lambda _: never.wait())
    await deliver_to_async(first, "item.create", message_id="m")
    assert dying._work is not None
    dying._work._ticking.cancel()  # it renews nothing from here on

    second = hearing(living, heard.append)
    await second.start_async()
    await asyncio.sleep(0.05)
    assert heard == []
    clock.now += 31
    await until(lambda: living.counts()["done"] == 1)
    await second.stop_async()

    assert [event.id for event in heard] == ["m"]


async def test_what_is_under_way_for_longer_than_the_lease_stays_ours(make: Make, clock: Clock) -> None:
    go_on, ours, others = asyncio.Event(), list[Event](), list[Event]()

    async def slow(event: Event) -> None:
        ours.append(event)
        await go_on.wait()

    inbox = make(lease=0.03)
    receiver, other = hearing(inbox, slow), hearing(make(lease=0.03), others.append)
    await deliver_to_async(receiver, "item.create")
    await until(lambda: ours)
    due = inbox.list("pending")[0].due_at
    clock.now += 0.02
    await until(lambda: inbox.list("pending")[0].due_at > due)
    await other.start_async()
    go_on.set()
    await until(lambda: inbox.counts()["done"] == 1)
    await receiver.stop_async()
    await other.stop_async()

    assert (len(ours), others) == (1, [])


async def test_who_stops_finishes_what_is_under_way_and_gives_back_the_rest(make: Make) -> None:
    begun, go_on, heard = asyncio.Event(), asyncio.Event(), list[int]()

    async def slow(event: Event) -> None:
        begun.set()
        await go_on.wait()
        heard.append(event.item_id)

    inbox = make(concurrency=1)
    receiver = hearing(inbox, slow)
    for item in (1, 2):
        await deliver_to_async(receiver, "item.create", item_id=item)
    await begun.wait()
    stopping = asyncio.create_task(receiver.stop_async())
    await asyncio.sleep(0)
    go_on.set()
    await stopping

    assert (heard, inbox.counts()["done"]) == ([1], 1)
    assert [kept.owner for kept in inbox.list("pending")] == [""]

    again = hearing(inbox, slow)
    await again.start_async()
    await until(lambda: inbox.counts()["done"] == 2)
    await again.stop_async()
    assert heard == [1, 2]


async def test_a_note_that_cannot_be_written_is_written_later(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    inbox, heard, failures = make(), list[Event](), [3]
    submit = Writer.submit

    def fail(place: Any) -> None:
        raise OSError("no space left on device")

    def sometimes(writer: Writer, function: Any) -> Any:
        if heard and failures[0]:
            failures[0] -= 1
            return submit(writer, fail)
        return submit(writer, function)

    monkeypatch.setattr(Writer, "submit", sometimes)
    receiver = hearing(inbox, heard.append)
    await deliver_to_async(receiver, "item.create")
    await until(lambda: failures == [0])
    await until(lambda: inbox.counts()["done"] == 1)
    await receiver.stop_async()

    assert len(heard) == 1


async def test_what_is_done_is_forgotten_in_the_end_and_what_failed_is_not(make: Make, clock: Clock) -> None:
    inbox = make(retries=(), keep=60.0)

    def fail(event: Event) -> None:
        raise RuntimeError

    receiver = hearing(inbox, fail, "task.create")
    receiver.on("item.create")(lambda _: None)
    await deliver_to_async(receiver, "item.create")
    await deliver_to_async(receiver, "task.create")
    await until(lambda: inbox.counts() == {"pending": 0, "done": 1, "failed": 1, "dropped": 0})
    await receiver.stop_async()
    clock.now += 61
    await receiver.start_async()  # it looks at the start, and every ten minutes
    await until(lambda: inbox.counts()["done"] == 0)
    await receiver.stop_async()

    assert inbox.counts()["failed"] == 1


# --- what somebody has sent again, or for a test ---------------------------------------------------------------------


async def test_what_failed_here_and_is_sent_again_is_tried_again_and_what_was_done_is_not(make: Make) -> None:
    inbox, heard, broken = make(retries=()), list[Event](), [True]

    def work(event: Event) -> None:
        heard.append(event)
        if broken[0]:
            raise RuntimeError

    receiver = hearing(inbox, work)
    await deliver_to_async(receiver, "item.create", message_id="m")
    await until(lambda: inbox.counts()["failed"] == 1)
    await deliver_to_async(receiver, "item.create", message_id="m")  # the sender's own retry changes nothing
    assert inbox.counts()["failed"] == 1
    broken[0] = False
    await deliver_to_async(receiver, "item.create", message_id="m", redelivery="replay-7")
    await until(lambda: inbox.counts()["done"] == 1)
    await deliver_to_async(receiver, "item.create", message_id="m", redelivery="single")
    await receiver.stop_async()

    assert (len(heard), inbox.counts()["done"]) == (2, 1)


async def test_what_stands_in_headers_is_told_after_a_restart_too(make: Make, clock: Clock) -> None:
    inbox, heard = make(), list[Event]()
    event = Event("item.create", 7, {"item_id": "1"}, "m")
    said = {"tidings-redelivery": "single", "tidings-test": "true", "tidings-depth": "3", "tidings-attempt": "2\r\n folded"}
    inbox.put(event, said, b"item_id=1&type=item.create&hook_id=7").result()

    receiver = hearing(inbox, heard.append)
    await receiver.start_async()
    await until(lambda: heard)
    await receiver.stop_async()

    assert (heard[0].redelivery, heard[0].test, heard[0].depth, heard[0].attempt) == ("single", True, 3, None)


# --- numbers ---------------------------------------------------------------------------------------------------------


def hearing_of_gaps(inbox: Inbox, clock: Clock) -> tuple[Receiver, list[Gap]]:
    receiver, gaps = Receiver(secret=SECRET, inbox=inbox, gap_wait=60, clock=clock), list[Gap]()
    receiver.on("item.create")(lambda _: None)
    receiver.on_gap(gaps.append)
    return receiver, gaps


async def count(receiver: Receiver, *numbers: int) -> None:
    for number in numbers:
        assert (await deliver_to_async(receiver, "item.create", sequence=number)).status == 204


async def test_counting_goes_on_after_a_restart_where_it_stood(make: Make, clock: Clock) -> None:
    former, told = hearing_of_gaps(make(), clock)
    await count(former, 1, 2, 4)  # and it ends before anybody could be told of 3
    await deliver_to_async(former, "task.create", sequence=5)  # which nobody hears
    await former.stop_async()
    receiver, gaps = hearing_of_gaps(make(), clock)
    await count(receiver, 9)
    clock.now += 61
    await count(receiver, 10)
    await receiver.stop_async()

    assert (told, gaps) == ([], [Gap(7, 3, 3), Gap(7, 6, 8)])


async def test_a_gap_is_told_once_whoever_has_told_it(make: Make, clock: Clock) -> None:
    former, told = hearing_of_gaps(make(), clock)
    await count(former, 1, 4)
    clock.now += 61
    await count(former, 5)
    await former.stop_async()
    receiver, gaps = hearing_of_gaps(make(), clock)
    await count(receiver, 6)
    clock.now += 61
    await count(receiver, 7)
    await receiver.stop_async()

    assert (told, gaps) == ([Gap(7, 2, 3)], [])


async def test_what_another_process_took_is_not_missing(make: Make, clock: Clock) -> None:
    (one, gaps), (other, others) = hearing_of_gaps(make(), clock), hearing_of_gaps(make(), clock)
    await count(one, 1)
    await count(other, 2, 6)
    await count(one, 3, 7)
    clock.now += 61
    await count(one, 8)
    await count(other, 9)
    await one.stop_async()
    await other.stop_async()

    assert sorted(gaps + others, key=lambda gap: gap.first) == [Gap(7, 4, 5)]


async def test_the_highest_number_is_remembered_for_longer_than_the_others(make: Make, clock: Clock) -> None:
    receiver, _ = hearing_of_gaps(make(keep=60.0), clock)
    await count(receiver, 1, 2, 3)
    await receiver.stop_async()
    clock.now += 61
    inbox = make(keep=60.0)
    receiver, gaps = hearing_of_gaps(inbox, clock)
    await receiver.start_async()
    await until(lambda: [span.first for span in inbox.numbers(7).result()] == [3])
    await count(receiver, 5)
    clock.now += 61
    await count(receiver, 6)
    await receiver.stop_async()

    assert gaps == [Gap(7, 4, 4)]


# --- places ---------------------------------------------------------------------------------------------------------


def test_a_file_is_on_the_disk_before_a_commit_returns(tmp_path: Path) -> None:
    place = SqlitePlace(tmp_path / "inbox.db")
    place.open()

    settings = [place.rows(f"PRAGMA {name}", {})[0][0] for name in ("journal_mode", "synchronous")]
    place.close()

    assert settings == ["wal", 2]  # FULL


@pytest.mark.parametrize("inserts_twice", [True, False], ids=["on-conflict", "savepoint"])
def test_a_database_without_a_word_for_conflicts_keeps_each_message_once_too(tmp_path: Path, inserts_twice: bool) -> None:
    from tidings.receiver.inbox.sqlalchemy import SqlalchemyPlace  # noqa: PLC0415

    place = SqlalchemyPlace(f"sqlite:///{tmp_path}/inbox.db")
    place._inserts_twice = inserts_twice
    place.open()
    row = arrival(Event("item.create", 7, {}, "m"), {}, b"x", owner="", due_at=1, now=1)

    assert [place.execute(INSERT, row), place.execute(INSERT, row)] == [1, 0]
    place.commit()
    place.close()


def test_one_that_fails_does_not_take_the_others_with_it(tmp_path: Path) -> None:
    writer, hold = Writer(SqlitePlace(tmp_path / "inbox.db")), threading.Event()

    def fail(place: Any) -> int:
        raise sqlite3.OperationalError("no")

    first = writer.submit(lambda _: hold.wait())
    futures = [
        writer.submit(lambda place: place.execute(RENEW, {"owner": "", "until": 0})),
        writer.submit(fail),
        writer.submit(lambda _: 3),
    ]
    hold.set()
    writer.close()

    assert first.result()
    assert [isinstance(future.exception(), sqlite3.Error) for future in futures] == [False, True, False]


# --- kill -9 --------------------------------------------------------------------------------------------------------


def test_a_receiver_that_is_killed_loses_nothing_and_repeats_only_what_was_under_way(tmp_path: Path) -> None:
    told = tmp_path / "told"
    told.touch()
    taken: set[str] = set()
    numbers = itertools.count(1)
    for kill_after in (30, 60, None):
        with _receiving(tmp_path) as (port, child):
            stop = threading.Event()
            senders = [threading.Thread(target=_send_until, args=(port, stop, numbers, taken)) for _ in range(4)]
            for sender in senders:
                sender.start()
            if kill_after:
                wait_until(partial(_holds, taken, len(taken) + kill_after), seconds=20)
                child.kill()
            stop.set()
            for sender in senders:
                sender.join()
            if kill_after is None:
                wait_until(lambda: taken <= set(told.read_text().split()), seconds=20)

    words = told.read_text().split()
    assert taken <= set(words)
    assert len(words) - len(set(words)) <= 2 * 4  # two deaths, four under way


def _holds(taken: set[str], many: int) -> bool:
    return len(taken) >= many


class _receiving:  # noqa: N801 (a context)
    """A process that receives, with an inbox in `folder`."""

    def __init__(self, folder: Path) -> None:
        self._port = free_port()
        self._child = subprocess.Popen([sys.executable, str(CHILD), str(folder), str(self._port)], env={**os.environ, "PYTHONPATH": "src"})

    def __enter__(self) -> tuple[int, subprocess.Popen[bytes]]:
        wait_until(lambda: _post(self._port, "0") is not None, seconds=20, step=0.05)
        return self._port, self._child

    def __exit__(self, *_: object) -> None:
        self._child.kill()
        self._child.wait()


def _send_until(port: int, stop: threading.Event, numbers: Iterator[int], taken: set[str]) -> None:
    while not stop.is_set():
        name = str(next(numbers))
        if _post(port, name) == 204:
            taken.add(name)


def _post(port: int, name: str) -> int | None:
    from tidings.receiver.testing import sample  # noqa: PLC0415

    headers, body = sample("item.create", message_id=name, item_id=int(name))
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("POST", "/", body, headers)
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()
