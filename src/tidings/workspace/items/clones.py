"""Cloning an item: a new one in the same app with the values, the tags and copies of the files that the other has.

What the values hold is taken over as it is, also where it could not be written any more (an option that was taken away, a
reference to what is deleted). A file belongs to one item, so the clone gets copies, which share the bytes. What it does not
get: the external_id, by which the other is still to be found; comments, tasks and revisions, which tell of the other.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import RowMapping

from tidings.store.database import Tx
from tidings.workspace.access import Caller, reach_app
from tidings.workspace.apps import require_new_items
from tidings.workspace.fields.fieldsets import Fieldset, Values, fieldset
from tidings.workspace.files.files import ATTACH_LIMIT, attach_files, copy_file
from tidings.workspace.files.rows import files_on, find_files
from tidings.workspace.items.enclosures import NOTHING, item_anchor
from tidings.workspace.items.items import reach_item, write_item
from tidings.workspace.items.rows import Item
from tidings.workspace.tags import replace_tags, tags_on


def clone_item(tx: Tx, caller: Caller, item_id: int, *, now: int, heard: bool = True) -> Item:
    """A new item like this one. Raises `NotFound`, `Forbidden` and `Gone`; `Conflict` for an inactive app."""
    source, _ = reach_item(tx, caller, item_id)
    app = reach_app(tx, caller, source.app_id, "regular", lock=True)
    require_new_items(caller, app)
    those = fieldset(tx, app)
    held = {slot.field.field_id: source.values[slot.field.field_id] for slot in those.slots if slot.field.field_id in source.values}
    values = _with_own_files(tx, caller, those, held, now=now)
    clone, _, _ = write_item(tx, caller, app, those, (values, None), held, NOTHING, now=now, heard=heard)
    _attach_copies(tx, caller, app, source, clone, now=now, heard=heard)
    if source.tag_count:
        replace_tags(tx, caller, clone.item_id, tags_on(tx, [item_id])[item_id], now=now, heard=heard)
    return clone


def _with_own_files(tx: Tx, caller: Caller, those: Fieldset, held: Values, *, now: int) -> Values:
    """The values that `held` are, with copies of the files that they name; those that are gone are left out."""
    named = those.files(held)
    live = [file.file_id for file in find_files(tx, {each for ids in named.values() for each in ids}).values() if file.deleted_at is None]
    copies = dict(zip(live, _copied(tx, caller, live, now=now), strict=True))
    own: Values = {field_id: [{"value": copies[each]} for each in ids if each in copies] for field_id, ids in named.items()}
    return {field_id: values for field_id, values in {**held, **own}.items() if values}


def _attach_copies(tx: Tx, caller: Caller, app: RowMapping, source: Item, clone: Item, *, now: int, heard: bool) -> None:
    attached = files_on(tx, "item", [source.item_id])[source.item_id] if source.file_count else []
    copies = _copied(tx, caller, [file.file_id for file in attached], now=now)
    for start in range(0, len(copies), ATTACH_LIMIT):
        some = copies[start : start + ATTACH_LIMIT]
        attach_files(tx, caller, some, item_anchor(app, clone.item_id), now=now, heard=heard)


def _copied(tx: Tx, caller: Caller, file_ids: Iterable[int], *, now: int) -> Sequence[int]:
    return [copy_file(tx, caller, file_id, now=now).file_id for file_id in file_ids]
