"""How a hook has been doing over the last day, at a glance: its attempts by the quarter of an hour, and what waits.

Settle counts each batch of attempts into `hook_slots` (`count_attempts`), one row for a hook and a quarter, so that a glance
adds up at most 96 rows, and looks at few attempts. What is older than two days nobody looks at, and it is forgotten.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec import Struct
from sqlalchemy import Integer, bindparam, delete, func, literal_column, select

from tidings.clock import DAY, HOUR, MINUTE
from tidings.hooks.reach import reach_hook
from tidings.store.database import Tx
from tidings.store.schema import attempts, deliveries, events, hook_counters, hook_slots
from tidings.store.schema import hook_health as healths
from tidings.store.statements import Statement, run_on_driver
from tidings.workspace.access import Caller

QUARTER = 15 * MINUTE
SHOWN = DAY
KEPT = 2 * DAY
WAITING_COUNTED = 10_000
LATENCIES = 200  # attempts that the latencies are of


class Slot(Struct, frozen=True):
    """The attempts of a while that began at `began_at`, in microseconds since the epoch."""

    began_at: int
    delivered: int
    failed: int


class Strip(Struct, frozen=True):
    """A while, slot after slot, the oldest first, and what they come to."""

    slots: list[Slot]
    delivered: int
    failed: int

    @property
    def rate(self) -> float | None:
        """Of success, from 0 to 1; None: there were no attempts."""
        return self.delivered / (self.delivered + self.failed) if self.delivered or self.failed else None


class Health(Struct, frozen=True):
    """A hook at a glance. Moments are microseconds since the epoch."""

    hook_id: int
    strip: Strip  # 96 quarters of an hour; the last is the present one
    waiting: int  # deliveries that have not ended
    more_waiting: bool  # there are more of them than were counted
    oldest_waiting_at: int | None  # when the event of the oldest of them happened
    p50: int | None  # microseconds that an answer took, of the last attempts that had one
    p95: int | None
    failures_in_row: int
    last_success_at: int | None
    last_failure_at: int | None
    last_reason: str | None
    last_status: int | None


# --- counting ------------------------------------------------------------------------------------------------------------

Counted = Mapping[tuple[int, int], tuple[int, int]]
"""For a hook and the beginning of a quarter: how many attempts delivered, and how many failed."""


def quarter_of(moment: int) -> int:
    """When the quarter of an hour began in which `moment` is."""
    return moment - moment % QUARTER


def count_attempts(tx: Tx, counted: Counted) -> None:
    """Add a batch of attempts to the slots, in one order for everybody: two processes never wait for each other in a circle."""
    rows = [(*name, *numbers) for name, numbers in sorted(counted.items())]
    if not rows:
        return
    if tx.dialect.name == "sqlite":
        run_on_driver(tx, _ADD, rows, many=True)
    else:
        tx.exec_driver_sql(_ADD_MANY, tuple(list(values) for values in zip(*rows, strict=True)))


_ADD = """
    INSERT INTO hook_slots (hook_id, began_at, delivered, failed) VALUES (?, ?, ?, ?)
    ON CONFLICT (hook_id, began_at)
    DO UPDATE SET delivered = hook_slots.delivered + excluded.delivered, failed = hook_slots.failed + excluded.failed"""
_ADD_MANY = _ADD.replace("VALUES (?, ?, ?, ?)", "SELECT * FROM unnest(%s::integer[], %s::bigint[], %s::integer[], %s::integer[])")


def prune_slots(tx: Tx, *, now: int) -> None:
    """Forget the slots that nobody looks at any more, hook by hook: each by its key."""
    known = select(hook_counters.c.hook_id)
    tx.execute(delete(hook_slots).where(hook_slots.c.hook_id.in_(known), hook_slots.c.began_at < now - KEPT))


# --- a glance --------------------------------------------------------------------------------------------------------------


def hook_health(tx: Tx, caller: Caller, hook_id: int, *, now: int) -> Health:
    """How a hook has been doing. Raises `NotFound`, `Forbidden`, `Gone`."""
    reach_hook(tx, caller, hook_id)
    mine = {"hook_id": hook_id}
    begun = quarter_of(now) - SHOWN + QUARTER
    slots = {row[0]: Slot(*row) for row in _SLOTS.all(tx, mine | {"since": begun})}
    waiting = (_WAITING.first(tx, mine | {"limit": WAITING_COUNTED + 1}) or (0,))[0]
    oldest = _OLDEST.first(tx, mine)
    took = sorted(ended for status, ended in _LATENCIES.all(tx, mine) if status is not None)
    state = _HEALTH.first(tx, mine) or (0, None, None, None, None)
    return Health(
        hook_id,
        _strip(slots, begun, QUARTER, now),
        min(waiting, WAITING_COUNTED),
        waiting > WAITING_COUNTED,
        oldest[0] if oldest else None,
        _quantile(took, 50),
        _quantile(took, 95),
        *state,
    )


_FROM_THE_FIRST = literal_column("0", Integer)  # SQLAlchemy would bind it, and a `Statement` binds what it is given alone
_MINE = hook_slots.c.hook_id == bindparam("hook_id")
_SLOTS = Statement(
    select(hook_slots.c.began_at, hook_slots.c.delivered, hook_slots.c.failed).where(_MINE, hook_slots.c.began_at >= bindparam("since"))
)
_unended = deliveries.alias("unended")
_UNENDED = (_unended.c.hook_id == bindparam("hook_id"), _unended.c.ended_at.is_(None))
_WAITING = Statement(
    select(func.count()).select_from(
        select(_unended.c.sequence).where(*_UNENDED).limit(bindparam("limit")).offset(_FROM_THE_FIRST).subquery()
    )
)
_OLDEST = Statement(
    select(events.c.created_at)
    .join(deliveries, deliveries.c.event_id == events.c.event_id)
    .where(
        deliveries.c.hook_id == bindparam("hook_id"),
        deliveries.c.sequence == select(func.min(_unended.c.sequence)).where(*_UNENDED).scalar_subquery(),
    )
)
_LATENCIES = Statement(
    select(attempts.c.status, attempts.c.ended_after)
    .where(attempts.c.hook_id == bindparam("hook_id"))
    .order_by(attempts.c.sequence.desc(), attempts.c.started_at.desc())
    .limit(literal_column(str(LATENCIES)))
    .offset(_FROM_THE_FIRST)
)
_HEALTH = Statement(
    select(
        healths.c.failures_in_row,
        healths.c.last_success_at,
        healths.c.last_failure_at,
        healths.c.last_reason,
        healths.c.last_status,
    ).where(healths.c.hook_id == bindparam("hook_id"))
)


def _strip(found: Mapping[int, Slot], begun: int, width: int, now: int) -> Strip:
    """All slots from `begun` on, those without attempts too."""
    slots = [found.get(began_at) or Slot(began_at, 0, 0) for began_at in range(begun, now + 1, width)]
    return Strip(slots, sum(slot.delivered for slot in slots), sum(slot.failed for slot in slots))


def _quantile(ordered: list[int], percent: int) -> int | None:
    return ordered[(len(ordered) - 1) * percent // 100] if ordered else None


def health_of_many(tx: Tx, hook_ids: Iterable[int], *, now: int) -> dict[int, Strip]:
    """The strips of many hooks, by their ids: 24 hours each. Asks for no right: the caller has been shown the hooks."""
    begun = now - now % HOUR - SHOWN + HOUR
    ids = sorted(set(hook_ids))
    found: dict[int, dict[int, Slot]] = {hook_id: {} for hook_id in ids}
    for hook_id, began_at, delivered, failed in tx.execute(_HOURS, {"ids": ids, "since": begun}):
        found[hook_id][began_at] = Slot(began_at, delivered, failed)
    return {hook_id: _strip(slots, begun, HOUR, now) for hook_id, slots in found.items()}


_HOUR = (hook_slots.c.began_at - hook_slots.c.began_at % HOUR).label("hour")
_HOURS = (
    select(hook_slots.c.hook_id, _HOUR, func.sum(hook_slots.c.delivered), func.sum(hook_slots.c.failed))
    .where(hook_slots.c.hook_id.in_(bindparam("ids", expanding=True)), hook_slots.c.began_at >= bindparam("since"))
    .group_by(hook_slots.c.hook_id, _HOUR)
)
