"""Reads what is due and may be claimed. Where a hook wants its objects' events in order, that is only the first unfinished one of
each lane; what stands behind it is read by itself. On PostgreSQL what is read is locked.

Each row is `hook_id, sequence, attempts, lane, reason, earlier, replay_id` and the event's columns.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from sqlalchemy import text

from tidings.delivery.deliveries import EVENT_COLUMNS, NOBODY, Delivery
from tidings.store.database import Tx
from tidings.store.statements import Statement

BATCH = 500  # rows at most; twice, where there is more to walk over
WALK = 2_000  # due deliveries that a round walks over at most; twice: from the oldest, and from where the last round ended

Place = tuple[int, int, int]
"""Where a delivery stands among those that are due: `due_at`, hook, number."""

START: Place = (-1, 0, 0)
_END = 2**62  # behind every hook, and every number


def read_due(tx: Tx, full: Sequence[int], walked: Place, now: int) -> tuple[list[Any], Place]:
    """What of the due may be claimed, and where the next round goes on.

    All of it is looked at, unless it is more than `WALK`: then the oldest, and those behind `walked`. Most of so many wait in
    their lanes, each behind the first of it. To walk over them takes its time, and nobody else writes meanwhile.
    """
    due = _due_text(tx.dialect.name, full)
    end = _end_of_walk(tx, START, now)
    rows = list(tx.exec_driver_sql(due, (*START, *(end or (now, _END, _END)))))
    if end is None:
        return rows, START
    begin = max(walked, end)
    end = _end_of_walk(tx, begin, now)
    rows += tx.exec_driver_sql(due, (*begin, *(end or (now, _END, _END))))
    return rows, end or START


def _end_of_walk(tx: Tx, begin: Place, now: int) -> Place | None:
    """The last of the `WALK` due ones behind `begin`; None: there are not so many."""
    due_at, hook_id, sequence = begin
    found = _LAST_OF_WALK.first(tx, {"due_at": due_at, "hook_id": hook_id, "sequence": sequence, "now": now})
    return cast(Place, tuple(found)) if found else None


def read_behind(tx: Tx, head: Delivery, limit: int, now: int) -> Sequence[Any]:
    """Up to `limit` that stand right behind `head` in its lane, in their order; before each row, whether it may be claimed."""
    return tx.exec_driver_sql(_behind_text(tx.dialect.name), (now, head.hook_id, head.lane, head.sequence, limit)).all()


_EVENT = ", ".join(f"e.{name}" for name in EVENT_COLUMNS.split(", "))
_DELIVERY = f"d.hook_id, d.sequence, d.attempts, d.lane, d.reason, d.earlier, d.replay_id, {_EVENT}"
_LAST_OF_WALK = Statement(
    text(f"""
        SELECT due_at, hook_id, sequence FROM deliveries
        WHERE lease_id = {NOBODY} AND ended_at IS NULL
          AND (due_at, hook_id, sequence) > (:due_at, :hook_id, :sequence) AND due_at <= :now
        ORDER BY due_at, hook_id, sequence LIMIT 1 OFFSET {WALK - 1}""")
)


def _due_text(dialect: str, full: Sequence[int]) -> str:
    mark, lock = ("?", "") if dialect == "sqlite" else ("%s", " FOR UPDATE OF d SKIP LOCKED")
    # The ids are ours, all whole numbers.
    left_out = f" AND (d.lane IS NULL OR d.hook_id NOT IN ({', '.join(map(str, full))}))" if full else ""
    place, marks = "(d.due_at, d.hook_id, d.sequence)", f"({mark}, {mark}, {mark})"
    return f"""
        SELECT {_DELIVERY} FROM deliveries AS d JOIN events AS e ON e.event_id = d.event_id
        WHERE d.lease_id = {NOBODY} AND d.ended_at IS NULL AND {place} > {marks} AND {place} <= {marks}{left_out}
          AND (d.lane IS NULL OR NOT EXISTS (
              SELECT 1 FROM deliveries AS earlier
              WHERE earlier.hook_id = d.hook_id AND earlier.lane = d.lane AND earlier.lane IS NOT NULL
                AND earlier.ended_at IS NULL AND earlier.sequence < d.sequence))
        ORDER BY d.due_at LIMIT {BATCH}{lock}"""


def _behind_text(dialect: str) -> str:
    # None is skipped for being locked: what came behind it would overtake it. SQLite would rather walk along the primary key, over
    # all that its hook is to be told.
    mark, index, lock = ("?", " INDEXED BY ix_deliveries_lane", "") if dialect == "sqlite" else ("%s", "", " FOR UPDATE OF d")
    return f"""
        SELECT d.lease_id = {NOBODY} AND d.due_at <= {mark}, {_DELIVERY}
        FROM deliveries AS d{index} JOIN events AS e ON e.event_id = d.event_id
        WHERE d.hook_id = {mark} AND d.lane = {mark} AND d.lane IS NOT NULL AND d.ended_at IS NULL AND d.sequence > {mark}
        ORDER BY d.sequence LIMIT {mark}{lock}"""
