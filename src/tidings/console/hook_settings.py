"""A hook's settings: its URL, how it tells, its secret, and its end."""

from __future__ import annotations

from starlette.responses import Response

from tidings.console.desk import Desk, Visit, show_section
from tidings.console.filled import NOTHING_FILLED, Filled
from tidings.console.hook_place import read_place
from tidings.console.hook_words import FORMATS, ORDERS, SIGNINGS, hook_standing


async def show_settings(desk: Desk, visit: Visit, filled: Filled = NOTHING_FILLED) -> Response:
    """`GET /console/hooks/{hook_id}/settings`."""
    place = await desk.database.read(read_place, visit.caller, visit.ids["hook_id"])
    hook = place.hook
    shown = {
        "place": place,
        "hook": hook,
        "state": hook_standing(hook),
        "formats": FORMATS.items(),
        "orders": ORDERS.items(),
        "signing": SIGNINGS[hook.signing],
        "concurrency": desk.settings.concurrency,
        "former_until": hook.former_secret_until if (hook.former_secret_until or 0) > visit.now else None,
    }
    return show_section(desk, visit, "hook_settings.html", shown, filled=filled)
