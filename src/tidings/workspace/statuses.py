"""Statuses: what people say to a whole space, perhaps with a question.

Members who make things (`regular`) post them; everybody in the space reads them. What somebody posted, they alone may
change; they and the space's admins may delete it. A deleted status keeps its row, and what was said about it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Literal

import msgspec
from msgspec import UNSET, Struct, UnsetType
from sqlalchemy import bindparam, insert, select, update

from tidings.errors import Forbidden, Invalid
from tidings.events.outbox import NewEvent, append
from tidings.store.database import Tx
from tidings.store.schema import statuses
from tidings.workspace.access import Caller
from tidings.workspace.accounts.authors import Author, find_authors
from tidings.workspace.anchors import Anchor, reach_anchor
from tidings.workspace.comments import CommentView, checked_url, checked_value, comments_on, rights_on
from tidings.workspace.files.files import File, attach_files, files_on
from tidings.workspace.names import checked_name
from tidings.workspace.tasks.lists import tasks_on
from tidings.workspace.tasks.views import TaskView, view_tasks

OPTIONS_LIMIT = 100  # answers to choose from
COMMENTS_SHOWN = 500  # of one status, beside it


class Question(Struct, frozen=True):
    """A question of a status, and the answers to choose from."""

    text: str
    options: list[str]


class Status(Struct, frozen=True):
    """A status as it stands. `created_by` is an author."""

    status_id: int
    space_id: int
    value: str
    embed_url: str | None
    question: Question | None
    created_by: str
    created_at: int


class StatusView(Struct, frozen=True):
    """A status with all that an answer says of it, for one caller."""

    status: Status
    rights: tuple[str, ...]  # of the caller, in Podio's words
    files: list[File]
    comments: list[CommentView]  # oldest first
    tasks: list[TaskView]  # oldest first; those that the caller may see
    authors: dict[str, Author]  # of the status and of its files


class NewStatus(Struct, frozen=True):
    """A status about to be posted. The files are the caller's own and attached to nothing."""

    value: str = ""  # empty only where there is something else
    embed_url: str | None = None
    question: Question | None = None
    file_ids: Sequence[int] = ()


class StatusChange(Struct, frozen=True):
    """What is to be changed of a status; the rest stays. Files are added to those it has."""

    value: str | UnsetType = UNSET
    embed_url: str | UnsetType | None = UNSET
    file_ids: Sequence[int] = ()


_COLUMNS = tuple(statuses.c[name] for name in Status.__struct_fields__)
_ONE = select(*_COLUMNS).where(statuses.c.status_id == bindparam("status_id"))


# --- posting and changing ----------------------------------------------------------------------------------------------


def create_status(tx: Tx, caller: Caller, space_id: int, new: NewStatus, *, now: int, heard: bool = True) -> StatusView:
    """Post something. Raises `Invalid`, naming the field; what `reach_space` raises, and `attach_files` for the files."""
    space = reach_anchor(tx, caller, "space", space_id, "regular", among=("space",))
    values = {
        "space_id": space_id,
        "value": checked_value(new.value, new.embed_url, new.question, new.file_ids),
        "embed_url": checked_url(new.embed_url),
        "question": _checked_question(new.question),
        "created_by": caller.author,
        "created_at": now,
    }
    status_id: int = tx.execute(insert(statuses).values(values).returning(statuses.c.status_id)).scalar_one()
    anchor = Anchor("status", status_id, None, space_id, space.role)
    attach_files(tx, caller, new.file_ids, anchor, now=now, heard=heard)
    _tell(tx, caller, anchor, "create", now=now, heard=heard)
    return _view(tx, caller, anchor)


def update_status(tx: Tx, caller: Caller, status_id: int, change: StatusChange, *, now: int, heard: bool = True) -> StatusView:
    """Change what one posted. What changes nothing is not told of. Raises `Invalid`, `NotFound`, `Forbidden` and `Gone`."""
    anchor = _reach(tx, caller, status_id, lock=True)
    status = _load(tx, status_id)
    if not caller.wrote(status.created_by):
        raise _forbidden(caller, "update", status_id)
    held = {file.file_id for file in files_on(tx, "status", [status_id])[status_id]}
    after = _changed(status, change, held)
    attach_files(tx, caller, change.file_ids, anchor, now=now, heard=heard)
    if after != {"value": status.value, "embed_url": status.embed_url} or not held.issuperset(change.file_ids):
        tx.execute(update(statuses).where(statuses.c.status_id == status_id).values(after))
        _tell(tx, caller, anchor, "update", now=now, heard=heard)
    return _view(tx, caller, anchor)


def delete_status(tx: Tx, caller: Caller, status_id: int, *, now: int, heard: bool = True) -> None:
    """Take back what one posted, or, as an admin, what another did. Raises `NotFound`, `Forbidden` and `Gone`."""
    anchor = _reach(tx, caller, status_id, lock=True)
    if "delete" not in rights_on(caller, _load(tx, status_id).created_by, anchor):
        raise _forbidden(caller, "delete", status_id)
    tx.execute(update(statuses).where(statuses.c.status_id == status_id).values(deleted_at=now))
    _tell(tx, caller, anchor, "delete", now=now, heard=heard)


def _reach(tx: Tx, caller: Caller, status_id: int, *, lock: bool = False) -> Anchor:
    return reach_anchor(tx, caller, "status", status_id, among=("status",), lock=lock)


def _checked_question(question: Question | None) -> str | None:
    if question is None:
        return None
    if not 1 <= len(question.options) <= OPTIONS_LIMIT:
        limits = {"field": "question.options", "limit": OPTIONS_LIMIT}
        raise Invalid(f"question.options: must be 1 to {OPTIONS_LIMIT} texts", parameters=limits)
    options = [checked_name(option, "question.options") for option in question.options]
    return msgspec.json.encode(Question(checked_name(question.text, "question.text"), options)).decode()


def _changed(status: Status, change: StatusChange, held: Collection[int]) -> dict[str, str | None]:
    value = status.value if change.value is UNSET else change.value
    embed_url = status.embed_url if change.embed_url is UNSET else change.embed_url
    return {"value": checked_value(value, embed_url, status.question, held, change.file_ids), "embed_url": checked_url(embed_url)}


def _forbidden(caller: Caller, right: str, status_id: int) -> Forbidden:
    return Forbidden(f"The {caller.kind} with id {caller.id} does not have the right {right} on status with id {status_id}")


def _tell(
    tx: Tx, caller: Caller, anchor: Anchor, what: Literal["create", "update", "delete"], *, now: int, heard: bool
) -> None:  # fmt: skip
    append(
        tx,
        NewEvent(
            type=f"status.{what}",
            space_id=anchor.space_id,
            app_id=None,
            object_id=anchor.ref_id,
            parameters={"status_id": str(anchor.ref_id)},
            created_by=caller.author,
            created_at=now,
            heard=heard,
        ),
    )


# --- reading -----------------------------------------------------------------------------------------------------------


def get_status(tx: Tx, caller: Caller, status_id: int) -> StatusView:
    """One status, with what was said and is to be done about it. Raises `NotFound`, `Forbidden` and `Gone`."""
    return _view(tx, caller, _reach(tx, caller, status_id))


def _view(tx: Tx, caller: Caller, anchor: Anchor) -> StatusView:
    status, files = _load(tx, anchor.ref_id), files_on(tx, "status", [anchor.ref_id])[anchor.ref_id]
    return StatusView(
        status=status,
        rights=rights_on(caller, status.created_by, anchor),
        files=files,
        comments=comments_on(tx, caller, anchor, limit=COMMENTS_SHOWN),
        tasks=view_tasks(tx, tasks_on(tx, caller, "status", [status.status_id])[status.status_id]),
        authors=find_authors(tx, {status.created_by, *(file.created_by for file in files)}),
    )


def _load(tx: Tx, status_id: int) -> Status:
    row = dict(tx.execute(_ONE, {"status_id": status_id}).mappings().one())
    question = row.pop("question")
    return Status(**row, question=None if question is None else msgspec.json.decode(question, type=Question))
