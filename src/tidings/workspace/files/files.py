"""Files: uploaded, attached to what they belong to, replaced, copied and deleted.

A file is a row that names bytes in the store (`store/blobs`); the row is written when the bytes are safe, never before. Until it
is attached, it is seen by its uploader alone; then by whoever sees what it hangs on, for good: it never moves. Whoever
wants the same bytes elsewhere makes a copy, which shares them.

What changes the attachments of an item locks the item first and appends a file.change last, one for all files of a call.
Attaching to an item or a space needs the role `regular`, to a comment or a status its author, to a task its people.
"""

from __future__ import annotations

import mimetypes
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

from msgspec import Struct
from sqlalchemy import select

from tidings.errors import Conflict, Forbidden, Gone, Invalid, NotFound
from tidings.events.outbox import NewEvent, append
from tidings.store.database import Tx
from tidings.store.schema import comments, statuses, tasks
from tidings.workspace.access import RANK, Caller, Role, reach_app, reach_space
from tidings.workspace.anchors import Anchor, count_on_item, reach_anchor
from tidings.workspace.files.rows import (
    File,
    change_files,
    files_on,
    files_within,
    find_file,
    find_files,
    insert_file,
    needed_keys,
    value_fields,
)
from tidings.workspace.names import TEXT_LIMIT, checked_name
from tidings.workspace.quiet import tells
from tidings.workspace.values.given import clean_text

__all__ = ["File", "files_on"]

FILE_REFS = ("item", "comment", "status", "space", "task")
ATTACH_LIMIT = 200  # files of one call
PAGE_LIMIT = 100

Action = Literal["file_created", "file_replaced", "file_deleted"]


class Stored(Struct, frozen=True):
    """Bytes that are safe in the store, and what their sender says of them. `size` is bytes."""

    storage_key: str
    size: int
    name: str
    mimetype: str


# --- uploading ---------------------------------------------------------------------------------------------------------

UNKNOWN_TYPE = "application/octet-stream"
_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,62}/[a-z0-9][a-z0-9!#$&^_.+-]{0,62}")
_KNOWN_TYPES = mimetypes.MimeTypes()


def checked_file_name(given: object) -> str:
    """The last part of what a client calls its file. Raises `Invalid` for none, too long a one, or control characters in it."""
    name = clean_text(given, limit=4_096, expected="text, as filename")
    name = checked_name(re.split(r"[/\\]", name.rstrip("/\\"))[-1], "filename")
    if not name.isprintable():
        raise Invalid("filename: must not contain control characters", parameters={"field": "filename"})
    return name


def type_of(said: str, name: str) -> str:
    """The media type that a client `said`, where it says one; else what the ending of `name` suggests."""
    media_type = said.partition(";")[0].strip().lower()
    if _TYPE.fullmatch(media_type) and media_type != UNKNOWN_TYPE:
        return media_type
    return _KNOWN_TYPES.guess_type(f"file:{name}")[0] or UNKNOWN_TYPE


def add_file(tx: Tx, caller: Caller, stored: Stored, *, now: int) -> File:
    """A new file of these bytes, attached to nothing."""
    values = {
        "name": stored.name,
        "mimetype": stored.mimetype,
        "size": stored.size,
        "storage_key": stored.storage_key,
        "created_by": caller.author,
        "created_at": now,
    }
    return insert_file(tx, values)


# --- reading -----------------------------------------------------------------------------------------------------------


def get_file(tx: Tx, caller: Caller, file_id: int) -> File:
    """The file. Raises `NotFound`, `Forbidden`, `Gone`."""
    return reach_file(tx, caller, file_id)[0]


def reach_file(tx: Tx, caller: Caller, file_id: int) -> tuple[File, Anchor | None]:
    """The file, and what it hangs on. Raises `NotFound`, `Forbidden`, `Gone`."""
    file = find_file(tx, file_id)
    anchor = _anchor_of(tx, caller, file)
    _refuse_deleted(file)
    return file, anchor


def list_files(tx: Tx, caller: Caller, place: Literal["app", "space"], number: int, *, limit: int, offset: int) -> list[File]:
    """What is attached to the items, comments and statuses of an app or a space, newest first. Raises `NotFound`, `Forbidden`, `Gone`."""
    reach = reach_app if place == "app" else reach_space
    reach(tx, caller, number)
    return files_within(tx, place, number, limit=limit, offset=offset)


def _anchor_of(tx: Tx, caller: Caller, file: File, *, lock: bool = False) -> Anchor | None:
    """What the file hangs on, as the caller sees it. Out of reach is said of the file, so that nobody learns where it is."""
    if file.ref_type is None or file.ref_id is None:
        if not caller.wrote(file.created_by):
            raise NotFound(parameters={"file_id": file.file_id})
        return None
    try:
        return reach_anchor(tx, caller, file.ref_type, file.ref_id, among=FILE_REFS, lock=lock)
    except NotFound:
        raise NotFound(parameters={"file_id": file.file_id}) from None


def _refuse_deleted(file: File) -> None:
    if file.deleted_at is not None:
        raise Gone(parameters={"file_id": file.file_id})


# --- attaching ---------------------------------------------------------------------------------------------------------


def attach_file(
    tx: Tx, caller: Caller, file_id: int, ref_type: str, ref_id: int, *, now: int, heard: bool = True
) -> None:  # fmt: skip
    """Attach one's own file. Raises as `attach_files` does, and `Invalid`, `NotFound`, `Forbidden`, `Gone` for what it is attached to."""
    anchor = reach_anchor(tx, caller, ref_type, ref_id, among=FILE_REFS, lock=True)
    require_change(tx, caller, anchor)
    attach_files(tx, caller, [file_id], anchor, now=now, heard=heard)


def attach_files(tx: Tx, caller: Caller, file_ids: Sequence[int], anchor: Anchor, *, now: int, heard: bool) -> None:
    """Attach one's own files to what `anchor` means, which is locked, and which the caller may change. Those already on it stay.

    One file.change tells of all that are new on an item. Raises `NotFound` for a file that is not there for this caller,
    `Gone` for a deleted one, `Invalid` for one that is attached elsewhere, and for more than `ATTACH_LIMIT`.
    """
    fresh = claim_files(tx, caller, file_ids, anchor)
    if not fresh:
        return
    change_files(tx, fresh, _place(anchor))
    _tell(tx, caller, anchor, "file_created", fresh, now=now, heard=heard)


def hold_files(tx: Tx, caller: Caller, anchor: Anchor, by_field: Mapping[int, Sequence[int]]) -> None:
    """Let an item, which is locked, have the files that the values of its fields name; they are no attachments of it.

    No file.change tells of them: item.create and item.update do. Raises as `attach_files` does.
    """
    for field_id, file_ids in by_field.items():
        if fresh := claim_files(tx, caller, file_ids, anchor):
            change_files(tx, fresh, {**_place(anchor), "field_id": field_id})


def claim_files(tx: Tx, caller: Caller, file_ids: Iterable[int], anchor: Anchor) -> list[int]:
    """Those of the files that are to be attached, locked: the others are on the object already. Raises as `attach_files` does."""
    wanted = list(dict.fromkeys(file_ids))
    if len(wanted) > ATTACH_LIMIT:
        raise Invalid(f"file_ids: must be at most {ATTACH_LIMIT}", parameters={"field": "file_ids", "limit": ATTACH_LIMIT})
    found = find_files(tx, wanted, lock=True)
    for file_id in wanted:
        _check_free(tx, caller, found.get(file_id), file_id, anchor)
    return [file_id for file_id in wanted if found[file_id].ref_type is None]


def _check_free(tx: Tx, caller: Caller, file: File | None, file_id: int, anchor: Anchor) -> None:
    if file is None:
        raise NotFound(parameters={"file_id": file_id})
    if (file.ref_type, file.ref_id) != (anchor.ref_type, anchor.ref_id):
        _anchor_of(tx, caller, file)
    _refuse_deleted(file)
    if file.ref_type is not None and (file.ref_type, file.ref_id) != (anchor.ref_type, anchor.ref_id):
        raise Invalid(
            f"The file with id {file_id} is attached to {file.ref_type} with id {file.ref_id} already; attach a copy of it",
            parameters={"file_id": file_id},
        )


def require_change(tx: Tx, caller: Caller, anchor: Anchor) -> None:
    """Raise `Forbidden` unless the caller may change what hangs on the object."""
    needed: Role = "admin" if anchor.ref_type in ("comment", "status") else "regular"
    if RANK[anchor.role] < RANK[needed] and not _is_theirs(tx, caller, anchor):
        noun = f"{anchor.ref_type} with id {anchor.ref_id}"
        raise Forbidden(f"The {caller.kind} with id {caller.id} does not have the right update on {noun}")


_OF_PEOPLE = {"comment": comments, "status": statuses, "task": tasks}


def _is_theirs(tx: Tx, caller: Caller, anchor: Anchor) -> bool:
    table = _OF_PEOPLE.get(anchor.ref_type)
    if table is None:
        return False
    row = tx.execute(select(table).where(table.c[f"{anchor.ref_type}_id"] == anchor.ref_id)).mappings().one()
    responsible: int | None = row.get("responsible_id")
    return caller.wrote(row["created_by"]) or (responsible is not None and responsible == caller.user_id)


def _place(anchor: Anchor) -> dict[str, object]:
    return {"ref_type": anchor.ref_type, "ref_id": anchor.ref_id, "app_id": anchor.app_id, "space_id": anchor.space_id}


_ON_COUNT: dict[Action, int] = {"file_created": 1, "file_replaced": 0, "file_deleted": -1}


def _tell(tx: Tx, caller: Caller, anchor: Anchor, action: Action, file_ids: Sequence[int], *, now: int, heard: bool) -> None:
    """Count and tell what happened to the attachments, where it is an item that they are on."""
    if anchor.ref_type != "item":
        return
    count_on_item(tx, anchor.ref_id, files=_ON_COUNT[action] * len(file_ids))
    parameters = {"item_id": str(anchor.ref_id), "action_type": action, "file_ids": ",".join(map(str, file_ids))}
    append(
        tx,
        NewEvent(
            type="file.change",
            space_id=anchor.space_id,
            app_id=anchor.app_id,
            object_id=anchor.ref_id,
            parameters=parameters,
            created_by=caller.author,
            created_at=now,
            heard=heard,
            quiet=not tells(tx, anchor.app_id),
        ),
    )


# --- changing ----------------------------------------------------------------------------------------------------------


def replace_file(tx: Tx, caller: Caller, file_id: int, old_file_id: int, *, now: int, heard: bool = True) -> None:
    """Put one's own unattached file in the place of an attached one, which is then seen as its past.

    Raises `Invalid` where either is not so; `NotFound`, `Forbidden`, `Gone`, `Conflict`.
    """
    old, anchor = _lock(tx, caller, old_file_id)
    if anchor is None or old.field_id is not None:
        raise Invalid("old_file_id: must be a file that is attached to something", parameters={"field": "old_file_id"})
    _refuse_value(tx, old)
    if old.replaced_by is not None:
        raise Invalid(f"old_file_id: has been replaced by the file with id {old.replaced_by}", parameters={"field": "old_file_id"})
    if not claim_files(tx, caller, [file_id], anchor):
        raise Invalid("The file is attached already; only a new one can replace another", parameters={"file_id": file_id})
    change_files(tx, [file_id], _place(anchor))
    change_files(tx, [old_file_id], {"replaced_by": file_id})
    _tell(tx, caller, anchor, "file_replaced", [file_id], now=now, heard=heard)


def copy_file(tx: Tx, caller: Caller, file_id: int, *, now: int) -> File:
    """A new file of the same bytes, attached to nothing. Raises `NotFound`, `Forbidden`, `Gone`."""
    reach_file(tx, caller, file_id)
    # Locked, so that whoever deletes it sees that its bytes are still needed.
    file = find_files(tx, [file_id], lock=True)[file_id]
    _refuse_deleted(file)
    return add_file(tx, caller, Stored(file.storage_key, file.size, file.name, file.mimetype), now=now)


def describe_file(tx: Tx, caller: Caller, file_id: int, description: str | None) -> None:
    """Set what is said of a file. Raises `Invalid`, `NotFound`, `Forbidden`, `Gone`, `Conflict`."""
    text = clean_text(description or "", limit=TEXT_LIMIT, expected="text, as description")
    _lock(tx, caller, file_id)
    change_files(tx, [file_id], {"description": text or None})


def delete_file(tx: Tx, caller: Caller, file_id: int, *, now: int, heard: bool = True) -> str | None:
    """Delete a file, and answer the storage key of its bytes when no other file needs them: they are to go after the commit.

    Raises `NotFound`, `Forbidden`, `Gone`, `Conflict`.
    """
    file, anchor = _lock(tx, caller, file_id)
    _refuse_value(tx, file)
    change_files(tx, [file_id], {"deleted_at": now})
    if anchor is not None and file.field_id is None and file.replaced_by is None:
        _tell(tx, caller, anchor, "file_deleted", [file_id], now=now, heard=heard)
    return None if needed_keys(tx, [file.storage_key]) else file.storage_key


def _lock(tx: Tx, caller: Caller, file_id: int) -> tuple[File, Anchor | None]:
    """A file that the caller may change, and what it hangs on: that is locked first, then the file."""
    seen = find_file(tx, file_id)
    anchor = _anchor_of(tx, caller, seen, lock=True)
    file = find_files(tx, [file_id], lock=True)[file_id]
    _refuse_deleted(file)
    if file.ref_type != seen.ref_type:
        raise Conflict(f"The file with id {file_id} was attached to something at this moment", parameters={"file_id": file_id})
    if anchor is not None:
        require_change(tx, caller, anchor)
    return file, anchor


def _refuse_value(tx: Tx, file: File) -> None:
    """Raise `Invalid` for a file that a field of its item holds now: the item is what changes then."""
    held = value_fields(tx, file)
    if held:
        raise Invalid(
            f"The file with id {file.file_id} is a value of the field with id {held[0]}; take it out of the item first",
            parameters={"file_id": file.file_id, "field_id": held[0]},
        )
