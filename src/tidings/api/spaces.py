"""The space endpoints (contract section 6.4)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal, TypedDict
from urllib.parse import quote, unquote

from msgspec import Meta, Struct

from tidings.api.bylines import Byline, byline
from tidings.api.call import Call, ChangeQuery
from tidings.api.shapes import Id, Timestamp, parts_of
from tidings.errors import Invalid, NotFound
from tidings.store.database import Tx
from tidings.wire.podio import timestamp
from tidings.workspace import spaces
from tidings.workspace.access import SPACE_RIGHTS, Caller, Role
from tidings.workspace.accounts.authors import Author, find_authors
from tidings.workspace.parts import read
from tidings.workspace.spaces import Privacy, Space, SpaceConfig


class Place(Struct):
    """Where a space is to be made. The rest of the body is its config."""

    org_id: Id


NewSpace = Annotated[dict[str, Any], parts_of(Place, SpaceConfig, required=["org_id", "name"])]
SpaceChange = Annotated[dict[str, Any], parts_of(SpaceConfig)]


class AddressQuery(Struct):
    """Where a space is found: its address, or that of anything in it; or its label and its organization's."""

    url: str | None = None
    org_slug: str | None = None
    space_slug: str | None = None


class TopQuery(Struct):
    """How many spaces are asked for."""

    limit: Annotated[int, Meta(ge=1, le=500)] = 6


class NewSpaceObject(TypedDict):
    """The space that was made."""

    space_id: int
    url: str


class SpaceObject(TypedDict):
    """A space."""

    space_id: int
    org_id: int
    name: str
    url: str
    url_label: str
    type: Literal["regular"]
    privacy: Privacy
    auto_join: bool
    post_on_new_app: bool
    post_on_new_member: bool
    role: Role
    rights: Sequence[str]
    premium: bool
    is_overdue: bool
    subscribed: bool
    created_on: Timestamp


class WholeSpaceObject(SpaceObject):
    """A space, and who made it."""

    created_by: Byline


async def list_spaces(call: Call) -> list[SpaceObject]:
    """`GET /org/{org_id}/space`, `GET /space/org/{org_id}`: those that the caller may look into."""
    found = await call.read(spaces.list_spaces, call.caller, call.id("org_id"))
    return [space_object(space, call.house.settings.public_url) for space in found]


async def list_top_spaces(call: Call, query: TopQuery) -> list[SpaceObject]:
    """`GET /space/top`: the caller's spaces, of all their organizations, newest first."""
    found = await call.read(spaces.list_own_spaces, call.caller)
    return [space_object(space, call.house.settings.public_url) for space in found[::-1][: query.limit]]


async def create_space(call: Call, body: NewSpace) -> NewSpaceObject:
    """`POST /space`."""
    org_id = read(Place, body, "").org_id
    space = await call.write(spaces.create_space, call.caller, org_id, body, now=call.now)
    return {"space_id": space.space_id, "url": space_url(space, call.house.settings.public_url)}


async def get_space(call: Call) -> WholeSpaceObject:
    """`GET /space/{space_id}`."""
    space, author = await call.read(_get_with_author, call.caller, call.id("space_id"))
    url = call.house.settings.public_url
    return {**space_object(space, url), "created_by": byline(author, url)}


async def find_space(call: Call, query: AddressQuery) -> SpaceObject:
    """`GET /space/url?url=`: the space that an address of ours leads to, or into; or `?org_slug=&space_slug=`."""
    url = call.house.settings.public_url
    org_label, label = _labels(query, url)
    return space_object(await call.read(spaces.find_space, call.caller, org_label, label), url)


async def update_space(call: Call, body: SpaceChange) -> None:
    """`PUT /space/{space_id}`."""
    await call.write(spaces.update_space, call.caller, call.id("space_id"), body)


async def delete_space(call: Call, query: ChangeQuery) -> None:
    """`DELETE /space/{space_id}`: and its apps."""
    await call.write(spaces.delete_space, call.caller, call.id("space_id"), now=call.now, heard=query.hook)


def _labels(query: AddressQuery, public_url: str) -> tuple[str, str]:
    url, org, space = query.url, query.org_slug, query.space_slug
    if url is None:
        if not org or not space:
            raise Invalid("url: is missing", parameters={"field": "url"})
        return org, space
    parts = [unquote(part) for part in url.removeprefix(f"{public_url}/").split("?")[0].split("/")]
    if not url.startswith(f"{public_url}/") or len(parts) < 2 or "\0" in parts[0] + parts[1]:
        raise NotFound(parameters={"url": url[:1000]})
    return parts[0], parts[1]


def _get_with_author(tx: Tx, caller: Caller, space_id: int) -> tuple[Space, Author]:
    space = spaces.get_space(tx, caller, space_id)
    author = Caller("user", space.created_by).author
    return space, find_authors(tx, {author})[author]


def space_url(space: Space, public_url: str) -> str:
    """Where people find the space."""
    return f"{public_url}/{quote(space.org_label)}/{quote(space.config.url_label)}"


def space_object(space: Space, public_url: str) -> SpaceObject:
    """A space as Podio writes it."""
    config = space.config
    return {
        "space_id": space.space_id,
        "org_id": space.org_id,
        "name": config.name,
        "url": space_url(space, public_url),
        "url_label": config.url_label,
        "type": "regular",
        "privacy": config.privacy,
        "auto_join": config.auto_join,
        "post_on_new_app": config.post_on_new_app,
        "post_on_new_member": config.post_on_new_member,
        "role": space.role,
        "rights": SPACE_RIGHTS[space.role],
        "premium": False,
        "is_overdue": False,
        "subscribed": False,
        "created_on": timestamp(space.created_at),
    }
