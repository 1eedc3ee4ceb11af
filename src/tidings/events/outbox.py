"""The outbox: an event is written in the transaction of the change that it tells of.

They commit together or not at all (promise 1). An event carries all that its payloads will need, so that delivery never
looks back into the workspace; it waits, `matched` being null, until fan-out has found the hooks that want it. A change
made with `hook=false` writes its event too, unheard, so that the record can say why nobody was told.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec
from msgspec import Struct

from tidings.events.types import EVENT_TYPES
from tidings.store import schema
from tidings.store.database import Tx, wake_after
from tidings.store.rows import insert_rows

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
    "heard",
    "hook_id",
    "created_by",
    "created_at",
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
    heard: bool = True
    hook_id: int | None = None  # only this hook is meant


def append(tx: Tx, event: NewEvent) -> None:
    """Write `event`; after the commit, fan-out is woken. Raises ValueError for an event that its type does not fit."""
    append_many(tx, (event,))


def append_many(tx: Tx, events: Iterable[NewEvent]) -> None:
    """Write `events` in their order."""
    insert_rows(tx, schema.events, _COLUMNS, [_row(event) for event in events])
    wake_after(tx)


def _row(event: NewEvent) -> tuple[object, ...]:
    event_type = EVENT_TYPES[event.type]
    if tuple(event.parameters) != event_type.parameters:
        raise ValueError(f"{event.type} says {event_type.parameters}, not {tuple(event.parameters)}")
    return (
        event.type,
        event.app_id,
        event.space_id,
        event_type.object_type,
        event.object_id,
        _encode(event.parameters).decode(),
        _encode([change.field_id for change in event.changes]).decode(),
        _encode(event.changes).decode(),
        event.heard,
        event.hook_id,
        event.created_by,
        event.created_at,
    )
