"""Claims: the slow lane. Leases what is due again: retries, leases that ran out, and what fan-out had no room for.

The oldest due go first. Hooks that have no room are left out by name, so that the backlog of one costs the others a walk
over an index and nothing else. Where a hook wants its objects' events in order, only the first unfinished delivery of a
lane can be claimed. On PostgreSQL, rows that another process is just claiming are skipped.

When hooks have changed, what deleted and inactive ones were still to be told is cancelled, however far off it is due.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct
from sqlalchemy import and_, or_, select

from tidings.delivery.deliveries import EVENT_COLUMNS, NOBODY, Delivery, Event
from tidings.delivery.fanout import Room
from tidings.delivery.leases import holds
from tidings.delivery.payloads import read_whole
from tidings.events.types import VERIFY
from tidings.hooks.index import fresh_index
from tidings.hooks.matching import Hook, HookIndex
from tidings.store.database import Tx
from tidings.store.rows import update_rows
from tidings.store.schema import deliveries, events, hooks
from tidings.store.sealing import Keyring

BATCH = 500  # deliveries a transaction


class Claimed(Struct):
    """What one transaction of claims did."""

    index: HookIndex
    leased: list[Delivery]
    cancelled: int  # their hook wants them no more
    more: bool  # there may be more to do at once
    swept: int  # the version of the hooks whose unwanted deliveries have all been cancelled


def claim(tx: Tx, keyring: Keyring, held: HookIndex, lease_id: int, room: Room, full: Sequence[int], *, swept: int, now: int) -> Claimed:
    """Lease up to `BATCH` due deliveries, none of the hooks in `full`. `now` is in microseconds since the epoch.

    `swept` is what the round before has answered, 0 for the first.
    """
    if not holds(tx, lease_id):
        return Claimed(held, [], 0, more=False, swept=swept)
    rows = tx.exec_driver_sql(_due_text(tx.dialect.name, full), (now,)).all()
    index = fresh_index(tx, keyring, held)
    leased: list[Delivery] = []
    unwanted: list[tuple[object, ...]] = []
    left: dict[int, int] = {}
    for hook_id, sequence, attempts, lane, reason, earlier, replay_id, *event in rows:
        hook, what = index.by_id.get(hook_id), Event(*event)
        if why := why_unwanted(hook, what.type):
            unwanted.append(("cancelled", why, now, NOBODY, hook_id, sequence))
            continue
        assert hook is not None
        if left.setdefault(hook_id, room(hook)) > 0:
            left[hook_id] -= 1
            again = {"earlier": earlier, "replay_id": replay_id}
            leased.append(Delivery(hook_id, sequence, what, hook, lease_id, lane, attempts, reason, **again))
    read_whole(tx, leased)
    update_rows(tx, deliveries, _KEY, ("state", "lease_id"), [("sending", lease_id, d.hook_id, d.sequence) for d in leased])
    update_rows(tx, deliveries, _KEY, _CANCELLED, unwanted)
    far_off = _sweep(tx, now) if index.version != swept else 0
    more = len(rows) == BATCH or far_off == BATCH
    return Claimed(index, leased, len(unwanted) + far_off, more, swept if far_off == BATCH else index.version)


def why_unwanted(hook: Hook | None, event_type: str) -> str | None:
    """Why a delivery of `event_type` to `hook` (None: it was deleted) is not to be sent any more, or None."""
    if hook is None:
        return "hook_deleted"
    if event_type == VERIFY.name:
        return None if hook.awaits_code else "verified"
    return None if hook.active else "hook_inactive"


def _sweep(tx: Tx, now: int) -> int:
    """Cancel up to `BATCH` deliveries that are not due yet and not wanted any more; answers how many."""
    unwanted = [(hook_id, sequence, "hook_deleted" if deleted else "hook_inactive") for hook_id, sequence, deleted in tx.execute(_UNWANTED)]
    update_rows(tx, deliveries, _KEY, _CANCELLED, [("cancelled", why, now, NOBODY, *name) for *name, why in unwanted])
    return len(unwanted)


_UNWANTED = (
    select(deliveries.c.hook_id, deliveries.c.sequence, hooks.c.deleted_at.is_not(None))
    .join(hooks, hooks.c.hook_id == deliveries.c.hook_id)
    .join(events, events.c.event_id == deliveries.c.event_id)
    .where(
        deliveries.c.lease_id == NOBODY,
        deliveries.c.ended_at.is_(None),
        or_(hooks.c.deleted_at.is_not(None), and_(hooks.c.status == "inactive", events.c.type != VERIFY.name)),
    )
    .limit(BATCH)
    .with_for_update(of=deliveries, skip_locked=True)
)
_KEY = ("hook_id", "sequence")
_CANCELLED = ("state", "reason", "ended_at", "lease_id")
_EVENT = ", ".join(f"e.{name}" for name in EVENT_COLUMNS.split(", "))


def _due_text(dialect: str, full: Sequence[int]) -> str:
    mark, lock = ("?", "") if dialect == "sqlite" else ("%s", " FOR UPDATE OF d SKIP LOCKED")
    left_out = f" AND d.hook_id NOT IN ({', '.join(map(str, full))})" if full else ""  # ids of ours, all whole numbers
    return f"""
        SELECT d.hook_id, d.sequence, d.attempts, d.lane, d.reason, d.earlier, d.replay_id, {_EVENT}
        FROM deliveries AS d JOIN events AS e ON e.event_id = d.event_id
        WHERE d.lease_id = {NOBODY} AND d.ended_at IS NULL AND d.due_at <= {mark}{left_out}
          AND (d.lane IS NULL OR NOT EXISTS (
              SELECT 1 FROM deliveries AS earlier
              WHERE earlier.hook_id = d.hook_id AND earlier.lane = d.lane AND earlier.lane IS NOT NULL
                AND earlier.ended_at IS NULL AND earlier.sequence < d.sequence))
        ORDER BY d.due_at LIMIT {BATCH}{lock}"""
