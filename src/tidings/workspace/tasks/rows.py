"""The rows of tasks. What is written here comes from `tasks.py`, which has judged it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

import msgspec
from msgspec import Struct
from sqlalchemy import ColumnElement, RowMapping, Select, bindparam, insert, or_, select, update

from tidings.store.database import Tx
from tidings.store.schema import tasks
from tidings.workspace.access import Caller

TaskStatus = Literal["active", "completed"]


class Task(Struct, frozen=True):
    """A task as it stands. Moments are microseconds since the epoch; who did something is an author."""

    task_id: int
    ref_type: str | None  # what it hangs on; None: on nothing, it is its people's own
    ref_id: int | None
    app_id: int | None
    space_id: int | None
    external_id: str | None
    text: str
    description: str | None
    private: bool
    status: TaskStatus
    due_on: str | None  # YYYY-MM-DD
    due_time: str | None  # HH:MM:SS, UTC
    labels: tuple[str, ...]
    reminder: int | None  # minutes before it is due
    responsible_id: int | None
    created_by: str
    created_at: int
    completed_by: str | None
    completed_at: int | None


_COLUMNS = tuple(tasks.c[name] for name in Task.__struct_fields__)
TASKS: Select[Any] = select(*_COLUMNS)
"""Tasks, deleted or not, as `read_tasks` takes them."""

_BY_ID = TASKS.where(tasks.c.task_id == bindparam("task_id"))
_decode_labels = msgspec.json.Decoder(tuple[str, ...]).decode


def read_task(tx: Tx, task_id: int) -> Task:
    """The task with this id, deleted or not. It is there."""
    return _task(tx.execute(_BY_ID, {"task_id": task_id}).mappings().one())


def read_tasks(tx: Tx, statement: Select[Any]) -> list[Task]:
    """What `statement`, made of `TASKS`, finds."""
    return [_task(row) for row in tx.execute(statement).mappings()]


def insert_task(tx: Tx, task: Task) -> Task:
    """Write a new task, and answer it with its id."""
    return _task(tx.execute(insert(tasks).values(_values(task)).returning(*_COLUMNS)).mappings().one())


def update_task_row(tx: Tx, task: Task) -> None:
    """Write a task as it stands now."""
    tx.execute(update(tasks).where(tasks.c.task_id == task.task_id).values(_values(task)))


def mark_deleted(tx: Tx, task_id: int, now: int) -> None:
    """Delete a task; its row stays for the record."""
    tx.execute(update(tasks).where(tasks.c.task_id == task_id).values(deleted_at=now))


def is_own(caller: Caller) -> ColumnElement[bool]:
    """That a task is one which `caller` made, or is responsible for."""
    return or_(made_by([f"{caller.kind}:{caller.id}"]), tasks.c.responsible_id == caller.user_id)


def made_by(people: Iterable[str], column: ColumnElement[Any] = tasks.c.created_by) -> ColumnElement[bool]:
    """That the author in `column` is one of `people` (`user:6`), through whichever API client."""
    return or_(*(column.startswith(f"{each}@", autoescape=True) for each in people))


def _values(task: Task) -> dict[str, Any]:
    values = {name: value for name, value in msgspec.structs.asdict(task).items() if name != "task_id"}
    return values | {"labels": msgspec.json.encode(task.labels).decode()}


def _task(row: RowMapping) -> Task:
    return Task(**{**row, "labels": _decode_labels(row["labels"])})
