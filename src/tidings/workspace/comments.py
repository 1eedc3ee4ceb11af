"""Comments: what people say on an item, a status or a task.

Whoever sees the object may comment on it (`light` is enough). What somebody wrote, they alone may change; they and the
object's admins may delete it. A comment on an item is counted in the item's row and told of when it comes and when it
goes; Podio has no event for a change of one, nor for comments elsewhere. A deleted comment keeps its row.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from msgspec import UNSET, Struct, UnsetType
from sqlalchemy import bindparam, insert, select, update

from tidings.errors import Forbidden, Invalid
from tidings.events.outbox import NewEvent, append
from tidings.store.database import Tx
from tidings.store.schema import comments, items, statuses, tasks
from tidings.workspace.access import RANK, Caller
from tidings.workspace.accounts.authors import Author, find_authors
from tidings.workspace.anchors import Anchor, count_on_item, reach_anchor
from tidings.workspace.files.files import File, attach_files, files_on
from tidings.workspace.names import NAME_LIMIT, within
from tidings.workspace.quiet import tells
from tidings.workspace.values.links import Link

COMMENT_REFS = ("item", "status", "task")
VALUE_LIMIT = 100_000  # characters
PAGE_LIMIT = 100  # comments, unless the caller says otherwise


class Comment(Struct, frozen=True):
    """A comment as it stands. `space_id` is None on a task that hangs on nothing; `created_by` is an author."""

    comment_id: int
    ref_type: Literal["item", "status", "task"]
    ref_id: int
    app_id: int | None
    space_id: int | None
    value: str
    external_id: str | None
    embed_url: str | None
    created_by: str
    created_at: int


class CommentView(Struct, frozen=True):
    """A comment with all that an answer says of it, for one caller."""

    comment: Comment
    title: str  # of what it hangs on
    rights: tuple[str, ...]  # of the caller, in Podio's words
    files: list[File]
    authors: dict[str, Author]  # of the comment and of its files


class NewComment(Struct, frozen=True):
    """A comment about to be made. The files are the caller's own and attached to nothing."""

    value: str = ""  # empty only where there is something else
    external_id: str | int | None = None
    embed_url: str | None = None
    file_ids: Sequence[int] = ()


class CommentChange(Struct, frozen=True):
    """What is to be changed of a comment; the rest stays. Files are added to those it has."""

    value: str | UnsetType = UNSET
    external_id: str | int | UnsetType | None = UNSET
    embed_url: str | UnsetType | None = UNSET
    file_ids: Sequence[int] = ()


_COMMENTS = select(*(comments.c[name] for name in Comment.__struct_fields__))
_ONE = _COMMENTS.where(comments.c.comment_id == bindparam("comment_id"))
_ON = _COMMENTS.where(
    comments.c.ref_type == bindparam("ref_type"), comments.c.ref_id == bindparam("ref_id"), comments.c.deleted_at.is_(None)
).order_by(comments.c.comment_id)


# --- making and changing -----------------------------------------------------------------------------------------------


def create_comment(
    tx: Tx, caller: Caller, ref_type: str, ref_id: int, new: NewComment, *, now: int, heard: bool = True
) -> CommentView:  # fmt: skip
    """Say something. Raises `Invalid`, naming the field; what `reach_anchor` raises, and `attach_files` for the files."""
    anchor = reach_anchor(tx, caller, ref_type, ref_id, among=COMMENT_REFS, lock=True)
    values = {
        "ref_type": anchor.ref_type,
        "ref_id": anchor.ref_id,
        "app_id": anchor.app_id,
        "space_id": anchor.space_id,
        "value": checked_value(new.value, new.embed_url, new.file_ids),
        "external_id": _external_id(new.external_id),
        "embed_url": checked_url(new.embed_url),
        "created_by": caller.author,
        "created_at": now,
    }
    comment_id: int = tx.execute(insert(comments).values(values).returning(comments.c.comment_id)).scalar_one()
    attach_files(tx, caller, new.file_ids, _itself(anchor, comment_id), now=now, heard=heard)
    _tell(tx, caller, anchor, comment_id, "create", now=now, heard=heard)
    return view_comments(tx, caller, anchor, [_load(tx, comment_id)])[0]


def update_comment(
    tx: Tx, caller: Caller, comment_id: int, change: CommentChange, *, now: int, heard: bool = True
) -> CommentView:  # fmt: skip
    """Change one's own comment. Raises `Invalid`, naming the field; `NotFound`, `Forbidden` and `Gone`."""
    comment, anchor = _lock(tx, caller, comment_id)
    if not caller.wrote(comment.created_by):
        raise _forbidden(caller, "update", comment_id)
    tx.execute(update(comments).where(comments.c.comment_id == comment_id).values(_changed(tx, comment, change)))
    attach_files(tx, caller, change.file_ids, _itself(anchor, comment_id), now=now, heard=heard)
    return view_comments(tx, caller, anchor, [_load(tx, comment_id)])[0]


def delete_comment(tx: Tx, caller: Caller, comment_id: int, *, now: int, heard: bool = True) -> None:
    """Take back what one said, or, as an admin, what another did. Raises `NotFound`, `Forbidden` and `Gone`."""
    comment, anchor = _lock(tx, caller, comment_id)
    if "delete" not in rights_on(caller, comment.created_by, anchor):
        raise _forbidden(caller, "delete", comment_id)
    tx.execute(update(comments).where(comments.c.comment_id == comment_id).values(deleted_at=now))
    _tell(tx, caller, anchor, comment_id, "delete", now=now, heard=heard)


def rights_on(caller: Caller, author: str, anchor: Anchor) -> tuple[str, ...]:
    """What the caller may do, in Podio's words, with what `author` wrote and hangs on `anchor`."""
    own, admin = caller.wrote(author), RANK[anchor.role] >= RANK["admin"]
    return ("view", *(("update",) if own else ()), *(("delete",) if own or admin else ()))


def checked_value(value: str, *beside: object) -> str:
    """What somebody says. Raises `Invalid` when it is too long, or blank with nothing `beside` it."""
    if not value.strip() and not any(beside):
        raise Invalid("value: must not be blank", parameters={"field": "value"})
    return within(value, "value", VALUE_LIMIT)


def checked_url(url: str | None) -> str | None:
    """A link beside what somebody says, judged as a value of the type `embed` is. Raises `Invalid`."""
    try:
        return str(Link().read(url, ())["url"]) if url else None
    except Invalid as error:
        raise Invalid(f"embed_url: {error.description}", parameters={"field": "embed_url"}) from None


def _external_id(given: str | int | None) -> str | None:
    return within(str(given), "external_id", NAME_LIMIT) if given not in (None, "") else None


def _changed(tx: Tx, comment: Comment, change: CommentChange) -> dict[str, str | None]:
    value = comment.value if change.value is UNSET else change.value
    embed_url = comment.embed_url if change.embed_url is UNSET else change.embed_url
    files = files_on(tx, "comment", [comment.comment_id])[comment.comment_id]
    return {
        "value": checked_value(value, embed_url, files, change.file_ids),
        "external_id": comment.external_id if change.external_id is UNSET else _external_id(change.external_id),
        "embed_url": checked_url(embed_url),
    }


def _lock(tx: Tx, caller: Caller, comment_id: int) -> tuple[Comment, Anchor]:
    """A comment that the caller sees, and what it hangs on: an item is locked first, then the comment."""
    anchor = _anchor_of(tx, caller, comment_id, lock=True)
    reach_anchor(tx, caller, "comment", comment_id, among=("comment",), lock=True)
    return _load(tx, comment_id), anchor


def _anchor_of(tx: Tx, caller: Caller, comment_id: int, *, lock: bool = False) -> Anchor:
    reach_anchor(tx, caller, "comment", comment_id, among=("comment",))
    seen = _load(tx, comment_id)
    return reach_anchor(tx, caller, seen.ref_type, seen.ref_id, among=COMMENT_REFS, lock=lock)


def _itself(anchor: Anchor, comment_id: int) -> Anchor:
    """The comment as something that files hang on."""
    return Anchor("comment", comment_id, anchor.app_id, anchor.space_id, anchor.role, anchor.item_id)


def _forbidden(caller: Caller, right: str, comment_id: int) -> Forbidden:
    return Forbidden(f"The {caller.kind} with id {caller.id} does not have the right {right} on comment with id {comment_id}")


def _tell(
    tx: Tx, caller: Caller, anchor: Anchor, comment_id: int, what: Literal["create", "delete"], *, now: int, heard: bool
) -> None:  # fmt: skip
    """Count and tell, where it is an item that the comment is on."""
    if anchor.ref_type != "item":
        return
    count_on_item(tx, anchor.ref_id, comments=1 if what == "create" else -1)
    append(
        tx,
        NewEvent(
            type=f"comment.{what}",
            space_id=anchor.space_id,
            app_id=anchor.app_id,
            object_id=anchor.ref_id,
            parameters={"item_id": str(anchor.ref_id), "comment_id": str(comment_id)},
            created_by=caller.author,
            created_at=now,
            heard=heard,
            quiet=not tells(tx, anchor.app_id),
        ),
    )


# --- reading -----------------------------------------------------------------------------------------------------------


def get_comment(tx: Tx, caller: Caller, comment_id: int) -> CommentView:
    """One comment. Raises `NotFound`, `Forbidden` and `Gone`."""
    anchor = _anchor_of(tx, caller, comment_id)
    return view_comments(tx, caller, anchor, [_load(tx, comment_id)])[0]


def list_comments(
    tx: Tx, caller: Caller, ref_type: str, ref_id: int, *, limit: int = PAGE_LIMIT, offset: int = 0
) -> list[CommentView]:  # fmt: skip
    """What was said on an object, oldest first. Raises what `reach_anchor` raises."""
    return comments_on(tx, caller, reach_anchor(tx, caller, ref_type, ref_id, among=COMMENT_REFS), limit=limit, offset=offset)


def comments_on(tx: Tx, caller: Caller, anchor: Anchor, *, limit: int = PAGE_LIMIT, offset: int = 0) -> list[CommentView]:
    """The same on an object that the caller has reached."""
    page = _ON.limit(limit).offset(offset)
    rows = tx.execute(page, {"ref_type": anchor.ref_type, "ref_id": anchor.ref_id}).mappings()
    return view_comments(tx, caller, anchor, [Comment(**row) for row in rows])


def view_comments(tx: Tx, caller: Caller, anchor: Anchor, found: Sequence[Comment]) -> list[CommentView]:
    """These comments on the object, in their order."""
    if not found:
        return []
    files = files_on(tx, "comment", [comment.comment_id for comment in found])
    written = {comment.created_by for comment in found} | {file.created_by for those in files.values() for file in those}
    title, authors = _title(tx, anchor), find_authors(tx, written)
    return [
        CommentView(comment, title, rights_on(caller, comment.created_by, anchor), files[comment.comment_id], authors)
        for comment in found
    ]  # fmt: skip


def _load(tx: Tx, comment_id: int) -> Comment:
    return Comment(**tx.execute(_ONE, {"comment_id": comment_id}).mappings().one())


_TITLES = {
    "item": select(items.c.title).where(items.c.item_id == bindparam("ref_id")),
    "status": select(statuses.c.value).where(statuses.c.status_id == bindparam("ref_id")),
    "task": select(tasks.c.text).where(tasks.c.task_id == bindparam("ref_id")),
}


def _title(tx: Tx, anchor: Anchor) -> str:
    title: str = tx.execute(_TITLES[anchor.ref_type], {"ref_id": anchor.ref_id}).scalar_one()
    return title[:NAME_LIMIT]
