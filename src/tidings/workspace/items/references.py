"""The items, people and files that values name: whether they are there, for this caller, and what is shown of them.

An item is known to a caller who may look at its app; a person is known in the organizations that they belong to; a file
to its uploader and on the items of its app. One statement asks for all items, one for all people, one for all files, and
one for each further app whether the caller may look at it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import TypeVar

from sqlalchemy import RowMapping, and_, bindparam, select, union

from tidings.errors import Forbidden, Gone, Invalid, NotFound
from tidings.store.database import Tx
from tidings.store.schema import items, org_members, space_members, spaces, users
from tidings.workspace.access import Caller, reach_app
from tidings.workspace.apps import app_config
from tidings.workspace.fields.fieldsets import Fieldset, Slot, Values
from tidings.workspace.files.rows import find_files
from tidings.workspace.values.references import FileReference, ItemReference
from tidings.workspace.values.rule import NOTHING_KNOWN, Known, KnownFile, KnownItem

T = TypeVar("T")

CHUNK = 10_000  # ids in one statement; SQLite takes 32,766

_ITEMS = select(items.c.item_id, items.c.app_id, items.c.app_item_id, items.c.title).where(
    items.c.item_id.in_(bindparam("ids", expanding=True)), items.c.deleted_at.is_(None)
)
_IN_ORG = select(org_members.c.user_id).where(org_members.c.org_id == bindparam("org_id"))
_IN_SPACES = (
    select(space_members.c.user_id)
    .join(spaces, and_(spaces.c.space_id == space_members.c.space_id, spaces.c.org_id == bindparam("org_id")))
)  # fmt: skip
_PEOPLE = select(users.c.user_id, users.c.name).where(
    users.c.user_id.in_(bindparam("ids", expanding=True)), users.c.user_id.in_(union(_IN_ORG, _IN_SPACES))
)


def look_up(tx: Tx, caller: Caller, app: RowMapping, fieldset: Fieldset, several: Iterable[Values]) -> Known:
    """What `caller`, who may look at `app`, may know of all that the values of some of its items name."""
    item_ids: set[int] = set()
    user_ids: set[int] = set()
    file_ids: set[int] = set()
    for values in several if fieldset.refers else ():
        named = fieldset.referred(values)
        item_ids |= named[0]
        user_ids |= named[1]
        file_ids |= named[2]
    if not item_ids and not user_ids and not file_ids:
        return NOTHING_KNOWN
    known_files = _known_files(tx, caller, app, file_ids)
    return Known(_known_items(tx, caller, app, item_ids), _known_people(tx, app["org_id"], user_ids), known_files)


def check_references(fieldset: Fieldset, after: Values, before: Values, known: Known) -> None:
    """Raise `Invalid` for what `after` names, and `before` did not, when it is not known or not of an app that it may be of."""
    for slot in fieldset.slots:
        field_id = slot.field.field_id
        if slot.rule.refers_to is None or field_id not in after:
            continue
        held = before.get(field_id, ())
        for value in after[field_id]:
            if value not in held:
                _check(slot, value["value"], known)


def _check(slot: Slot, number: object, known: Known) -> None:
    assert isinstance(number, int)
    match slot.rule:
        case ItemReference() as rule:
            item = known.items.get(number)
            allowed = f" in one of the apps {sorted(rule.apps)}" if rule.apps else ""
            if item is None or (rule.apps and item.app_id not in rule.apps):
                raise _refused(slot, number, f"the id of an item{allowed} that you have access to")
        case FileReference() as rule:
            file = known.files.get(number)
            allowed = f" of one of the types {list(rule.types)}" if rule.types else ""
            if file is None or not rule.allows(file.mimetype):
                raise _refused(slot, number, f"the id of a file{allowed} that you have uploaded, or that is on this item")
        case _:
            if number not in known.people:
                raise _refused(slot, number, "the id of a person of this organization")


def _refused(slot: Slot, number: int, expected: str) -> Invalid:
    name = slot.field.external_id
    return Invalid(f"Invalid value {number} (integer): must be {expected} (field '{name}')", parameters={"field": name})


def _known_items(tx: Tx, caller: Caller, app: RowMapping, ids: Collection[int]) -> dict[int, KnownItem]:
    rows = [row for chunk in _chunks(ids) for row in tx.execute(_ITEMS, {"ids": chunk})]
    within: dict[int, RowMapping | None] = {app["app_id"]: app}
    known: dict[int, KnownItem] = {}
    for row in rows:
        if row.app_id not in within:
            within[row.app_id] = _in_reach(tx, caller, row.app_id)
        if (its_app := within[row.app_id]) is not None:
            config = app_config(its_app)
            known[row.item_id] = KnownItem(row.item_id, row.app_item_id, row.title, row.app_id, config.name, config.item_name)
    return known


def _in_reach(tx: Tx, caller: Caller, app_id: int) -> RowMapping | None:
    try:
        return reach_app(tx, caller, app_id)
    except (NotFound, Forbidden, Gone):
        return None


def _known_people(tx: Tx, org_id: int, ids: Collection[int]) -> dict[int, str]:
    return {user_id: name for chunk in _chunks(ids) for user_id, name in tx.execute(_PEOPLE, {"ids": chunk, "org_id": org_id})}


def _known_files(tx: Tx, caller: Caller, app: RowMapping, ids: Collection[int]) -> dict[int, KnownFile]:
    found = (file for chunk in _chunks(ids) for file in find_files(tx, chunk).values() if file.deleted_at is None)
    return {
        file.file_id: KnownFile(file.file_id, file.name, file.mimetype, file.size, file.description)
        for file in found
        if (file.ref_type == "item" and file.app_id == app["app_id"]) or (file.ref_type is None and caller.wrote(file.created_by))
    }


def _chunks(ids: Collection[T]) -> Iterable[Sequence[T]]:
    every = list(ids)
    return (every[start : start + CHUNK] for start in range(0, len(every), CHUNK))
