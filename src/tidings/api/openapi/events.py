"""What the OpenAPI document says of deliveries: its `webhooks`, one for each type of event. Pure.

A delivery is a form with the event's own parameters, `type` and `hook_id`; whatever query the hook's URL has follows them.
"""

from __future__ import annotations

from typing import Any

from tidings.api.openapi.schemas import Schema
from tidings.events.types import EVENT_TYPES, VERIFY, EventType
from tidings.wire.forms import CONTENT_TYPE

_ID: Schema = {"type": "integer", "minimum": 1}

PARAMETERS: dict[str, Schema] = {
    "item_revision_id": {"type": "integer", "minimum": 0, "description": "The number of the item's revision, 0 on creation."},
    "external_id": {"type": "string", "description": "The item's, empty where it has none."},
    "action_type": {"type": "string", "enum": ["file_created", "file_replaced", "file_deleted"]},
    "file_ids": {"type": "string", "pattern": r"^\d+(,\d+)*$", "description": "Ids of files, with commas between them."},
    "tag": {"type": "string"},
    "code": {"type": "string", "pattern": "^[0-9a-f]{32}$", "description": "To be sent back to `/hook/{hook_id}/verify/validate`."},
}
"""The parameters of events that are no ids."""

_TEXT: Schema = {"type": "string"}

HEADERS: dict[str, tuple[bool, Schema, str]] = {
    "webhook-id": (True, _TEXT, "Names this delivery; the same at every attempt. A repeated one is to be dropped."),
    "webhook-timestamp": (True, {"type": "integer"}, "When this attempt was made: seconds since the epoch."),
    "webhook-signature": (
        True,
        _TEXT,
        "`v1,` and base64 of HMAC-SHA256 over `{webhook-id}.{webhook-timestamp}.{body}`; two of them after a change of the secret.",
    ),
    "Tidings-Sequence": (True, _ID, "The number of this delivery among those of its hook."),
    "Tidings-Attempt": (True, _ID, "1 for the first attempt."),
    "Tidings-Retry-Reason": (False, _TEXT, "Why the attempt before this one failed."),
    "Tidings-Space": (False, _ID, "The space in which it happened."),
    "Tidings-App": (False, _ID, "The app in which it happened."),
}
"""The headers of a delivery: whether each is always there, its schema, what it says."""

_ANSWERS: Schema = {
    "2XX": {"description": "Taken. Nothing else counts as a success, and no body is read for meaning."},
    "410": {"description": "The hook becomes inactive at once."},
    "default": {"description": "Tried again later, by the retry schedule. `Retry-After` of a 429 or 503 is honoured."},
}


def webhooks() -> dict[str, Any]:
    """Every event type, as what the receiver of its deliveries has to answer."""
    return {event_type.name: {"post": _operation(event_type)} for event_type in EVENT_TYPES.values()}


def _operation(event_type: EventType) -> Schema:
    return {
        "operationId": f"on_{event_type.name.replace('.', '_')}",
        "summary": event_type.name,
        "description": _description(event_type),
        "tags": ["events"],
        "parameters": [{"$ref": f"#/components/parameters/{name}"} for name in HEADERS],
        "requestBody": {"required": True, "content": {CONTENT_TYPE: {"schema": _form(event_type)}}},
        "responses": _ANSWERS,
        "security": [],
    }


def _description(event_type: EventType) -> str:
    if event_type is VERIFY:
        return "The handshake: sent when a hook is made, and once more whenever that is asked for. Nobody subscribes to it."
    places = " and ".join(f"`{scope}`" for scope in sorted(event_type.scopes))
    return f"For hooks on {places}."


def _form(event_type: EventType) -> Schema:
    own = {name: PARAMETERS.get(name, _ID) for name in event_type.parameters}
    fixed = {"type": {"type": "string", "const": event_type.name}, "hook_id": _ID}
    return {
        "type": "object",
        "properties": {**own, **fixed},
        "required": [*own, *fixed],
        "additionalProperties": {"type": "string", "description": "A parameter of the query of the hook's URL."},
    }


def header_parameters() -> dict[str, Schema]:
    """`HEADERS`, as components of the document."""
    return {
        name: {"name": name, "in": "header", "required": required, "schema": schema, "description": description}
        for name, (required, schema, description) in HEADERS.items()
    }
