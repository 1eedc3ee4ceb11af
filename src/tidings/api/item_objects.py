"""Items, their fields and their revisions as Podio writes them (contract section 6.2).

What Tidings does not have (tags, comments, tasks, files on items) is there and empty, as clients read it. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from weakref import WeakKeyDictionary

import msgspec

from tidings.api.apps import field_object
from tidings.api.bylines import byline, via
from tidings.wire.podio import timestamp
from tidings.workspace.authors import Author
from tidings.workspace.fieldsets import Fieldset
from tidings.workspace.item_views import AppView, ItemView
from tidings.workspace.items import ITEM_RIGHTS
from tidings.workspace.revisions import Difference, Revision


def item_object(view: ItemView, public_url: str) -> dict[str, object]:
    """The whole item."""
    item = view.item
    first = revision_object(view.first, view.authors, public_url)
    return {
        "item_id": item.item_id,
        "app_item_id": item.app_item_id,
        "app_item_id_formatted": _formatted(view.app, item.app_item_id),
        "external_id": item.external_id,
        "title": item.title,
        "link": f"{public_url}/item/{item.item_id}",
        "rights": ITEM_RIGHTS[view.app.role],
        "app": _app_object(view.app),
        "fields": fields_object(view),
        "created_on": first["created_on"],
        "created_by": first["created_by"],
        "created_via": first["created_via"],
        "initial_revision": first,
        "current_revision": first if item.revision == 0 else revision_object(view.last, view.authors, public_url),
        "last_event_on": timestamp(item.last_event_at),
        "revision": item.revision,
        **_NOT_HERE,
    }


_NOT_HERE: dict[str, object] = {
    **dict.fromkeys(("tags", "files", "comments", "tasks", "refs", "references", "shares"), ()),
    **dict.fromkeys(("comment_count", "file_count", "task_count", "like_count"), 0),
    **dict.fromkeys(("subscribed", "is_liked"), False),
    **dict.fromkeys(("ratings", "user_ratings", "participants", "votes"), msgspec.Raw(b"{}")),
    **dict.fromkeys(("invite", "reminder", "recurrence", "linked_account_id", "linked_account_data", "ref")),
}


def fields_object(view: ItemView) -> list[dict[str, object]]:
    """The fields that have values, in their order."""
    heads = _heads(view.fieldset)
    held = (slot for slot in view.fieldset.slots if slot.field.field_id in view.item.values)
    return [{**heads[slot.field.field_id], "values": slot.show(view.item.values, view.known)} for slot in held]


_HEADS: WeakKeyDictionary[Fieldset, dict[int, dict[str, object]]] = WeakKeyDictionary()


def _heads(fieldset: Fieldset) -> dict[int, dict[str, object]]:
    """What every answer says of the fields beside the values. Their configs are long, so they are encoded once."""
    heads = _HEADS.get(fieldset)
    if heads is None:
        objects = {field.field_id: field_object(field) for field in fieldset.fields}
        heads = {field_id: {**each, "config": msgspec.Raw(msgspec.json.encode(each["config"]))} for field_id, each in objects.items()}
        _HEADS[fieldset] = heads
    return heads


def revision_object(revision: Revision, authors: Mapping[str, Author], public_url: str) -> dict[str, object]:
    """One revision."""
    author = authors[revision.created_by]
    return {
        "revision": revision.revision,
        "item_revision_id": revision.item_revision_id,
        "app_revision": revision.app_revision,
        "type": revision.type,
        "created_on": timestamp(revision.created_at),
        "created_by": byline(author, public_url),
        "created_via": via(author),
    }


def difference_object(difference: Difference) -> dict[str, object]:
    """How one field differs between two revisions."""
    field = difference.slot.field
    return {
        "field_id": field.field_id,
        "external_id": field.external_id,
        "type": field.type,
        "label": field.config.label,
        "from": difference.before,
        "to": difference.after,
    }


def _app_object(app: AppView) -> dict[str, object]:
    return {
        "app_id": app.app_id,
        "space_id": app.space_id,
        "status": app.status,
        "url_label": app.url_label,
        "name": app.config.name,
        "item_name": app.config.item_name,
        "icon": app.config.icon,
        "config": app.config,
    }


def _formatted(app: AppView, app_item_id: int) -> str:
    return f"{app.config.app_item_id_prefix or ''}{app_item_id:0{app.config.app_item_id_padding}d}"
