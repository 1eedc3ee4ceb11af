"""What of an app has not arrived, since when one asks."""

from __future__ import annotations

from starlette.responses import Response

from tidings.clock import DAY
from tidings.console.apps import Place, find_place
from tidings.console.asked import moment_text, read_moment
from tidings.console.desk import Desk, Visit, show_section
from tidings.console.filled import FAULTS, NOTHING_FILLED, filled_again
from tidings.console.hook_words import delivery_standing
from tidings.delivery.undelivered import Undelivered, undelivered
from tidings.store.database import Tx
from tidings.workspace.access import Caller

LISTED = 100


async def show_undelivered(desk: Desk, visit: Visit) -> Response:
    """`GET /console/apps/{app_id}/undelivered`, with `since`: a day ago, unless it says otherwise."""
    since, filled = visit.now - DAY, NOTHING_FILLED
    try:
        since = read_moment(visit.query.get("since", ""), "since") or since
    except FAULTS as error:
        filled = filled_again("since", visit.query, error)
    place, found = await desk.database.read(_see, visit.caller, visit.ids["app_id"], since)
    shown = {
        "place": place,
        "app": place.app,
        "since": moment_text(since),
        "since_at": since,
        "rows": [(row, delivery_standing(row.state, row.attempts, row.reason, row.status)) for row in found.rows],
        "urls": found.urls,
        "more": found.more,
    }
    return show_section(desk, visit, "hook_undelivered.html", shown, filled=filled)


def _see(tx: Tx, caller: Caller, app_id: int, since: int) -> tuple[Place, Undelivered]:
    return find_place(tx, caller, app_id), undelivered(tx, caller, app_id, since=since, limit=LISTED)
