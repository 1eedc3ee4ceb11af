"""The page of an app: its items in a table, as many of their fields as a screen is wide; an item's own page shows all of them."""

from __future__ import annotations

from typing import NamedTuple

from msgspec import Struct
from starlette.responses import Response

from tidings.console.desk import Desk, Visit, check_form, done, show_section
from tidings.console.said import in_words
from tidings.console.spaces import space_path
from tidings.store.database import Tx
from tidings.workspace.access import Caller
from tidings.workspace.apps import App, app_rights, delete_app, get_app
from tidings.workspace.items.filters import Wanted
from tidings.workspace.items.views import ItemView, PageView, view_page
from tidings.workspace.orgs import Org, get_org
from tidings.workspace.spaces import Space, get_space

PAGE_ITEMS = 50  # in a table
COLUMNS = 4  # fields in a table, beside the title


class Place(Struct, frozen=True):
    """An app, and the rooms around it."""

    org: Org
    space: Space
    app: App

    @property
    def crumbs(self) -> list[tuple[str, str]]:
        """The way here, the app itself last."""
        space = (self.space.config.name, space_path(self.space.space_id))
        return [(self.org.name, "/console"), space, (self.app.config.name, app_path(self.app.app_id))]


class TableRow(NamedTuple):
    """One item in the table."""

    view: ItemView
    cells: list[list[str]]


def app_path(app_id: int) -> str:
    """Where the items of an app are."""
    return f"/console/apps/{app_id}"


def find_place(tx: Tx, caller: Caller, app_id: int) -> Place:
    """An app that `caller` may look into, and where it is. Raises `NotFound`, `Forbidden`, `Gone`."""
    app = get_app(tx, caller, app_id)
    space = get_space(tx, caller, app.space_id)
    return Place(get_org(tx, caller, space.org_id), space, app)


# --- its items ---------------------------------------------------------------------------------------------------------


async def show_app(desk: Desk, visit: Visit) -> Response:
    """`GET /console/apps/{app_id}?page=&q=`: its items, the newest first."""
    page, searched = visit.page("page"), visit.query.get("q", "").strip()[:200]
    place, found = await desk.database.read(_items, visit.caller, visit.ids["app_id"], page, searched)
    slots = found.items[0].fieldset.slots if found.items else ()
    columns = [slot for slot in slots if not slot.field.config.hidden_create_view_edit][: COLUMNS + 1]
    if columns and columns[0].field.type == "text":
        columns = columns[1:]  # it is the title
    columns = columns[:COLUMNS]
    rows = [TableRow(view, [in_words(slot, view.item.values, view.known) for slot in columns]) for view in found.items]
    shown = {
        "place": place,
        "app": place.app,
        "columns": columns,
        "rows": rows,
        "found": found,
        "page": page,
        "searched": searched,
        "first": (page - 1) * PAGE_ITEMS + 1,
        "is_last": page * PAGE_ITEMS >= found.filtered,
        "may_add": "add_item" in app_rights(place.app),
    }
    return show_section(desk, visit, "app.html", shown)


def _items(tx: Tx, caller: Caller, app_id: int, page: int, searched: str) -> tuple[Place, PageView]:
    place = find_place(tx, caller, app_id)
    filters = [_titled(place.app, searched)] if searched else None
    return place, view_page(tx, caller, app_id, Wanted(filters, limit=PAGE_ITEMS, offset=(page - 1) * PAGE_ITEMS))


def _titled(app: App, searched: str) -> dict[str, object]:
    """An item's title is its first text. Where an app has no such field, the whole title is asked for."""
    texts = [field.field_id for field in app.fields if field.type == "text"]
    return {"key": texts[0], "values": {"contains": searched}} if texts else {"key": "title", "values": searched}


# --- the app itself ---------------------------------------------------------------------------------------------------


async def drop_app(desk: Desk, visit: Visit) -> Response:
    """`POST /console/apps/{app_id}/delete`."""
    check_form(visit)
    place = await desk.database.read(find_place, visit.caller, visit.ids["app_id"])
    await desk.database.write(delete_app, visit.caller, place.app.app_id, now=visit.now)
    return done(space_path(place.space.space_id), "app-deleted")
