"""What comes with an item in one body beside its fields: its tags, and files to attach.

They are no part of the item's revisions, as Podio's are of its fields alone: a change of nothing but these makes no
revision and no item.update, and each is told of by its own events, after the item's, in the same transaction. Tags are set
as they are given, so that a client which sends back what it read and changed takes some off as well; files only come:
those on the item already stay, and what is not named stays too, for some clients send an empty list with every change.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct
from sqlalchemy import RowMapping

from tidings.store.database import Tx
from tidings.workspace.access import Caller
from tidings.workspace.anchors import Anchor
from tidings.workspace.files.files import attach_files
from tidings.workspace.tags import replace_tags


class Enclosed(Struct, frozen=True):
    """What comes along. The files are the caller's own and attached to nothing, or on the item already."""

    tags: Sequence[str] | None = None  # None: they stay as they are
    file_ids: Sequence[int] = ()

    def __bool__(self) -> bool:
        """Whether there is anything to be done."""
        return self.tags is not None or bool(self.file_ids)


NOTHING = Enclosed()


def enclose(tx: Tx, caller: Caller, app: RowMapping, item_id: int, enclosed: Enclosed, *, now: int, heard: bool) -> None:
    """Put it on an item of `app`, which is locked, and which the caller may change.

    Raises `Invalid`, naming the field; `NotFound` and `Gone` for a file.
    """
    if enclosed.file_ids:
        attach_files(tx, caller, enclosed.file_ids, item_anchor(app, item_id), now=now, heard=heard)
    if enclosed.tags is not None:
        replace_tags(tx, caller, item_id, enclosed.tags, now=now, heard=heard)


def item_anchor(app: RowMapping, item_id: int) -> Anchor:
    """An item of `app`, which the caller may change, as something that files hang on."""
    return Anchor("item", item_id, app["app_id"], app["space_id"], "regular", item_id)
