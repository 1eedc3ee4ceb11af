"""Tasks as Podio writes them (contract section 6.5). Pure."""

from __future__ import annotations

from typing import TypedDict

from tidings.api.bylines import Byline, Via, byline, via
from tidings.api.comments import CommentObject, comment_object
from tidings.api.files import FileObject, file_object
from tidings.api.shapes import Timestamp
from tidings.api.users import ContactObject, contact
from tidings.wire.podio import timestamp
from tidings.workspace.tasks.parts import Due
from tidings.workspace.tasks.rows import TaskStatus
from tidings.workspace.tasks.views import TaskView

LABEL_COLOR = "E9E9E9"  # as podio-php has it by default; labels are texts here, and all look the same


class LabelObject(TypedDict):
    """A label of a task: its text. It has no id of its own."""

    label_id: int
    text: str
    color: str


class ReminderObject(TypedDict):
    """When to remind of a task: minutes before it is due."""

    reminder_id: int
    remind_delta: int


class ReferenceObject(TypedDict):
    """What a task hangs on."""

    type: str
    id: int
    title: str | None
    link: str
    data: dict[str, int | str | None]
    created_on: None
    created_by: None
    created_via: None


class TaskObject(TypedDict):
    """A task."""

    task_id: int
    text: str
    description: str | None
    status: TaskStatus
    group: None
    private: bool
    due_on: Timestamp | None
    due_date: str | None
    due_time: str | None
    responsible: ContactObject | None
    space_id: int | None
    ref: ReferenceObject | None
    ref_type: str | None
    ref_id: int | None
    ref_title: str | None
    ref_link: str | None
    link: str
    external_id: str | None
    labels: list[LabelObject]
    reminder: ReminderObject | None
    recurrence: None
    files: list[FileObject]
    comments: list[CommentObject]
    created_on: Timestamp
    created_by: Byline
    created_via: Via
    completed_on: Timestamp | None
    completed_by: Byline | None
    completed_via: Via | None
    deleted_on: None
    deleted_by: None
    deleted_via: None
    is_liked: bool
    like_count: int
    pinned: bool
    subscribed: bool


def task_object(view: TaskView, public_url: str) -> TaskObject:
    """One task."""
    task = view.task
    author = view.authors[task.created_by]
    ender = view.authors[task.completed_by] if task.completed_by else None
    ref = _reference_object(view, public_url)
    return {
        "task_id": task.task_id,
        "text": task.text,
        "description": task.description,
        "status": task.status,
        "group": None,
        "private": task.private,
        "due_on": Due(task.due_on, task.due_time).moment,
        "due_date": task.due_on,
        "due_time": task.due_time,
        "responsible": contact(view.responsible, public_url) if view.responsible else None,
        "space_id": task.space_id,
        "ref": ref,
        "ref_type": task.ref_type,
        "ref_id": task.ref_id,
        "ref_title": view.ref_title,
        "ref_link": ref["link"] if ref else None,
        "link": f"{public_url}/task/{task.task_id}",
        "external_id": task.external_id,
        "labels": [label_object(text) for text in task.labels],
        "reminder": None if task.reminder is None else {"reminder_id": task.task_id, "remind_delta": task.reminder},
        "recurrence": None,
        "files": [file_object(file, view.authors, public_url, title=task.text) for file in view.files],
        "comments": [comment_object(comment, public_url) for comment in view.comments],
        "created_on": timestamp(task.created_at),
        "created_by": byline(author, public_url),
        "created_via": via(author),
        "completed_on": None if task.completed_at is None else timestamp(task.completed_at),
        "completed_by": byline(ender, public_url) if ender else None,
        "completed_via": via(ender) if ender else None,
        "deleted_on": None,
        "deleted_by": None,
        "deleted_via": None,
        "is_liked": False,
        "like_count": 0,
        "pinned": False,
        "subscribed": False,
    }


def label_object(text: str) -> LabelObject:
    """A label of a task."""
    return {"label_id": 0, "text": text, "color": LABEL_COLOR}


def _reference_object(view: TaskView, public_url: str) -> ReferenceObject | None:
    task = view.task
    if task.ref_type is None or task.ref_id is None:
        return None
    return {
        "type": task.ref_type,
        "id": task.ref_id,
        "title": view.ref_title,
        "link": f"{public_url}/{task.ref_type}/{task.ref_id}",
        "data": {f"{task.ref_type}_id": task.ref_id, "title": view.ref_title},
        "created_on": None,
        "created_by": None,
        "created_via": None,
    }
