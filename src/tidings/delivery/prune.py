"""Prune: forgets what ended long ago, a small piece a transaction, so that nobody waits for it.

An event goes when it is older than the retention and all its deliveries have ended; they and their attempts go with it.
Nothing that is unfinished is ever pruned, however old it is.
"""

from __future__ import annotations

from sqlalchemy import delete, exists, select, tuple_

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
    mine = deliveries.c.event_id.in_(ids)
    names = tx.execute(select(deliveries.c.hook_id, deliveries.c.sequence).where(mine)).all()
    for start in range(0, len(names), PIECE):
        piece = [tuple(name) for name in names[start : start + PIECE]]
        tx.execute(delete(attempts).where(tuple_(attempts.c.hook_id, attempts.c.sequence).in_(piece)))
    tx.execute(delete(deliveries).where(mine))
    tx.execute(delete(events).where(events.c.event_id.in_(ids)))
    return len(ids)
