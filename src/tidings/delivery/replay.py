"""Replay: many deliveries of one hook, asked for again: by state, type and time, with a plan first and a rate.

A replay is a row that says what is meant, how fast, and how far it has come; the engine releases it piece by piece
(`release.py`), in order of sequence, so that it goes on after a restart and can be stopped at any time. What is released is
a delivery like any other, marked with the replay (see `redelivery.py` for what it keeps).

Meant is what has ended in one of the states asked for: never a verification nor a trial, which are for one hook at one
moment, and nothing that came after the replay was asked for. One replay at a time runs for a hook.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Literal

import msgspec
from msgspec import Struct
from sqlalchemy import ColumnElement, RowMapping, exists, func, insert, select, text, update

from tidings.delivery.deliveries import NOBODY
from tidings.delivery.history import SLACK, first_since
from tidings.delivery.redelivery import check_sends
from tidings.errors import Conflict, Invalid, NotFound
from tidings.events.types import EVENT_TYPES
from tidings.hooks.reach import lock_hook, reach_hook
from tidings.store.database import Tx
from tidings.store.schema import attempts, deliveries, events, replays
from tidings.workspace.access import Caller
from tidings.workspace.names import not_one_of

Ended = Literal["delivered", "exhausted", "cancelled"]

STATES: tuple[Ended, ...] = ("delivered", "exhausted", "cancelled")
"""What a delivery can have ended as."""
UNDELIVERED: tuple[Ended, ...] = ("exhausted", "cancelled")

DEFAULT_RATE = 10  # deliveries a second
HIGHEST_RATE = 1_000
LISTED = 50

_words = msgspec.json.Decoder(tuple[str, ...]).decode


class Wanted(Struct, frozen=True):
    """Which deliveries are meant. Moments are microseconds since the epoch, of the events' commit; None: no bound."""

    states: tuple[str, ...] = UNDELIVERED
    types: tuple[str, ...] = ()  # none: all
    since: int | None = None
    until: int | None = None  # this moment itself is not meant

    def check(self) -> None:
        """Raise `Invalid` for a state or a type that there is not, no state at all, or an end before the beginning."""
        if not self.states:
            raise Invalid("states: at least one is needed", parameters={"states": list(STATES)})
        for word, allowed, name in (*((s, STATES, "states") for s in self.states), *((t, tuple(EVENT_TYPES), "types") for t in self.types)):
            if word not in allowed:
                raise not_one_of(word, allowed, name)
        if self.since is not None and self.until is not None and self.since >= self.until:
            raise Invalid("until: must be after since", parameters={"field": "until"})


class Plan(Struct, frozen=True):
    """What a replay would come to, if it began now. Moments are microseconds since the epoch, None where nothing is meant."""

    total: int
    first_at: int | None  # of the first event that is meant
    last_at: int | None
    seconds: float  # how long it would take, if nothing else holds it up
    rate: int
    states: dict[str, int]  # how many of each
    types: dict[str, int]
    first_sequence: int | None = None
    last_sequence: int | None = None
    more: tuple[str, ...] = ()  # the states of which there are more than were counted


class Replay(Struct, frozen=True):
    """A replay as people see it. What was released and asked for again since then is in none of the last four counts."""

    replay_id: int
    hook_id: int
    wanted: Wanted
    rate: int  # deliveries a second at most
    total: int  # how many were meant when it began
    released: int  # given to the line so far
    delivered: int
    failed: int  # exhausted or cancelled since
    waiting: int  # released, and not ended
    retrying: int  # of those, the ones that have been tried, and wait for their next attempt
    state: str  # running | finished (all is released) | stopped
    created_by: str
    created_at: int
    ended_at: int | None


def plan_replay(
    tx: Tx, caller: Caller, hook_id: int, wanted: Wanted, rate: int = DEFAULT_RATE, *, counted: int | None = None
) -> Plan:  # fmt: skip
    """What `start_replay` would do. Raises `NotFound` and `Forbidden` as the hook does, and `Invalid`.

    With `counted`, no more than so many of each state are counted: where a million are meant, to count them takes a while.
    """
    return _plan(tx, reach_hook(tx, caller, hook_id), wanted, rate, counted)


def start_replay(tx: Tx, caller: Caller, hook_id: int, wanted: Wanted, rate: int = DEFAULT_RATE, *, now: int) -> Replay:
    """Begin to send again what is `wanted`, at most `rate` a second. `now` is in microseconds since the epoch.

    Raises as `plan_replay` does, `Invalid` where nothing is meant, and `Conflict` where a replay runs for this hook already
    or the hook is inactive or paused.
    """
    reach_hook(tx, caller, hook_id)
    hook = lock_hook(tx, hook_id)  # two replays asked for at once see each other
    check_sends(hook)
    running = tx.execute(select(replays.c.replay_id).where(replays.c.hook_id == hook_id, replays.c.state == "running")).scalar()
    if running is not None:
        raise Conflict(f"Replay {running} of this hook is running: wait for it or stop it", parameters={"replay_id": running})
    plan = _plan(tx, hook, wanted, rate)
    if not plan.total:
        raise Invalid("No delivery of this hook is meant: nothing has ended in these states at that time", parameters={"hook_id": hook_id})
    row = {
        "hook_id": hook_id,
        "states": msgspec.json.encode(wanted.states).decode(),
        "types": msgspec.json.encode(wanted.types).decode(),
        "since": wanted.since,
        "until": wanted.until,
        "rate": rate,
        "total": plan.total,
        "next_sequence": plan.first_sequence,
        "last_sequence": plan.last_sequence,
        "due_at": now,
        "state": "running",
        "created_by": caller.author,
        "created_at": now,
    }
    return _record(tx, tx.execute(insert(replays).values(**row).returning(replays)).mappings().one())


def get_replay(tx: Tx, caller: Caller, replay_id: int) -> Replay:
    """One replay, and how far it has come. Raises `NotFound`, `Forbidden`."""
    return _record(tx, _reach(tx, caller, replay_id))


def list_replays(tx: Tx, caller: Caller, hook_id: int, limit: int = LISTED) -> list[Replay]:
    """The newest `limit` replays of a hook, the newest first. Raises `NotFound`, `Forbidden`."""
    reach_hook(tx, caller, hook_id)
    newest = select(replays).where(replays.c.hook_id == hook_id).order_by(replays.c.replay_id.desc()).limit(limit)
    return [_record(tx, row) for row in tx.execute(newest).mappings().all()]


def stop_replay(tx: Tx, caller: Caller, replay_id: int, *, now: int) -> Replay:
    """Release nothing more, and take back what was released and not begun. What is being sent is sent, and what has failed
    is tried again on its schedule. A replay that is over stays as it is. Raises `NotFound`, `Forbidden`.

    It ends, with a time, when the engine has seen it: at once where a server runs.
    """
    _reach(tx, caller, replay_id)
    replay = tx.execute(select(replays).where(replays.c.replay_id == replay_id).with_for_update()).mappings().one()
    if replay["state"] == "running":
        taken = take_back(tx, replay["hook_id"], replay_id, now=now)
        stopped = {"state": "stopped", "released": replays.c.released - taken}
        tx.execute(update(replays).where(replays.c.replay_id == replay_id).values(**stopped))
    return get_replay(tx, caller, replay_id)


# --- what is meant -----------------------------------------------------------------------------------------------------


def wanted_of(replay: RowMapping) -> Wanted:
    """What a row of `replays` asks for."""
    return Wanted(_words(replay["states"]), _words(replay["types"]), replay["since"], replay["until"])


def meant(hook_id: int, wanted: Wanted) -> list[ColumnElement[bool]]:
    """The conditions on `deliveries` joined with their `events`."""
    conditions = [
        deliveries.c.hook_id == hook_id,
        deliveries.c.state.in_(wanted.states),
        events.c.hook_id.is_(None),  # a verification, or a trial, is for one hook
    ]
    if wanted.types:
        conditions.append(events.c.type.in_(wanted.types))
    if wanted.since is not None:
        conditions.append(events.c.created_at >= wanted.since)
    if wanted.until is not None:
        conditions.append(events.c.created_at < wanted.until)
    return conditions


class _Part(Struct, frozen=True):
    """What is meant of the deliveries that ended in one state."""

    state: str
    count: int
    more: bool  # there are more than were counted
    first: tuple[int, int]  # sequence, moment of its event
    last: tuple[int, int]


def _plan(tx: Tx, hook: RowMapping, wanted: Wanted, rate: int, most: int | None = None) -> Plan:
    wanted.check()
    if not 1 <= rate <= HIGHEST_RATE:
        raise Invalid(f"rate: must be from 1 to {HIGHEST_RATE} a second", parameters={"field": "rate"})
    parts: list[_Part] = []
    if not wanted.types or hook["type"] in wanted.types:  # all that a hook is told, but for what is meant for it alone, is of its type
        parts = [part for state in sorted(set(wanted.states)) if (part := _part(tx, hook["hook_id"], state, wanted, most))]
    total = sum(part.count for part in parts)
    first, last = min((part.first for part in parts), default=None), max((part.last for part in parts), default=None)
    return Plan(
        total=total,
        first_at=first and first[1],
        last_at=last and last[1],
        seconds=total / rate,
        rate=rate,
        states={part.state: part.count for part in parts},
        types={hook["type"]: total} if total else {},
        first_sequence=first and first[0],
        last_sequence=last and last[0],
        more=tuple(part.state for part in parts if part.more),
    )


def _part(tx: Tx, hook_id: int, state: str, wanted: Wanted, most: int | None) -> _Part | None:
    """Counted along an index and without a look at the events, but for the first and the last: those are told exactly."""
    first, last = (_edge(tx, hook_id, state, wanted, order) for order in ("", "DESC"))
    if first is None or last is None:
        return None
    place = {"hook": hook_id, "state": state, "first": _since(tx, hook_id, wanted.since), "last": last[0]}
    if wanted.until is not None:
        place["last"] = first_since(tx, hook_id, wanted.until) - 1
    these = f"SELECT 1 FROM {_way(tx, state)} AND d.sequence BETWEEN :first AND :last"  # noqa: S608 (words of ours)
    counting = text(f"SELECT count(*) FROM ({these}{'' if most is None else ' LIMIT :most'}) AS meant")  # noqa: S608 (as above)
    counted: int = tx.execute(counting, place if most is None else place | {"most": most + 1}).scalar_one()
    alone: int = tx.execute(_FOR_IT_ALONE, place).scalar_one()
    more = most is not None and counted > most
    return _Part(state, max(counted - more - alone, 1), more, first, last)


def _edge(tx: Tx, hook_id: int, state: str, wanted: Wanted, order: str) -> tuple[int, int] | None:
    """The first, or in descending order the last, that is meant: its number, and the moment of its event."""
    values = {"hook": hook_id, "state": state}
    conditions = "e.hook_id IS NULL"
    if wanted.since is not None:
        conditions += " AND d.sequence >= :low AND e.created_at + 0 >= :since"  # + 0: SQLite is not to go by the time of all events
        values |= {"low": _since(tx, hook_id, wanted.since - SLACK), "since": wanted.since}
    if wanted.until is not None:
        conditions += " AND d.sequence < :high AND e.created_at + 0 < :until"
        values |= {"high": first_since(tx, hook_id, wanted.until + SLACK), "until": wanted.until}
    way = _way(tx, state, " JOIN events AS e ON e.event_id = d.event_id")
    edge = text(f"SELECT d.sequence, e.created_at FROM {way} AND {conditions} ORDER BY d.sequence {order} LIMIT 1")  # noqa: S608 (as above)
    found = tx.execute(edge, values).first()
    return found and (found[0], found[1])


def _since(tx: Tx, hook_id: int, moment: int | None) -> int:
    return 1 if moment is None else first_since(tx, hook_id, moment)


def _way(tx: Tx, state: str, join: str = "") -> str:
    """The hook's deliveries of one state: along the index where there is one, which SQLite has to be told."""
    if state not in UNDELIVERED:
        return f"deliveries AS d{join} WHERE d.hook_id = :hook AND d.state = :state"
    index = " INDEXED BY ix_deliveries_undelivered" if tx.dialect.name == "sqlite" else ""
    return f"deliveries AS d{index}{join} WHERE d.hook_id = :hook AND d.state = :state AND d.state IN ('exhausted', 'cancelled')"


_FOR_IT_ALONE = text(
    # SQLite takes a CROSS JOIN in the order in which it is written; and + 0: it is to find a delivery by its event.
    """SELECT count(*) FROM events AS e CROSS JOIN deliveries AS d
    WHERE e.hook_id = :hook AND d.event_id = e.event_id AND d.hook_id = e.hook_id
      AND d.state = :state AND d.sequence + 0 BETWEEN :first AND :last"""
)


# --- rows --------------------------------------------------------------------------------------------------------------


def _reach(tx: Tx, caller: Caller, replay_id: int) -> RowMapping:
    replay = tx.execute(select(replays).where(replays.c.replay_id == replay_id)).mappings().first()
    try:
        if replay is not None:
            reach_hook(tx, caller, replay["hook_id"])
            return replay
    except NotFound:
        pass  # it does not say whose hook that is
    raise NotFound(parameters={"replay_id": replay_id})


def take_back(tx: Tx, hook_id: int, replay_id: int, *, now: int) -> int:
    """End again what the replay has released and nobody has begun to send; answers how many. What had been delivered before
    is so again; the rest is cancelled, and may be meant by another replay."""
    received = exists().where(
        attempts.c.hook_id == deliveries.c.hook_id, attempts.c.sequence == deliveries.c.sequence, attempts.c.reason.is_(None)
    )
    waits = (
        deliveries.c.hook_id == hook_id,
        deliveries.c.replay_id == replay_id,
        deliveries.c.state == "pending",
        deliveries.c.lease_id <= NOBODY,  # below: it stands aside
        deliveries.c.attempts == deliveries.c.earlier,
    )
    taken = {"ended_at": now, "due_at": now, "replay_id": None, "lease_id": NOBODY}
    cancelled = {"state": "cancelled", "reason": "replay_stopped"}
    delivered = tx.execute(update(deliveries).where(*waits, received).values(state="delivered", **taken)).rowcount
    return delivered + tx.execute(update(deliveries).where(*waits).values(**cancelled, **taken)).rowcount


def _record(tx: Tx, row: RowMapping) -> Replay:
    states = _states(tx, row["replay_id"])
    return Replay(
        replay_id=row["replay_id"],
        hook_id=row["hook_id"],
        wanted=wanted_of(row),
        rate=row["rate"],
        total=row["total"],
        released=row["released"],
        delivered=states["delivered"],
        failed=states["exhausted"] + states["cancelled"],
        waiting=states["pending"] + states["sending"],
        retrying=_retrying(tx, row["replay_id"]),
        state=row["state"],
        created_by=row["created_by"],
        created_at=row["created_at"],
        ended_at=row["ended_at"],
    )


def _states(tx: Tx, replay_id: int) -> Counter[str]:
    counted = select(deliveries.c.state, func.count()).where(deliveries.c.replay_id == replay_id).group_by(deliveries.c.state)
    rows: Sequence[tuple[str, int]] = [(state, count) for state, count in tx.execute(counted)]
    return Counter(dict(rows))


def _retrying(tx: Tx, replay_id: int) -> int:
    tried = (deliveries.c.replay_id == replay_id, deliveries.c.state == "pending", deliveries.c.attempts > deliveries.c.earlier)
    return tx.execute(select(func.count()).where(*tried)).scalar_one()
