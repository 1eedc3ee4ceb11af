"""The tag endpoints (contract section 6.5): tags of items, and no others."""

from __future__ import annotations

from typing import Annotated, TypedDict

from msgspec import Meta, Struct

from tidings.api.call import Call, ChangeQuery
from tidings.errors import Invalid
from tidings.workspace import tags
from tidings.workspace.tags import LIST_LIMIT


class RemovalQuery(ChangeQuery):
    """Which tag is to be taken off."""

    text: str = ""


class TagQuery(Struct):
    """Which tags of an app are asked for: those used most, and those that contain `text`."""

    limit: Annotated[int, Meta(ge=1, le=LIST_LIMIT)] = LIST_LIMIT
    text: str | None = None


class TagObject(TypedDict):
    """A tag, and how many items have it."""

    text: str
    count: int


async def add_tags(call: Call, body: list[str], query: ChangeQuery) -> None:
    """`POST /tag/{ref_type}/{ref_id}`: those it has stay."""
    ref_type, ref_id = call.text("ref_type"), call.id("ref_id")
    await call.write(tags.add_tags, call.caller, ref_type, ref_id, body, now=call.now, heard=query.hook)


async def set_tags(call: Call, body: list[str], query: ChangeQuery) -> None:
    """`PUT /tag/{ref_type}/{ref_id}`: these, and no others."""
    ref_type, ref_id = call.text("ref_type"), call.id("ref_id")
    await call.write(tags.set_tags, call.caller, ref_type, ref_id, body, now=call.now, heard=query.hook)


async def remove_tag(call: Call, query: RemovalQuery) -> None:
    """`DELETE /tag/{ref_type}/{ref_id}?text=`."""
    if not query.text:
        raise Invalid("text: is missing", parameters={"field": "text"})
    ref_type, ref_id = call.text("ref_type"), call.id("ref_id")
    await call.write(tags.remove_tag, call.caller, ref_type, ref_id, query.text, now=call.now, heard=query.hook)


async def list_tags(call: Call, query: TagQuery) -> list[TagObject]:
    """`GET /tag/app/{app_id}`, sorted by text."""
    found = await call.read(tags.list_tags, call.caller, call.id("app_id"), limit=query.limit, text=query.text)
    return [{"text": tag.text, "count": tag.count} for tag in found]
