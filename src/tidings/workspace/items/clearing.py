"""Deleting the items that a filter finds, oldest first, so many at a time that one transaction stays short.

A filter that names nothing would be the whole app: it is refused, for a client that leaves something out by mistake sends
just that.
"""

from __future__ import annotations

from msgspec import Struct

from tidings.errors import Invalid
from tidings.store.database import Tx
from tidings.workspace.access import Caller, reach_app
from tidings.workspace.items.filters import Wanted, find_page
from tidings.workspace.items.items import BULK_LIMIT, delete_items


class Cleared(Struct, frozen=True):
    """What was deleted, and what the same call would delete next: its ids, at most as many again."""

    deleted: list[int]
    pending: list[int]


def delete_matching(
    tx: Tx, caller: Caller, app_id: int, filters: object, *, limit: int = BULK_LIMIT, now: int, heard: bool = True
) -> Cleared:  # fmt: skip
    """Delete items of the app that match, at most `limit`. Raises `Invalid`, naming the term; `NotFound`, `Forbidden`, `Gone`."""
    if not filters:
        raise Invalid("filters: must name something, when there are no item_ids", parameters={"field": "filters"})
    app = reach_app(tx, caller, app_id, "regular")
    found = find_page(tx, app, Wanted(filters=filters, sort_desc=False, limit=2 * limit)).items
    ids = [item.item_id for item in found]
    return Cleared(delete_items(tx, caller, app_id, ids[:limit], now=now, heard=heard), ids[limit:])
