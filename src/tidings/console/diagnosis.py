"""Why did it not arrive? A button, and what was found: the sentence first, then each check, in order.

The checks dial the hook's URL, so they run when a form asks for them and not when a page is loaded.
"""

from __future__ import annotations

from starlette.responses import Response

from tidings.console.desk import Desk, Visit, check_form, show_section
from tidings.console.hook_place import read_place
from tidings.console.hook_words import hook_standing
from tidings.delivery.diagnose import diagnose
from tidings.delivery.findings import Diagnosis

NAMES = {
    "hook": "The hook",
    "url": "Its URL",
    "name": "Its name",
    "connection": "Connection",
    "certificate": "Certificate",
    "answers": "Answers",
    "verification": "Verification",
    "events": "Events",
    "waiting": "What waits",
}
STATES = {"ok": "fine", "problem": "a problem", "unknown": "not known", "skipped": "not looked at"}


async def show_diagnosis(desk: Desk, visit: Visit, found: Diagnosis | None = None) -> Response:
    """`GET /console/hooks/{hook_id}/diagnosis`; with what was found, if it was looked for."""
    place = await desk.database.read(read_place, visit.caller, visit.ids["hook_id"])
    shown = {"place": place, "hook": place.hook, "state": hook_standing(place.hook), "found": found, "names": NAMES, "states": STATES}
    return show_section(desk, visit, "hook_diagnosis.html", shown)


async def run_diagnosis(desk: Desk, visit: Visit) -> Response:
    """`POST /console/hooks/{hook_id}/diagnosis`."""
    check_form(visit)
    hook_id, parts = visit.ids["hook_id"], (desk.database, desk.settings, desk.allow, desk.guard)
    return await show_diagnosis(desk, visit, await diagnose(*parts, hook_id, visit.caller, clock=desk.clock))
