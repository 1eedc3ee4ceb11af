"""Tags: short texts by which people find items again.

An item has a text once, however often it is put on; `Red` and `red` are two. Each tag that comes or goes is told of by an
event of its own, all of a call in one transaction and in the order of their texts. Who may change the item may tag it
(`regular`). The tags of a deleted item are counted no more.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Literal

from msgspec import Struct
from sqlalchemy import bindparam, delete, func, insert, select

from tidings.errors import Invalid
from tidings.events.outbox import NewEvent, append_many
from tidings.store.database import Tx
from tidings.store.schema import items, tags
from tidings.workspace.access import Caller, reach_app
from tidings.workspace.anchors import Anchor, count_on_item, reach_anchor
from tidings.workspace.names import checked_name
from tidings.workspace.quiet import tells

TAG_REFS = ("item",)
TAGS_LIMIT = 200  # on one item
LIST_LIMIT = 1_000  # of an app's tags at once


class TagCount(Struct, frozen=True):
    """A tag, and how many items of an app have it."""

    text: str
    count: int


_ON = select(tags.c.ref_id, tags.c.text).where(tags.c.ref_type == "item", tags.c.ref_id.in_(bindparam("item_ids", expanding=True)))
_USED = func.count().label("used")
_IN_APP = (
    select(tags.c.text, _USED)
    .join(items, items.c.item_id == tags.c.ref_id)
    .where(tags.c.ref_type == "item", tags.c.app_id == bindparam("app_id"), items.c.deleted_at.is_(None))
    .group_by(tags.c.text)
    .order_by(_USED.desc(), tags.c.text)
)


# --- changing ----------------------------------------------------------------------------------------------------------


def add_tags(
    tx: Tx, caller: Caller, ref_type: str, ref_id: int, texts: Iterable[str], *, now: int, heard: bool = True
) -> None:  # fmt: skip
    """Put tags on an item; those it has already stay. Raises `Invalid`, naming the field, and what `reach_anchor` raises."""
    anchor = _reach(tx, caller, ref_type, ref_id)
    _change(tx, caller, anchor, _checked(texts), (), now=now, heard=heard)


def remove_tag(tx: Tx, caller: Caller, ref_type: str, ref_id: int, text: str, *, now: int, heard: bool = True) -> None:
    """Take a tag off an item, if it has it. Raises as `add_tags` does."""
    anchor = _reach(tx, caller, ref_type, ref_id)
    _change(tx, caller, anchor, (), [checked_name(text, "text")], now=now, heard=heard)


def set_tags(
    tx: Tx, caller: Caller, ref_type: str, ref_id: int, texts: Iterable[str], *, now: int, heard: bool = True
) -> None:  # fmt: skip
    """Let an item have these tags and no others. Raises as `add_tags` does."""
    anchor, wanted = _reach(tx, caller, ref_type, ref_id), _checked(texts)
    _change(tx, caller, anchor, wanted, _held(tx, anchor) - wanted, now=now, heard=heard)


def replace_tags(tx: Tx, caller: Caller, item_id: int, texts: Iterable[str], *, now: int, heard: bool = True) -> None:
    """The same of an item, which is locked."""
    set_tags(tx, caller, "item", item_id, texts, now=now, heard=heard)


def _reach(tx: Tx, caller: Caller, ref_type: str, ref_id: int) -> Anchor:
    return reach_anchor(tx, caller, ref_type, ref_id, "regular", among=TAG_REFS, lock=True)


def _checked(texts: Iterable[str]) -> set[str]:
    return {checked_name(text, "tags") for text in texts}


def _held(tx: Tx, anchor: Anchor) -> set[str]:
    return set(tags_on(tx, [anchor.ref_id])[anchor.ref_id])


def _change(
    tx: Tx, caller: Caller, anchor: Anchor, wanted: Collection[str], unwanted: Collection[str], *, now: int, heard: bool
) -> None:  # fmt: skip
    held = _held(tx, anchor)
    gone, new = sorted(held.intersection(unwanted)), sorted(set(wanted) - held)
    if len(held) - len(gone) + len(new) > TAGS_LIMIT:
        raise Invalid(f"tags: an item can have at most {TAGS_LIMIT}", parameters={"field": "tags", "limit": TAGS_LIMIT})
    if gone:
        tx.execute(delete(tags).where(tags.c.ref_type == anchor.ref_type, tags.c.ref_id == anchor.ref_id, tags.c.text.in_(gone)))
    if new:
        row = {"ref_type": anchor.ref_type, "ref_id": anchor.ref_id, "app_id": anchor.app_id, "created_at": now}
        tx.execute(insert(tags), [{**row, "text": text} for text in new])
    if gone or new:
        count_on_item(tx, anchor.ref_id, tags=len(new) - len(gone))
        quiet = not tells(tx, anchor.app_id)
        changes: list[tuple[Literal["add", "delete"], str]] = [*(("delete", text) for text in gone), *(("add", text) for text in new)]
        append_many(tx, [_event(caller, anchor, what, text, now=now, heard=heard, quiet=quiet) for what, text in changes])


def _event(caller: Caller, anchor: Anchor, what: Literal["add", "delete"], text: str, *, now: int, heard: bool, quiet: bool) -> NewEvent:
    return NewEvent(
        type=f"tag.{what}",
        space_id=anchor.space_id,
        app_id=anchor.app_id,
        object_id=anchor.ref_id,
        parameters={"item_id": str(anchor.ref_id), "tag": text},
        created_by=caller.author,
        created_at=now,
        heard=heard,
        quiet=quiet,
    )


# --- reading -----------------------------------------------------------------------------------------------------------


def tags_on(tx: Tx, item_ids: Iterable[int]) -> dict[int, list[str]]:
    """The tags of each of these items, in the order of their texts."""
    found: dict[int, list[str]] = {item_id: [] for item_id in item_ids}
    for row in tx.execute(_ON, {"item_ids": sorted(found)}):
        found[row.ref_id].append(row.text)
    return {item_id: sorted(texts) for item_id, texts in found.items()}  # here, as engines sort each in their own way


def list_tags(tx: Tx, caller: Caller, app_id: int, *, limit: int = LIST_LIMIT, text: str | None = None) -> list[TagCount]:
    """The tags of an app's items that are used most, in the order of their texts; those that contain `text`, in any case.

    Raises what `reach_app` raises.
    """
    reach_app(tx, caller, app_id)
    wanted = _IN_APP if text is None else _IN_APP.where(tags.c.text.icontains(text, autoescape=True))
    rows = tx.execute(wanted.limit(limit), {"app_id": app_id})
    return sorted((TagCount(row.text, row.used) for row in rows), key=lambda tag: tag.text)
