"""Files with all that an answer says of them: who made them, what they hang on, what they have replaced."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

from msgspec import Struct
from sqlalchemy import Column, bindparam, select

from tidings.errors import Forbidden
from tidings.store.database import Tx
from tidings.store.schema import comments, items, spaces, statuses, tasks
from tidings.workspace.access import Caller
from tidings.workspace.accounts.authors import Author, find_authors
from tidings.workspace.files.files import list_files, reach_file, require_change
from tidings.workspace.files.rows import File, replaced_files

LOOK = ("view", "download")
TITLE_LIMIT = 100  # characters of a text that stands for a title

Titles = dict[tuple[str | None, int | None], str]
"""By ref_type and ref_id."""


class FilesView(Struct, frozen=True):
    """Files, and what is to be said of them."""

    files: Sequence[File]
    replaced: dict[int, list[File]]  # by file_id
    titles: Titles
    authors: dict[str, Author]
    rights: Sequence[str] = LOOK


def view_file(tx: Tx, caller: Caller, file_id: int) -> FilesView:
    """One file, with what the caller may do to it. Raises `NotFound`, `Forbidden`, `Gone`."""
    file, anchor = reach_file(tx, caller, file_id)
    rights: tuple[str, ...] = (*LOOK, "update", "delete")
    if anchor is not None:
        try:
            require_change(tx, caller, anchor)
        except Forbidden:
            rights = LOOK
    return view_files(tx, [file], rights=rights)


def view_files_in(tx: Tx, caller: Caller, place: Literal["app", "space"], number: int, *, limit: int, offset: int) -> FilesView:
    """What is attached in an app or a space, newest first. Raises `NotFound`, `Forbidden`, `Gone`."""
    return view_files(tx, list_files(tx, caller, place, number, limit=limit, offset=offset))


def view_files(tx: Tx, those: Sequence[File], *, rights: Sequence[str] = LOOK) -> FilesView:
    """These files, which the caller may see."""
    replaced = replaced_files(tx, [file.file_id for file in those])
    every = [*those, *(file for past in replaced.values() for file in past)]
    return FilesView(those, replaced, _titles(tx, those), find_authors(tx, {file.created_by for file in every}), rights)


_TITLES: dict[str, tuple[Column[int], Column[str]]] = {
    "item": (items.c.item_id, items.c.title),
    "status": (statuses.c.status_id, statuses.c.value),
    "comment": (comments.c.comment_id, comments.c.value),
    "task": (tasks.c.task_id, tasks.c.text),
    "space": (spaces.c.space_id, spaces.c.name),
}


def _titles(tx: Tx, those: Iterable[File]) -> Titles:
    titles: Titles = {}
    for kind, (key, title) in _TITLES.items():
        ids = {file.ref_id for file in those if file.ref_type == kind}
        if ids:
            rows = tx.execute(select(key, title).where(key.in_(bindparam("ids", expanding=True))), {"ids": list(ids)})
            titles |= {(kind, number): text[:TITLE_LIMIT] for number, text in rows}
    return titles
