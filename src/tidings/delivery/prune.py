"""Prune: forgets what ended long ago, a small piece a transaction, so that nobody waits for it.

An event goes when it is older than the retention and all its deliveries have ended; they and their attempts go with it.
Nothing that is unfinished is ever pruned, however old it is.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import bindparam, delete, exists, select

from tidings.store.database import Tx
from tidings.store.schema import attempts, deliveries, events

PIECE = 500  # events a transaction


def prune(tx: Tx, *, before: int) -> int:
    """Forget up to `PIECE` events from before the moment `before` (microseconds since the epoch); answers how many."""
    unfinished = exists().where(deliveries.c.event_id == events.c.event_id, deliveries.c.ended_at.is_(None))
    old = select(events.c.event_id).where(events.c.created_at < before, events.c.matched.is_not(None), ~unfinished)
    ids = tx.execute(old.order_by(events.c.created_at).limit(PIECE)).scalars().all()
    if not ids:
        return 0
    ended = _still_ended(tx, ids)
    if names := [{"hook": hook_id, "number": sequence} for each in ended.values() for hook_id, sequence in each]:
        tx.execute(_ATTEMPTS, names)
    tx.execute(delete(deliveries).where(deliveries.c.event_id.in_(ended)))
    tx.execute(delete(events).where(events.c.event_id.in_(ended)))
    return len(ended)


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
