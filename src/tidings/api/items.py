"""The item endpoints (contract section 6.2).

`hook=false` is honoured on every change; `silent` is accepted and means nothing, as nobody is notified but hooks. What
a body may carry for things that Tidings does not have (tags, files, reminders) is taken when it is empty, as clients
send it, and refused when it is not: nothing that a caller wrote is dropped silently.
"""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import UNSET, Meta, Struct, UnsetType

from tidings.api.call import GREATEST_ID, Call
from tidings.api.item_objects import difference_object, fields_object, item_object, revision_object
from tidings.errors import Invalid, NotFound
from tidings.workspace import filters, item_views, items, revisions
from tidings.workspace.filters import DEFAULT_LIMIT, GREATEST_LIMIT, Wanted
from tidings.workspace.item_views import ItemView, PageView
from tidings.workspace.items import Changed, ItemChange, NewItem

Id = Annotated[int, Meta(ge=1, le=GREATEST_ID)]


class NotOffered(Struct):
    """What an item has in Podio and not here."""

    file_ids: Any = None
    tags: Any = None
    reminder: Any = None
    recurrence: Any = None
    linked_account_id: Any = None
    ref: Any = None

    def refuse(self) -> None:
        """Raise `Invalid` for the first of them that says anything."""
        for name in NotOffered.__struct_fields__:
            if getattr(self, name):
                raise Invalid(f"{name}: is not offered yet, and must be left out or empty", parameters={"field": name})


class ItemBody(NotOffered):
    """What a creation, or an update, says of an item."""

    external_id: str | int | UnsetType | None = UNSET
    fields: dict[str, Any] | list[Any] | None = None
    revision: int | None = None


class FilterBody(Struct):
    """What a filter says. `remember` is for people's views, of which there are none."""

    filters: dict[str, Any] | list[Any] | None = None
    sort_by: str | int | None = None
    sort_desc: bool | None = None
    limit: Annotated[int, Meta(ge=1, le=GREATEST_LIMIT)] | None = None
    offset: Annotated[int, Meta(ge=0, le=GREATEST_ID)] | None = None


class BulkBody(Struct):
    """Which items a bulk deletion is of."""

    item_ids: Annotated[list[Id], Meta(max_length=10 * items.BULK_LIMIT)] | None = None
    filters: Any = None
    view_id: Any = None


# --- one item ----------------------------------------------------------------------------------------------------------


async def create_item(call: Call) -> object:
    """`POST /item/app/{app_id}`: the whole item, as clients build one from it."""
    app_id, body = call.id("app_id"), call.body(ItemBody)
    body.refuse()
    new = NewItem(body.fields, None if body.external_id is UNSET else body.external_id)
    view = await call.write(item_views.create_and_view, call.caller, app_id, new, now=call.now, heard=call.heard)
    return item_object(view, call.house.settings.public_url)


async def get_item(call: Call) -> object:
    """`GET /item/{item_id}`, and `/basic` of it."""
    return item_object(await _view(call), call.house.settings.public_url)


async def get_by_app_item_id(call: Call) -> object:
    """`GET /app/{app_id}/item/{app_item_id}`."""
    view = await call.read(item_views.view_by_app_item_id, call.caller, call.id("app_id"), call.id("app_item_id"))
    return item_object(view, call.house.settings.public_url)


async def get_by_external_id(call: Call) -> object:
    """`GET /item/app/{app_id}/external_id/{external_id}`: the newest that has it."""
    view = await call.read(item_views.view_by_external_id, call.caller, call.id("app_id"), call.text("external_id"))
    return item_object(view, call.house.settings.public_url)


async def update_item(call: Call) -> object:
    """`PUT /item/{item_id}`."""
    item_id, body = call.id("item_id"), call.body(ItemBody)
    body.refuse()
    change = ItemChange(body.fields, body.external_id, body.revision)
    return _changed(await call.write(items.update_item, call.caller, item_id, change, now=call.now, heard=call.heard))


async def delete_item(call: Call) -> None:
    """`DELETE /item/{item_id}`."""
    await call.write(items.delete_item, call.caller, call.id("item_id"), now=call.now, heard=call.heard)


# --- its values --------------------------------------------------------------------------------------------------------


async def get_values(call: Call) -> object:
    """`GET /item/{item_id}/value`, and `/v2` of it: the fields that have values."""
    return fields_object(await _view(call))


async def get_field_values(call: Call) -> object:
    """`GET /item/{item_id}/value/{field}`: the values of one field, which may be none."""
    view, name = await _view(call), call.text("field")
    slot = view.fieldset.find(name)
    if slot is None:
        raise NotFound(parameters={"field": name[:60]})
    return slot.show(view.item.values, view.known)


async def update_values(call: Call) -> object:
    """`PUT /item/{item_id}/value`: a map of fields, or a list of them."""
    item_id, given = call.id("item_id"), _anything(call)
    return _changed(await call.write(items.update_values, call.caller, item_id, given, now=call.now, heard=call.heard))


async def update_field_value(call: Call) -> object:
    """`PUT /item/{item_id}/value/{field}`: a list of values, or one."""
    item_id, name, given = call.id("item_id"), call.text("field"), _anything(call)
    return _changed(await call.write(items.update_field_value, call.caller, item_id, name, given, now=call.now, heard=call.heard))


# --- many --------------------------------------------------------------------------------------------------------------


async def filter_items(call: Call) -> object:
    """`POST /item/app/{app_id}/filter`."""
    app_id, body = call.id("app_id"), call.body(FilterBody)
    wanted = Wanted(
        filters=body.filters,
        sort_by=body.sort_by,
        sort_desc=body.sort_desc is not False,
        limit=body.limit or DEFAULT_LIMIT,
        offset=body.offset or 0,
    )
    return _page_object(await call.read(item_views.view_page, call.caller, app_id, wanted), call)


async def list_items(call: Call) -> object:
    """`GET /item/app/{app_id}`, and `/v2` of it, with `external_id` as its one filter."""
    wanted = Wanted(
        external_id=call.query("external_id"),
        sort_by=call.query("sort_by"),
        sort_desc=call.flag("sort_desc", default=True),
        limit=call.number("limit", default=DEFAULT_LIMIT, least=1, most=GREATEST_LIMIT),
        offset=call.number("offset", default=0),
    )
    return _page_object(await call.read(item_views.view_page, call.caller, call.id("app_id"), wanted), call)


async def count_items(call: Call) -> object:
    """`GET /item/app/{app_id}/count`."""
    return {"count": await call.read(filters.count_items, call.caller, call.id("app_id"))}


async def delete_items(call: Call) -> object:
    """`POST /item/app/{app_id}/delete`: those of `item_ids` that are in the app. All of them are deleted at once."""
    app_id, body = call.id("app_id"), call.body(BulkBody)
    if body.filters or body.view_id:
        raise Invalid("item_ids: must name the items; filters and views are not offered here", parameters={"field": "item_ids"})
    deleted = await call.write(items.delete_items, call.caller, app_id, body.item_ids or (), now=call.now, heard=call.heard)
    return {"deleted": deleted, "pending": []}


# --- revisions ---------------------------------------------------------------------------------------------------------


async def list_revisions(call: Call) -> object:
    """`GET /item/{item_id}/revision`: oldest first."""
    found, authors = await call.read(item_views.view_revisions, call.caller, call.id("item_id"))
    return [revision_object(revision, authors, call.house.settings.public_url) for revision in found]


async def get_revision(call: Call) -> object:
    """`GET /item/{item_id}/revision/{revision}`."""
    item_id, number = call.id("item_id"), _revision(call, "revision")
    revision, authors = await call.read(item_views.view_revision, call.caller, item_id, number)
    return revision_object(revision, authors, call.house.settings.public_url)


async def compare_revisions(call: Call) -> object:
    """`GET /item/{item_id}/revision/{from}/{to}`."""
    item_id, before, after = call.id("item_id"), _revision(call, "from"), _revision(call, "to")
    differences = await call.read(revisions.compare_revisions, call.caller, item_id, before, after)
    return [difference_object(difference) for difference in differences]


# --- reading and answering ---------------------------------------------------------------------------------------------


async def _view(call: Call) -> ItemView:
    return await call.read(item_views.view_item, call.caller, call.id("item_id"))


def _anything(call: Call) -> object:
    return call.body(Any)


def _revision(call: Call, name: str) -> int:
    """A revision's number: as `Call.id`, but 0 is one."""
    return 0 if set(call.text(name)) == {"0"} else call.id(name)


def _changed(changed: Changed) -> dict[str, object]:
    return {"revision": changed.revision, "title": changed.title}


def _page_object(page: PageView, call: Call) -> dict[str, object]:
    url = call.house.settings.public_url
    return {"total": page.total, "filtered": page.filtered, "items": [item_object(view, url) for view in page.items]}
