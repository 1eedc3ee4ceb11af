"""The comment endpoints (contract section 6.5).

A link is given as `embed_url`; there are no embeds to be made beforehand, so an `embed_id` is refused.
"""

from __future__ import annotations

from typing import Annotated, Any, TypedDict, cast

from msgspec import UNSET, Meta, Struct, UnsetType

from tidings.api.bylines import Byline, Via, byline, via
from tidings.api.call import GREATEST_ID, Call, ChangeQuery
from tidings.api.files import FileObject, file_object
from tidings.api.shapes import Id, Timestamp
from tidings.errors import Invalid
from tidings.wire.podio import timestamp
from tidings.workspace import comments
from tidings.workspace.comments import PAGE_LIMIT, CommentChange, CommentView, NewComment
from tidings.workspace.names import NAME_LIMIT
from tidings.workspace.values.links import Link
from tidings.workspace.values.rule import NOTHING_KNOWN

GREATEST_LIMIT = 500  # comments of one page


class Attachments(Struct):
    """What may stand beside what somebody says."""

    file_ids: list[Id] | None = None
    embed_id: Any = None
    embed_url: str | UnsetType | None = UNSET

    def refuse(self) -> None:
        """Raise `Invalid` for an embed that was made beforehand: there are none."""
        if self.embed_id:
            raise Invalid("embed_id: is not offered, and must be left out or null; give an embed_url", parameters={"field": "embed_id"})


class CommentBody(Attachments):
    """What a creation, or a change, says of a comment. A creation says a value, unless a file or a link says it all."""

    value: str | UnsetType = UNSET
    external_id: str | int | UnsetType | None = UNSET


class CommentQuery(ChangeQuery):
    """What the query says of a change. Nobody is alerted, and nobody invited."""

    alert_invite: bool = False


class PageQuery(Struct):
    """Which part of a list is asked for."""

    limit: Annotated[int, Meta(ge=1, le=GREATEST_LIMIT)] = PAGE_LIMIT
    offset: Annotated[int, Meta(ge=0, le=GREATEST_ID)] = 0


class EmbedObject(TypedDict):
    """A link. Nothing of it is looked up."""

    embed_id: int
    type: str
    url: str
    original_url: str
    resolved_url: str
    title: None
    description: None


class RefObject(TypedDict):
    """What something hangs on."""

    type: str
    id: int
    title: str
    link: str
    data: dict[str, object]


class CommentObject(TypedDict):
    """A comment as Podio writes it."""

    comment_id: int
    value: str
    rich_value: str
    external_id: str | None
    space_id: int | None
    ref: RefObject
    files: list[FileObject]
    embed: EmbedObject | None
    embed_file: None
    questions: list[object]
    rights: tuple[str, ...]
    is_liked: bool
    like_count: int
    last_edit_on: None
    created_on: Timestamp
    created_by: Byline
    created_via: Via


async def create_comment(call: Call, body: CommentBody, query: CommentQuery) -> CommentObject:
    """`POST /comment/{ref_type}/{ref_id}`, on an item, a status or a task."""
    body.refuse()
    ref_type, ref_id = call.text("ref_type"), call.id("ref_id")
    new = NewComment(
        value=body.value or "",
        external_id=body.external_id or None,
        embed_url=body.embed_url or None,
        file_ids=body.file_ids or (),
    )
    made = await call.write(comments.create_comment, call.caller, ref_type, ref_id, new, now=call.now, heard=query.hook)
    return comment_object(made, call.house.settings.public_url)


async def list_comments(call: Call, query: PageQuery) -> list[CommentObject]:
    """`GET /comment/{ref_type}/{ref_id}`: oldest first."""
    ref_type, ref_id = call.text("ref_type"), call.id("ref_id")
    found = await call.read(comments.list_comments, call.caller, ref_type, ref_id, limit=query.limit, offset=query.offset)
    return [comment_object(view, call.house.settings.public_url) for view in found]


async def get_comment(call: Call) -> CommentObject:
    """`GET /comment/{comment_id}`."""
    view = await call.read(comments.get_comment, call.caller, call.id("comment_id"))
    return comment_object(view, call.house.settings.public_url)


async def update_comment(call: Call, body: CommentBody, query: CommentQuery) -> CommentObject:
    """`PUT /comment/{comment_id}`: files are added to those it has. No event tells of it."""
    body.refuse()
    change = CommentChange(body.value, body.external_id, body.embed_url, body.file_ids or ())
    view = await call.write(comments.update_comment, call.caller, call.id("comment_id"), change, now=call.now, heard=query.hook)
    return comment_object(view, call.house.settings.public_url)


async def delete_comment(call: Call, query: ChangeQuery) -> None:
    """`DELETE /comment/{comment_id}`."""
    await call.write(comments.delete_comment, call.caller, call.id("comment_id"), now=call.now, heard=query.hook)


def comment_object(view: CommentView, public_url: str) -> CommentObject:
    """A comment."""
    comment, author = view.comment, view.authors[view.comment.created_by]
    return {
        "comment_id": comment.comment_id,
        "value": comment.value,
        "rich_value": comment.value,
        "external_id": comment.external_id,
        "space_id": comment.space_id,
        "ref": _ref_object(view, public_url),
        "files": [file_object(file, view.authors, public_url, title=comment.value[:NAME_LIMIT]) for file in view.files],
        "embed": embed_object(comment.embed_url),
        "embed_file": None,
        "questions": [],
        "rights": view.rights,
        "is_liked": False,
        "like_count": 0,
        "last_edit_on": None,
        "created_on": timestamp(comment.created_at),
        "created_by": byline(author, public_url),
        "created_via": via(author),
    }


def embed_object(url: str | None) -> EmbedObject | None:
    """A link as Podio's embed."""
    return cast(EmbedObject, Link().show({"url": url}, NOTHING_KNOWN)["embed"]) if url else None


def _ref_object(view: CommentView, public_url: str) -> RefObject:
    comment = view.comment
    link = f"{public_url}/{comment.ref_type}/{comment.ref_id}"
    return {"type": comment.ref_type, "id": comment.ref_id, "title": view.title, "link": link, "data": {}}
