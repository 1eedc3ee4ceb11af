"""How much waits to be delivered, and since when: for metrics and for people."""

from __future__ import annotations

from msgspec import Struct

from tidings.store.database import Tx


class Backlog(Struct, frozen=True):
    """What is unfinished. `oldest_at` is microseconds since the epoch, None when nothing waits."""

    waiting_events: int  # not fanned out yet
    pending: int  # deliveries that have not ended
    oldest_at: int | None


def measure_backlog(tx: Tx) -> Backlog:
    """Count what is unfinished: walks two indexes that hold nothing else."""
    waiting, oldest_event = tx.exec_driver_sql("SELECT count(*), min(created_at) FROM events WHERE matched IS NULL").one()
    pending, oldest_delivery = tx.exec_driver_sql("SELECT count(*), min(created_at) FROM deliveries WHERE ended_at IS NULL").one()
    return Backlog(waiting, pending, min((at for at in (oldest_event, oldest_delivery) if at is not None), default=None))
