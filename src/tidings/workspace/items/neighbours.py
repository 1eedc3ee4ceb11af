"""The items before and after an item of the same app, in the order in which they were made."""

from __future__ import annotations

from typing import Literal

from sqlalchemy import RowMapping, bindparam, select

from tidings.errors import NotFound
from tidings.store.database import Tx
from tidings.store.schema import items
from tidings.workspace.access import Caller
from tidings.workspace.items.items import reach_item
from tidings.workspace.items.rows import Item, find_items

Direction = Literal["next", "previous"]

_LIVE = select(items.c.item_id).where(items.c.app_id == bindparam("app_id"), items.c.deleted_at.is_(None)).limit(1)
_NEIGHBOUR = {
    "next": _LIVE.where(items.c.item_id > bindparam("item_id")).order_by(items.c.item_id),
    "previous": _LIVE.where(items.c.item_id < bindparam("item_id")).order_by(items.c.item_id.desc()),
}


def reach_neighbour(tx: Tx, caller: Caller, item_id: int, direction: Direction) -> tuple[Item, RowMapping]:
    """The item that was made next, or the one made before, and the row of their app; of those that are not deleted.

    Raises `NotFound` where there is none; else as `reach_item` does.
    """
    item, app = reach_item(tx, caller, item_id)
    found = tx.execute(_NEIGHBOUR[direction], {"app_id": item.app_id, "item_id": item_id}).scalar()
    if found is None:
        raise NotFound(parameters={"item_id": item_id, "direction": direction})
    return find_items(tx, [found])[0], app
