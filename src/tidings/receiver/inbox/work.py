"""What makes pending messages done: so many at a time, each object's one after the other, failures again later.

A message is taken into memory when it arrives, or when it has fallen due: left by a process that died, to be tried again,
or more than memory had room for. Its functions are called; a function that is done with it is not called again when
another fails. What has been done is written down at once; when that fails, it is tried again until it succeeds, and the
message stays ours until then.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

from tidings.receiver.calling import Steps, take_steps_async
from tidings.receiver.events import Event
from tidings.receiver.inbox import numbers, rows
from tidings.receiver.inbox.rows import Kept, Place, Values
from tidings.receiver.inbox.together import Change, Together
from tidings.receiver.inbox.writer import Writer
from tidings.receiver.refusals import ReceiverError

HELD = 1_000  # messages in memory
_LONGEST_ERROR = 500  # characters
_PRUNE_EVERY = 600.0  # seconds
_OBJECTS = ("item_id", "task_id", "status_id", "profile_id", "form_id", "app_id")

Run = Callable[[Event, set[str]], Steps[None]]

_log = logging.getLogger("tidings.receiver")


@dataclass(frozen=True, slots=True)
class Rules:
    """How the work is done. Times are in seconds."""

    retries: Sequence[float]  # the waits after the first attempt, the second ...
    concurrency: int
    lease: float
    poll: float
    keep: float
    grace: float
    clock: Callable[[], float]

    def now(self, later: float = 0.0) -> int:
        """The moment, or one that comes after it, in microseconds since the epoch."""
        return int((self.clock() + later) * 1_000_000)


@dataclass(frozen=True, slots=True)
class _Message:
    event: Event
    attempts: int
    finished: set[str]


class Work:
    """The work of one process on one event loop, from its making to `stop`. Make it on that loop."""

    def __init__(self, writer: Writer, run: Run, rules: Rules) -> None:
        self.owner = secrets.token_hex(8)  # made here, and not before a server has forked
        self._writer, self._run, self._rules = writer, run, rules
        self._loop = asyncio.get_running_loop()
        self._ready: asyncio.Queue[_Message | None] = asyncio.Queue()
        self._behind: dict[tuple[str, Any], deque[_Message]] = {}  # by object: one is being dealt with, these wait
        self._held: set[str] = set()  # the ids of what is in memory
        self._overflowed = False
        self._wake = asyncio.Event()
        self._stopping = False
        self._together = Together(writer)
        self._owed: list[Change] = []
        self._threads = ThreadPoolExecutor(rules.concurrency, thread_name_prefix="tidings-receiver")
        self._pruned_at = 0.0
        self._tasks = [self._loop.create_task(self._deal_with_all()) for _ in range(rules.concurrency)]
        self._ticking = self._loop.create_task(self._tick())

    def finds_room(self) -> bool:
        """Whether memory has room for one more; if not, it is fetched from the table when there is. From any thread."""
        if len(self._held) < HELD:
            return True
        self._overflowed = True
        return False

    def is_here(self) -> bool:
        """Whether who asks runs on the loop of this work."""
        try:
            return asyncio.get_running_loop() is self._loop
        except RuntimeError:
            return False

    def keep(self, event: Event | None, values: Values, *, again: bool) -> asyncio.Future[bool]:
        """Keep a message, and deal with it if `event` says that it is ours. On this loop; see `Inbox.put` and `rows.keep`."""
        future: asyncio.Future[bool] = self._loop.create_future()

        def kept(changed: int, error: BaseException | None) -> None:
            if event is not None and changed:
                self._hold(_Message(event, 0, set()))
            if future.cancelled():
                return
            if error is None:
                future.set_result(changed == 1)
            else:
                future.set_exception(error)

        self._together.add(lambda place: rows.keep(place, values, again=again), kept)
        return future

    def arrived(self, event: Event) -> None:
        """A new message was kept, and is ours. From any thread."""
        with suppress(RuntimeError):  # the loop has ended: the message falls due by itself
            self._loop.call_soon_threadsafe(self._hold, _Message(event, 0, set()))

    async def stop(self) -> None:
        """Finish what is under way, within the grace time, and give back the rest."""
        self._ticking.cancel()
        self._stopping = True
        while not self._ready.empty():  # what nobody has begun stays where it is
            self._ready.get_nowait()
        for _ in self._tasks:
            self._ready.put_nowait(None)
        await asyncio.wait(self._tasks, timeout=self._rules.grace)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(self._ticking, *self._tasks, return_exceptions=True)
        self._threads.shutdown(wait=False, cancel_futures=True)
        await self._together.quiet.wait()
        values = {"owner": self.owner, "now": self._rules.now()}
        with suppress(Exception):  # it falls due by itself
            await asyncio.wrap_future(
                self._writer.submit(lambda place: ([change(place) for change in self._owed], place.execute(rows.RELEASE, values)))
            )

    # --- one message --------------------------------------------------------------------------------------------------

    def _hold(self, message: _Message) -> None:
        if message.event.id in self._held:
            return  # a loop that stood still for longer than the lease finds its own again
        self._held.add(message.event.id)
        lane = _lane(message.event)
        if lane is not None and lane in self._behind:
            self._behind[lane].append(message)
            return
        if lane is not None:
            self._behind[lane] = deque()
        self._ready.put_nowait(message)

    async def _deal_with_all(self) -> None:
        while (message := await self._ready.get()) is not None and not self._stopping:
            try:
                await self._deal_with(message)
            finally:
                self._let_go(message)

    async def _deal_with(self, message: _Message) -> None:
        try:
            await take_steps_async(self._run(message.event, message.finished), self._threads)
        except Exception as error:  # noqa: BLE001 (a stranger's function: it may raise anything)
            _log.warning("attempt %d at %r failed", message.attempts + 1, message.event, exc_info=True)
            self._missed(message, error)
        else:
            values = {"id": message.event.id, "owner": self.owner, "now": self._rules.now(), "empty": b""}
            self._note(lambda place: place.execute(rows.DONE, values))

    def _missed(self, message: _Message, error: Exception) -> None:
        again = message.attempts < len(self._rules.retries)
        values = {
            "id": message.event.id,
            "owner": self.owner,
            "state": "pending" if again else "failed",
            "due_at": self._rules.now(self._rules.retries[message.attempts] if again else 0.0),
            "now": self._rules.now(),
            "finished": "\n".join(sorted(message.finished)),
            "error": f"{type(error).__name__}: {error}"[:_LONGEST_ERROR].replace("\0", ""),
        }
        self._note(lambda place: place.execute(rows.MISSED, values))

    def _let_go(self, message: _Message) -> None:
        self._held.discard(message.event.id)
        if self._overflowed and len(self._held) < HELD // 2:
            self._overflowed = False
            self._wake.set()
        lane = _lane(message.event)
        if lane is None:
            return
        behind = self._behind[lane]
        if behind:
            self._ready.put_nowait(behind.popleft())
        else:
            del self._behind[lane]

    def _note(self, change: Change) -> None:
        def noted(_: int, error: BaseException | None) -> None:
            if error is not None:
                self._owed.append(change)

        self._together.add(change, noted)

    # --- what has fallen due ------------------------------------------------------------------------------------------

    async def _tick(self) -> None:
        renewed_at = self._loop.time()
        while True:
            try:
                owed, self._owed = self._owed, []
                for change in owed:
                    self._note(change)
                if self._loop.time() - renewed_at > self._rules.lease / 3:
                    renewed_at = self._loop.time()
                    await self._renew()
                while len(self._held) < HELD and await self._take_due():
                    pass
                await self._prune()
            except Exception:  # noqa: BLE001 (a database may be any; it is asked again)
                _log.exception("the inbox cannot be read")
            with suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), self._rules.poll)
            self._wake.clear()

    async def _renew(self) -> None:
        values = {"owner": self.owner, "until": self._rules.now(self._rules.lease)}
        await asyncio.wrap_future(self._writer.submit(lambda place: place.execute(rows.RENEW, values)))

    async def _take_due(self) -> int:
        now, until = self._rules.now(), self._rules.now(self._rules.lease)

        def take(place: Place) -> list[Kept]:
            due = [rows.kept(row) for row in place.rows(rows.DUE, {"now": now, "most": HELD // 2})]
            claim = {"owner": self.owner, "until": until, "now": now}
            return [one for one in due if place.execute(rows.TAKE, {**claim, "id": one.id})]

        taken = await asyncio.wrap_future(self._writer.submit(take))
        for one in sorted(taken, key=lambda one: one.received_at):
            self._take_up(one)
        return len(taken)

    def _take_up(self, one: Kept) -> None:
        finished = set(one.finished.split("\n")) if one.finished else set[str]()
        try:
            message = _Message(one.event(), one.attempts, finished)
        except ReceiverError as error:
            self._missed(_Message(Event(one.type, one.hook_id, {}, one.id), len(self._rules.retries), finished), error)
            return
        self._hold(message)

    async def _prune(self) -> None:
        if self._loop.time() - self._pruned_at < _PRUNE_EVERY and self._pruned_at:
            return
        self._pruned_at = self._loop.time()
        before = self._rules.now(-self._rules.keep)
        for statement in (rows.PRUNE, numbers.PRUNE):
            await asyncio.wrap_future(self._writer.submit(partial(_run, statement, {"before": before})))


def _run(statement: str, values: Values, place: Place) -> int:
    return place.execute(statement, values)


def _lane(event: Event) -> tuple[str, Any] | None:
    return next(((name, event.parameters[name]) for name in _OBJECTS if isinstance(event.parameters.get(name), str | int)), None)
