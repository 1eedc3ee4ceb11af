"""An item as an event tells of it: how it stood after the change, with the values that the one who made it could see.

It goes into the event's own row, so that whoever is told long after the change is told how things stood then. It is written
where some hook of the app asks for it, and costs nothing where none does.
"""

from __future__ import annotations

from typing import TypedDict

import msgspec
from sqlalchemy import RowMapping

from tidings.workspace.fields.fieldsets import Fieldset
from tidings.workspace.items.rows import Item
from tidings.workspace.values.rule import Known


class FieldSnapshot(TypedDict):
    """A field that has values."""

    field_id: int
    external_id: str
    type: str
    label: str
    values: list[object]


class ItemSnapshot(TypedDict):
    """The item."""

    item_id: int
    app_item_id: int
    external_id: str | None
    title: str
    revision: int
    fields: list[FieldSnapshot]


_encode = msgspec.json.Encoder().encode


def told_in_full(app: RowMapping) -> bool:
    """Whether some hook of the app whose row this is is told of whole items."""
    return bool(app["full_hooks"])


def snapshot(item: Item, those: Fieldset, known: Known) -> str:
    """The item as JSON; `known` is of all its values."""
    held = (slot for slot in those.slots if slot.field.field_id in item.values)
    told: ItemSnapshot = {
        "item_id": item.item_id,
        "app_item_id": item.app_item_id,
        "external_id": item.external_id,
        "title": item.title,
        "revision": item.revision,
        "fields": [
            {
                "field_id": slot.field.field_id,
                "external_id": slot.field.external_id,
                "type": slot.field.type,
                "label": slot.field.config.label,
                "values": slot.show(item.values, known),
            }
            for slot in held
        ],
    }
    return _encode(told).decode()
