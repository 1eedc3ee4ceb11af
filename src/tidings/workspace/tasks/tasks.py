"""Tasks: what is to be done, by whom, and on what it hangs.

A task hangs on an item, an app, a space or a status, or on nothing: then it is its people's own, as a private one always
is. Its people are who made it and who is responsible for it. Whoever sees the object may make tasks on it; its people and
the regulars of the place change it; who made it and the admins of the place delete it. Somebody responsible is somebody
who can see the object.

Whoever changes a task locks its row first and writes the event last. A change that changes nothing writes nothing. Hooks of
a space hear of its tasks, but not of those on items of its apps (contract section 1.2).
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import UNSET
from msgspec.structs import replace

from tidings.errors import Forbidden, Invalid
from tidings.events.outbox import NewEvent, append, append_many
from tidings.store.database import Tx
from tidings.workspace.access import Caller
from tidings.workspace.anchors import Anchor, count_on_item, reach_anchor
from tidings.workspace.files.files import attach_files, copy_file
from tidings.workspace.tasks.lists import TASK_REFS, tasks_on
from tidings.workspace.tasks.parts import (
    Due,
    TaskParts,
    read_description,
    read_due,
    read_external_id,
    read_labels,
    read_text,
    refuse_what_is_not_offered,
)
from tidings.workspace.tasks.people import check_sees, find_people
from tidings.workspace.tasks.rows import Task, insert_task, mark_deleted, read_task, update_task_row

__all__ = ["Task", "TaskParts", "tasks_on"]


# --- making ------------------------------------------------------------------------------------------------------------


def create_tasks(tx: Tx, caller: Caller, parts: TaskParts, *, now: int, heard: bool = True) -> list[Task]:
    """New tasks: one for each person who is to be responsible, or one. Nobody named is the caller; null is nobody.

    Raises `Invalid`, naming the part; `NotFound`, `Forbidden` and `Gone` as the object that they hang on does.
    """
    anchor = _reach(tx, caller, _named(parts, None, None))
    people = find_people(tx, caller, parts.responsible, anchor)
    if people is None:
        people = [caller.id] if caller.kind == "user" else []
    draft = _drafted(caller, parts, anchor, now)
    drafts = [replace(draft, responsible_id=user_id) for user_id in people] or [draft]
    made = [insert_task(tx, each) for each in drafts]
    if anchor is not None and anchor.item_id is not None:
        count_on_item(tx, anchor.item_id, tasks=len(made))
    for place, task in enumerate(made):
        _attach(tx, caller, task, anchor, parts, copies=place > 0, now=now, heard=heard)
    append_many(tx, [_event("create", caller, task, now=now, heard=heard) for task in made])
    return made


def _drafted(caller: Caller, parts: TaskParts, anchor: Anchor | None, now: int) -> Task:
    if parts.text is UNSET:
        raise Invalid("text: is missing", parameters={"field": "text"})
    blank = Task(
        task_id=0,
        ref_type=None,
        ref_id=None,
        app_id=None,
        space_id=None,
        external_id=None,
        text="",
        description=None,
        private=False,
        status="active",
        due_on=None,
        due_time=None,
        labels=(),
        reminder=None,
        responsible_id=None,
        created_by=caller.author,
        created_at=now,
        completed_by=None,
        completed_at=None,
    )
    return _with_status(_placed(_with_parts(blank, parts), anchor), parts, caller, now)


# --- reading -----------------------------------------------------------------------------------------------------------


def get_task(tx: Tx, caller: Caller, task_id: int) -> Task:
    """The task. Raises `NotFound`, `Forbidden`, `Gone`."""
    reach_anchor(tx, caller, "task", task_id, among=("task",))
    return read_task(tx, task_id)


# --- changing ----------------------------------------------------------------------------------------------------------


def update_task(tx: Tx, caller: Caller, task_id: int, parts: TaskParts, *, now: int, heard: bool = True) -> Task:
    """Change what `parts` names, and answer the task as it stands then. Files that are named are attached beside the others.

    Raises `Invalid`, naming the part; `NotFound`, `Forbidden`, `Gone`.
    """
    here = reach_anchor(tx, caller, "task", task_id, "regular", among=("task",), lock=True)
    before = read_task(tx, task_id)
    held = _held(before, here)
    named = _named(parts, before.ref_type, before.ref_id)
    anchor = held if named == (before.ref_type, before.ref_id) else _reach(tx, caller, named)
    stays = before.responsible_id if anchor is held else None
    people = find_people(tx, caller, parts.responsible, anchor, already=stays)
    after = _placed(_with_status(_with_parts(before, parts), parts, caller, now), anchor)
    if people is not None:
        after = replace(after, responsible_id=_only_one(people))
    elif anchor is not held and before.responsible_id is not None:
        check_sees(tx, caller, before.responsible_id, anchor)
    _attach(tx, caller, after, anchor, parts, now=now, heard=heard)
    if after != before:
        update_task_row(tx, after)
        _count_move(tx, before, after)
        append(tx, _event("update", caller, after, was=before, now=now, heard=heard))
    return after


def delete_task(tx: Tx, caller: Caller, task_id: int, *, now: int, heard: bool = True) -> None:
    """Delete a task: it is gone for everybody. Raises `NotFound`, `Forbidden`, `Gone`."""
    here = reach_anchor(tx, caller, "task", task_id, among=("task",), lock=True)
    task = read_task(tx, task_id)
    if not caller.wrote(task.created_by) and (task.ref_type is None or here.role != "admin"):
        raise Forbidden(f"The {caller.kind} with id {caller.id} does not have the right delete on task with id {task_id}")
    mark_deleted(tx, task_id, now)
    if here.item_id is not None:
        count_on_item(tx, here.item_id, tasks=-1)
    append(tx, _event("delete", caller, task, now=now, heard=heard))


def _only_one(people: Sequence[int]) -> int | None:
    if len(people) > 1:
        raise Invalid("responsible: must be one person; only new tasks are given to several", parameters={"field": "responsible"})
    return people[0] if people else None


def _with_parts(task: Task, parts: TaskParts) -> Task:
    """`task` with what `parts` says of itself; who is responsible, where it hangs and whether it is done are not of these."""
    refuse_what_is_not_offered(parts)
    due = read_due(parts, Due(task.due_on, task.due_time))
    said: dict[str, object] = {"due_on": due.day, "due_time": due.time}
    if parts.text is not UNSET:
        said["text"] = read_text(parts.text)
    if parts.description is not UNSET:
        said["description"] = read_description(parts.description)
    if parts.private is not UNSET:
        said["private"] = bool(parts.private)
    if parts.labels is not UNSET:
        said["labels"] = read_labels(parts.labels)
    if parts.reminder is not UNSET:
        said["reminder"] = parts.reminder.remind_delta if parts.reminder else None
    if parts.external_id is not UNSET:
        said["external_id"] = read_external_id(parts.external_id)
    return replace(task, **said)


def _with_status(task: Task, parts: TaskParts, caller: Caller, now: int) -> Task:
    done = task.status == "completed"
    if parts.completed is UNSET or bool(parts.completed) == done:
        return task
    if done:
        return replace(task, status="active", completed_by=None, completed_at=None)
    return replace(task, status="completed", completed_by=caller.author, completed_at=now)


# --- where it hangs ----------------------------------------------------------------------------------------------------


def _named(parts: TaskParts, ref_type: str | None, ref_id: int | None) -> tuple[str, int] | None:
    """What the task is to hang on, where `ref_type` and `ref_id` are what it hangs on now; None for nothing."""
    ref_type = ref_type if parts.ref_type is UNSET else parts.ref_type
    ref_id = ref_id if parts.ref_id is UNSET else parts.ref_id
    if not ref_type and not parts.ref_id:
        return None
    if not ref_type or not ref_id:
        missing = "ref_id" if ref_type else "ref_type"
        raise Invalid(f"{missing}: is missing", parameters={"field": missing})
    return ref_type, ref_id


def _reach(tx: Tx, caller: Caller, named: tuple[str, int] | None) -> Anchor | None:
    """What the task is to hang on; an item is locked."""
    return None if named is None else reach_anchor(tx, caller, *named, among=TASK_REFS, lock=named[0] == "item")


def _held(task: Task, here: Anchor) -> Anchor | None:
    """What the task hangs on already."""
    if task.ref_type is None or task.ref_id is None:
        return None
    return Anchor(task.ref_type, task.ref_id, here.app_id, here.space_id, here.role, here.item_id)


def _placed(task: Task, anchor: Anchor | None) -> Task:
    if anchor is None:
        return replace(task, ref_type=None, ref_id=None, app_id=None, space_id=None)
    return replace(task, ref_type=anchor.ref_type, ref_id=anchor.ref_id, app_id=anchor.app_id, space_id=anchor.space_id)


def _count_move(tx: Tx, before: Task, after: Task) -> None:
    if (before.ref_type, before.ref_id) == (after.ref_type, after.ref_id):
        return
    for task, change in ((before, -1), (after, +1)):
        if task.ref_type == "item" and task.ref_id is not None:
            count_on_item(tx, task.ref_id, tasks=change)


def _attach(
    tx: Tx, caller: Caller, task: Task, anchor: Anchor | None, parts: TaskParts, *, copies: bool = False, now: int, heard: bool
) -> None:
    """Attach the files that are named; to the second task of one call, and to those after it, go copies."""
    file_ids = parts.file_ids or ()
    if not file_ids:
        return
    if copies:
        file_ids = [copy_file(tx, caller, file_id, now=now).file_id for file_id in file_ids]
    role, item_id = (anchor.role, anchor.item_id) if anchor else ("admin", None)
    attach_files(tx, caller, file_ids, Anchor("task", task.task_id, task.app_id, task.space_id, role, item_id), now=now, heard=heard)


# --- what hooks hear ---------------------------------------------------------------------------------------------------


def _event(what: str, caller: Caller, task: Task, *, was: Task | None = None, now: int, heard: bool) -> NewEvent:
    """What happened to `task`. Where it has moved to what nobody hears of, those hear of it who did where it `was`."""
    places = (task, was or task)
    return NewEvent(
        type=f"task.{what}",
        space_id=next((place.space_id for place in places if place.space_id and place.ref_type != "item"), None),  # contract section 1.2
        app_id=next((place.app_id for place in places if place.app_id), None),
        object_id=task.task_id,
        parameters={"task_id": str(task.task_id)},
        created_by=caller.author,
        created_at=now,
        heard=heard,
    )
