"""What a hook was told before the test began: deliveries in any state, with their events and attempts, written straight into
the tables."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import func, insert, select, update

from tests.support.world import NOW, SECOND, World
from tidings.events.outbox import NewEvent, append_many
from tidings.store.database import Tx
from tidings.store.schema import attempts, deliveries, events, hook_counters

ENDED = ("delivered", "exhausted", "cancelled")


def make_past(tx: Tx, world: World, hook_id: int, *states: str, first: int = 2, lane: str | None = None, at: int = NOW) -> None:
    """Deliveries of the hook in these states, numbered from `first`; each has two attempts behind it, and each event is a
    second later than the one before. The first delivery of a hook is its verification."""
    standing = [(sequence, state, at + sequence * SECOND) for sequence, state in enumerate(states, first)]
    before = tx.execute(select(func.coalesce(func.max(events.c.event_id), 0))).scalar_one()
    append_many(tx, [_event(world, sequence, moment) for sequence, _, moment in standing])
    written = events.c.event_id > before
    tx.execute(update(events).where(written).values(matched=1))
    ids = tx.execute(select(events.c.event_id).where(written).order_by(events.c.event_id)).scalars().all()
    if first == 1:
        tx.execute(update(events).where(events.c.event_id == ids[0]).values(type="hook.verify", hook_id=hook_id))
    rows = [_row(*each, event_id=event_id, hook_id=hook_id, lane=lane) for each, event_id in zip(standing, ids, strict=True)]
    tx.execute(insert(deliveries), rows)
    tx.execute(insert(attempts), [attempt for each in standing for attempt in _attempts(hook_id, *each)])
    tx.execute(update(hook_counters).where(hook_counters.c.hook_id == hook_id).values(last_sequence=standing[-1][0]))


def _event(world: World, item_id: int, moment: int) -> NewEvent:
    parameters = {"item_id": str(item_id), "item_revision_id": "1", "external_id": ""}
    return NewEvent("item.update", world.space_id, world.app_id, item_id, parameters, world.user.author, moment)


def _row(sequence: int, state: str, moment: int, **more: object) -> dict[str, object]:
    return {
        **more,
        "sequence": sequence,
        "state": state,
        "attempts": 2,
        "due_at": moment,
        "lease_id": int(state == "sending"),
        "reason": None if state == "delivered" else "status",
        "created_at": moment,
        "ended_at": moment if state in ENDED else None,
    }


def _attempts(hook_id: int, sequence: int, state: str, moment: int) -> Iterator[dict[str, object]]:
    for number, reason in enumerate(("status", None if state == "delivered" else "status"), 1):
        name = {"hook_id": hook_id, "sequence": sequence, "number": number, "started_at": moment + number}
        yield {**name, "reason": reason, "sent": b"", "ended_after": 1}
