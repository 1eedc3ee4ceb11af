"""Items: made, changed and deleted, one whole thing at a time, each with its revision and its event.

What is always true: an item's revision grows by one with every change, from 0; a change that changes nothing writes
nothing; a deleted item keeps its row and all its revisions. Whoever changes an item locks its row first and writes the
event last, so that the events of one item lie in the order of their commits, on PostgreSQL too.

An external_id is the caller's own word for an item. As in Podio, several items may have the same; whoever asks by it
gets the newest that is not deleted. Reading needs the role `light`, everything else `regular`, or `admin` where the app's
config keeps others from making or from changing items. What comes along with an item is `enclosures.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec import UNSET, Struct
from msgspec.structs import replace
from sqlalchemy import RowMapping

from tidings.errors import Conflict, Gone, Invalid, NotFound
from tidings.events.outbox import NewEvent, append_many
from tidings.store.database import Tx
from tidings.workspace.access import Caller, Role, let_into_app, reach_app
from tidings.workspace.apps import app_config, require_edits, require_new_items
from tidings.workspace.fields.fieldsets import Fieldset, Values, fieldset
from tidings.workspace.files.files import hold_files
from tidings.workspace.items import rows as item_rows
from tidings.workspace.items.enclosures import NOTHING, Enclosed, enclose, item_anchor
from tidings.workspace.items.references import check_references, look_up
from tidings.workspace.items.rows import Item, RevisionType
from tidings.workspace.items.snapshots import snapshot, told_in_full
from tidings.workspace.quiet import is_quiet
from tidings.workspace.values.given import clean_text
from tidings.workspace.values.rule import Known

EXTERNAL_ID_LIMIT = 255  # characters
BULK_LIMIT = 1_000  # items of one bulk deletion


class NewItem(Struct, frozen=True):
    """An item about to be made. `fields` are as a caller writes them: see `Fieldset.read`."""

    fields: object = None
    external_id: object = None
    enclosed: Enclosed = NOTHING


class ItemChange(Struct, frozen=True):
    """What is to be changed of an item. Fields that are not named stay; so does an external_id that is UNSET."""

    fields: object = None
    external_id: object = UNSET
    revision: int | None = None  # the one that the caller has read; another one is a conflict
    enclosed: Enclosed = NOTHING


class Changed(Struct, frozen=True):
    """How an item stands after a change."""

    revision: int
    title: str


Read = tuple[Values, str | None]
"""The values of an item, as they are kept, and its external_id."""


# --- making ------------------------------------------------------------------------------------------------------------


def create_item(tx: Tx, caller: Caller, app_id: int, new: NewItem, *, now: int, heard: bool = True) -> Item:
    """A new item. Raises `Invalid`, naming the field; `Conflict` for an inactive app; `NotFound`, `Forbidden` and `Gone`."""
    app = reach_app(tx, caller, app_id, "regular", lock=True)
    return make_item(tx, caller, app, fieldset(tx, app), new, now=now, heard=heard)[0]


def make_item(
    tx: Tx, caller: Caller, app: RowMapping, those: Fieldset, new: NewItem, *, now: int, heard: bool
) -> tuple[Item, int, Known]:  # fmt: skip
    """The same in an app that the caller has been let into: the item, the id of its revision, and what it refers to."""
    require_new_items(caller, app)
    read = _placed(None, those, new)
    return write_item(tx, caller, app, those, read, {}, new.enclosed, now=now, heard=heard)


def write_item(
    tx: Tx, caller: Caller, app: RowMapping, those: Fieldset, read: Read, held: Values, enclosed: Enclosed, *, now: int, heard: bool
) -> tuple[Item, int, Known]:  # fmt: skip
    """The same from values that have been read; what they name, and `held` does as well, may be gone or out of reach."""
    drafts, known = _drafted(tx, caller, app, those, [read], held, now=now)
    item, revision_id = item_rows.insert_item(tx, drafts[0], app["revision"])
    item_rows.insert_keys(tx, those.keys(item.item_id, item.values))
    _hold_files(tx, caller, app, those, item.item_id, item.values, known)
    append_many(tx, [_event("create", caller, app, item, those, ({}, item.values), known, now=now, heard=heard)])
    if enclosed:
        enclose(tx, caller, app, item.item_id, enclosed, now=now, heard=heard)
        item = item_rows.find_item(tx, item.item_id) or item
    return item, revision_id, known


def create_items(tx: Tx, caller: Caller, app_id: int, new: Sequence[NewItem], *, now: int, heard: bool = True) -> list[Item]:
    """Many new items of one app, in their order; all of them or none.

    Raises as `create_item` does; an `Invalid` says at which place of `new` (from 0) it is.
    """
    if not new:
        return []
    app = reach_app(tx, caller, app_id, "regular", lock=True)
    require_new_items(caller, app)
    those = fieldset(tx, app)
    read = [_placed(place if len(new) > 1 else None, those, each) for place, each in enumerate(new)]
    drafts, known = _drafted(tx, caller, app, those, read, {}, now=now)
    made = item_rows.insert_items(tx, drafts, app["revision"])
    item_rows.insert_keys(tx, [row for item in made for row in those.keys(item.item_id, item.values)])
    for item in made if known.files else ():
        _hold_files(tx, caller, app, those, item.item_id, item.values, known)
    append_many(tx, (_event("create", caller, app, item, those, ({}, item.values), known, now=now, heard=heard) for item in made))
    for item, each in zip(made, new, strict=True):
        if each.enclosed:
            enclose(tx, caller, app, item.item_id, each.enclosed, now=now, heard=heard)
    return made


def _drafted(
    tx: Tx, caller: Caller, app: RowMapping, those: Fieldset, read: Sequence[Read], held: Values, *, now: int
) -> tuple[list[Item], Known]:  # fmt: skip
    """The items as they will be, but for their ids, which are 0; and what is known of what they refer to."""
    known = look_up(tx, caller, app, those, (values for values, _ in read))
    for values, _ in read:
        check_references(those, values, held, known)
    numbers = item_rows.next_app_item_ids(tx, app["app_id"], len(read))
    drafts = [
        Item(
            item_id=0,
            app_id=app["app_id"],
            app_item_id=number,
            external_id=external_id,
            title=those.title(values, _otherwise(app, number)),
            revision=0,
            values=values,
            created_by=caller.author,
            created_at=now,
            last_event_at=now,
        )
        for number, (values, external_id) in zip(numbers, read, strict=True)
    ]
    return drafts, known


def _placed(place: int | None, those: Fieldset, new: NewItem) -> Read:
    try:
        values = {field_id: those_values for field_id, those_values in those.read(new.fields, {}).items() if those_values}
        those.check_required(values)
        return values, _external_id(new.external_id)
    except Invalid as error:
        if place is None:
            raise
        raise Invalid(f"{error.description} (item {place})", parameters={**error.parameters, "item": place}) from None


def _hold_files(tx: Tx, caller: Caller, app: RowMapping, those: Fieldset, item_id: int, values: Values, known: Known) -> None:
    """Let the item have the files that its values name."""
    if known.files:
        hold_files(tx, caller, item_anchor(app, item_id), those.files(values))


def _external_id(given: object) -> str | None:
    text = str(given) if isinstance(given, int) and not isinstance(given, bool) else given
    return None if text is None or text == "" else clean_text(text, limit=EXTERNAL_ID_LIMIT, expected="text, as external_id")


def _otherwise(app: RowMapping, app_item_id: int) -> str:
    """The title of an item that has nothing to say: its app's name for an item, and its number."""
    return f"{app_config(app).item_name} {app_item_id}"


# --- reading -----------------------------------------------------------------------------------------------------------


def get_item(tx: Tx, caller: Caller, item_id: int) -> Item:
    """The item. Raises `NotFound`, `Forbidden`, `Gone`."""
    return reach_item(tx, caller, item_id)[0]


def reach_item(
    tx: Tx, caller: Caller, item_id: int, role: Role = "light", *, lock: bool = False, even_deleted: bool = False
) -> tuple[Item, RowMapping]:
    """An item and the row of its app, on which `caller` has at least `role`; `lock` makes others who change it wait.

    Raises `NotFound`, `Forbidden`, and `Gone` for a deleted item unless it may be `even_deleted`.
    """
    if lock:
        item_rows.find_item(tx, item_id, lock=True)
    found = item_rows.find_with_app(tx, caller, item_id)  # as it is once we have the lock
    if found is None:
        raise NotFound(parameters={"item_id": item_id})
    item, app = found
    try:
        let_into_app(tx, caller, app, role)
    except NotFound:
        raise NotFound(parameters={"item_id": item_id}) from None
    if item.deleted_at is not None and not even_deleted:
        raise Gone(parameters={"item_id": item_id})
    return item, app


def reach_by_app_item_id(tx: Tx, caller: Caller, app_id: int, app_item_id: int) -> tuple[Item, RowMapping]:
    """The item with this number within its app, and the app. Raises `NotFound`, `Forbidden`, `Gone`."""
    app = reach_app(tx, caller, app_id)
    item = item_rows.find_by_app_item_id(tx, app_id, app_item_id)
    if item is None:
        raise NotFound(parameters={"app_id": app_id, "app_item_id": app_item_id})
    if item.deleted_at is not None:
        raise Gone(parameters={"item_id": item.item_id})
    return item, app


def reach_by_external_id(tx: Tx, caller: Caller, app_id: int, external_id: str) -> tuple[Item, RowMapping]:
    """The newest item of the app with this external_id, and the app. Raises `NotFound` (also when all are deleted)."""
    app = reach_app(tx, caller, app_id)
    item = item_rows.find_by_external_id(tx, app_id, external_id)
    if item is None:
        raise NotFound(parameters={"app_id": app_id, "external_id": external_id[:EXTERNAL_ID_LIMIT]})
    return item, app


# --- changing ----------------------------------------------------------------------------------------------------------


def update_item(tx: Tx, caller: Caller, item_id: int, change: ItemChange, *, now: int, heard: bool = True) -> Changed:
    """Change what `change` names, and answer how the item stands then.

    Raises `Invalid`, naming the field; `Conflict` when the item is no longer at the revision that the change was made
    for; `NotFound`, `Forbidden`, `Gone`.
    """
    before, app = reach_to_change(tx, caller, item_id)
    _check_revision(before, change.revision)
    given = fieldset(tx, app).read(change.fields, before.values)
    external_id = before.external_id if change.external_id is UNSET else _external_id(change.external_id)
    changed = write_change(tx, caller, app, before, (given, external_id), now=now, heard=heard)
    if change.enclosed:
        enclose(tx, caller, app, item_id, change.enclosed, now=now, heard=heard)
    return changed


def reach_to_change(tx: Tx, caller: Caller, item_id: int) -> tuple[Item, RowMapping]:
    """An item that the caller may change, locked, and the row of its app. Raises `NotFound`, `Forbidden`, `Gone`."""
    item, app = reach_item(tx, caller, item_id, "regular", lock=True)
    require_edits(caller, app)
    return item, app


def write_change(
    tx: Tx, caller: Caller, app: RowMapping, before: Item, read: Read, *, now: int, heard: bool
) -> Changed:  # fmt: skip
    """Let an item, which is locked, have these values (the others stay) and this external_id; where that is nothing new, nothing
    is written. Raises `Invalid` for what a value names that is not there."""
    item_id, those, (given, external_id) = before.item_id, fieldset(tx, app), read
    new = _really_new(given, before.values)
    if not new and external_id == before.external_id:
        return Changed(before.revision, before.title)
    held = {field_id: before.values.get(field_id, []) for field_id in new}
    known = look_up(tx, caller, app, those, (held, new, before.values) if told_in_full(app) else (held, new))
    check_references(those, new, held, known)
    after = replace(_with_values(app, those, before, new), external_id=external_id, revision=before.revision + 1, last_event_at=now)
    _write(tx, caller, app, after, "update")
    if new:
        item_rows.drop_keys(tx, item_id, new)
        item_rows.insert_keys(tx, those.keys(item_id, new))
        _hold_files(tx, caller, app, those, item_id, new, known)
    append_many(tx, [_event("update", caller, app, after, those, (held, new), known, now=now, heard=heard)])
    return Changed(after.revision, after.title)


def update_values(tx: Tx, caller: Caller, item_id: int, fields: object, *, now: int, heard: bool = True) -> Changed:
    """Change the values of the fields that are named. Raises as `update_item` does."""
    return update_item(tx, caller, item_id, ItemChange(fields), now=now, heard=heard)


def update_field_value(tx: Tx, caller: Caller, item_id: int, name: str, given: object, *, now: int, heard: bool = True) -> Changed:
    """Change the values of one field, named by its field_id or external_id. Raises as `update_item` does."""
    return update_item(tx, caller, item_id, ItemChange({name: given}), now=now, heard=heard)


def delete_item(tx: Tx, caller: Caller, item_id: int, *, now: int, heard: bool = True) -> None:
    """Delete an item: it is gone for everybody, and the record of it stays. Raises `NotFound`, `Forbidden`, `Gone`."""
    item, app = reach_to_change(tx, caller, item_id)
    _delete(tx, caller, app, [item], now=now, heard=heard)


def delete_items(tx: Tx, caller: Caller, app_id: int, item_ids: Iterable[int], *, now: int, heard: bool = True) -> list[int]:
    """Delete those of the items that are in this app and not deleted yet, and answer their ids, oldest first.

    Raises `Invalid` for more than `BULK_LIMIT`; `NotFound`, `Forbidden` and `Gone` as `reach_app` does.
    """
    wanted = set(item_ids)
    if len(wanted) > BULK_LIMIT:
        raise Invalid(f"item_ids: must be at most {BULK_LIMIT}", parameters={"field": "item_ids", "limit": BULK_LIMIT})
    app = reach_app(tx, caller, app_id, "regular")
    require_edits(caller, app)
    live = [item for item in item_rows.lock_items(tx, app_id, wanted) if item.deleted_at is None]
    _delete(tx, caller, app, live, now=now, heard=heard)
    return [item.item_id for item in live]


def _delete(tx: Tx, caller: Caller, app: RowMapping, live: Sequence[Item], *, now: int, heard: bool) -> None:
    those = fieldset(tx, app)
    known = look_up(tx, caller, app, those, (item.values for item in live))
    item_rows.count_deleted(tx, app["app_id"], len(live))
    events = []
    for item in live:
        after = replace(item, revision=item.revision + 1, last_event_at=now, deleted_at=now)
        _write(tx, caller, app, after, "delete")
        item_rows.drop_keys(tx, item.item_id)
        change: tuple[Values, Values] = item.values, {field_id: [] for field_id in item.values}
        events.append(_event("delete", caller, app, after, those, change, known, now=now, heard=heard))
    append_many(tx, events)


def _check_revision(item: Item, revision: int | None) -> None:
    if revision is not None and revision != item.revision:
        raise Conflict(f"The item is at revision {item.revision}, not {revision}", parameters={"revision": item.revision})


def _with_values(app: RowMapping, those: Fieldset, item: Item, new: Values) -> Item:
    values = {field_id: those_values for field_id, those_values in {**item.values, **new}.items() if those_values}
    return replace(item, values=values, title=those.title(values, _otherwise(app, item.app_item_id)))


def _really_new(given: Values, before: Values) -> Values:
    return {field_id: values for field_id, values in given.items() if values != before.get(field_id, [])}


def _write(tx: Tx, caller: Caller, app: RowMapping, after: Item, kind: RevisionType) -> None:
    values = item_rows.update_item_row(tx, after)
    item_rows.insert_revision(tx, after, kind, app["revision"], caller.author, values)


def _event(
    what: str, caller: Caller, app: RowMapping, item: Item, those: Fieldset, change: tuple[Values, Values], known: Known, *,
    now: int, heard: bool,
) -> NewEvent:  # fmt: skip
    """What is told of `item`, as it stands after `change`: its values before and after, of the fields that changed."""
    return NewEvent(
        type=f"item.{what}",
        space_id=app["space_id"],
        app_id=item.app_id,
        object_id=item.item_id,
        parameters={"item_id": str(item.item_id), "item_revision_id": str(item.revision), "external_id": item.external_id or ""},
        created_by=caller.author,
        created_at=now,
        changes=those.changes(*change, known),
        heard=heard,
        quiet=is_quiet(app["config"]),
        object=snapshot(item, those, known) if told_in_full(app) else None,
    )
