"""Fan-out: takes the oldest events that wait, finds the hooks that want each, and writes one delivery for each pair.

Deliveries are written leased to this process (as far as it has room for them), so that nothing has to be claimed before
it is sent. Events are marked in the same transaction: a crash leaves either both or neither. On SQLite that is mostly the
transaction of the changes themselves, whose end it rides along with (ADR 0011); otherwise one of its own.

Numbers. Each delivery gets its hook's next number, from a counter moved in the same transaction. On PostgreSQL one process
at a time fans out, under an advisory lock that the transaction holds: ids of events come from a sequence there, so commit
order is told by nothing but the locks on the objects that changed; with a single reader taking what is committed in id
order, the events of one object are always met in commit order, and so are numbered (ADR 0004).

Order. Where a hook wants its objects' events in order, a delivery is leased only if no earlier one of its lane is unfinished,
or all of those are in this very batch, whose lanes keep the order in memory. Otherwise it waits for `claims`. What is meant
for one hook alone has not happened to the object: it stands in no lane.

What brings its code to the URL that a hook moves to needs no room: that the present URL does badly is often why it moves.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence

from msgspec import Struct
from sqlalchemy import bindparam, select, text

from tidings.delivery.deliveries import EVENT_COLUMNS, Delivery, Event, waits_under
from tidings.delivery.leases import holds
from tidings.delivery.payloads import read_whole
from tidings.hooks.index import fresh_index
from tidings.hooks.matching import Hook, HookIndex
from tidings.store.database import Tx
from tidings.store.rows import insert_rows, update_rows
from tidings.store.schema import deliveries, events, hook_counters
from tidings.store.sealing import Keyring
from tidings.store.statements import Statement

BATCH = 500  # events a transaction
LOCK_NUMBER = 0x71D1496  # PostgreSQL advisory lock

Room = Callable[[Hook], int]
"""How many deliveries of a hook this process would take."""


class FannedOut(Struct):
    """What one transaction of fan-out did."""

    index: HookIndex
    events: list[Event]
    leased: list[Delivery]
    overflow: int  # written as pending, for `claims` to pick up
    locked_out: bool = False  # another process is at it


_WAITING = Statement(text(f"SELECT {EVENT_COLUMNS} FROM events WHERE matched IS NULL ORDER BY event_id LIMIT {BATCH}"))
_COUNTERS = (
    select(hook_counters.c.hook_id, hook_counters.c.last_sequence)
    .where(hook_counters.c.hook_id.in_(bindparam("hooks", expanding=True)))
    .order_by(hook_counters.c.hook_id)
    .with_for_update()
)
_COLUMNS = ("hook_id", "sequence", "event_id", "lane", "state", "attempts", "due_at", "lease_id", "created_at")


def fan_out(tx: Tx, keyring: Keyring, held: HookIndex, lease_id: int, room: Room, *, now: int) -> FannedOut:
    """Fan out up to `BATCH` events. `held` is the index in memory, `now` microseconds since the epoch."""
    if not _alone(tx):
        return FannedOut(held, [], [], 0, locked_out=True)
    waiting = [Event(*row) for row in _WAITING.all(tx, {})]
    if not waiting:
        return FannedOut(held, [], [], 0)
    index = fresh_index(tx, keyring, held)  # after the events were read, see `hooks/index.py`
    matched = [(event, index.match(event)) for event in waiting]
    numbered = _number(tx, matched, lease_id)
    leased, overflow = _share(numbered, room if holds(tx, lease_id) else None, _occupied_lanes(tx, numbered))
    for delivery in overflow:
        delivery.lease_id = waits_under(delivery.hook, delivery.lane)
    read_whole(tx, leased)
    insert_rows(tx, deliveries, _COLUMNS, [*_rows(leased, "sending", now), *_rows(overflow, "pending", now)])
    update_rows(tx, events, ("event_id",), ("matched",), [(len(hooks), event.event_id) for event, hooks in matched])
    return FannedOut(index, waiting, leased, len(overflow))


def _alone(tx: Tx) -> bool:
    if tx.dialect.name == "sqlite":
        return True  # its one writer is us
    return bool(tx.exec_driver_sql(f"SELECT pg_try_advisory_xact_lock({LOCK_NUMBER})").scalar())


def _number(tx: Tx, matched: Sequence[tuple[Event, Sequence[Hook]]], lease_id: int) -> list[Delivery]:
    """One delivery for each pair, with its hook's next number."""
    counts = Counter(hook.hook_id for _, hooks in matched for hook in hooks)
    if not counts:
        return []
    last = {row.hook_id: row.last_sequence for row in tx.execute(_COUNTERS, {"hooks": sorted(counts)})}
    update_rows(
        tx, hook_counters, ("hook_id",), ("last_sequence",), [(last[hook_id] + n, hook_id) for hook_id, n in sorted(counts.items())]
    )
    numbered = []
    for event, hooks in matched:
        for hook in hooks:
            hook_id = hook.hook_id
            last[hook_id] += 1
            lane = event.lane if hook.order == "object" and event.hook_id is None else None
            numbered.append(Delivery(hook_id, last[hook_id], event, hook, lease_id, lane))
    return numbered


def _occupied_lanes(tx: Tx, numbered: Iterable[Delivery]) -> set[tuple[int, str]]:
    """The lanes among these that hold an unfinished delivery already."""
    wanted: defaultdict[int, set[str]] = defaultdict(set)
    for delivery in numbered:
        if delivery.lane is not None:
            wanted[delivery.hook_id].add(delivery.lane)
    return {
        (hook_id, lane)
        for hook_id, lanes in wanted.items()
        for lane in tx.execute(_OCCUPIED, {"hook_id": hook_id, "lanes": sorted(lanes)}).scalars()
    }


_OCCUPIED = (
    select(deliveries.c.lane)
    .distinct()
    .where(
        deliveries.c.hook_id == bindparam("hook_id"),
        deliveries.c.lane.in_(bindparam("lanes", expanding=True)),
        deliveries.c.ended_at.is_(None),
    )
)


def _share(numbered: Iterable[Delivery], room: Room | None, occupied: set[tuple[int, str]]) -> tuple[list[Delivery], list[Delivery]]:
    """What this process takes for itself, and what it leaves: more than it has room for, and lanes that are occupied.

    `room` is None where it may take nothing.
    """
    left: dict[int, int] = {}
    leased: list[Delivery] = []
    overflow: list[Delivery] = []
    for delivery in numbered:
        hook_id = delivery.hook_id
        if hook_id not in left:
            left[hook_id] = room(delivery.hook) if room and not delivery.hook.paused else 0
        if delivery.lane is not None and (hook_id, delivery.lane) in occupied:
            overflow.append(delivery)
        elif left[hook_id] > 0:
            left[hook_id] -= 1
            leased.append(delivery)
        elif room and delivery.proves_next_url and not delivery.hook.paused:
            leased.append(delivery)
        else:
            overflow.append(delivery)
            if delivery.lane is not None:
                occupied.add((hook_id, delivery.lane))  # what comes after it in its lane waits behind it
    return leased, overflow


def _rows(numbered: Iterable[Delivery], state: str, now: int) -> list[tuple[object, ...]]:
    return [(d.hook_id, d.sequence, d.event.event_id, d.lane, state, 0, now, d.lease_id, now) for d in numbered]
