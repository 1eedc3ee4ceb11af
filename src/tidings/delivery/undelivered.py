"""What of an app has not arrived: of all hooks that hear of it, the deliveries that wait or were given up.

For each hook and each such state there is an index that holds nothing else, from the newest on. The newest of each are read
together, and then they are merged as they are read, a few rows of each at a time, until the list is full: so that a hook with
a long row of failures costs no more than one without. An app's own token sees what `ledger.py` says.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

from msgspec import Struct
from sqlalchemy import ColumnElement, Integer, Select, TextClause, and_, bindparam, func, literal_column, select, text

from tidings.clock import MINUTE
from tidings.delivery.delivery_rows import DeliveryRow, read_named
from tidings.delivery.ledger import may_see
from tidings.hooks.listeners import listeners_around
from tidings.store.database import Tx
from tidings.store.schema import deliveries, events, hooks
from tidings.store.statements import Statement
from tidings.workspace.access import Caller, reach_app

LONGEST_LIST = 500
SLACK = MINUTE  # how far the order of numbers may be from the order of moments
AT_FIRST, AT_MOST = 2, 128  # rows of one hook and state that are read at once
LOOKED_AT = 1_000  # rows of one hook and state: a space's hook may hear of other apps


class Undelivered(Struct, frozen=True):
    """The newest first, whatever the hook."""

    rows: list[DeliveryRow]
    urls: dict[int, str]  # of the hooks in `rows`, by their ids
    more: bool  # there are, or may be, more than were asked for


def undelivered(tx: Tx, caller: Caller, app_id: int, *, since: int, limit: int = 100) -> Undelivered:
    """What happened in an app at the moment `since` (microseconds since the epoch) or later and has not arrived.

    Raises `NotFound`, `Forbidden`, `Gone`.
    """
    app = reach_app(tx, caller, app_id, "admin")
    limit = max(1, min(limit, LONGEST_LIST))
    around = listeners_around(tx, app_id, app["space_id"])
    hook_ids = [hook.hook_id for hook in around if hook.deleted_at is None and may_see(caller, hook.app_id)]
    piles = [_Pile(tx, state, head, app_id, since) for state in _STATES for head in _heads(tx, state, hook_ids)]
    names = list(islice(heapq.merge(*piles, key=_newest_first), limit + 1))
    found = read_named(tx, [(hook_id, sequence) for _, hook_id, sequence in names[:limit]])
    rows = list(found.values())
    rows.sort(key=lambda row: (-row.event_id, row.hook_id))
    return Undelivered(rows, _urls(tx, {row.hook_id for row in rows}), len(names) > limit or any(pile.cut for pile in piles))


def _newest_first(name: tuple[int, int, int]) -> tuple[int, int]:
    event_id, hook_id, _ = name
    return -event_id, hook_id


# --- what there is -----------------------------------------------------------------------------------------------------------

_pile = deliveries.alias("pile")
_UNENDED = _pile.c.ended_at.is_(None)
_GIVEN_UP = text("pile.state IN ('exhausted', 'cancelled')")  # word by word what `ix_deliveries_undelivered` says
_STATES: dict[str, Sequence[ColumnElement[bool] | TextClause]] = {
    "unended": (_UNENDED,),
    **{state: (_pile.c.state == literal_column(f"'{state}'"), _GIVEN_UP) for state in ("exhausted", "cancelled")},
}


class _Head(Struct, frozen=True):
    """The newest delivery of a hook in one state."""

    hook_id: int
    sequence: int
    event_id: int
    created_at: int  # of the event
    app_id: int | None


def _newest(state: str) -> Select[Any]:
    """For each of the hooks its newest, where it has any."""
    sequence = select(func.max(_pile.c.sequence)).where(_pile.c.hook_id == hooks.c.hook_id, *_STATES[state]).scalar_subquery()
    named = select(hooks.c.hook_id, sequence.label("sequence")).where(hooks.c.hook_id.in_(bindparam("ids", expanding=True))).subquery()
    return (
        select(deliveries.c.hook_id, deliveries.c.sequence, deliveries.c.event_id, events.c.created_at, events.c.app_id)
        .join(named, and_(deliveries.c.hook_id == named.c.hook_id, deliveries.c.sequence == named.c.sequence))
        .join(events, events.c.event_id == deliveries.c.event_id)
    )


_HEADS = {state: _newest(state) for state in _STATES}
_URLS = select(hooks.c.hook_id, hooks.c.url).where(hooks.c.hook_id.in_(bindparam("ids", expanding=True)))


def _heads(tx: Tx, state: str, hook_ids: Sequence[int]) -> list[_Head]:
    return [_Head(*row) for row in tx.execute(_HEADS[state], {"ids": hook_ids})]


def _urls(tx: Tx, hook_ids: set[int]) -> dict[int, str]:
    return {row.hook_id: row.url for row in tx.execute(_URLS, {"ids": sorted(hook_ids)})}


# --- one hook and state ------------------------------------------------------------------------------------------------------


def _step(state: str) -> Statement:
    """The next few of a pile; which ones they are is read from its index alone."""
    these = (
        select(_pile.c.sequence)
        .where(_pile.c.hook_id == bindparam("hook_id"), *_STATES[state], _pile.c.sequence < bindparam("before"))
        .order_by(_pile.c.sequence.desc())
        .limit(bindparam("count"))
        .offset(literal_column("0", Integer))
    )
    return Statement(
        select(deliveries.c.sequence, deliveries.c.event_id, events.c.created_at, events.c.app_id)
        .join(events, events.c.event_id == deliveries.c.event_id)
        .where(deliveries.c.hook_id == bindparam("hook_id"), deliveries.c.sequence.in_(these))
        .order_by(deliveries.c.sequence.desc())
    )


_STEPS = {state: _step(state) for state in _STATES}


class _Pile:
    """The events and numbers of one hook's deliveries in one state, the newest first, read as they are asked for."""

    def __init__(self, tx: Tx, state: str, head: _Head, app_id: int, since: int) -> None:
        self._tx = tx
        self._hook_id = head.hook_id
        self._head = head
        self._step = _STEPS[state]
        self._app_id = app_id
        self._since = since
        self.cut = False  # nobody knows what lies further down

    def __iter__(self) -> Iterator[tuple[int, int, int]]:
        for looked_at, (sequence, event_id, created_at, app_id) in enumerate(self._all()):
            self.cut = looked_at == LOOKED_AT
            if self.cut or created_at < self._since - SLACK:
                return
            if created_at >= self._since and app_id == self._app_id:
                yield event_id, self._hook_id, sequence

    def _all(self) -> Iterator[tuple[int, int, int, int | None]]:
        head = self._head
        yield head.sequence, head.event_id, head.created_at, head.app_id
        before, count = head.sequence, AT_FIRST
        while rows := self._step.all(self._tx, {"hook_id": self._hook_id, "before": before, "count": count}):
            yield from rows
            before, count = rows[-1][0], min(4 * count, AT_MOST)
