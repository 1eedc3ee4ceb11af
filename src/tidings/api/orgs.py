"""The organization endpoints (contract section 6.4)."""

from __future__ import annotations

from typing import Annotated, Literal, TypedDict
from urllib.parse import quote, unquote

from msgspec import Struct

from tidings.api.bylines import Byline, byline
from tidings.api.call import Call
from tidings.api.shapes import Timestamp, one_of
from tidings.api.spaces import SpaceObject, space_object
from tidings.errors import Invalid, NotFound
from tidings.store.database import Tx
from tidings.wire.podio import timestamp
from tidings.workspace import orgs
from tidings.workspace.access import Caller
from tidings.workspace.accounts.authors import Author, find_authors
from tidings.workspace.orgs import Org
from tidings.workspace.spaces import Space, list_spaces


class OrgBody(Struct):
    """What a creation says. A logo would be a file."""

    name: str


class OrgChange(Struct):
    """What an update says: what is not named stays."""

    name: str | None = None
    url_label: str | None = None


class OrgAddressQuery(Struct):
    """Where an organization is found: its address, or that of anything in it; or its label."""

    url: str | None = None
    org_slug: str | None = None


class OrgObject(TypedDict):
    """An organization."""

    org_id: int
    name: str
    url: str
    url_label: str
    logo: None
    image: None
    type: Literal["free"]
    premium: bool
    status: Literal["active"]
    role: Annotated[str, one_of("light", "regular", "admin")]
    rights: list[str]
    created_on: Timestamp


class ListedOrgObject(OrgObject):
    """An organization, with those of its spaces that the caller may look into."""

    spaces: list[SpaceObject]


class WholeOrgObject(OrgObject):
    """An organization, and who made it."""

    created_by: Byline


async def list_orgs(call: Call) -> list[ListedOrgObject]:
    """`GET /org`: the caller's organizations, with the spaces of each that they may look into."""
    found = await call.read(_list_with_spaces, call.caller)
    url = call.house.settings.public_url
    return [{**_org_object(org, url), "spaces": [space_object(space, url) for space in spaces]} for org, spaces in found]


async def create_org(call: Call, body: OrgBody) -> OrgObject:
    """`POST /org`."""
    org = await call.write(orgs.create_org, call.caller, body.name, now=call.now)
    return _org_object(org, call.house.settings.public_url)


async def update_org(call: Call, body: OrgChange) -> None:
    """`PUT /org/{org_id}`."""
    await call.write(orgs.update_org, call.caller, call.id("org_id"), name=body.name, url_label=body.url_label)


async def find_org(call: Call, query: OrgAddressQuery) -> OrgObject:
    """`GET /org/url?url=`: the organization that an address of ours leads to, or into; or `?org_slug=`."""
    url = call.house.settings.public_url
    return _org_object(await call.read(orgs.find_org, call.caller, _label(query, url)), url)


def _label(query: OrgAddressQuery, public_url: str) -> str:
    if query.url is None:
        if not query.org_slug:
            raise Invalid("url: is missing", parameters={"field": "url"})
        return query.org_slug
    label = unquote(query.url.removeprefix(f"{public_url}/").split("?")[0].split("/")[0])
    if not query.url.startswith(f"{public_url}/") or not label or "\0" in label:
        raise NotFound(parameters={"url": query.url[:1000]})
    return label


async def get_org(call: Call) -> WholeOrgObject:
    """`GET /org/{org_id}`."""
    org, author = await call.read(_get_with_author, call.caller, call.id("org_id"))
    url = call.house.settings.public_url
    return {**_org_object(org, url), "created_by": byline(author, url)}


def _list_with_spaces(tx: Tx, caller: Caller) -> list[tuple[Org, list[Space]]]:
    return [(org, list_spaces(tx, caller, org.org_id)) for org in orgs.list_orgs(tx, caller)]


def _get_with_author(tx: Tx, caller: Caller, org_id: int) -> tuple[Org, Author]:
    org = orgs.get_org(tx, caller, org_id)
    author = Caller("user", org.created_by).author
    return org, find_authors(tx, {author})[author]


def _org_object(org: Org, public_url: str) -> OrgObject:
    return {
        "org_id": org.org_id,
        "name": org.name,
        "url": f"{public_url}/{quote(org.url_label)}",
        "url_label": org.url_label,
        "logo": None,
        "image": None,
        "type": "free",
        "premium": False,
        "status": "active",
        "role": org.role,
        "rights": ["view", "add_space"],
        "created_on": timestamp(org.created_at),
    }
