"""The first page: one's organizations with the spaces in them, and the forms that make more of either."""

from __future__ import annotations

from starlette.responses import Response

from tidings.console.desk import Desk, Visit, check_form, done, go_to, show_section
from tidings.console.filled import FAULTS, NOTHING_FILLED, Filled, filled_again
from tidings.store.database import Tx
from tidings.workspace.access import Caller
from tidings.workspace.orgs import Org, create_org, list_orgs
from tidings.workspace.spaces import Space, create_space, list_spaces

PATH = "/console"


async def go_home(_desk: Desk, _visit: Visit) -> Response:
    """`GET /`."""
    return go_to(PATH)


async def show_home(desk: Desk, visit: Visit, filled: Filled = NOTHING_FILLED) -> Response:
    """`GET /console`."""
    rooms = await desk.database.read(_rooms, visit.caller)
    return show_section(desk, visit, "home.html", {"rooms": rooms}, filled=filled)


def _rooms(tx: Tx, caller: Caller) -> list[tuple[Org, list[Space]]]:
    return [(org, list_spaces(tx, caller, org.org_id)) for org in list_orgs(tx, caller)]


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
