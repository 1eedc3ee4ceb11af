"""The rows of items: `items`, `item_revisions`, `item_values`, and the statements on every item's way.

An item is one row of `items` with its values as JSON; each revision keeps them as they stood after it; `item_values`
repeats those of live items, for filters. What is written here comes from `items.py`, which has judged it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Literal

import msgspec
from msgspec import Struct
from sqlalchemy import RowMapping, bindparam, delete, func, insert, select, update

from tidings.store.database import Tx
from tidings.store.rows import insert_rows
from tidings.store.schema import apps, item_revisions, item_values, items
from tidings.store.statements import Statement
from tidings.workspace.access import APPS_WITH_ROLES, Caller, app_row
from tidings.workspace.fields.fieldsets import Values

RevisionType = Literal["creation", "update", "delete"]


class Item(Struct, frozen=True):
    """An item as it stands. Moments are microseconds since the epoch; `created_by` is an author."""

    item_id: int
    app_id: int
    app_item_id: int
    external_id: str | None
    title: str
    revision: int
    values: Values
    created_by: str
    created_at: int
    last_event_at: int
    deleted_at: int | None = None
    # How many of each hang on it; whoever adds one counts it (`anchors.count_on_item`).
    comment_count: int = 0
    file_count: int = 0
    task_count: int = 0
    tag_count: int = 0


# In the order of `Item`.
_COLUMNS = (
    "item_id", "app_id", "app_item_id", "external_id", "title", "revision",
    "field_values", "created_by", "created_at", "last_event_at", "deleted_at",
    "comment_count", "file_count", "task_count", "tag_count",
)  # fmt: skip
_VALUES = _COLUMNS.index("field_values")
_ITEM = select(*(items.c[name] for name in _COLUMNS))

_BY_ID = _ITEM.where(items.c.item_id == bindparam("item_id"))
_GET, _LOCK = Statement(_BY_ID), Statement(_BY_ID.with_for_update(key_share=True))
_WITH_APP = Statement(
    APPS_WITH_ROLES.join(items, items.c.app_id == apps.c.app_id)
    .add_columns(*(items.c[name] for name in _COLUMNS))
    .where(items.c.item_id == bindparam("item_id"))
)
_GET_MANY = _ITEM.where(items.c.item_id.in_(bindparam("ids", expanding=True)))
_LOCK_MANY = _GET_MANY.where(items.c.app_id == bindparam("app_id")).order_by(items.c.item_id).with_for_update(key_share=True)
_BY_APP_ITEM_ID = Statement(_ITEM.where(items.c.app_id == bindparam("app_id"), items.c.app_item_id == bindparam("app_item_id")))
_NEWEST = select(func.max(items.c.item_id)).where(
    items.c.app_id == bindparam("app_id"), items.c.external_id == bindparam("external_id"), items.c.deleted_at.is_(None)
)
_BY_EXTERNAL_ID = Statement(_ITEM.where(items.c.item_id == _NEWEST.scalar_subquery()))

decode_values = msgspec.json.Decoder(dict[int, list[dict[str, Any]]]).decode
_encode = msgspec.json.Encoder().encode


def encode_values(values: Values) -> str:
    """`values` as a row keeps them."""
    return _encode(values).decode()


# --- reading -----------------------------------------------------------------------------------------------------------


def find_item(tx: Tx, item_id: int, *, lock: bool = False) -> Item | None:
    """The item, deleted or not; `lock` makes others who change it wait for our commit."""
    return _item((_LOCK if lock else _GET).first(tx, {"item_id": item_id}))


def find_with_app(tx: Tx, caller: Caller, item_id: int) -> tuple[Item, RowMapping] | None:
    """The item, deleted or not, and the row of its app, on which nobody has judged the caller yet."""
    row = _WITH_APP.first(tx, {"item_id": item_id, "user_id": caller.user_id})
    return None if row is None else (_require(row[-len(_COLUMNS) :]), app_row(row[: -len(_COLUMNS)]))


def find_by_app_item_id(tx: Tx, app_id: int, app_item_id: int) -> Item | None:
    """The item with this number within its app, deleted or not."""
    return _item(_BY_APP_ITEM_ID.first(tx, {"app_id": app_id, "app_item_id": app_item_id}))


def find_by_external_id(tx: Tx, app_id: int, external_id: str) -> Item | None:
    """The newest live item with this external_id."""
    return _item(_BY_EXTERNAL_ID.first(tx, {"app_id": app_id, "external_id": external_id}))


def find_items(tx: Tx, item_ids: Sequence[int]) -> list[Item]:
    """Those of the items that exist, in the order of `item_ids`."""
    found = {row.item_id: _require(tuple(row)) for row in tx.execute(_GET_MANY, {"ids": item_ids})}
    return [found[item_id] for item_id in item_ids if item_id in found]


def lock_items(tx: Tx, app_id: int, item_ids: Iterable[int]) -> list[Item]:
    """Those of the items that are of this app, deleted or not, oldest first; others who change them wait for our commit."""
    return [_require(tuple(row)) for row in tx.execute(_LOCK_MANY, {"ids": sorted(item_ids), "app_id": app_id})]


def _item(row: tuple[Any, ...] | None) -> Item | None:
    return None if row is None else _require(row)


def _require(row: tuple[Any, ...]) -> Item:
    columns = (*row[:_VALUES], decode_values(row[_VALUES]), *row[_VALUES + 1 :])
    return Item(*columns)


# --- writing -----------------------------------------------------------------------------------------------------------

_COUNT = Statement(
    update(apps)
    .where(apps.c.app_id == bindparam("of_app"))
    .values(items_made=apps.c.items_made + bindparam("how_many"))
    .returning(apps.c.items_made)
)
_COUNT_DELETED = Statement(
    update(apps).where(apps.c.app_id == bindparam("of_app")).values(items_deleted=apps.c.items_deleted + bindparam("how_many"))
)
_INSERT = Statement(
    insert(items).values({name: bindparam(name) for name in _COLUMNS[1 : _COLUMNS.index("deleted_at")]}).returning(items.c.item_id)
)
_UPDATE = Statement(
    update(items)
    .where(items.c.item_id == bindparam("of_item"))
    .values(
        {name: bindparam(f"new_{name}") for name in ("external_id", "title", "revision", "field_values", "last_event_at", "deleted_at")}
    )
)
_REVISION_COLUMNS = ("item_id", "revision", "type", "app_revision", "field_values", "created_by", "created_at")
_INSERT_REVISION = Statement(
    insert(item_revisions).values({name: bindparam(name) for name in _REVISION_COLUMNS}).returning(item_revisions.c.item_revision_id)
)
_DROP_KEYS = delete(item_values).where(
    item_values.c.item_id == bindparam("of_item"), item_values.c.field_id.in_(bindparam("fields", expanding=True))
)
_DROP_ALL_KEYS = Statement(delete(item_values).where(item_values.c.item_id == bindparam("of_item")))
_KEY_COLUMNS = ("item_id", "field_id", "position", "number", "text")
_LAST_ID = select(func.coalesce(func.max(items.c.item_id), 0))
_NEXT_IDS = select(func.nextval(func.pg_get_serial_sequence("items", "item_id"))).select_from(
    func.generate_series(1, bindparam("how_many"))
)


def next_app_item_ids(tx: Tx, app_id: int, how_many: int) -> range:
    """The next numbers within an app. On PostgreSQL its row stays locked until we commit."""
    row = _COUNT.first(tx, {"of_app": app_id, "how_many": how_many})
    assert row is not None
    return range(row[0] - how_many + 1, row[0] + 1)


def count_deleted(tx: Tx, app_id: int, how_many: int) -> None:
    """So many items of the app are live no more."""
    _COUNT_DELETED.run(tx, {"of_app": app_id, "how_many": how_many})


def insert_item(tx: Tx, item: Item, app_revision: int) -> tuple[Item, int]:
    """Write a new item and its first revision; answers it with its id, and the id of the revision."""
    values = encode_values(item.values)
    made = _INSERT.first(tx, dict(zip(_COLUMNS, _row(item, values), strict=True)))
    assert made is not None
    item = msgspec.structs.replace(item, item_id=made[0])
    revision_id = insert_revision(tx, item, "creation", app_revision, item.created_by, values)
    return item, revision_id


def insert_items(tx: Tx, new: Sequence[Item], app_revision: int) -> list[Item]:
    """The same for many at once; answers them with their ids."""
    ids = _reserve_ids(tx, len(new))
    made = [msgspec.structs.replace(item, item_id=item_id) for item_id, item in zip(ids, new, strict=True)]
    texts = [encode_values(item.values) for item in made]
    insert_rows(tx, items, _COLUMNS, [_row(item, text) for item, text in zip(made, texts, strict=True)])
    revisions = [
        (item.item_id, item.revision, "creation", app_revision, text, item.created_by, item.created_at)
        for item, text in zip(made, texts, strict=True)
    ]
    insert_rows(tx, item_revisions, _REVISION_COLUMNS, revisions)
    return made


def _row(item: Item, values: str) -> tuple[Any, ...]:
    """The columns of `item`, its values as they are kept."""
    columns = msgspec.structs.astuple(item)
    return (*columns[:_VALUES], values, *columns[_VALUES + 1 :])


def update_item_row(tx: Tx, item: Item) -> str:
    """Write what can change of an item, and answer its values as the row keeps them."""
    values = encode_values(item.values)
    row = {
        "of_item": item.item_id,
        "new_external_id": item.external_id,
        "new_title": item.title,
        "new_revision": item.revision,
        "new_field_values": values,
        "new_last_event_at": item.last_event_at,
        "new_deleted_at": item.deleted_at,
    }
    _UPDATE.run(tx, row)
    return values


def insert_revision(tx: Tx, item: Item, kind: RevisionType, app_revision: int, author: str, values: str) -> int:
    """Write the revision that `item` has come to, and answer its id."""
    row = _INSERT_REVISION.first(
        tx,
        {
            "item_id": item.item_id,
            "revision": item.revision,
            "type": kind,
            "app_revision": app_revision,
            "field_values": values,
            "created_by": author,
            "created_at": item.last_event_at,
        },
    )
    assert row is not None
    return int(row[0])


def insert_keys(tx: Tx, rows: Sequence[tuple[object, ...]]) -> None:
    """Write rows of `item_values` (see `Fieldset.keys`)."""
    insert_rows(tx, item_values, _KEY_COLUMNS, rows)


def drop_keys(tx: Tx, item_id: int, field_ids: Iterable[int] | None = None) -> None:
    """Take away the rows of `item_values` of an item, or of some of its fields."""
    if field_ids is None:
        _DROP_ALL_KEYS.run(tx, {"of_item": item_id})
    else:
        tx.execute(_DROP_KEYS, {"of_item": item_id, "fields": list(field_ids)})


def _reserve_ids(tx: Tx, how_many: int) -> Sequence[int]:
    """Ids that nobody else gets, in ascending order."""
    if tx.dialect.name == "sqlite":
        # One writer: what is greatest now is so until we commit. Rows of items are never taken away.
        last: int = tx.execute(_LAST_ID).scalar_one()
        return range(last + 1, last + how_many + 1)
    return sorted(tx.execute(_NEXT_IDS, {"how_many": how_many}).scalars())
