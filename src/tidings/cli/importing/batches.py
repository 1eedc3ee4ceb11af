"""The rows go in: some hundred in one transaction, batch after batch.

What is always true: between two batches nothing is half done. Ctrl-C and SIGTERM are heard there, so that what is said at
the end is exact; a second one does not wait. After `kill -9` nobody can say where it stood: there `--external-id` makes the
next run pass over what is in.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from types import FrameType

from tidings.cli.importing.asked import Asked
from tidings.cli.importing.rejects import Rejects
from tidings.cli.importing.screen import Screen, Tally
from tidings.cli.importing.tables import Table
from tidings.cli.importing.targets import Target
from tidings.cli.opened import Opened
from tidings.clock import system_clock
from tidings.workspace.cells.judging import Order, Row, judge
from tidings.workspace.imports import Imported, import_rows, tried, try_rows

BATCH_ROWS = 250  # some 50 ms, for which others who write may have to wait
BATCH_CHARACTERS = 1_000_000  # so that long texts make smaller batches
PAUSE = 0.25  # of the time that a batch took: SQLite lets others write only between two


class Seen:
    """The external_ids of the rows before, as 64 bits each: 100,000 of them are some ten megabytes."""

    def __init__(self) -> None:
        self._hashes: set[int] = set()

    def __contains__(self, name: object) -> bool:
        return hash(name) in self._hashes

    def add(self, names: Iterable[str]) -> None:
        """Remember these."""
        self._hashes.update(map(hash, names))


class Stop:
    """Whether somebody has asked for an end."""

    def __init__(self) -> None:
        self.asked = False

    def __call__(self, _number: int, _frame: FrameType | None) -> None:
        """A signal: the first waits for the batch, the second does not."""
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True


class Batches:
    """One run over a table."""

    def __init__(self, asked: Asked, target: Target, order: Order, screen: Screen, opened: Opened) -> None:
        self.tally = Tally()
        self.reached = asked.from_line  # the first line that is not done with
        self._asked = asked
        self._target = target
        self._order = order
        self._screen = screen
        self._opened = opened
        self._seen = Seen()

    def run(self, table: Table, rejects: Rejects) -> bool:
        """Let the rows in; answers whether all were looked at. Raises what the database and the disk raise.

        Then, and after `KeyboardInterrupt`, the rows from `reached` on are not in; those of one batch may be.
        """
        with listening() as stop, self._screen.bar():
            for batch in batches(table.rows(), self._asked.from_line):
                if stop.asked:
                    return False
                began = time.monotonic()
                imported = self._one(batch)
                self._take_in(imported, rejects)
                self.reached = batch[-1].line + 1
                self._screen.advance(table.portion(), self.tally)
                if self._opened.database.dialect == "sqlite" and not self._asked.dry_run:
                    time.sleep((time.monotonic() - began) * PAUSE)
        return True

    def _one(self, batch: list[Row]) -> Imported:
        target, order, database = self._target, self._order, self._opened.database
        if target.planned is not None:
            return tried(judge(target.planned, order, batch, there={}, people={}, seen=self._seen), order)
        if self._asked.dry_run:
            trying = database.read(try_rows, target.caller, target.app_id, order, batch, seen=self._seen)
            return self._opened.runner.run(trying)
        importing = database.write(import_rows, target.caller, target.app_id, order, batch, seen=self._seen, now=system_clock())
        return self._opened.runner.run(importing)

    def _take_in(self, imported: Imported, rejects: Rejects) -> None:
        self.tally.add(imported)
        self._seen.add(imported.named)
        self._screen.list_rejected(imported.rejected)
        for rejected in imported.rejected:
            rejects.add(rejected)
        rejects.flush()


def batches(rows: Iterable[Row], from_line: int) -> Iterator[list[Row]]:
    """`rows` from a line on, in batches of at most so many rows and characters."""
    batch: list[Row] = []
    characters = 0
    for row in rows:
        if row.line < from_line:
            continue
        batch.append(row)
        characters += sum(map(len, row.cells))
        if len(batch) == BATCH_ROWS or characters >= BATCH_CHARACTERS:
            yield batch
            batch, characters = [], 0
    if batch:
        yield batch


@contextmanager
def listening() -> Iterator[Stop]:
    """Let Ctrl-C and SIGTERM ask for an end, while this is entered."""
    stop = Stop()
    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, listener in before.items():
            signal.signal(number, listener)
