"""The rows of files: found, listed and written. What is written here comes from `files.py`, which has judged it.

A file's bytes lie in the store (`store/blobs`) under its `storage_key`, which its copies share: they are needed for as long
as one row that is not deleted names them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from typing import Any, Literal

from msgspec import Struct
from sqlalchemy import ColumnElement, RowMapping, and_, bindparam, exists, insert, or_, select, update

from tidings.errors import NotFound
from tidings.store.database import Tx
from tidings.store.schema import apps, comments, fields, files, item_values, items, server, statuses


class File(Struct, frozen=True):
    """A file as it stands. `size` is bytes, moments are microseconds since the epoch, `created_by` is an author."""

    file_id: int
    name: str
    mimetype: str  # as the uploader said: never to be believed
    size: int
    description: str | None
    storage_key: str
    ref_type: str | None  # what it hangs on; None: on nothing, it is its uploader's alone
    ref_id: int | None
    field_id: int | None  # set: a value of this field of its item, not an attachment
    app_id: int | None
    space_id: int | None
    replaced_by: int | None
    created_by: str
    created_at: int
    deleted_at: int | None


_COLUMNS = tuple(files.c[name] for name in File.__struct_fields__)
_FILES = select(*_COLUMNS)
_ATTACHED = and_(files.c.deleted_at.is_(None), files.c.replaced_by.is_(None), files.c.field_id.is_(None))
_ON = (
    _FILES.where(files.c.ref_type == bindparam("kind"), files.c.ref_id.in_(bindparam("ids", expanding=True)), _ATTACHED)
    .order_by(files.c.file_id)
)  # fmt: skip
_MANY = _FILES.where(files.c.file_id.in_(bindparam("ids", expanding=True))).order_by(files.c.file_id)
_REPLACED = _FILES.where(files.c.replaced_by.in_(bindparam("ids", expanding=True)), files.c.deleted_at.is_(None)).order_by(files.c.file_id)
_HOLDING = (
    select(item_values.c.field_id)
    .join(fields, fields.c.field_id == item_values.c.field_id)
    .where(item_values.c.item_id == bindparam("item_id"), item_values.c.number == bindparam("number"), fields.c.type.in_(("image", "file")))
)
_NAMED = select(files.c.storage_key).where(files.c.storage_key.in_(bindparam("keys", expanding=True)), files.c.deleted_at.is_(None))


def _live(kind: ColumnElement[str], number: ColumnElement[int]) -> ColumnElement[bool]:
    """Whether these columns name an item of a live app, or a status, that is not deleted."""
    item = exists().where(
        items.c.item_id == number, items.c.deleted_at.is_(None), apps.c.app_id == items.c.app_id, apps.c.deleted_at.is_(None)
    )
    status = exists().where(statuses.c.status_id == number, statuses.c.deleted_at.is_(None))
    return or_(and_(kind == "item", item), and_(kind == "status", status))


_COMMENTED = exists().where(
    comments.c.comment_id == files.c.ref_id, comments.c.deleted_at.is_(None), _live(comments.c.ref_type, comments.c.ref_id)
)
_ON_SEEN = or_(files.c.ref_type == "space", _live(files.c.ref_type, files.c.ref_id), and_(files.c.ref_type == "comment", _COMMENTED))


def find_file(tx: Tx, file_id: int) -> File:
    """The file, deleted or not. Raises `NotFound`."""
    found = find_files(tx, [file_id])
    if not found:
        raise NotFound(parameters={"file_id": file_id})
    return found[file_id]


def find_files(tx: Tx, file_ids: Collection[int], *, lock: bool = False) -> dict[int, File]:
    """Those of the files that there are, deleted or not; `lock` makes others who lock them wait for our commit."""
    wanted = _MANY.with_for_update(key_share=True) if lock else _MANY
    return {file.file_id: file for file in map(_file, tx.execute(wanted, {"ids": sorted(file_ids)}).mappings())}


def files_on(tx: Tx, ref_type: str, ref_ids: Iterable[int]) -> dict[int, list[File]]:
    """What is attached to each of these objects, oldest first: no replaced files, and no values of fields."""
    found: dict[int, list[File]] = {ref_id: [] for ref_id in ref_ids}
    for row in tx.execute(_ON, {"kind": ref_type, "ids": sorted(found)}).mappings():
        found[row["ref_id"]].append(_file(row))
    return found


def files_within(tx: Tx, place: Literal["app", "space"], number: int, *, limit: int, offset: int) -> list[File]:
    """What is attached in an app or a space, newest first: to its items, its statuses, comments on these, and itself.

    What hangs on tasks is left out: a task may be private.
    """
    within = files.c.app_id if place == "app" else files.c.space_id
    page = _FILES.where(within == number, _ATTACHED, _ON_SEEN).order_by(files.c.file_id.desc()).limit(limit).offset(offset)
    return [_file(row) for row in tx.execute(page).mappings()]


def replaced_files(tx: Tx, file_ids: Collection[int]) -> dict[int, list[File]]:
    """The files that each of these has replaced."""
    found: dict[int, list[File]] = defaultdict(list)
    for row in tx.execute(_REPLACED, {"ids": sorted(file_ids)}).mappings():
        found[row["replaced_by"]].append(_file(row))
    return found


def value_fields(tx: Tx, file: File) -> list[int]:
    """The fields of its item that hold the file now."""
    if file.ref_type != "item":
        return []
    return list(tx.execute(_HOLDING, {"item_id": file.ref_id, "number": float(file.file_id)}).scalars())


def needed_keys(tx: Tx, keys: Collection[str]) -> set[str]:
    """Those of the storage keys that a file which is not deleted names."""
    return set(tx.execute(_NAMED, {"keys": list(keys)}).scalars())


def storage_mark(tx: Tx) -> str:
    """What the keys of this database's bytes begin with."""
    mark: str = tx.execute(select(server.c.instance)).scalar_one()
    return mark


def insert_file(tx: Tx, values: dict[str, Any]) -> File:
    """Write a new file, and answer it."""
    return _file(tx.execute(insert(files).values(values).returning(*_COLUMNS)).mappings().one())


def change_files(tx: Tx, file_ids: Collection[int], values: dict[str, Any]) -> None:
    """Set columns of these files."""
    chosen: ColumnElement[bool] = files.c.file_id.in_(file_ids)
    tx.execute(update(files).where(chosen).values(values))


def _file(row: RowMapping) -> File:
    return File(**row)
