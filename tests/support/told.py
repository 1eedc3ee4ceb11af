"""What was told: the events of a noun, in the order of their commits."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import select

from tidings.store.database import Tx
from tidings.store.schema import events

Told = tuple[str, dict[str, Any], bool]


def told_of(tx: Tx, noun: str) -> list[Told]:
    """The events of `noun`: type, parameters, and whether hooks hear of them."""
    rows = tx.execute(select(events).where(events.c.type.startswith(f"{noun}.")).order_by(events.c.event_id))
    return [(row.type, json.loads(row.parameters), bool(row.heard)) for row in rows]


def places_told_of(tx: Tx, noun: str) -> set[tuple[str, int, int | None, int | None, str]]:
    """Where these events stand: object_type, object_id, app_id, space_id, author."""
    rows = tx.execute(select(events).where(events.c.type.startswith(f"{noun}.")))
    return {(row.object_type, row.object_id, row.app_id, row.space_id, row.created_by) for row in rows}
