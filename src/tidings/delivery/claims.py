"""Claims: the slow lane. Leases what is due again: retries, leases that ran out, and what fan-out had no room for.

The oldest due go first. Where a hook wants its objects' events in order, only the first unfinished delivery of a lane can be
claimed; and with it, if it has not failed, those right behind it, as many as there is room for, since our lanes keep the order in
memory. (One of them a round, and a busy object's backlog would shrink by as many a second as there are rounds.) On PostgreSQL,
rows that another process is just claiming are skipped.

What is due and may not go, since its hook is paused or has no room, is put aside, under a lease of the hook's own
(`waits_under`), and is in nobody's way there, however much it is. It comes back as the hook has room, what was due first in
front. Only what stands in a lane is not put aside for want of room, since the first of a lane may be due last, and would
come back behind all that waits for it: those hooks are left out by name, at the cost of a walk over an index.

When hooks have changed, what deleted and inactive ones were still to be told is cancelled, however far off it is due.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from msgspec import Struct
from sqlalchemy import bindparam, func, select, update

from tidings.delivery.deliveries import NOBODY, Delivery, Event, waits_under
from tidings.delivery.due import BATCH, START, Place, read_behind, read_due
from tidings.delivery.fanout import Room
from tidings.delivery.leases import holds
from tidings.delivery.payloads import read_whole
from tidings.events.types import VERIFY
from tidings.hooks.index import fresh_index
from tidings.hooks.matching import Hook, HookIndex
from tidings.store.database import Tx
from tidings.store.rows import update_rows
from tidings.store.schema import deliveries
from tidings.store.sealing import Keyring
from tidings.store.statements import Statement


class Claimed(Struct):
    """What one transaction of claims did."""

    index: HookIndex
    leased: list[Delivery]
    cancelled: int  # their hook wants them no more
    more: bool  # there may be more to do at once
    swept: int  # the version of the hooks whose unwanted deliveries have all been cancelled
    walked: Place = START  # where the next round goes on; `START`: all that is due was looked at


def claim(
    tx: Tx,
    keyring: Keyring,
    held: HookIndex,
    lease_id: int,
    room: Room,
    full: Sequence[int],
    *,
    swept: int,
    walked: Place = START,
    now: int,
) -> Claimed:
    """Lease some hundred due deliveries, but for codes none of the hooks in `full`. `now` is in microseconds since the epoch.

    `swept` and `walked` are what the round before has answered, 0 and `START` for the first.
    """
    if not holds(tx, lease_id):
        return Claimed(held, [], 0, more=False, swept=swept)
    left = _Left(room, full)
    brought = _bring_back(tx, fresh_index(tx, keyring, held), left)
    rows, walked = read_due(tx, full, walked, now)
    # Once more, after the events were read, see `hooks/index.py`.
    sorting = _Sorting(fresh_index(tx, keyring, held), left, lease_id, now)
    for row in rows:
        sorting.sort(*row)
    _follow_heads(tx, sorting, now)
    read_whole(tx, sorting.leased)
    update_rows(tx, deliveries, _KEY, ("state", "lease_id"), [("sending", lease_id, d.hook_id, d.sequence) for d in sorting.leased])
    update_rows(tx, deliveries, _KEY, _CANCELLED, sorting.unwanted)
    update_rows(tx, deliveries, _KEY, ("lease_id",), sorting.aside)
    index = sorting.index
    far_off = _sweep(tx, index, now) if index.version != swept else 0
    more = brought or len(rows) >= BATCH or far_off == BATCH
    cancelled = len(sorting.unwanted) + far_off
    return Claimed(index, sorting.leased, cancelled, more, swept if far_off == BATCH else index.version, walked)


class _Sorting:
    """What is due, by what becomes of it."""

    def __init__(self, index: HookIndex, left: _Left, lease_id: int, now: int) -> None:
        self.index = index
        self.left = left
        self.leased: list[Delivery] = []
        self.unwanted: list[tuple[object, ...]] = []
        self.aside: list[tuple[object, ...]] = []
        self._lease_id = lease_id
        self._now = now

    def sort(
        self,
        hook_id: int,
        sequence: int,
        attempts: int,
        lane: str | None,
        reason: str | None,
        earlier: int | None,
        replay_id: int | None,
        *event: Any,
    ) -> bool:
        """Sort one row in; answers whether what comes behind it in its lane may be sorted in too."""
        hook, what = self.index.by_id.get(hook_id), Event(*event)
        if why := why_unwanted(hook, what):
            self.unwanted.append(("cancelled", why, self._now, NOBODY, hook_id, sequence))
            return True
        assert hook is not None
        held = (self._lease_id, lane, attempts, reason)
        delivery = Delivery(hook_id, sequence, what, hook, *held, earlier=earlier, replay_id=replay_id)
        if not hook.paused and (delivery.proves_next_url or self.left.take(hook)):
            self.leased.append(delivery)
            return True
        if (waits := waits_under(hook, lane)) != NOBODY:
            self.aside.append((waits, hook_id, sequence))
        return False


def _follow_heads(tx: Tx, sorting: _Sorting, now: int) -> None:
    """Lease, behind each first of a lane that has not failed, those that may go after it: up to `BATCH` in all."""
    heads = [delivery for delivery in sorting.leased if delivery.lane is not None and not delivery.attempts]
    most = max(0, BATCH - len(sorting.leased)) // len(heads) if heads else 0
    taken = {(head.hook_id, head.sequence) for head in heads}  # two of one lane, where another process has just put one back into it
    for head in heads:
        limit = min(most, sorting.left.of(head.hook))
        if limit <= 0:
            continue
        for is_free, *row in read_behind(tx, head, limit, now):
            if not is_free or (row[0], row[1]) in taken or not sorting.sort(*row):
                break


class _Left:
    """How many deliveries more of each hook may be leased in this round."""

    def __init__(self, room: Room, full: Sequence[int]) -> None:
        self._room = room
        self._left = dict.fromkeys(full, 0)

    def of(self, hook: Hook) -> int:
        if hook.hook_id not in self._left:
            self._left[hook.hook_id] = self._room(hook)
        return self._left[hook.hook_id]

    def take(self, hook: Hook) -> bool:
        if self.of(hook) <= 0:
            return False
        self._left[hook.hook_id] -= 1
        return True


def why_unwanted(hook: Hook | None, event: Event) -> str | None:
    """Why `hook` (None: it was deleted) is not to be told of `event` any more, or None."""
    if hook is None:
        return "hook_deleted"
    if event.type == VERIFY.name:
        return _why_not_verify(hook, event)
    return None if hook.active else "hook_inactive"


def _why_not_verify(hook: Hook, event: Event) -> str | None:
    """A code is sent only while it is the hook's, and so only to the URL that it was made for: see `hooks/verification.py`."""
    if hook.code is None:
        return "verified"
    return None if json.loads(event.parameters)["code"] == hook.code else "superseded"


def _bring_back(tx: Tx, index: HookIndex, left: _Left) -> bool:
    """Let what was put aside be claimed: as far as its hook has room, and where the hook was deleted. Answers whether there
    was any.

    Asked in every round and not only when hooks have changed, since another process may put something aside just then.
    """
    found, lease_id = False, NOBODY
    while (lease_id := _next_aside(tx, lease_id)) != NOBODY:
        hook = index.by_id.get(-lease_id)
        limit = BATCH if hook is None else 0 if hook.paused else min(BATCH, left.of(hook))
        if limit > 0:
            found |= bool(tx.execute(_BRING_BACK, {"aside": lease_id, "of_hook": -lease_id, "most": limit}).rowcount)
    return found


def _next_aside(tx: Tx, below: int) -> int:
    """The next lease under which something is put aside, `NOBODY` where there is none: one step into an index."""
    [(lease_id,)] = _NEXT_ASIDE.all(tx, {"below": below})
    return lease_id or NOBODY


_NEXT_ASIDE = Statement(
    select(func.max(deliveries.c.lease_id)).where(deliveries.c.lease_id < bindparam("below"), deliveries.c.ended_at.is_(None))
)
_FIRST_ASIDE = (
    select(deliveries.c.sequence)
    .where(deliveries.c.lease_id == bindparam("aside"), deliveries.c.ended_at.is_(None))
    .order_by(deliveries.c.due_at, deliveries.c.hook_id, deliveries.c.sequence)  # as the index has them
    .limit(bindparam("most"))
    .with_for_update(skip_locked=True)
)
_BRING_BACK = (
    update(deliveries)
    .where(deliveries.c.hook_id == bindparam("of_hook"), deliveries.c.sequence.in_(_FIRST_ASIDE.scalar_subquery()))
    .values(lease_id=NOBODY)
)


def _sweep(tx: Tx, index: HookIndex, now: int) -> int:
    """Cancel up to `BATCH` deliveries that are not due yet and not wanted any more; answers how many.

    One step into an index for each hook of which anything is unfinished: what waits for the others is not walked over.
    """
    unwanted: list[tuple[object, ...]] = []
    hook_id = 0
    while len(unwanted) < BATCH and (hook_id := _next_unfinished(tx, hook_id)):
        hook = index.by_id.get(hook_id)
        if hook is None or not hook.active:
            # The hook is looked at once more: it may have been made, or become active, since the index was read.
            found = tx.exec_driver_sql(_unwanted_text(tx.dialect.name), (hook_id, BATCH - len(unwanted)))
            unwanted += [
                ("cancelled", "hook_deleted" if deleted else "hook_inactive", now, NOBODY, hook_id, sequence) for sequence, deleted in found
            ]
    update_rows(tx, deliveries, _KEY, _CANCELLED, unwanted)
    return len(unwanted)


def _next_unfinished(tx: Tx, after: int) -> int:
    [(hook_id,)] = _NEXT_UNFINISHED.all(tx, {"after": after})
    return hook_id or 0


_NEXT_UNFINISHED = Statement(
    select(func.min(deliveries.c.hook_id)).where(deliveries.c.hook_id > bindparam("after"), deliveries.c.ended_at.is_(None))
)


def _unwanted_text(dialect: str) -> str:
    # SQLite would take the primary key, and walk over all that has ended.
    mark, index, lock = (
        ("?", " INDEXED BY ix_deliveries_waiting", "") if dialect == "sqlite" else ("%s", "", " FOR UPDATE OF d SKIP LOCKED")
    )
    return f"""
        SELECT d.sequence, h.deleted_at IS NOT NULL FROM deliveries AS d{index}
        JOIN events AS e ON e.event_id = d.event_id JOIN hooks AS h ON h.hook_id = d.hook_id
        WHERE d.hook_id = {mark} AND d.lease_id <= {NOBODY} AND d.ended_at IS NULL
          AND (h.deleted_at IS NOT NULL OR (h.status = 'inactive' AND e.type <> '{VERIFY.name}'))
        LIMIT {mark}{lock}"""


_KEY = ("hook_id", "sequence")
_CANCELLED = ("state", "reason", "ended_at", "lease_id")
