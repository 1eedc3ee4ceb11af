"""A hook's page: how it stands and what to do about that, its health at a glance, and its deliveries as they happen.

What changes on it comes in pieces, each made by one template, for the page and for its stream (`hook_stream.py`). A hook that is
not verified begins with what happens next. The secret is shown on the answer to the form that made it, and never again.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from markupsafe import Markup
from starlette.responses import Response

from tidings.console.asked import is_filtered, read_asked, replay_of, written
from tidings.console.bars import strip_bars
from tidings.console.desk import Desk, Visit, csrf_token, render, show_section
from tidings.console.filled import NOTHING_FILLED, Filled
from tidings.console.hook_place import HookPlace, read_place
from tidings.console.hook_words import STATES, Standing, delivery_standing, hook_standing
from tidings.console.live import version
from tidings.console.snippets import verify_snippets
from tidings.delivery.breaker import BreakerState
from tidings.delivery.delivery_rows import DeliveryRow
from tidings.delivery.history import Asked, Listed, list_deliveries, newest
from tidings.delivery.strip import Health, hook_health
from tidings.errors import Invalid
from tidings.events.types import VERIFY
from tidings.hooks.registry import HookRecord
from tidings.hooks.verification import WRONG_TRIES
from tidings.store.database import Tx
from tidings.workspace.access import Caller

PAGE = 50  # deliveries


class HookSeen(NamedTuple):
    """What the page shows of a hook beside its health, read at one moment."""

    place: HookPlace
    listed: Listed
    newest: int  # the number of its newest delivery
    verification: DeliveryRow | None  # the last that was sent, while one is asked for

    @property
    def hook(self) -> HookRecord:
        """The hook itself."""
        return self.place.hook


def see_all(tx: Tx, caller: Caller, hook_id: int, asked: Asked, *, now: int) -> tuple[HookSeen, Health]:
    """Raises `NotFound`, `Forbidden`, `Gone` as the hook does, `Invalid` for a state that there is not."""
    place = read_place(tx, caller, hook_id)
    listed = list_deliveries(tx, caller, hook_id, asked, limit=PAGE)
    last = max((row.sequence for row in newest(tx, caller, hook_id, 0, 1)), default=0)
    seen = HookSeen(place, listed, last, _verification(tx, caller, place.hook))
    return seen, hook_health(tx, caller, hook_id, now=now)


def _verification(tx: Tx, caller: Caller, hook: HookRecord) -> DeliveryRow | None:
    if hook.verify_expires_at is None:  # there is no code that waits to be sent back
        return None
    listed = list_deliveries(tx, caller, hook.hook_id, Asked(types=(VERIFY.name,)), limit=1)
    return listed.rows[0] if listed.rows else None


# --- the page ----------------------------------------------------------------------------------------------------------


async def show_hook(desk: Desk, visit: Visit, filled: Filled = NOTHING_FILLED) -> Response:
    """`GET /console/hooks/{hook_id}`."""
    return await _show(desk, visit, visit.ids["hook_id"], filled)


async def show_new_hook(desk: Desk, visit: Visit, hook_id: int, secret: str) -> Response:
    """The page of a hook that has just been made, or has a new secret, which it says."""
    return await _show(desk, visit, hook_id, NOTHING_FILLED, secret)


async def _show(desk: Desk, visit: Visit, hook_id: int, filled: Filled, secret: str = "") -> Response:
    query = visit.query if visit.request.method in ("GET", "HEAD") else {}
    asked, wrong = _read_filter(query)
    seen, health = await desk.database.read(see_all, visit.caller, hook_id, asked, now=visit.now)
    here = f"/console/hooks/{hook_id}"
    live = f"{here}/live{written({} if wrong else query)}"
    shown = {
        "place": seen.place,
        "hook": seen.hook,
        "standing": _marked(standing_piece(desk, visit, seen, filled)),
        "health": _marked(health_piece(health, breaker_of(desk, hook_id))),
        "rows": [(row_id(row), _marked(row_piece(row))) for row in seen.listed.rows],
        "listed": seen.listed,
        "older": written(query, before=seen.listed.next_before) if seen.listed.next_before else "",
        "query": query,
        "filtered": is_filtered(query),
        "replay": replay_of(asked),
        "wrong": wrong,
        "states": [("", "Any state"), ("undelivered", "Not delivered"), *STATES.items()],
        "types": [("", "Any event"), (seen.hook.type, seen.hook.type), (VERIFY.name, VERIFY.name)],
        "secret": secret,
        "here": here if secret else "",
        "live": "" if asked.before else live,
        "version": version,
    }
    return show_section(desk, visit, "hook_page.html", shown, filled=filled)


def _marked(html: str) -> Markup:
    return Markup(html)  # noqa: S704  made by a template, which escapes


def _read_filter(query: Mapping[str, str]) -> tuple[Asked, str]:
    """What is asked for; and what is wrong with it, in which case everything is shown."""
    try:
        return read_asked(query), ""
    except Invalid as error:
        return Asked(), error.description


# --- its pieces --------------------------------------------------------------------------------------------------------


def standing_piece(desk: Desk, visit: Visit, seen: HookSeen, filled: Filled = NOTHING_FILLED) -> str:
    """How the hook stands, what can be done with it, and what happens next where something has to."""
    hook = seen.hook
    verification = seen.verification
    shown = {
        "hook": hook,
        "place": seen.place,
        "state": hook_standing(hook),
        "verification": verification,
        "verification_state": _verification_state(verification),
        "tries_left": WRONG_TRIES - hook.verify_tries,
        "code_lives": hook.verify_expires_at is not None and visit.now < hook.verify_expires_at and hook.verify_tries < WRONG_TRIES,
        "lines": verify_snippets(desk.settings.public_url, hook.app_id, hook.hook_id, hook.type),
        "csrf": csrf_token(visit.cookie),
        "now": visit.now,
        "filled": filled,
    }
    return render("hook_standing.html", shown)


def _verification_state(row: DeliveryRow | None) -> Standing | None:
    return None if row is None else delivery_standing(row.state, row.attempts, row.reason, row.status)


def breaker_of(desk: Desk, hook_id: int) -> tuple[BreakerState, int]:
    """Where the hook's breaker stands in this process, and until when it is open."""
    return desk.engine.breaker_of(hook_id) if desk.engine else ("closed", 0)


def health_piece(health: Health, breaker: tuple[BreakerState, int]) -> str:
    """The day at a glance."""
    state, opens_until = breaker
    shown = {"health": health, "bars": strip_bars(health.strip.slots), "breaker": state, "opens_until": opens_until}
    return render("hook_health.html", shown)


def row_id(row: DeliveryRow) -> str:
    """The id of its element."""
    return f"delivery-{row.sequence}"


def row_piece(row: DeliveryRow) -> str:
    """The cells of one delivery."""
    return render("hook_row.html", {"row": row, "state": delivery_standing(row.state, row.attempts, row.reason, row.status)})
