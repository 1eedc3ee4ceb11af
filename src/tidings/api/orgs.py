"""The organization endpoints (contract section 6.4)."""

from __future__ import annotations

from urllib.parse import quote

from msgspec import Struct

from tidings.api.bylines import byline
from tidings.api.call import Call
from tidings.api.spaces import space_object
from tidings.store.database import Tx
from tidings.wire.podio import timestamp
from tidings.workspace import orgs
from tidings.workspace.access import Caller
from tidings.workspace.authors import Author, find_authors
from tidings.workspace.orgs import Org
from tidings.workspace.spaces import Space, list_spaces


class OrgBody(Struct):
    """What a creation says. A logo would be a file."""

    name: str


async def list_orgs(call: Call) -> object:
    """`GET /org`: the caller's organizations, with the spaces of each that they may look into."""
    found = await call.read(_list_with_spaces, call.caller)
    url = call.house.settings.public_url
    return [{**_org_object(org, url), "spaces": [space_object(space, url) for space in spaces]} for org, spaces in found]


async def create_org(call: Call) -> object:
    """`POST /org`."""
    org = await call.write(orgs.create_org, call.caller, call.body(OrgBody).name, now=call.now)
    return _org_object(org, call.house.settings.public_url)


async def get_org(call: Call) -> object:
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


def _org_object(org: Org, public_url: str) -> dict[str, object]:
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
