"""Prune: forgets what ended long ago, a small piece a transaction, so that nobody waits for it.

An event goes when it is older than the retention and all its deliveries have ended; they and their attempts go with it.
Nothing that is unfinished is ever pruned, however old it is. A paused hook may keep a million such: each piece looks at so
many events and no more, and begins where the one before it has ended.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct
from sqlalchemy import bindparam, delete, exists, select, tuple_

from tidings.store.database import Tx
from tidings.store.schema import attempts, deliveries, events

PIECE = 500  # events a transaction

Reached = tuple[int, int]
"""The moment and the id of an event."""

FIRST: Reached = (-1, 0)


class Pruned(Struct, frozen=True):
    """What one transaction did."""

    events: int  # forgotten
    reached: Reached = FIRST  # all up to there have been looked at
    more: bool = False  # there are others that are old enough


def prune(tx: Tx, *, before: int, after: Reached = FIRST) -> Pruned:
    """Look at up to `PIECE` events that came behind `after` and before the moment `before` (microseconds since the epoch), and
    forget those that have ended."""
    unfinished = exists().where(deliveries.c.event_id == events.c.event_id, deliveries.c.ended_at.is_(None))
    place = (events.c.created_at, events.c.event_id)
    old = select(*place, unfinished).where(
        events.c.created_at < before, events.c.created_at >= after[0], tuple_(*place) > after, events.c.matched.is_not(None)
    )
    rows = tx.execute(old.order_by(*place).limit(PIECE)).all()
    if not rows:
        return Pruned(0, after)
    ended = _still_ended(tx, [event_id for _, event_id, is_unfinished in rows if not is_unfinished])
    if names := [{"hook": hook_id, "number": sequence} for each in ended.values() for hook_id, sequence in each]:
        tx.execute(_ATTEMPTS, names)
    tx.execute(delete(deliveries).where(deliveries.c.event_id.in_(ended)))
    tx.execute(delete(events).where(events.c.event_id.in_(ended)))
    return Pruned(len(ended), (rows[-1][0], rows[-1][1]), more=len(rows) == PIECE)


# One by one: for a list of pairs SQLite would walk over the whole table.
_ATTEMPTS = delete(attempts).where(attempts.c.hook_id == bindparam("hook"), attempts.c.sequence == bindparam("number"))


def _still_ended(tx: Tx, ids: Sequence[int]) -> dict[int, list[tuple[int, int]]]:
    """The events with the names of their deliveries, locked; without those of which somebody has just asked for one again."""
    names: dict[int, list[tuple[int, int]]] = {event_id: [] for event_id in ids}
    column = deliveries.c
    held = select(column.event_id, column.hook_id, column.sequence, column.ended_at).where(column.event_id.in_(ids)).with_for_update()
    for event_id, hook_id, sequence, ended_at in tx.execute(held).all():
        if ended_at is None:
            names.pop(event_id, None)
        elif event_id in names:
            names[event_id].append((hook_id, sequence))
    return names
