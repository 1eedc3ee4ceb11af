"""The item endpoints (contract section 6.2).

`hook=false` is honoured on every change; `silent` is accepted and means nothing, as nobody is notified but hooks. What
a body may carry for things that Tidings does not have (reminders, recurrences, linked accounts) is taken when it is empty, as
clients send it, and refused when it is not: nothing that a caller wrote is dropped silently.
"""

from __future__ import annotations

from typing import Annotated, Any, TypedDict

from msgspec import UNSET, Meta, Struct, UnsetType
from msgspec.structs import replace

from tidings.api.call import GREATEST_ID, Call, ChangeQuery
from tidings.api.item_objects import (
    BasicItemObject,
    DifferenceObject,
    ItemFieldObject,
    ItemObject,
    ListedItemObject,
    ReferringObject,
    RevisionObject,
    basic_object,
    difference_object,
    fields_object,
    item_object,
    listed_object,
    referring_object,
    revision_object,
    values_object,
)
from tidings.api.shapes import Id
from tidings.errors import Invalid, NotFound
from tidings.store.database import Tx
from tidings.workspace.access import Caller
from tidings.workspace.items import clearing, clones, filters, items, referrers, reverts, revisions
from tidings.workspace.items import views as item_views
from tidings.workspace.items.enclosures import Enclosed
from tidings.workspace.items.filters import DEFAULT_LIMIT, GREATEST_LIMIT, Wanted
from tidings.workspace.items.items import Changed, ItemChange, NewItem
from tidings.workspace.items.views import ItemView, PageView

Limit = Annotated[int, Meta(ge=1, le=GREATEST_LIMIT)]
Offset = Annotated[int, Meta(ge=0, le=GREATEST_ID)]


class NotOffered(Struct):
    """What an item has in Podio and not here."""

    reminder: Any = None
    recurrence: Any = None
    linked_account_id: Any = None
    ref: Any = None

    def refuse(self) -> None:
        """Raise `Invalid` for the first of them that says anything."""
        for name in NotOffered.__struct_fields__:
            if getattr(self, name):
                raise Invalid(f"{name}: is not offered here, and must be left out or empty", parameters={"field": name})


class ItemBody(NotOffered):
    """What a creation, or an update, says of an item. Tags are all that it shall have, files are attached to it."""

    external_id: str | int | UnsetType | None = UNSET
    fields: dict[str, Any] | list[Any] | None = None
    tags: list[str] | None = None
    file_ids: list[Id] | None = None
    revision: int | None = None

    def enclosed(self) -> Enclosed:
        """What comes along with the item."""
        return Enclosed(self.tags, self.file_ids or ())


class ItemQuery(Struct):
    """What the query says when an item is asked for. There are no notifications that could be marked."""

    mark_as_viewed: bool = True


class FilterBody(Struct):
    """What a filter says. `remember` is for people's views, of which there are none."""

    filters: dict[str, Any] | list[Any] | None = None
    sort_by: str | int | None = None
    sort_desc: bool | None = None
    limit: Limit | None = None
    offset: Offset | None = None


class ListQuery(Struct):
    """The same, as far as a query says it."""

    external_id: str | None = None
    sort_by: str | None = None
    sort_desc: bool = True
    limit: Limit = DEFAULT_LIMIT
    offset: Offset = 0


class BulkBody(Struct):
    """Which items a bulk deletion is of: those that are named; else those that a filter finds, oldest first, at most `limit`."""

    item_ids: Annotated[list[Id], Meta(max_length=10 * items.BULK_LIMIT)] | None = None
    filters: dict[str, Any] | list[Any] | None = None
    view_id: Any = None
    limit: Annotated[int, Meta(ge=1, le=items.BULK_LIMIT)] = items.BULK_LIMIT


class ChangedObject(TypedDict):
    """What has become of an item: a change that changes nothing makes no revision."""

    revision: int
    title: str


class PageObject(TypedDict):
    """Some of the items of an app: it has `total`, and `filtered` of them match."""

    total: int
    filtered: int
    items: list[ListedItemObject]


class CountObject(TypedDict):
    """How many items an app has."""

    count: int


class ClonedObject(TypedDict):
    """The item that was made."""

    item_id: int


class RevertedObject(TypedDict):
    """The revision that an item is at: a new one, unless it was like that already."""

    revision: int


class BulkObject(TypedDict):
    """The items that a bulk deletion deleted, and those that the same call would delete next."""

    deleted: list[int]
    pending: list[int]


# --- one item ----------------------------------------------------------------------------------------------------------


async def create_item(call: Call, body: ItemBody, query: ChangeQuery) -> ItemObject:
    """`POST /item/app/{app_id}`: the whole item, as clients build one from it."""
    app_id = call.id("app_id")
    body.refuse()
    new = NewItem(body.fields, None if body.external_id is UNSET else body.external_id, body.enclosed())
    view = await call.write(item_views.create_and_view, call.caller, app_id, new, now=call.now, heard=query.hook)
    return item_object(view, call.house.settings.public_url)


async def get_item(call: Call, query: ItemQuery) -> ItemObject:  # noqa: ARG001  what the query says is taken, and means nothing
    """`GET /item/{item_id}`."""
    view = await call.glance(item_views.view_whole, call.caller, call.id("item_id"))
    return item_object(view, call.house.settings.public_url)


async def get_basic(call: Call, query: ItemQuery) -> BasicItemObject:  # noqa: ARG001  as above
    """`GET /item/{item_id}/basic`: without its tags, files, comments and tasks."""
    return basic_object(await _view(call), call.house.settings.public_url)


async def get_next(call: Call) -> ItemObject:
    """`GET /item/{item_id}/next`: the item of the same app that was made after it."""
    view = await call.read(item_views.view_neighbour, call.caller, call.id("item_id"), "next")
    return item_object(view, call.house.settings.public_url)


async def get_previous(call: Call) -> ItemObject:
    """`GET /item/{item_id}/previous`: the one that was made before it."""
    view = await call.read(item_views.view_neighbour, call.caller, call.id("item_id"), "previous")
    return item_object(view, call.house.settings.public_url)


async def get_by_app_item_id(call: Call) -> ItemObject:
    """`GET /app/{app_id}/item/{app_item_id}`."""
    view = await call.glance(item_views.view_by_app_item_id, call.caller, call.id("app_id"), call.id("app_item_id"))
    return item_object(view, call.house.settings.public_url)


async def get_by_external_id(call: Call) -> ItemObject:
    """`GET /item/app/{app_id}/external_id/{external_id}`: the newest that has it."""
    view = await call.glance(item_views.view_by_external_id, call.caller, call.id("app_id"), call.text("external_id"))
    return item_object(view, call.house.settings.public_url)


async def update_item(call: Call, body: ItemBody, query: ChangeQuery) -> ChangedObject:
    """`PUT /item/{item_id}`. A change of nothing but its tags and files makes no revision."""
    item_id = call.id("item_id")
    body.refuse()
    change = ItemChange(body.fields, body.external_id, body.revision, body.enclosed())
    return _changed(await call.write(items.update_item, call.caller, item_id, change, now=call.now, heard=query.hook))


async def delete_item(call: Call, query: ChangeQuery) -> None:
    """`DELETE /item/{item_id}`."""
    await call.write(items.delete_item, call.caller, call.id("item_id"), now=call.now, heard=query.hook)


async def list_references(call: Call) -> list[ReferringObject]:
    """`GET /item/{item_id}/reference`: the items that refer to it, by app; both in the order of their names."""
    found = await call.read(referrers.list_referring, call.caller, call.id("item_id"))
    return [referring_object(referring, call.house.settings.public_url) for referring in found]


async def clone_item(call: Call, query: ChangeQuery) -> ClonedObject:
    """`POST /item/{item_id}/clone`: its values, its tags and copies of its files; not its external_id."""
    clone = await call.write(clones.clone_item, call.caller, call.id("item_id"), now=call.now, heard=query.hook)
    return {"item_id": clone.item_id}


# --- its values --------------------------------------------------------------------------------------------------------


async def get_values(call: Call) -> list[ItemFieldObject]:
    """`GET /item/{item_id}/value`, and `/v2` of it: the fields that have values."""
    return fields_object(await _view(call), call.house.settings.public_url)


async def get_field_values(call: Call) -> list[object]:
    """`GET /item/{item_id}/value/{field}`: the values of one field, which may be none."""
    view, name = await _view(call), call.text("field")
    slot = view.fieldset.find(name)
    if slot is None:
        raise NotFound(parameters={"field": name[:60]})
    return values_object(slot, view, call.house.settings.public_url)


async def update_values(call: Call, body: dict[str, Any] | list[Any] | None, query: ChangeQuery) -> ChangedObject:
    """`PUT /item/{item_id}/value`: a map of fields, or a list of them."""
    return _changed(await call.write(items.update_values, call.caller, call.id("item_id"), body, now=call.now, heard=query.hook))


async def update_field_value(call: Call, body: Any, query: ChangeQuery) -> ChangedObject:
    """`PUT /item/{item_id}/value/{field}`: a list of values, or one."""
    item_id, name = call.id("item_id"), call.text("field")
    return _changed(await call.write(items.update_field_value, call.caller, item_id, name, body, now=call.now, heard=query.hook))


# --- many --------------------------------------------------------------------------------------------------------------


async def filter_items(call: Call, body: FilterBody) -> PageObject:
    """`POST /item/app/{app_id}/filter`."""
    wanted = Wanted(
        filters=body.filters,
        sort_by=body.sort_by,
        sort_desc=body.sort_desc is not False,
        limit=body.limit or DEFAULT_LIMIT,
        offset=body.offset or 0,
    )
    return _page_object(await call.read(item_views.view_page, call.caller, call.id("app_id"), wanted), call)


async def list_items(call: Call, query: ListQuery) -> PageObject:
    """`GET /item/app/{app_id}`, and `/v2` of it, with `external_id` as its one filter."""
    wanted = Wanted(external_id=query.external_id, sort_by=query.sort_by, sort_desc=query.sort_desc, limit=query.limit, offset=query.offset)
    return _page_object(await call.read(_view_named, call.caller, call.id("app_id"), wanted), call)


async def count_items(call: Call) -> CountObject:
    """`GET /item/app/{app_id}/count`."""
    return {"count": await call.read(filters.count_items, call.caller, call.id("app_id"))}


async def delete_items(call: Call, body: BulkBody, query: ChangeQuery) -> BulkObject:
    """`POST /item/app/{app_id}/delete`: those of `item_ids` that are in the app, or those that `filters` find."""
    app_id = call.id("app_id")
    if body.item_ids is not None:
        deleted = await call.write(items.delete_items, call.caller, app_id, body.item_ids, now=call.now, heard=query.hook)
        return {"deleted": deleted, "pending": []}
    if body.view_id:
        raise Invalid("view_id: there are no views here; name the items, or give filters", parameters={"field": "view_id"})
    cleared = await call.write(
        clearing.delete_matching, call.caller, app_id, body.filters, limit=body.limit, now=call.now, heard=query.hook
    )
    return {"deleted": cleared.deleted, "pending": cleared.pending}


# --- revisions ---------------------------------------------------------------------------------------------------------


async def list_revisions(call: Call) -> list[RevisionObject]:
    """`GET /item/{item_id}/revision`: oldest first."""
    found, authors = await call.read(item_views.view_revisions, call.caller, call.id("item_id"))
    return [revision_object(revision, authors, call.house.settings.public_url) for revision in found]


async def get_revision(call: Call) -> RevisionObject:
    """`GET /item/{item_id}/revision/{revision}`."""
    item_id, number = call.id("item_id"), _revision(call, "revision")
    revision, authors = await call.glance(item_views.view_revision, call.caller, item_id, number)
    return revision_object(revision, authors, call.house.settings.public_url)


async def compare_revisions(call: Call) -> list[DifferenceObject]:
    """`GET /item/{item_id}/revision/{from}/{to}`."""
    item_id, before, after = call.id("item_id"), _revision(call, "from"), _revision(call, "to")
    differences = await call.read(revisions.compare_revisions, call.caller, item_id, before, after)
    return [difference_object(difference) for difference in differences]


async def revert_to_revision(call: Call, query: ChangeQuery) -> RevertedObject:
    """`POST /item/{item_id}/revision/{revision}/revert_to`: the values as they stood after it."""
    item_id, number = call.id("item_id"), _revision(call, "revision")
    changed = await call.write(reverts.revert_to, call.caller, item_id, number, now=call.now, heard=query.hook)
    return {"revision": changed.revision}


async def revert_revision(call: Call, query: ChangeQuery) -> RevertedObject:
    """`DELETE /item/{item_id}/revision/{revision}`: take back what it changed, and keep what others did."""
    item_id, number = call.id("item_id"), _revision(call, "revision")
    changed = await call.write(reverts.revert, call.caller, item_id, number, now=call.now, heard=query.hook)
    return {"revision": changed.revision}


# --- reading and answering ---------------------------------------------------------------------------------------------


async def _view(call: Call) -> ItemView:
    return await call.glance(item_views.view_item, call.caller, call.id("item_id"))


def _view_named(tx: Tx, caller: Caller, app_id: int, wanted: Wanted) -> PageView:
    """A page; where no item has the external_id, and it is in quotes as pypodio2 writes it, those of the bare one."""
    page = item_views.view_page(tx, caller, app_id, wanted)
    named = wanted.external_id or ""
    if page.filtered or len(named) < 3 or named[0] not in "'\"" or named[0] != named[-1]:
        return page
    return item_views.view_page(tx, caller, app_id, replace(wanted, external_id=named[1:-1]))


def _revision(call: Call, name: str) -> int:
    """A revision's number: as `Call.id`, but 0 is one."""
    return 0 if set(call.text(name)) == {"0"} else call.id(name)


def _changed(changed: Changed) -> ChangedObject:
    return {"revision": changed.revision, "title": changed.title}


def _page_object(page: PageView, call: Call) -> PageObject:
    url = call.house.settings.public_url
    return {"total": page.total, "filtered": page.filtered, "items": [listed_object(view, url) for view in page.items]}
