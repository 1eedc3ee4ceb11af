"""The space endpoints (contract section 6.4)."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import quote, unquote

from msgspec import Meta, Struct

from tidings.api.bylines import byline
from tidings.api.call import GREATEST_ID, Call
from tidings.errors import Invalid, NotFound
from tidings.store.database import Tx
from tidings.wire.podio import timestamp
from tidings.workspace import spaces
from tidings.workspace.access import SPACE_RIGHTS, Caller
from tidings.workspace.authors import Author, find_authors
from tidings.workspace.spaces import Space


class Place(Struct):
    """Where a space is to be made. The rest of the body is its config."""

    org_id: Annotated[int, Meta(ge=1, le=GREATEST_ID)]


async def list_spaces(call: Call) -> object:
    """`GET /org/{org_id}/space`, `GET /space/org/{org_id}`: those that the caller may look into."""
    found = await call.read(spaces.list_spaces, call.caller, call.id("org_id"))
    return [space_object(space, call.house.settings.public_url) for space in found]


async def create_space(call: Call) -> object:
    """`POST /space`."""
    org_id, config = call.body(Place).org_id, call.body(dict[str, Any])
    space = await call.write(spaces.create_space, call.caller, org_id, config, now=call.now)
    return {"space_id": space.space_id, "url": space_url(space, call.house.settings.public_url)}


async def get_space(call: Call) -> object:
    """`GET /space/{space_id}`."""
    space, author = await call.read(_get_with_author, call.caller, call.id("space_id"))
    url = call.house.settings.public_url
    return {**space_object(space, url), "created_by": byline(author, url)}


async def find_space(call: Call) -> object:
    """`GET /space/url?url=`: the space that an address of ours leads to, or into; or `?org_slug=&space_slug=`."""
    url = call.house.settings.public_url
    org_label, label = _labels(call, url)
    return space_object(await call.read(spaces.find_space, call.caller, org_label, label), url)


async def update_space(call: Call) -> None:
    """`PUT /space/{space_id}`."""
    await call.write(spaces.update_space, call.caller, call.id("space_id"), call.body(dict[str, Any]))


async def delete_space(call: Call) -> None:
    """`DELETE /space/{space_id}`: and its apps."""
    await call.write(spaces.delete_space, call.caller, call.id("space_id"), now=call.now, heard=call.heard)


def _labels(call: Call, public_url: str) -> tuple[str, str]:
    url, org, space = call.query("url"), call.query("org_slug"), call.query("space_slug")
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


def space_object(space: Space, public_url: str) -> dict[str, object]:
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
