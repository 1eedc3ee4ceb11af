"""Going back: an item's values as an earlier revision had them, or without what one revision changed (contract section 6.2).

Either is a change like any other: it makes a new revision, and nothing of the record is taken away. It concerns the fields
that the app has now; what they held then must still be allowed (the option be there, the item that was referred to exist),
or nothing is changed. The title follows from the values; external_id, tags and files are no part of a revision.
"""

from __future__ import annotations

from tidings.errors import Invalid
from tidings.store.database import Tx
from tidings.workspace.access import Caller
from tidings.workspace.fields.fieldsets import Values, fieldset
from tidings.workspace.items.items import Changed, reach_to_change, write_change
from tidings.workspace.items.revisions import values_after


def revert_to(tx: Tx, caller: Caller, item_id: int, number: int, *, now: int, heard: bool = True) -> Changed:
    """Let the item have the values that it had after this revision.

    Raises `Invalid`, naming the field whose values are no longer allowed; `NotFound` (also for the revision), `Forbidden`,
    `Gone`.
    """
    return _restore(tx, caller, item_id, number, None, now=now, heard=heard)


def revert(tx: Tx, caller: Caller, item_id: int, number: int, *, now: int, heard: bool = True) -> Changed:
    """Take back what this revision changed: those fields have the values that they had before it, whatever came later.

    Raises as `revert_to` does, and `Invalid` for revision 0, before which there was nothing.
    """
    if number == 0:
        raise Invalid("revision: 0 is the creation of the item, which cannot be reverted", parameters={"field": "revision"})
    return _restore(tx, caller, item_id, number - 1, number, now=now, heard=heard)


def _restore(tx: Tx, caller: Caller, item_id: int, number: int, undone: int | None, *, now: int, heard: bool) -> Changed:
    """Back to the values after revision `number`: of the fields that `undone` changed, or of all."""
    before, app = reach_to_change(tx, caller, item_id)
    then, those = values_after(tx, item_id, number), fieldset(tx, app)
    every = [slot.field.field_id for slot in those.slots]
    concerned = every if undone is None else _differing(then, values_after(tx, item_id, undone), every)
    wanted = {field_id: then.get(field_id, []) for field_id in _differing(then, before.values, concerned)}
    read = those.read(wanted, before.values)
    return write_change(tx, caller, app, before, (read, before.external_id), now=now, heard=heard)


def _differing(one: Values, other: Values, among: list[int]) -> list[int]:
    return [field_id for field_id in among if one.get(field_id, []) != other.get(field_id, [])]
