"""The first page: one's organizations with the spaces and apps in them, and the forms that make more of them."""

from __future__ import annotations

from itertools import islice
from typing import NamedTuple

from starlette.responses import Response

from tidings.console.desk import Desk, Visit, check_form, done, go_to, show_section
from tidings.console.filled import FAULTS, NOTHING_FILLED, Filled, filled_again
from tidings.store.database import Tx
from tidings.workspace.access import Caller
from tidings.workspace.apps import App, list_apps
from tidings.workspace.orgs import Org, create_org, list_orgs
from tidings.workspace.spaces import Space, create_space, list_spaces

PATH = "/console"
SPACES_LOOKED_INTO = 30  # whose apps are named already here


class Room(NamedTuple):
    """An organization with its spaces, and what apps are in those."""

    org: Org
    spaces: list[tuple[Space, list[App]]]


async def go_home(_desk: Desk, _visit: Visit) -> Response:
    """`GET /`."""
    return go_to(PATH)


async def show_home(desk: Desk, visit: Visit, filled: Filled = NOTHING_FILLED) -> Response:
    """`GET /console`."""
    rooms = await desk.database.read(_rooms, visit.caller)
    return show_section(desk, visit, "home.html", {"rooms": rooms}, filled=filled)


def _rooms(tx: Tx, caller: Caller) -> list[Room]:
    rooms = [(org, list_spaces(tx, caller, org.org_id)) for org in list_orgs(tx, caller)]
    looked_into = islice((space.space_id for _, spaces in rooms for space in spaces), SPACES_LOOKED_INTO)
    apps = {space_id: list_apps(tx, caller, space_id) for space_id in looked_into}
    return [Room(org, [(space, apps.get(space.space_id, [])) for space in spaces]) for org, spaces in rooms]


async def make_org(desk: Desk, visit: Visit) -> Response:
    """`POST /console/orgs`."""
    check_form(visit)
    try:
        await desk.database.write(create_org, visit.caller, visit.form.get("name", ""), now=visit.now)
    except FAULTS as error:
        return await show_home(desk, visit, filled_again("org", visit.form, error))
    return done(PATH, "org-made")


async def make_space(desk: Desk, visit: Visit) -> Response:
    """`POST /console/orgs/{org_id}/spaces`."""
    check_form(visit)
    org_id = visit.ids["org_id"]
    config = {"name": visit.form.get("name", ""), "privacy": "open" if visit.form.get("open") else "closed"}
    try:
        space = await desk.database.write(create_space, visit.caller, org_id, config, now=visit.now)
    except FAULTS as error:
        return await show_home(desk, visit, filled_again(f"space-{org_id}", visit.form, error))
    return done(f"/console/spaces/{space.space_id}", "space-made")
