"""The chain of causes: a delivery leads to a change, which leads to a delivery; and a loop of them ends.

A receiver that changes what it was told of says in its call which delivery it is at work on. The transaction of that call
runs inside `caused`, and every event it appends, wherever, is one deeper than the event of that delivery. Beyond a limit
such events are written unheard, so that nobody is told and the chain ends (ADR 0006). What is said is believed only where
this server has made such a delivery; anything else counts as nothing said. Whoever leaves the header out begins anew: this
guards against accidents, and not against somebody who wants a loop.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from msgspec import Struct
from sqlalchemy import bindparam, select

from tidings.store.database import Tx
from tidings.store.schema import deliveries, events, server
from tidings.store.statements import Statement
from tidings.wire.message_ids import read_message_id

T = TypeVar("T")

_CHAIN = "tidings.chain"
_DEPTH = Statement(
    select(events.c.depth)
    .join(deliveries, deliveries.c.event_id == events.c.event_id)
    .where(
        deliveries.c.hook_id == bindparam("hook_id"),
        deliveries.c.sequence == bindparam("sequence"),
        select(server.c.server_id).where(server.c.instance == bindparam("instance")).exists(),
    )
)


class Chain(Struct):
    """What led to the events of one transaction."""

    cause: str  # the delivery, as `hook_id-sequence`
    depth: int  # of these events: one more than that of the event that was delivered
    limit: int
    stopped: bool = False  # some of them went unheard for it

    @property
    def too_long(self) -> bool:
        """Whether it ends here."""
        return self.depth > self.limit


def caused(tx: Tx, message_id: str, limit: int, fn: Callable[[Tx], T]) -> tuple[T, bool]:
    """What `fn(tx)` answers, its events being led to by this delivery; and whether any of them went unheard as a loop.

    `limit` is how deep an event may be and still be heard. Raises what `fn` raises.
    """
    chain = tx.info[_CHAIN] = _find(tx, message_id, limit)
    try:
        return fn(tx), chain is not None and chain.stopped
    finally:
        del tx.info[_CHAIN]


def chain_of(tx: Tx) -> Chain | None:
    """What led to the events of this transaction, as far as anybody has said."""
    chain: Chain | None = tx.info.get(_CHAIN)
    return chain


def _find(tx: Tx, message_id: str, limit: int) -> Chain | None:
    named = read_message_id(message_id)
    found = named and _DEPTH.first(tx, named._asdict())
    return Chain(f"{named.hook_id}-{named.sequence}", found[0] + 1, limit) if named and found else None
