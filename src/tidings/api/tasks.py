"""The task endpoints (contract section 6.5).

Each attribute has a path of its own beside that of the whole task, as the older clients use them.
"""

from __future__ import annotations

from typing import TypedDict

from msgspec import UNSET, Struct, UnsetType
from msgspec.structs import replace

from tidings.api.call import Call, ChangeQuery
from tidings.api.shapes import Id
from tidings.api.task_objects import LabelObject, TaskObject, label_object, task_object
from tidings.api.task_queries import TaskQuery, read_wanted
from tidings.workspace.tasks import lists as task_lists
from tidings.workspace.tasks import tasks
from tidings.workspace.tasks import views as task_views
from tidings.workspace.tasks.parts import LabelGiven, People, TaskParts


class TextBody(Struct):
    """What is to be done."""

    text: str


class DescriptionBody(Struct):
    """More about it."""

    description: str | None


class PrivateBody(Struct):
    """Whether only its people see the task."""

    private: bool


class DueBody(Struct):
    """When the task is due: `due_on` alone, or a day and a time. All UTC."""

    due_on: str | UnsetType | None = UNSET
    due_date: str | UnsetType | None = UNSET
    due_time: str | UnsetType | None = UNSET


class ReferenceBody(Struct):
    """What the task hangs on."""

    ref_type: str
    ref_id: Id


class AssignBody(Struct):
    """Who is responsible; null is nobody."""

    responsible: People


class CompletedObject(TypedDict):
    """The task that comes next where a task comes again, of which there are none."""

    recurring_task_id: None


class CountObject(TypedDict):
    """How many there are."""

    count: int


# --- making and finding ------------------------------------------------------------------------------------------------


async def create_task(call: Call, body: TaskParts, query: ChangeQuery) -> TaskObject | list[TaskObject]:
    """`POST /task`: the whole task; where several people are to be responsible, a task for each, in a list."""
    return await _create(call, body, query)


async def create_task_on(call: Call, body: TaskParts, query: ChangeQuery) -> TaskObject | list[TaskObject]:
    """`POST /task/{ref_type}/{ref_id}`: the same, on that object."""
    return await _create(call, replace(body, ref_type=call.text("ref_type"), ref_id=call.id("ref_id")), query)


async def _create(call: Call, parts: TaskParts, query: ChangeQuery) -> TaskObject | list[TaskObject]:
    made = await call.write(task_views.create_and_view, call.caller, parts, now=call.now, heard=query.hook)
    objects = [task_object(view, call.house.settings.public_url) for view in made]
    return objects if len(objects) > 1 else objects[0]


async def list_tasks(call: Call, query: TaskQuery) -> list[TaskObject]:
    """`GET /task`: those that the caller may see."""
    found = await call.read(task_views.view_page, call.caller, read_wanted(query))
    return [task_object(view, call.house.settings.public_url) for view in found]


async def list_tasks_on(call: Call, query: TaskQuery) -> list[TaskObject]:
    """`GET /task/{ref_type}/{ref_id}`: active and completed, unless the query says otherwise."""
    ref_type, ref_id = call.text("ref_type"), call.id("ref_id")
    found = await call.read(task_views.view_page_on, call.caller, ref_type, ref_id, read_wanted(query))
    return [task_object(view, call.house.settings.public_url) for view in found]


async def count_tasks_on(call: Call) -> CountObject:
    """`GET /task/{ref_type}/{ref_id}/count`: those that are to be done yet."""
    return {"count": await call.read(task_lists.count_active, call.caller, call.text("ref_type"), call.id("ref_id"))}


async def list_labels(call: Call) -> list[LabelObject]:
    """`GET /task/label`: those that the caller's own tasks carry."""
    return [label_object(text) for text in await call.read(task_lists.list_labels, call.caller)]


# --- one task ----------------------------------------------------------------------------------------------------------


async def get_task(call: Call) -> TaskObject:
    """`GET /task/{task_id}`."""
    return task_object(await call.read(task_views.view_task, call.caller, call.id("task_id")), call.house.settings.public_url)


async def update_task(call: Call, body: TaskParts, query: ChangeQuery) -> TaskObject:
    """`PUT /task/{task_id}`: the whole task, as it stands then."""
    view = await call.write(task_views.update_and_view, call.caller, call.id("task_id"), body, now=call.now, heard=query.hook)
    return task_object(view, call.house.settings.public_url)


async def complete_task(call: Call, query: ChangeQuery) -> CompletedObject:
    """`POST /task/{task_id}/complete`."""
    await _update(call, TaskParts(completed=True), query)
    return {"recurring_task_id": None}


async def incomplete_task(call: Call, query: ChangeQuery) -> None:
    """`POST /task/{task_id}/incomplete`."""
    await _update(call, TaskParts(completed=False), query)


async def assign_task(call: Call, body: AssignBody, query: ChangeQuery) -> None:
    """`POST /task/{task_id}/assign`."""
    await _update(call, TaskParts(responsible=body.responsible), query)


async def delete_task(call: Call, query: ChangeQuery) -> None:
    """`DELETE /task/{task_id}`."""
    await call.write(tasks.delete_task, call.caller, call.id("task_id"), now=call.now, heard=query.hook)


# --- one attribute -----------------------------------------------------------------------------------------------------


async def update_text(call: Call, body: TextBody, query: ChangeQuery) -> None:
    """`PUT /task/{task_id}/text`."""
    await _update(call, TaskParts(text=body.text), query)


async def update_description(call: Call, body: DescriptionBody, query: ChangeQuery) -> None:
    """`PUT /task/{task_id}/description`."""
    await _update(call, TaskParts(description=body.description), query)


async def update_private(call: Call, body: PrivateBody, query: ChangeQuery) -> None:
    """`PUT /task/{task_id}/private`."""
    await _update(call, TaskParts(private=body.private), query)


async def update_due(call: Call, body: DueBody, query: ChangeQuery) -> None:
    """`PUT /task/{task_id}/due`, `/due_date`, `/due_on`."""
    await _update(call, TaskParts(due_on=body.due_on, due_date=body.due_date, due_time=body.due_time), query)


async def update_labels(call: Call, body: list[str | LabelGiven], query: ChangeQuery) -> None:
    """`PUT /task/{task_id}/label`: all its labels, by their texts."""
    await _update(call, TaskParts(labels=body), query)


async def update_reference(call: Call, body: ReferenceBody, query: ChangeQuery) -> None:
    """`PUT /task/{task_id}/ref`: hang it on another object."""
    await _update(call, TaskParts(ref_type=body.ref_type, ref_id=body.ref_id), query)


async def remove_reference(call: Call, query: ChangeQuery) -> None:
    """`DELETE /task/{task_id}/ref`: it hangs on nothing then."""
    await _update(call, TaskParts(ref_type=None), query)


async def _update(call: Call, parts: TaskParts, query: ChangeQuery) -> None:
    await call.write(tasks.update_task, call.caller, call.id("task_id"), parts, now=call.now, heard=query.hook)
