"""Items with all that an answer says of them: who made them, their app, their first and present revision, what they refer to.

One set of statements however many items there are; all of them of one app, into which the caller has been let. What
hangs on them is read where it is asked for: `whole` is all of it.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import RowMapping

from tidings.store.database import Tx
from tidings.workspace.access import Caller, Role, held_role, reach_app
from tidings.workspace.accounts.authors import Author, find_authors
from tidings.workspace.apps import AppConfig, app_config
from tidings.workspace.fields.fieldsets import Fieldset, fieldset
from tidings.workspace.items.filters import Wanted, find_page
from tidings.workspace.items.hangings import NOTHING_HANGS, Hanging, hanging_on, hanging_on_page
from tidings.workspace.items.items import NewItem, make_item, reach_by_app_item_id, reach_by_external_id, reach_item
from tidings.workspace.items.neighbours import Direction, reach_neighbour
from tidings.workspace.items.references import look_up
from tidings.workspace.items.revisions import Revision, first_and_last, get_revision, list_revisions
from tidings.workspace.items.rows import Item
from tidings.workspace.values.rule import Known


class AppView(Struct, frozen=True):
    """What an answer says of the app of an item."""

    app_id: int
    space_id: int
    url_label: str
    status: str
    config: AppConfig
    role: Role  # of the caller


class ItemView(Struct, frozen=True):
    """One item, as one caller sees it."""

    item: Item
    app: AppView
    fieldset: Fieldset
    known: Known
    authors: dict[str, Author]
    first: Revision
    last: Revision
    hanging: Hanging = NOTHING_HANGS


class PageView(Struct, frozen=True):
    """Some of the items that match a filter; the counts are as in `filters.Page`."""

    total: int
    filtered: int
    items: list[ItemView]


def create_and_view(tx: Tx, caller: Caller, app_id: int, new: NewItem, *, now: int, heard: bool) -> ItemView:
    """A new item. Raises as `items.create_item` does."""
    app = reach_app(tx, caller, app_id, "regular", lock=True)
    those = fieldset(tx, app)
    item, revision_id, known = make_item(tx, caller, app, those, new, now=now, heard=heard)
    first = Revision(item.item_id, 0, revision_id, "creation", app["revision"], item.created_by, now)
    view = ItemView(item, view_app(caller, app), those, known, find_authors(tx, {item.created_by}), first, first)
    return replace(view, hanging=hanging_on(tx, caller, app, item)) if new.enclosed else view


def view_item(tx: Tx, caller: Caller, item_id: int) -> ItemView:
    """The item, without what hangs on it. Raises `NotFound`, `Forbidden`, `Gone`."""
    item, app = reach_item(tx, caller, item_id)
    return view_items(tx, caller, app, [item])[0]


def view_whole(tx: Tx, caller: Caller, item_id: int) -> ItemView:
    """The item. Raises `NotFound`, `Forbidden`, `Gone`."""
    return _whole(tx, caller, *reach_item(tx, caller, item_id))


def view_by_app_item_id(tx: Tx, caller: Caller, app_id: int, app_item_id: int) -> ItemView:
    """The item with this number within its app. Raises `NotFound`, `Forbidden`, `Gone`."""
    return _whole(tx, caller, *reach_by_app_item_id(tx, caller, app_id, app_item_id))


def view_by_external_id(tx: Tx, caller: Caller, app_id: int, external_id: str) -> ItemView:
    """The newest item of the app with this external_id. Raises `NotFound`, `Forbidden`."""
    return _whole(tx, caller, *reach_by_external_id(tx, caller, app_id, external_id))


def view_neighbour(tx: Tx, caller: Caller, item_id: int, direction: Direction) -> ItemView:
    """The item that was made next, or before. Raises `NotFound`, `Forbidden`, `Gone`."""
    return _whole(tx, caller, *reach_neighbour(tx, caller, item_id, direction))


def _whole(tx: Tx, caller: Caller, item: Item, app: RowMapping) -> ItemView:
    [view] = view_items(tx, caller, app, [item])
    hanging = hanging_on(tx, caller, app, item)
    return view if hanging is NOTHING_HANGS else replace(view, hanging=hanging)


def view_page(tx: Tx, caller: Caller, app_id: int, wanted: Wanted) -> PageView:
    """One page of what is wanted, with its tags and files. Raises as `filters.filter_items` does."""
    app = reach_app(tx, caller, app_id)
    page = find_page(tx, app, wanted)
    views, hanging = view_items(tx, caller, app, page.items), hanging_on_page(tx, page.items)
    views = [replace(view, hanging=hanging.get(view.item.item_id, NOTHING_HANGS)) for view in views] if hanging else views
    return PageView(page.total, page.filtered, views)


def view_items(tx: Tx, caller: Caller, app: RowMapping, those: Sequence[Item]) -> list[ItemView]:
    """These items of `app`, in their order, without what hangs on them."""
    fields = fieldset(tx, app)
    known = look_up(tx, caller, app, fields, (item.values for item in those))
    ends = first_and_last(tx, those)
    authors = find_authors(tx, {revision.created_by for pair in ends.values() for revision in pair})
    shown = view_app(caller, app)
    return [ItemView(item, shown, fields, known, authors, *ends[item.item_id]) for item in those]


def view_revisions(tx: Tx, caller: Caller, item_id: int) -> tuple[list[Revision], dict[str, Author]]:
    """All revisions of an item, oldest first, and the names behind them. Raises `NotFound`, `Forbidden`."""
    revisions = list_revisions(tx, caller, item_id)
    return revisions, find_authors(tx, {revision.created_by for revision in revisions})


def view_revision(tx: Tx, caller: Caller, item_id: int, number: int) -> tuple[Revision, dict[str, Author]]:
    """One revision of an item, and the name behind it. Raises `NotFound`, `Forbidden`."""
    revision = get_revision(tx, caller, item_id, number)
    return revision, find_authors(tx, {revision.created_by})


def view_app(caller: Caller, app: RowMapping) -> AppView:
    """The app whose row this is, into which the caller has been let."""
    role = held_role(caller, app)
    assert role is not None  # they have been let in
    return AppView(app["app_id"], app["space_id"], app["url_label"], app["status"], app_config(app), role)
