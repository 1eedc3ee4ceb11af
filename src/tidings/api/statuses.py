"""The status endpoints (contract section 6.5)."""

from __future__ import annotations

from typing import TypedDict

from msgspec import UNSET, Struct, UnsetType

from tidings.api.bylines import Byline, Via, byline, via
from tidings.api.call import Call, ChangeQuery
from tidings.api.comments import Attachments, CommentObject, CommentQuery, EmbedObject, comment_object, embed_object
from tidings.api.files import FileObject, file_object
from tidings.api.shapes import Timestamp
from tidings.api.task_objects import TaskObject, task_object
from tidings.wire.podio import timestamp
from tidings.workspace import statuses
from tidings.workspace.names import NAME_LIMIT
from tidings.workspace.statuses import NewStatus, Question, Status, StatusChange, StatusView


class QuestionBody(Struct):
    """A question, and the answers to choose from."""

    text: str
    options: list[str]


class StatusChangeBody(Attachments):
    """What a change says of a status."""

    value: str | UnsetType = UNSET


class StatusBody(StatusChangeBody):
    """What a creation says of it: a value, unless a file, a link or a question says it all."""

    question: QuestionBody | None = None


class OptionObject(TypedDict):
    """An answer to choose."""

    question_option_id: int
    text: str


class QuestionObject(TypedDict):
    """A question. Nobody can answer it here."""

    question_id: int
    text: str
    options: list[OptionObject]
    answers: list[object]


class SpaceStatusObject(TypedDict):
    """A status as Podio writes it."""

    status_id: int
    space_id: int
    value: str
    rich_value: str
    link: str
    ratings: dict[str, object]
    user_ratings: dict[str, object]
    subscribed: bool
    is_liked: bool
    like_count: int
    comment_count: int
    embed: EmbedObject | None
    embed_file: None
    files: list[FileObject]
    comments: list[CommentObject]
    conversations: list[object]
    tasks: list[TaskObject]
    shares: list[object]
    questions: list[QuestionObject]
    rights: tuple[str, ...]
    created_on: Timestamp
    created_by: Byline
    created_via: Via


async def create_status(call: Call, body: StatusBody, query: CommentQuery) -> SpaceStatusObject:
    """`POST /status/space/{space_id}`."""
    body.refuse()
    new = NewStatus(
        value=body.value or "",
        embed_url=body.embed_url or None,
        question=Question(body.question.text, body.question.options) if body.question else None,
        file_ids=body.file_ids or (),
    )
    made = await call.write(statuses.create_status, call.caller, call.id("space_id"), new, now=call.now, heard=query.hook)
    return _status_object(made, call.house.settings.public_url)


async def get_status(call: Call) -> SpaceStatusObject:
    """`GET /status/{status_id}`, with the comments and the tasks on it."""
    view = await call.read(statuses.get_status, call.caller, call.id("status_id"))
    return _status_object(view, call.house.settings.public_url)


async def update_status(call: Call, body: StatusChangeBody, query: CommentQuery) -> SpaceStatusObject:
    """`PUT /status/{status_id}`: files are added to those it has."""
    body.refuse()
    change = StatusChange(body.value, body.embed_url, body.file_ids or ())
    view = await call.write(statuses.update_status, call.caller, call.id("status_id"), change, now=call.now, heard=query.hook)
    return _status_object(view, call.house.settings.public_url)


async def delete_status(call: Call, query: ChangeQuery) -> None:
    """`DELETE /status/{status_id}`."""
    await call.write(statuses.delete_status, call.caller, call.id("status_id"), now=call.now, heard=query.hook)


def _status_object(view: StatusView, public_url: str) -> SpaceStatusObject:
    status, author = view.status, view.authors[view.status.created_by]
    return {
        "status_id": status.status_id,
        "space_id": status.space_id,
        "value": status.value,
        "rich_value": status.value,
        "link": f"{public_url}/status/{status.status_id}",
        "ratings": {},
        "user_ratings": {},
        "subscribed": False,
        "is_liked": False,
        "like_count": 0,
        "comment_count": len(view.comments),
        "embed": embed_object(status.embed_url),
        "embed_file": None,
        "files": [file_object(file, view.authors, public_url, title=status.value[:NAME_LIMIT]) for file in view.files],
        "comments": [comment_object(comment, public_url) for comment in view.comments],
        "conversations": [],
        "tasks": [task_object(task, public_url) for task in view.tasks],
        "shares": [],
        "questions": _question_objects(status),
        "rights": view.rights,
        "created_on": timestamp(status.created_at),
        "created_by": byline(author, public_url),
        "created_via": via(author),
    }


def _question_objects(status: Status) -> list[QuestionObject]:
    """The question, if there is one: it has its status's id, and its options are numbered."""
    if status.question is None:
        return []
    options: list[OptionObject] = [{"question_option_id": number, "text": text} for number, text in enumerate(status.question.options, 1)]
    return [{"question_id": status.status_id, "text": status.question.text, "options": options, "answers": []}]
