"""Trying a hook: it is told of something of its own type that has not happened, so that its owner sees a delivery arrive.

The ids are those of what is newest in its place, so that a receiver which looks them up finds something; where there is
nothing yet they are 0, and texts are empty. A trial is an event like any other, but for the mark that it is a test, and it
goes to this hook alone. In the workspace nothing changes.
"""

from __future__ import annotations

from sqlalchemy import BindParameter, RowMapping, Select, bindparam, func, select

from tidings.errors import Conflict
from tidings.events.outbox import NewEvent, append
from tidings.events.types import EVENT_TYPES
from tidings.hooks.reach import reach_hook
from tidings.store.database import Tx
from tidings.store.schema import apps, comments, contacts, files, forms, items, space_members, statuses, tags, tasks
from tidings.workspace.access import Caller, reach_app
from tidings.workspace.fields.fieldsets import fieldset
from tidings.workspace.items.references import look_up
from tidings.workspace.items.rows import Item, find_item
from tidings.workspace.items.snapshots import snapshot

TEXTS = frozenset({"tag", "file_ids"})
"""Parameters that are empty, not 0, where there is nothing to name."""

_IN_APP: BindParameter[int] = bindparam("app_id")
_IN_SPACE: BindParameter[int] = bindparam("space_id")
_ON_ITEM: BindParameter[int] = bindparam("item_id")
_NEWEST_ITEM = (
    select(items.c.item_id).where(items.c.app_id == _IN_APP, items.c.deleted_at.is_(None)).order_by(items.c.item_id.desc()).limit(1)
)
_NEWEST: dict[str, Select[tuple[object]]] = {
    "app_id": select(func.max(apps.c.app_id)).where(apps.c.space_id == _IN_SPACE, apps.c.deleted_at.is_(None)),
    "form_id": select(func.max(forms.c.form_id)).where(forms.c.app_id == _IN_APP, forms.c.deleted_at.is_(None)),
    "comment_id": select(func.max(comments.c.comment_id)).where(
        comments.c.ref_type == "item", comments.c.ref_id == _ON_ITEM, comments.c.deleted_at.is_(None)
    ),
    "file_ids": select(func.max(files.c.file_id)).where(
        files.c.ref_type == "item", files.c.ref_id == _ON_ITEM, files.c.deleted_at.is_(None)
    ),
    "tag": select(func.max(tags.c.text)).where(tags.c.ref_type == "item", tags.c.ref_id == _ON_ITEM),
    "task_id": select(func.max(tasks.c.task_id)).where(
        tasks.c.space_id == _IN_SPACE, tasks.c.private.is_(False), tasks.c.deleted_at.is_(None)
    ),
    "status_id": select(func.max(statuses.c.status_id)).where(statuses.c.space_id == _IN_SPACE, statuses.c.deleted_at.is_(None)),
    "profile_id": select(func.max(contacts.c.profile_id)).where(contacts.c.space_id == _IN_SPACE, contacts.c.deleted_at.is_(None)),
    "user_id": select(func.max(space_members.c.user_id)).where(space_members.c.space_id == _IN_SPACE),
}


def try_hook(tx: Tx, caller: Caller, hook_id: int, *, now: int) -> None:
    """Write an event for this hook alone. Raises `Conflict` for one that is inactive or paused; `NotFound`, `Forbidden`, `Gone`."""
    hook = reach_hook(tx, caller, hook_id)
    _check_ready(hook)
    event_type = EVENT_TYPES[hook["type"]]
    item = _newest_item(tx, hook) if event_type.object_type == "item" else None
    known = _known(hook, item)
    parameters = {name: known[name] if name in known else _newest(tx, name, hook, item) for name in event_type.parameters}
    append(
        tx,
        NewEvent(
            type=event_type.name,
            space_id=hook["space_id"],
            app_id=hook["app_id"],
            object_id=int(parameters[_OBJECTS.get(event_type.object_type, f"{event_type.object_type}_id")]),
            parameters=parameters,
            created_by=caller.author,
            created_at=now,
            hook_id=hook_id,
            test=True,
            object=_shown(tx, caller, item) if item is not None and hook["format"] != "podio" else None,
        ),
    )


_OBJECTS = {"contact": "profile_id", "member": "user_id"}
"""Which parameter names the object, where it is not the kind's own."""


def _check_ready(hook: RowMapping) -> None:
    if hook["status"] != "active":
        raise Conflict("The hook is inactive: its URL must be verified first", parameters={"hook_id": hook["hook_id"]})
    if hook["paused_at"] is not None:
        raise Conflict("The hook is paused, and nothing is sent: resume it first", parameters={"hook_id": hook["hook_id"]})


def _newest_item(tx: Tx, hook: RowMapping) -> Item | None:
    item_id = tx.execute(_NEWEST_ITEM, {"app_id": hook["app_id"]}).scalar()
    return None if item_id is None else find_item(tx, item_id)


def _known(hook: RowMapping, item: Item | None) -> dict[str, str]:
    """The parameters that need no further look-up."""
    of_app = {} if hook["app_id"] is None else {"app_id": str(hook["app_id"])}
    of_item = {
        "item_id": str(item.item_id) if item else "0",
        "item_revision_id": str(item.revision) if item else "0",
        "external_id": (item.external_id or "") if item else "",
    }
    return {"space_id": str(hook["space_id"]), "action_type": "file_created", **of_app, **of_item}


def _newest(tx: Tx, name: str, hook: RowMapping, item: Item | None) -> str:
    within = {"app_id": hook["app_id"], "space_id": hook["space_id"], "item_id": item.item_id if item else 0}
    newest = tx.execute(_NEWEST[name], within).scalar()
    if newest is None:
        return "" if name in TEXTS else "0"
    return str(newest)


def _shown(tx: Tx, caller: Caller, item: Item) -> str:
    app = reach_app(tx, caller, item.app_id)
    those = fieldset(tx, app)
    return snapshot(item, those, look_up(tx, caller, app, those, [item.values]))
