"""Items, their fields and their revisions as Podio writes them (contract section 6.2).

Three sizes, as in Podio: the whole item; one of a list, without comments and tasks; the basic one, without any list of what
hangs on it. A list that is not answered is left out, never empty: clients send back what they read when they save, and empty
tags would take the tags off. What Tidings does not have is there and empty, as clients read it. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, TypedDict, cast
from weakref import WeakKeyDictionary

import msgspec

from tidings.api.apps import FieldConfigObject, FieldObject, field_object
from tidings.api.bylines import Byline, Via, byline, via
from tidings.api.comments import CommentObject, comment_object
from tidings.api.files import FileObject, file_object, linked_value
from tidings.api.shapes import Timestamp, one_of
from tidings.api.task_objects import TaskObject, task_object
from tidings.wire.podio import timestamp
from tidings.workspace.accounts.authors import Author
from tidings.workspace.apps import AppConfig, item_rights
from tidings.workspace.fields.fieldsets import Fieldset, Slot
from tidings.workspace.items.referrers import Referring
from tidings.workspace.items.revisions import Difference, Revision
from tidings.workspace.items.views import AppView, ItemView


class RevisionObject(TypedDict):
    """One state of an item; `revision` is the number within the item, from 0, and what events carry."""

    revision: int
    item_revision_id: int
    app_revision: int
    type: Annotated[str, one_of("creation", "update", "delete")]
    created_on: Timestamp
    created_by: Byline
    created_via: Via


class ItemFieldObject(FieldObject):
    """A field, with the values that an item has for it."""

    values: list[object]


class ItemAppObject(TypedDict):
    """What an item says of its app."""

    app_id: int
    space_id: int
    status: str
    url_label: str
    name: str
    item_name: str
    icon: str | None
    config: AppConfig


class NotHereObject(TypedDict):
    """What an item has in Podio and not here: empty, as clients read it."""

    refs: Sequence[object]
    references: Sequence[object]
    shares: Sequence[object]
    like_count: int
    subscribed: bool
    is_liked: bool
    ratings: Mapping[str, object]
    user_ratings: Mapping[str, object]
    participants: Mapping[str, object]
    votes: Mapping[str, object]
    invite: None
    reminder: None
    recurrence: None
    linked_account_id: None
    linked_account_data: None
    ref: None


class BasicItemObject(NotHereObject):
    """An item, with its values and who made it, and how many comments, files and tasks are on it."""

    item_id: int
    app_item_id: int
    app_item_id_formatted: str
    external_id: str | None
    title: str
    link: str
    rights: Sequence[str]
    app: ItemAppObject
    fields: list[ItemFieldObject]
    created_on: Timestamp
    created_by: Byline
    created_via: Via
    initial_revision: RevisionObject
    current_revision: RevisionObject
    last_event_on: Timestamp
    revision: int
    comment_count: int
    file_count: int
    task_count: int


class ListedItemObject(BasicItemObject):
    """An item of a list: with its tags and files."""

    tags: Sequence[str]
    files: list[FileObject]


class ItemObject(ListedItemObject):
    """The whole item: also with what was said on it, and the tasks on it that the caller may see."""

    comments: list[CommentObject]
    tasks: list[TaskObject]


class ReferrerObject(TypedDict):
    """An item that refers to another."""

    item_id: int
    app_item_id: int
    title: str
    link: str


class ReferringObject(TypedDict):
    """The items of one app that refer to an item."""

    app: ItemAppObject
    items: list[ReferrerObject]


DifferenceObject = TypedDict(
    "DifferenceObject",
    {"field_id": int, "external_id": str, "type": str, "label": str, "from": list[object], "to": list[object]},
)
"""How one field differs between two revisions."""


def item_object(view: ItemView, public_url: str) -> ItemObject:
    """The whole item."""
    whole = cast(ItemObject, listed_object(view, public_url))  # and what it lacks; a copy of so many parts costs more than they do
    whole["comments"] = [comment_object(comment, public_url) for comment in view.hanging.comments]
    whole["tasks"] = [task_object(task, public_url) for task in view.hanging.tasks]
    return whole


def listed_object(view: ItemView, public_url: str) -> ListedItemObject:
    """An item of a list."""
    hanging, title = view.hanging, view.item.title
    listed = cast(ListedItemObject, basic_object(view, public_url))  # as above
    listed["tags"] = hanging.tags
    listed["files"] = [file_object(file, hanging.authors, public_url, title=title) for file in hanging.files]
    return listed


def basic_object(view: ItemView, public_url: str) -> BasicItemObject:
    """An item without what hangs on it."""
    item = view.item
    first = revision_object(view.first, view.authors, public_url)
    return {
        "item_id": item.item_id,
        "app_item_id": item.app_item_id,
        "app_item_id_formatted": _formatted(view.app, item.app_item_id),
        "external_id": item.external_id,
        "title": item.title,
        "link": f"{public_url}/item/{item.item_id}",
        "rights": item_rights(view.app.role, view.app.config),
        "app": _app_object(view.app),
        "fields": fields_object(view, public_url),
        "created_on": first["created_on"],
        "created_by": first["created_by"],
        "created_via": first["created_via"],
        "initial_revision": first,
        "current_revision": first if item.revision == 0 else revision_object(view.last, view.authors, public_url),
        "last_event_on": timestamp(item.last_event_at),
        "revision": item.revision,
        "comment_count": item.comment_count,
        "file_count": item.file_count,
        "task_count": item.task_count,
        **_NOT_HERE,
    }


_NOT_HERE: NotHereObject = {
    "refs": (),
    "references": (),
    "shares": (),
    "like_count": 0,
    "subscribed": False,
    "is_liked": False,
    "ratings": {},
    "user_ratings": {},
    "participants": {},
    "votes": {},
    "invite": None,
    "reminder": None,
    "recurrence": None,
    "linked_account_id": None,
    "linked_account_data": None,
    "ref": None,
}


def fields_object(view: ItemView, public_url: str) -> list[ItemFieldObject]:
    """The fields that have values, in their order."""
    heads = _heads(view.fieldset)
    held = (slot for slot in view.fieldset.slots if slot.field.field_id in view.item.values)
    return [{**heads[slot.field.field_id], "values": values_object(slot, view, public_url)} for slot in held]


def values_object(slot: Slot, view: ItemView, public_url: str) -> list[object]:
    """What the item holds for one field."""
    values = slot.show(view.item.values, view.known)
    return [linked_value(value, public_url) for value in values] if slot.rule.refers_to == "file" else values


_HEADS: WeakKeyDictionary[Fieldset, dict[int, FieldObject]] = WeakKeyDictionary()


def _heads(fieldset: Fieldset) -> dict[int, FieldObject]:
    """What every answer says of the fields beside the values. Their configs are long, so they are encoded once."""
    heads = _HEADS.get(fieldset)
    if heads is None:
        heads = {field.field_id: _head(field_object(field)) for field in fieldset.fields}
        _HEADS[fieldset] = heads
    return heads


def _head(field: FieldObject) -> FieldObject:
    encoded = msgspec.Raw(msgspec.json.encode(field["config"]))
    return {**field, "config": cast(FieldConfigObject, encoded)}


def revision_object(revision: Revision, authors: Mapping[str, Author], public_url: str) -> RevisionObject:
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


def difference_object(difference: Difference) -> DifferenceObject:
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


def referring_object(referring: Referring, public_url: str) -> ReferringObject:
    """The items of one app that refer to an item."""
    several: list[ReferrerObject] = [
        {"item_id": item.item_id, "app_item_id": item.app_item_id, "title": item.title, "link": f"{public_url}/item/{item.item_id}"}
        for item in referring.items
    ]
    return {"app": _app_object(referring.app), "items": several}


def _app_object(app: AppView) -> ItemAppObject:
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
