"""What a hook was told: its deliveries, the newest first, by state, type, time and object; and how that stays quick.

The problem: a hook may have a million deliveries, and what is asked for may be none of them. The strategy: each question
goes to the index that holds nearly nothing else (what waits, what was given up, an object's events), a moment is found by
halving, and no question walks over more than `BUDGET` rows. Where that many were not enough, the answer says how far it has
looked, and where to go on.

A delivery's number grows with the moment of its event, but for the seconds that transactions took; `SLACK` is more than that.
Who may see a hook's deliveries is whoever may change the hook (`hooks/reach.py`).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, get_args

from msgspec import Struct
from sqlalchemy import BigInteger, ColumnElement, Integer, Text, and_, bindparam, func, literal_column, select, text

from tidings.clock import MINUTE
from tidings.delivery.delivery_rows import DeliveryRow, read_rows
from tidings.events.types import EVENT_TYPES
from tidings.hooks.reach import reach_hook
from tidings.store.database import Tx
from tidings.store.schema import deliveries, events
from tidings.store.statements import Statement
from tidings.workspace.access import Caller
from tidings.workspace.names import not_one_of

State = Literal["pending", "sending", "delivered", "exhausted", "cancelled"]
STATES: tuple[State, ...] = get_args(State)

LONGEST_PAGE = 500
BUDGET = 2_000  # rows that a question may walk over: where they lie far apart, each costs four microseconds
SLACK = MINUTE  # how far the order of numbers may be from the order of moments


class Asked(Struct, frozen=True):
    """Which deliveries are wanted; what is empty or None leaves out none. Moments are microseconds since the epoch."""

    states: tuple[str, ...] = ()
    types: tuple[str, ...] = ()  # of events
    since: int | None = None  # the event happened then or later
    until: int | None = None  # and before
    object: tuple[str, int] | None = None  # the events of one object: ("item", 42)
    before: int | None = None  # the deliveries before this number: where the last page ended


class Listed(Struct, frozen=True):
    """A page of deliveries, the newest first."""

    rows: list[DeliveryRow]
    next_before: int | None  # `Asked.before` for what comes after; None: there is nothing more
    looked_back_to: int | None  # the moment at which looking ended before the page was full; None: it did not


def list_deliveries(tx: Tx, caller: Caller, hook_id: int, asked: Asked, *, limit: int = 50) -> Listed:
    """A page of the deliveries of a hook. Raises `Invalid` for a state or type that there is not; `NotFound`, `Forbidden`, `Gone`."""
    reach_hook(tx, caller, hook_id)
    for state in asked.states:
        if state not in STATES:
            raise not_one_of(state, STATES, "state")
    for type in asked.types:
        if type not in EVENT_TYPES:
            raise not_one_of(type, [*EVENT_TYPES], "type")
    limit = max(1, min(limit, LONGEST_PAGE))
    found = _find_by_object(tx, hook_id, asked, limit + 1) if asked.object else _find(tx, hook_id, asked, limit + 1)
    rows = read_rows(tx, hook_id, found.sequences[:limit])
    if len(found.sequences) > limit:
        return Listed(rows, found.sequences[limit - 1], None)
    if found.floor is None:
        return Listed(rows, None, None)
    return Listed(rows, found.floor, _moment_at(tx, hook_id, found.floor))


class _Found(Struct, frozen=True):
    sequences: list[int]  # the newest first
    floor: int | None  # nothing below it was looked at; None: all was that could be wanted


# --- along the numbers -------------------------------------------------------------------------------------------------

_hook_id, _sequence = literal_column("d.hook_id", Integer), literal_column("d.sequence", BigInteger)
_state, _type, _created_at = literal_column("d.state", Text), literal_column("e.type", Text), literal_column("e.created_at", BigInteger)


class _Way(Struct, frozen=True):
    """One way down the deliveries of a hook, the newest first."""

    index: str  # that holds them and little else; "": the primary key
    holds: str  # what is true of all that it holds, word by word as the index says it
    wanted: tuple[str, ...] = ()  # the states that are wanted of those; none: all


def _find(tx: Tx, hook_id: int, asked: Asked, count: int) -> _Found:
    """Walk down each way that leads to what is wanted, and take the newest."""
    within = _within(tx, hook_id, asked)
    found = [_walk(tx, hook_id, way, within, asked, count) for way in _ways(asked.states)]
    floor = max((each.floor for each in found if each.floor is not None), default=None)
    merged = sorted({sequence for each in found for sequence in each.sequences if sequence >= (floor or 0)}, reverse=True)
    return _Found(merged[:count], floor)


def _ways(states: tuple[str, ...]) -> list[_Way]:
    if not states or "delivered" in states:
        return [_Way("", "", states)]
    waiting = tuple(state for state in ("pending", "sending") if state in states)
    ways = [_Way("ix_deliveries_waiting", "d.ended_at IS NULL", waiting if len(waiting) == 1 else ())] if waiting else []
    return ways + [
        _Way("ix_deliveries_undelivered", f"d.state = '{state}' AND d.state IN ('exhausted', 'cancelled')")
        for state in ("exhausted", "cancelled")
        if state in states
    ]


def _within(tx: Tx, hook_id: int, asked: Asked) -> list[ColumnElement[bool]]:
    """The numbers between which all lies that is wanted."""
    bounds: list[ColumnElement[bool]] = []
    if asked.before is not None:
        bounds.append(_sequence < asked.before)
    if asked.since is not None:
        bounds.append(_sequence >= _first(tx, hook_id, _MOMENT, asked.since - SLACK))
    if asked.until is not None:
        bounds.append(_sequence < _first(tx, hook_id, _MOMENT, asked.until + SLACK))
    return bounds


def _walk(tx: Tx, hook_id: int, way: _Way, within: list[ColumnElement[bool]], asked: Asked, count: int) -> _Found:
    walked = select(_sequence).where(_hook_id == hook_id, *within, *([text(way.holds)] if way.holds else [])).order_by(_sequence.desc())
    # SQLite would rather take the primary key, see the table; there the name of the index is part of the table's.
    table = f"deliveries AS d INDEXED BY {way.index}" if way.index and tx.dialect.name == "sqlite" else "deliveries AS d"
    of_event = _of_event(asked, _type, _created_at)
    floor = None
    if way.wanted or of_event:
        floor = tx.execute(walked.select_from(text(table)).offset(BUDGET - 1).limit(1)).scalar()
    found = walked.select_from(text(f"{table} JOIN events AS e ON e.event_id = d.event_id" if of_event else table)).where(*of_event)
    if way.wanted:
        found = found.where(_state.in_(way.wanted))
    if floor is not None:
        found = found.where(_sequence >= floor)
    return _Found(list(tx.execute(found.limit(count)).scalars()), floor)


def _of_event(asked: Asked, type: ColumnElement[str], created_at: ColumnElement[int]) -> list[ColumnElement[bool]]:
    """What is wanted of the event. `+ 0`: SQLite is to look at it, and not to find by it."""
    wanted: list[ColumnElement[bool]] = []
    if asked.types:
        wanted.append(type.in_(asked.types))
    if asked.since is not None:
        wanted.append(created_at + 0 >= asked.since)
    if asked.until is not None:
        wanted.append(created_at + 0 < asked.until)
    return wanted


# --- along an object's events --------------------------------------------------------------------------------------------


def _find_by_object(tx: Tx, hook_id: int, asked: Asked, count: int) -> _Found:
    """Walk down the events of the object: they are numbered in the order of their ids, since each locks it."""
    assert asked.object is not None
    kind, number = asked.object
    walked = select(events.c.event_id).where(events.c.object_type == kind, events.c.object_id == number)
    if asked.before is not None and (ends := _AT.first(tx, {"hook_id": hook_id, "sequence": asked.before})):
        walked = walked.where(events.c.event_id < ends[1])
    walked = walked.order_by(events.c.event_id.desc())
    floor = tx.execute(walked.offset(BUDGET - 1).limit(1)).scalar()
    mine = and_(deliveries.c.event_id == events.c.event_id, _OF_HOOK)
    found = walked.with_only_columns(deliveries.c.sequence).join(deliveries, mine)
    found = found.where(*_of_event(asked, events.c.type, events.c.created_at))
    if asked.states:
        found = found.where(deliveries.c.state.in_(asked.states))
    if asked.before is not None:
        found = found.where(deliveries.c.sequence < asked.before)
    if floor is not None:
        found = found.where(events.c.event_id >= floor)
    sequences = list(tx.execute(found.limit(count), {"hook_id": hook_id}).scalars())
    return _Found(sequences, None if floor is None else _first(tx, hook_id, _EVENT_ID, floor))


# --- from a moment to a number, and back -------------------------------------------------------------------------------------

_MOMENT, _EVENT_ID = 2, 1  # columns of `_AT`
_FROM_THE_FIRST = literal_column("0", Integer)  # SQLAlchemy would bind it, and a `Statement` binds what it is given alone
_OF_HOOK = deliveries.c.hook_id == bindparam("hook_id")
_AT = Statement(
    select(deliveries.c.sequence, deliveries.c.event_id, events.c.created_at)
    .join(events, events.c.event_id == deliveries.c.event_id)
    .where(_OF_HOOK, deliveries.c.sequence >= bindparam("sequence"))
    .order_by(deliveries.c.sequence)
    .limit(literal_column("1"))
    .offset(_FROM_THE_FIRST)
)
_LAST = Statement(select(func.max(deliveries.c.sequence)).where(_OF_HOOK))


def first_since(tx: Tx, hook_id: int, moment: int) -> int:
    """The number from which on the deliveries are of events from `moment` on; above all of them, where none is."""
    return _first(tx, hook_id, _MOMENT, moment)


def _first(tx: Tx, hook_id: int, column: int, least: int) -> int:
    """The number from which on the deliveries have at least `least` in a column of `_AT`; above all of them, where none has."""
    (last,) = _LAST.first(tx, {"hook_id": hook_id}) or (None,)
    low, high = 0, (last or 0) + 1  # those up to `low` have less, those from `high` on do not
    while high - low > 1:
        middle = (low + high) // 2
        at = _AT.first(tx, {"hook_id": hook_id, "sequence": middle})
        if at is not None and at[column] < least:
            low = at[0]
        else:
            high = middle
    return high


def _moment_at(tx: Tx, hook_id: int, sequence: int) -> int | None:
    at = _AT.first(tx, {"hook_id": hook_id, "sequence": sequence})
    return None if at is None else at[_MOMENT]


# --- by their numbers --------------------------------------------------------------------------------------------------------


def rows_of(tx: Tx, caller: Caller, hook_id: int, sequences: Iterable[int]) -> list[DeliveryRow]:
    """Those deliveries of a hook that there are, the newest first. Raises `NotFound`, `Forbidden`, `Gone`."""
    reach_hook(tx, caller, hook_id)
    return read_rows(tx, hook_id, sequences)


def newest(tx: Tx, caller: Caller, hook_id: int, after: int, limit: int = 50) -> list[DeliveryRow]:
    """The newest `limit` deliveries of a hook whose numbers are above `after`, the newest first. Raises as `rows_of` does."""
    reach_hook(tx, caller, hook_id)
    return read_rows(tx, hook_id, [sequence for (sequence,) in _AFTER.all(tx, {"hook_id": hook_id, "after": after, "limit": limit})])


_AFTER = Statement(
    select(deliveries.c.sequence)
    .where(_OF_HOOK, deliveries.c.sequence > bindparam("after"))
    .order_by(deliveries.c.sequence.desc())
    .limit(bindparam("limit"))
    .offset(_FROM_THE_FIRST)
)
