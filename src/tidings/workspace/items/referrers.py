"""The items that refer to an item, by the app that they are in.

Only what the caller may look at is told of. The values say it: the index of those of each field of the type `app` in the
organization is asked for the item's id.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from msgspec import Struct
from sqlalchemy import bindparam, select

from tidings.errors import Forbidden, Gone, NotFound
from tidings.store.database import Tx
from tidings.store.schema import apps, fields, item_values, items, spaces
from tidings.workspace.access import Caller, reach_app
from tidings.workspace.items.items import reach_item
from tidings.workspace.items.views import AppView, view_app

LIMIT = 500  # items that refer to one


class Referrer(Struct, frozen=True):
    """An item that refers to another."""

    item_id: int
    app_item_id: int
    title: str


class Referring(Struct, frozen=True):
    """The items of one app that refer to an item, in the order of their titles."""

    app: AppView
    items: Sequence[Referrer]


_FIELDS = (
    select(fields.c.field_id)
    .join(apps, apps.c.app_id == fields.c.app_id)
    .join(spaces, spaces.c.space_id == apps.c.space_id)
    .where(spaces.c.org_id == bindparam("org_id"), fields.c.type == "app", fields.c.status == "active")
    .where(apps.c.deleted_at.is_(None), spaces.c.deleted_at.is_(None))
)
_NAMING = select(item_values.c.item_id).where(item_values.c.field_id.in_(_FIELDS), item_values.c.number == bindparam("number"))
_REFERRERS = (
    select(items.c.app_id, items.c.item_id, items.c.app_item_id, items.c.title)
    .where(items.c.item_id.in_(_NAMING), items.c.deleted_at.is_(None))
    .order_by(items.c.title, items.c.item_id)
    .limit(LIMIT)
)


def list_referring(tx: Tx, caller: Caller, item_id: int) -> list[Referring]:
    """The items that refer to this one, at most `LIMIT`; their apps in the order of the names. Raises `NotFound`, `Forbidden`, `Gone`."""
    _, app = reach_item(tx, caller, item_id)
    by_app: dict[int, list[Referrer]] = defaultdict(list)
    for row in tx.execute(_REFERRERS, {"org_id": app["org_id"], "number": float(item_id)}):
        by_app[row.app_id].append(Referrer(row.item_id, row.app_item_id, row.title))
    seen = ((_look_at(tx, caller, app_id), several) for app_id, several in by_app.items())
    found = [Referring(view, several) for view, several in seen if view is not None]
    return sorted(found, key=lambda referring: (referring.app.config.name, referring.app.app_id))


def _look_at(tx: Tx, caller: Caller, app_id: int) -> AppView | None:
    try:
        return view_app(caller, reach_app(tx, caller, app_id))
    except (NotFound, Forbidden, Gone):
        return None
