"""What a delivery says in the formats that are not Podio's form: one JSON object, by itself or as a CloudEvent's data.

The object has the event's parameters, ids as numbers, and around them what happened where, when and by whom. An event of an
item also has the item as it stood after the change (before it, for a deletion: that is what it was), and each field that
changed with its values before and after. A hook that has not shown that its URL wants it is told its code and nothing else.

All of it comes from the event's own row (`Whole`), read when the delivery is leased and only for hooks of these formats.
`item` is null where the change was made before any such hook was on its app. Pure but for `read_whole`.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from msgspec import Raw, Struct
from sqlalchemy import bindparam, select

from tidings.delivery.deliveries import Delivery, Event, Whole
from tidings.events.types import VERIFY, typed
from tidings.hooks.matching import Format
from tidings.store.database import Tx
from tidings.store.schema import events
from tidings.wire import cloudevents
from tidings.wire.podio import timestamp
from tidings.workspace.access import Caller

CONTENT_TYPES: dict[Format, str] = {
    "json": "application/json",
    "cloudevents": cloudevents.STRUCTURED,
    "cloudevents-binary": cloudevents.DATA,
}
"""Of the formats that are written here."""


class _Change(Struct):
    """One of `events.changes`; its values are passed on as they are."""

    field_id: int
    external_id: str
    type: str
    label: str
    before: Raw
    after: Raw


_encode = msgspec.json.Encoder().encode
_parameters = msgspec.json.Decoder(dict[str, str]).decode
_changes = msgspec.json.Decoder(list[_Change]).decode

# --- reading what is needed --------------------------------------------------------------------------------------------

_WHOLE = select(events.c.event_id, events.c.created_by, events.c.cause, events.c.object, events.c.changes).where(
    events.c.event_id.in_(bindparam("ids", expanding=True))
)


def read_whole(tx: Tx, deliveries: Sequence[Delivery]) -> None:
    """Give each delivery whose hook is told more than ids all that its event says."""
    wanting = [delivery for delivery in deliveries if delivery.hook.format != "podio"]
    if not wanting:
        return
    ids = {delivery.event.event_id for delivery in wanting}
    found = {event_id: Whole(*rest) for event_id, *rest in tx.execute(_WHOLE, {"ids": sorted(ids)})}
    for delivery in wanting:
        delivery.whole = found[delivery.event.event_id]


# --- writing -----------------------------------------------------------------------------------------------------------


def write_payload(format: Format, delivery: Delivery, message_id: str, server: str) -> tuple[str, bytes]:
    """The headers that are the format's own, and the body. `server` is the public address of this server."""
    said = _said(delivery, message_id)
    if format == "json":
        return "", _encode(said)
    event = delivery.event
    context = cloudevents.attributes(
        id=message_id, source=_source(event, server), type=f"tidings.{event.type}", subject=_subject(event), time=event.created_at
    )
    if format == "cloudevents":
        return "", _encode(cloudevents.structured(context, said))
    return cloudevents.headers(context), _encode(said)


def _said(delivery: Delivery, message_id: str) -> dict[str, object]:
    event, whole = delivery.event, delivery.whole
    assert whole is not None  # `read_whole` has been here
    who: dict[str, object] = {"type": event.type, "hook_id": delivery.hook_id, "id": message_id}
    parameters = typed(_parameters(event.parameters))
    if event.type == VERIFY.name:
        return who | parameters
    author = Caller.from_author(whole.created_by)
    where: dict[str, object] = {
        "created_on": timestamp(event.created_at),
        "created_by": {"type": author.kind, "id": author.id},
        "app_id": event.app_id,
        "space_id": event.space_id,
        "cause": _cause(whole.cause),
        "depth": event.depth,
    }
    return who | where | parameters | (_of_item(whole) if event.type.startswith("item.") else {})


def _cause(cause: str | None) -> dict[str, int] | None:
    """The delivery that led to it."""
    if cause is None:
        return None
    hook_id, _, sequence = cause.partition("-")
    return {"hook_id": int(hook_id), "sequence": int(sequence)}


def _of_item(whole: Whole) -> dict[str, object]:
    return {
        "item": None if whole.object is None else Raw(whole.object.encode()),
        "changes": [
            {
                "field_id": change.field_id,
                "external_id": change.external_id,
                "type": change.type,
                "label": change.label,
                "from": change.before,
                "to": change.after,
            }
            for change in _changes(whole.changes)
        ],
    }


def _source(event: Event, server: str) -> str:
    if event.app_id is not None:
        return f"{server}/app/{event.app_id}"
    return f"{server}/space/{event.space_id}" if event.space_id is not None else server


def _subject(event: Event) -> str:
    return f"{event.object_type}/{event.object_id}"
