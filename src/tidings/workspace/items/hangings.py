"""What hangs on items, read along with them: tags, files, comments, tasks.

An item's row says how many of each there are, so that nobody asks for what is not there: an item with nothing on it costs
no statement more. A page of items has the tags and the files of all of them, by one statement each; comments and tasks are
read where one item is asked for.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct
from sqlalchemy import RowMapping

from tidings.store.database import Tx
from tidings.workspace.access import Caller, held_role
from tidings.workspace.accounts.authors import Author, find_authors
from tidings.workspace.anchors import Anchor
from tidings.workspace.comments import CommentView, comments_on
from tidings.workspace.files.rows import File, files_on
from tidings.workspace.items.rows import Item
from tidings.workspace.tags import tags_on
from tidings.workspace.tasks.lists import tasks_on
from tidings.workspace.tasks.views import TaskView, view_tasks

COMMENT_LIMIT = 500  # comments that an item is answered with; the others are listed by their own operation


class Hanging(Struct, frozen=True):
    """What hangs on one item, as one caller sees it."""

    tags: Sequence[str] = ()
    files: Sequence[File] = ()
    comments: Sequence[CommentView] = ()
    tasks: Sequence[TaskView] = ()
    authors: dict[str, Author] = {}  # of the files


NOTHING_HANGS = Hanging()


def hanging_on_page(tx: Tx, those: Sequence[Item]) -> dict[int, Hanging]:
    """The tags and the files of those items that have any."""
    tagged, filed = [item.item_id for item in those if item.tag_count], [item.item_id for item in those if item.file_count]
    if not tagged and not filed:
        return {}
    tags = tags_on(tx, tagged) if tagged else {}
    files = files_on(tx, "item", filed) if filed else {}
    authors = find_authors(tx, {file.created_by for several in files.values() for file in several})
    return {item_id: Hanging(tags.get(item_id, ()), files.get(item_id, ()), authors=authors) for item_id in {*tagged, *filed}}


def hanging_on(tx: Tx, caller: Caller, app: RowMapping, item: Item) -> Hanging:
    """All that hangs on an item of `app`, into which the caller has been let."""
    listed = hanging_on_page(tx, [item]).get(item.item_id, NOTHING_HANGS)
    if not item.comment_count and not item.task_count:
        return listed
    return Hanging(listed.tags, listed.files, _comments(tx, caller, app, item), _tasks(tx, caller, item), listed.authors)


def _comments(tx: Tx, caller: Caller, app: RowMapping, item: Item) -> Sequence[CommentView]:
    role = held_role(caller, app)
    if not item.comment_count or role is None:
        return ()
    anchor = Anchor("item", item.item_id, item.app_id, app["space_id"], role, item.item_id)
    return comments_on(tx, caller, anchor, limit=COMMENT_LIMIT)


def _tasks(tx: Tx, caller: Caller, item: Item) -> Sequence[TaskView]:
    """Those that the caller may see, which may be fewer than there are."""
    found = tasks_on(tx, caller, "item", [item.item_id])[item.item_id] if item.task_count else []
    return view_tasks(tx, found) if found else ()
