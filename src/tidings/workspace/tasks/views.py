"""Tasks as an answer shows them: with the names behind the ids, what they hang on, and their files."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import ColumnElement, select

from tidings.store.database import Tx
from tidings.store.schema import apps, items, spaces, statuses
from tidings.workspace.access import Caller
from tidings.workspace.accounts.authors import Author, find_authors
from tidings.workspace.accounts.users import User, find_users
from tidings.workspace.anchors import reach_anchor
from tidings.workspace.apps import app_config
from tidings.workspace.comments import CommentView, comments_on
from tidings.workspace.files.files import File, files_on
from tidings.workspace.tasks.lists import Wanted, find_tasks, find_tasks_on
from tidings.workspace.tasks.rows import Task, read_task
from tidings.workspace.tasks.tasks import TaskParts, create_tasks, update_task


class TaskView(Struct, frozen=True):
    """One task, to be shown."""

    task: Task
    ref_title: str | None  # what the object that it hangs on is called
    responsible: User | None
    authors: dict[str, Author]
    files: list[File]
    comments: Sequence[CommentView] = ()  # only where one task is asked for


def create_and_view(tx: Tx, caller: Caller, parts: TaskParts, *, now: int, heard: bool) -> list[TaskView]:
    """New tasks. Raises as `create_tasks` does."""
    return view_tasks(tx, create_tasks(tx, caller, parts, now=now, heard=heard))


def update_and_view(tx: Tx, caller: Caller, task_id: int, parts: TaskParts, *, now: int, heard: bool) -> TaskView:
    """A task, changed. Raises as `update_task` does."""
    return view_tasks(tx, [update_task(tx, caller, task_id, parts, now=now, heard=heard)])[0]


def view_task(tx: Tx, caller: Caller, task_id: int) -> TaskView:
    """The task, and what is said of it. Raises `NotFound`, `Forbidden`, `Gone`."""
    anchor = reach_anchor(tx, caller, "task", task_id, among=("task",))
    [view] = view_tasks(tx, [read_task(tx, task_id)])
    return replace(view, comments=comments_on(tx, caller, anchor))


def view_page(tx: Tx, caller: Caller, wanted: Wanted) -> list[TaskView]:
    """One page of what is wanted."""
    return view_tasks(tx, find_tasks(tx, caller, wanted))


def view_page_on(tx: Tx, caller: Caller, ref_type: str, ref_id: int, wanted: Wanted) -> list[TaskView]:
    """The same of one object. Raises as `find_tasks_on` does."""
    return view_tasks(tx, find_tasks_on(tx, caller, ref_type, ref_id, wanted))


def view_tasks(tx: Tx, those: Sequence[Task]) -> list[TaskView]:
    """These tasks, in their order."""
    titles = _titles(tx, those)
    people = find_users(tx, {task.responsible_id for task in those if task.responsible_id is not None})
    files = files_on(tx, "task", [task.task_id for task in those])
    wrote = {author for task in those for author in (task.created_by, task.completed_by) if author}
    authors = find_authors(tx, wrote | {file.created_by for several in files.values() for file in several})
    return [
        TaskView(task, titles.get((task.ref_type, task.ref_id)), people.get(task.responsible_id or 0), authors, files[task.task_id])
        for task in those
    ]


# --- what the objects are called ---------------------------------------------------------------------------------------

_NAMES: dict[str, tuple[ColumnElement[int], ColumnElement[str]]] = {
    "item": (items.c.item_id, items.c.title),
    "space": (spaces.c.space_id, spaces.c.name),
    "status": (statuses.c.status_id, statuses.c.value),
}


def _titles(tx: Tx, those: Iterable[Task]) -> dict[tuple[str | None, int | None], str]:
    ids: dict[str, set[int]] = defaultdict(set)
    for task in those:
        if task.ref_type is not None and task.ref_id is not None:
            ids[task.ref_type].add(task.ref_id)
    return {(ref_type, ref_id): title for ref_type, several in ids.items() for ref_id, title in _titles_of(tx, ref_type, several)}


def _titles_of(tx: Tx, ref_type: str, ids: Iterable[int]) -> list[tuple[int, str]]:
    if ref_type == "app":
        configs = tx.execute(select(apps.c.app_id, apps.c.config).where(apps.c.app_id.in_(sorted(ids)))).mappings()
        return [(row["app_id"], app_config(row).name) for row in configs]
    key, name = _NAMES[ref_type]
    return [(number, title) for number, title in tx.execute(select(key, name).where(key.in_(sorted(ids))))]
