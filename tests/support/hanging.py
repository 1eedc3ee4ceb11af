"""What hangs on items, for tests: files to attach, what is on an item, and all that was told of it."""

from __future__ import annotations

import json
from collections.abc import Sequence

from sqlalchemy import select

from tests.support.cast import NOW
from tidings.store.database import Tx
from tidings.store.schema import events
from tidings.workspace.access import SYSTEM, Caller
from tidings.workspace.files.files import Stored, add_file, files_on
from tidings.workspace.items import items
from tidings.workspace.tags import tags_on


def upload(tx: Tx, caller: Caller, name: str = "a.txt") -> int:
    """A file of the caller's, attached to nothing; its id."""
    return add_file(tx, caller, Stored(f"mark/{name}", 5, name, "text/plain"), now=NOW).file_id


def story(tx: Tx, item_id: int) -> list[tuple[str, str, bool]]:
    """What was told of an item, in the order of its events: the type, what it says last, and whether hooks hear of it."""
    rows = tx.execute(select(events).where(events.c.object_type == "item", events.c.object_id == item_id).order_by(events.c.event_id))
    return [(row.type, list(json.loads(row.parameters).values())[-1], bool(row.heard)) for row in rows]


def on(tx: Tx, item_id: int) -> tuple[Sequence[str], list[int], int, int]:
    """The tags and the files of an item, and how many of each its row says there are."""
    item, files = items.get_item(tx, SYSTEM, item_id), files_on(tx, "item", [item_id])[item_id]
    return tags_on(tx, [item_id])[item_id], [file.file_id for file in files], item.tag_count, item.file_count
