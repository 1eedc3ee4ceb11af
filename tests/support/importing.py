"""Tables to import, the command in a process of its own, and what came of it in the database."""

from __future__ import annotations

import asyncio
import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select

from tests.support.databases import Place
from tests.support.forking import Forked, fork_tidings
from tidings.store.database import Tx
from tidings.store.schema import events, items


def write_table(path: Path, *rows: Sequence[object]) -> Path:
    """A CSV file with these rows, the headings first."""
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)
    return path


def numbered(count: int) -> Iterable[Sequence[object]]:
    """A table of `count` rows below its headings: a number, a title, an estimate."""
    yield ("Number", "Title", "Estimate")
    for number in range(1, count + 1):
        yield (number, f"Row {number}", number * 2)


def start_import(place: Place, table: Path, *arguments: str) -> Forked:
    """`tidings import`, started."""
    return fork_tidings("import", str(table), *place.arguments, *arguments, output=place.data / "import.log")


def ran_import(place: Place, table: Path, *arguments: str) -> int:
    """`tidings import`, to its end: the exit code."""
    return start_import(place, table, *arguments).wait(60)


@dataclass(frozen=True)
class Contents:
    """What an app holds: the external_id and title of each item, oldest first, and its events."""

    external_ids: list[str | None]
    titles: list[str]
    events: list[tuple[str, bool]]  # the type, and whether hooks hear of it


def contents(place: Place, app_id: int) -> Contents:
    """Look at the database from beside it."""
    database = place.open(connections=1)
    try:
        return asyncio.run(database.read(_contents, app_id))
    finally:
        database.dispose()


def _contents(tx: Tx, app_id: int) -> Contents:
    kept = tx.execute(select(items.c.external_id, items.c.title).where(items.c.app_id == app_id).order_by(items.c.item_id)).all()
    told = tx.execute(select(events.c.type, events.c.heard).where(events.c.app_id == app_id).order_by(events.c.event_id)).all()
    return Contents([row.external_id for row in kept], [row.title for row in kept], [(row.type, bool(row.heard)) for row in told])
