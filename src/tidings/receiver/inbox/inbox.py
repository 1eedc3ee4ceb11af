"""The durable inbox: a delivery is on the disk before its sender is told so, and dealt with after.

    hooks = Receiver(client, secret="whsec_...", inbox=Inbox("inbox.db"))

Nothing that was answered with a 2xx is lost, whatever dies and whenever. What a function has finished is not begun
again, except where the process dies between the end of the function and the note of it, a few milliseconds: a function
that must not see even that uses `event.id` in its own transaction. A repeat is known by its id for as long as `keep`.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from tidings.receiver.calling import OwnLoop
from tidings.receiver.events import Event
from tidings.receiver.gaps import Gap, Span
from tidings.receiver.inbox import numbers, rows
from tidings.receiver.inbox.rows import Kept, Place
from tidings.receiver.inbox.sqlite import SqlitePlace
from tidings.receiver.inbox.work import Rules, Run, Work
from tidings.receiver.inbox.writer import Writer

RETRIES = (5.0, 30.0, 120.0, 600.0, 3_600.0, 10_800.0, 21_600.0)  # seconds
KEEP = 7 * 86_400.0  # seconds; longer than a sender goes on trying
STATES = ("pending", "done", "failed", "dropped")


class Inbox:
    """Messages at a place: a file's path, or an SQLAlchemy URL. Several processes may share a place; an `Inbox` is one receiver's."""

    def __init__(
        self,
        place: str | Path = "tidings-inbox.db",
        *,
        retries: Sequence[float] = RETRIES,
        concurrency: int = 16,
        lease: float = 30.0,
        poll: float = 1.0,
        keep: float = KEEP,
        grace: float = 10.0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`place` with `://` in it is a URL, and needs `sqlalchemy`. Nothing is opened before it is needed.

        `retries` are the waits after each attempt that failed, in seconds; after the last of them the message is `failed`.
        `concurrency` messages are dealt with at a time, of one object never two. A process that dies leaves what it had in
        memory to others after `lease` seconds. `poll`: how often it looks for what has fallen due. `keep`: how long a
        message that is done is known as a repeat. `grace`: how long `stop` waits for what is under way.
        """
        self._writer = Writer(_place(place))
        self._rules = Rules(retries, concurrency, lease, poll, keep, grace, clock)
        self._work: Work | None = None
        self._starting = threading.Lock()
        self._stop_there: OwnLoop | None = None

    # --- for a receiver -----------------------------------------------------------------------------------------------

    def put(self, event: Event, headers: Mapping[str, str], body: bytes) -> Future[bool] | asyncio.Future[bool]:
        """Keep a message. The future is done when it is on the disk: whether it is new; it raises what the database says.

        One that has failed, and that somebody has had sent again, is tried again.
        """
        work, again = self._work, event.redelivery is not None
        ours = work is not None and work.finds_room()
        values = rows.arrival(
            event,
            headers,
            body,
            owner=work.owner if work is not None and ours else "",
            due_at=self._rules.now(self._rules.lease if ours else 0.0),
            now=self._rules.now(),
        )
        if work is not None and work.is_here():
            return work.keep(event if ours else None, values, again=again)
        future = self._writer.submit(lambda place: rows.keep(place, values, again=again) == 1)
        if work is not None and ours:
            future.add_done_callback(
                lambda kept: work.arrived(event) if not (kept.cancelled() or kept.exception()) and kept.result() else None
            )
        return future

    def count(self, hook_id: int, number: int, now: float) -> Future[None]:
        """A number of a hook came: see `numbers.py`. `now` is in seconds, as for the next two."""
        return self._writer.submit(lambda place: numbers.count(place, hook_id, number, now))

    def numbers(self, hook_id: int) -> Future[list[Span]]:
        """What is known of a hook's numbers."""
        return self._writer.submit(lambda place: numbers.remembered(place, hook_id))

    def claim(self, gap: Gap, now: float) -> Future[list[Gap]]:
        """What of a gap is to be told here: no process has had it, and none has told it."""
        return self._writer.submit(lambda place: numbers.claim(place, gap, now))

    def start(self, run: Run, loop: OwnLoop) -> None:
        """Deal with what is here and what comes, on `loop`. Does nothing when that is being done."""
        if self._work is None:
            with self._starting:
                if self._work is None:
                    self._work = loop.submit(self._made(run)).result()
                    self._stop_there = loop

    def start_async(self, run: Run) -> None:
        """The same, on this event loop."""
        if self._work is None:
            with self._starting:
                if self._work is None:
                    self._work = Work(self._writer, run, self._rules)

    def stop(self) -> None:
        """End what `start` began: finish what is under way, give back the rest."""
        if self._stop_there is not None and self._work is not None:
            self._stop_there.submit(self._work.stop()).result()
            self._work = self._stop_there = None
        self._writer.close()

    async def stop_async(self) -> None:
        """End what `start_async` began."""
        work, self._work = self._work, None
        if work is not None:
            await work.stop()
        await asyncio.to_thread(self._writer.close)

    async def _made(self, run: Run) -> Work:
        return Work(self._writer, run, self._rules)

    # --- for people ---------------------------------------------------------------------------------------------------

    def counts(self) -> dict[str, int]:
        """How many messages are in each state."""
        found = self._writer.submit(lambda place: place.rows(rows.COUNTS, {})).result()
        return dict.fromkeys(STATES, 0) | {str(state): int(count) for state, count in found}

    def list(self, state: str = "failed", *, limit: int = 100) -> list[Kept]:
        """Messages in one state, the oldest first. Raises ValueError for a state that is none."""
        if state not in STATES:
            raise ValueError(f"a message is one of {', '.join(STATES)}")
        values = {"state": state, "most": limit}
        return [rows.kept(row) for row in self._writer.submit(lambda place: place.rows(rows.LISTED, values)).result()]

    def retry(self, ids: Iterable[str] | None = None) -> int:
        """Have failed messages, all or those named, tried again now; how many."""
        return self._change_failed(rows.RETRY, {"now": self._rules.now()}, ids)

    def drop(self, ids: Iterable[str] | None = None) -> int:
        """Give up failed messages, all or those named; how many. A repeat of one is still known as a repeat."""
        return self._change_failed(rows.DROP, {"now": self._rules.now(), "empty": b""}, ids)

    def close(self) -> None:
        """Let go of the file, after looking."""
        self._writer.close()

    def _change_failed(self, statement: str, values: dict[str, Any], ids: Iterable[str] | None) -> int:
        if ids is None:
            return self._writer.submit(lambda place: place.execute(statement, values)).result()
        named = list(ids)
        one = f"{statement} AND id = :id"
        return self._writer.submit(lambda place: sum(place.execute(one, {**values, "id": id}) for id in named)).result()


def _place(place: str | Path) -> Place:
    if isinstance(place, str) and "://" in place:
        from tidings.receiver.inbox.sqlalchemy import SqlalchemyPlace  # noqa: PLC0415 (needs a package; only who has a URL needs it)

        return SqlalchemyPlace(place)
    return SqlitePlace(Path(place))
