"""Deliveries as people see them in a list: a row each, with what its event says and how its last attempt went.

Asks for no right: whoever calls has asked (`history.py`, `undelivered.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec
from msgspec import Struct
from sqlalchemy import and_, bindparam, func, select, tuple_

from tidings.store.database import Tx
from tidings.store.schema import attempts, deliveries, events
from tidings.store.statements import Statement

Name = tuple[int, int]
"""A hook, and the number of a delivery there."""


class DeliveryRow(Struct, frozen=True):
    """One delivery. Moments are microseconds since the epoch."""

    hook_id: int
    sequence: int
    event_id: int
    type: str
    object_type: str
    object_id: int
    what: str  # the object, for people: `item 42`, or `item 42 (its external_id)`
    state: str  # pending | sending | delivered | exhausted | cancelled
    attempts: int
    reason: str | None  # of the last failure, or why it was cancelled
    status: int | None  # of the last attempt's answer
    took: int | None  # microseconds, the last attempt; None: there is none
    due_at: int
    created_at: int  # of the event
    ended_at: int | None
    test: bool
    earlier: int | None  # attempts from before it was last asked for again; None: it was not
    replay_id: int | None  # the replay that asked for it


def read_rows(tx: Tx, hook_id: int, sequences: Iterable[int]) -> list[DeliveryRow]:
    """Those deliveries of a hook that there are, the newest first."""
    wanted = sorted({(hook_id, sequence) for sequence in sequences}, reverse=True)
    found = read_named(tx, wanted)
    return [found[name] for name in wanted if name in found]


def read_named(tx: Tx, names: Sequence[Name]) -> dict[Name, DeliveryRow]:
    """Those deliveries that there are, by hook and number."""
    return {(row[0], row[1]): _row(row) for row in _read(tx, names)}


def _read(tx: Tx, names: Sequence[Name]) -> Iterator[Sequence[Any]]:
    """SQLite is asked one by one, which costs 20 microseconds each: for a list of pairs it would walk over the whole table."""
    if tx.dialect.name == "sqlite":
        yield from (row for hook_id, sequence in names for row in _ONE.all(tx, {"hook_id": hook_id, "sequence": sequence}))
    elif names:
        yield from tx.execute(_MANY, {"names": names})


def _row(row: Sequence[Any]) -> DeliveryRow:
    """A row of `_ROWS`, which is in the order of the record's fields."""
    values = list(row)
    values[_WHAT] = describe(values[_WHAT - 2], values[_WHAT - 1], values[_WHAT])
    values[_TEST] = bool(values[_TEST])
    return DeliveryRow(*values)


_WHAT, _TEST = map(DeliveryRow.__struct_fields__.index, ("what", "test"))
_later = attempts.alias("later")
_LAST = select(func.max(_later.c.started_at)).where(_later.c.hook_id == deliveries.c.hook_id, _later.c.sequence == deliveries.c.sequence)
_LAST_ATTEMPT = and_(
    attempts.c.hook_id == deliveries.c.hook_id,
    attempts.c.sequence == deliveries.c.sequence,
    attempts.c.started_at == _LAST.scalar_subquery(),
)
_ROWS = (
    select(
        deliveries.c.hook_id,
        deliveries.c.sequence,
        events.c.event_id,
        events.c.type,
        events.c.object_type,
        events.c.object_id,
        events.c.parameters,
        deliveries.c.state,
        deliveries.c.attempts,
        deliveries.c.reason,
        attempts.c.status,
        attempts.c.ended_after,
        deliveries.c.due_at,
        events.c.created_at,
        deliveries.c.ended_at,
        events.c.test,
        deliveries.c.earlier,
        deliveries.c.replay_id,
    )
    .join(events, events.c.event_id == deliveries.c.event_id)
    .outerjoin(attempts, _LAST_ATTEMPT)
)
_ONE = Statement(_ROWS.where(deliveries.c.hook_id == bindparam("hook_id"), deliveries.c.sequence == bindparam("sequence")))
_MANY = _ROWS.where(tuple_(deliveries.c.hook_id, deliveries.c.sequence).in_(bindparam("names", expanding=True)))


class _Named(Struct):
    external_id: str = ""


_named = msgspec.json.Decoder(_Named).decode


def describe(object_type: str, object_id: int, parameters: str) -> str:
    """What an event is about, for people. `parameters` as its row keeps them."""
    external_id = _named(parameters).external_id if object_type == "item" else ""
    return f"{object_type} {object_id} ({external_id})" if external_id else f"{object_type} {object_id}"
