"""The outbox: an event is written in the transaction of the change that it tells of.

They commit together or not at all (promise 1). An event carries all that its payloads will need, so that delivery never
looks back into the workspace; it waits, `matched` being null, until fan-out has found the hooks that want it. What nobody is
to be told of is written too, unheard, and says why: the change was made with `hook=false`, its app tells nobody (`quiet`), or
it is one too many in a chain of causes (`loop`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

import msgspec
from msgspec import Struct

from tidings.events.causes import Chain, chain_of
from tidings.events.types import EVENT_TYPES
from tidings.store import schema
from tidings.store.database import Tx, wake_after
from tidings.store.rows import insert_rows

UnheardReason = Literal["hook=false", "quiet", "loop"]

_encode = msgspec.json.Encoder().encode

_COLUMNS = (
    "type",
    "app_id",
    "space_id",
    "object_type",
    "object_id",
    "parameters",
    "field_ids",
    "changes",
    "object",
    "heard",
    "unheard_reason",
    "cause",
    "depth",
    "hook_id",
    "created_by",
    "created_at",
    "test",
)


class Change(Struct, frozen=True, gc=False):
    """One field that a change set, changed or emptied: its values before and after, as Podio writes them.

    `before` and `after` are lists of values; an empty list means that the field had, or has, none.
    """

    field_id: int
    external_id: str
    type: str
    label: str
    before: list[object]
    after: list[object]


class NewEvent(Struct, frozen=True, gc=False):
    """An event about to be written. `parameters` has exactly the names that `events/types.py` lists for `type`."""

    type: str
    space_id: int | None  # None: no hook of a space may hear of it
    app_id: int | None
    object_id: int
    parameters: Mapping[str, str]
    created_by: str  # an author, see `workspace/access.py`
    created_at: int
    changes: Sequence[Change] = ()
    heard: bool = True  # False: the caller said `hook=false`
    hook_id: int | None = None  # only this hook is meant
    quiet: bool = False  # it happened in an app that tells nobody
    test: bool = False  # nothing has happened: somebody tries `hook_id`
    object: str | None = None  # JSON: the object as it stands after the change, where some hook is told so much


def append(tx: Tx, event: NewEvent) -> None:
    """Write `event`; after the commit, fan-out is woken. Raises ValueError for an event that its type does not fit."""
    append_many(tx, (event,))


def append_many(tx: Tx, events: Iterable[NewEvent]) -> None:
    """Write `events` in their order."""
    chain = chain_of(tx)
    insert_rows(tx, schema.events, _COLUMNS, [_row(event, chain) for event in events])
    wake_after(tx)


def _row(event: NewEvent, chain: Chain | None) -> tuple[object, ...]:
    event_type = EVENT_TYPES[event.type]
    if tuple(event.parameters) != event_type.parameters:
        raise ValueError(f"{event.type} says {event_type.parameters}, not {tuple(event.parameters)}")
    unheard = _why_unheard(event, chain)
    return (
        event.type,
        event.app_id,
        event.space_id,
        event_type.object_type,
        event.object_id,
        _encode(event.parameters).decode(),
        _encode([change.field_id for change in event.changes]).decode() if event.changes else "[]",
        _encode(event.changes).decode() if event.changes else "[]",
        event.object,
        unheard is None,
        unheard,
        chain.cause if chain else None,
        chain.depth if chain else 0,
        event.hook_id,
        event.created_by,
        event.created_at,
        event.test,
    )


def _why_unheard(event: NewEvent, chain: Chain | None) -> UnheardReason | None:
    if not event.heard:
        return "hook=false"
    if event.quiet:
        return "quiet"
    if chain is None or not chain.too_long:
        return None
    chain.stopped = True
    return "loop"
