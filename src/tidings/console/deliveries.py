"""A delivery's page: what happened, each attempt with what was sent and what came back, and the way to have it sent again.

Everything a stranger said is text on it, and nothing else.
"""

from __future__ import annotations

from typing import NamedTuple

from markupsafe import Markup
from starlette.responses import Response

from tidings.console.bars import Segment, segments
from tidings.console.desk import Desk, Visit, check_form, csrf_token, done, render, show_section
from tidings.console.filled import FAULTS, NOTHING_FILLED, Filled, filled_again
from tidings.console.following import follow
from tidings.console.hook_page import breaker_of
from tidings.console.hook_place import HookPlace, read_place
from tidings.console.hook_words import Standing, delivery_standing, reason_words
from tidings.console.live import Pieces, version
from tidings.delivery.curl import fresh_curl
from tidings.delivery.redelivery import redeliver
from tidings.delivery.showing import ShownAttempt, ShownDelivery, get_delivery
from tidings.events.types import VERIFY
from tidings.store.database import Tx
from tidings.workspace.access import Caller
from tidings.workspace.accounts.authors import find_authors


class DeliverySeen(NamedTuple):
    """A delivery, the hook it is for, and who made its event, by name."""

    place: HookPlace
    delivery: ShownDelivery
    author: str


class AttemptSeen(NamedTuple):
    """One attempt, in words and bars."""

    attempt: ShownAttempt
    state: Standing
    segments: list[Segment]


def see_delivery(tx: Tx, caller: Caller, hook_id: int, sequence: int) -> DeliverySeen:
    """Raises `NotFound`, `Forbidden`, `Gone`."""
    place = read_place(tx, caller, hook_id)
    delivery = get_delivery(tx, caller, hook_id, sequence)
    by = delivery.event.created_by
    return DeliverySeen(place, delivery, find_authors(tx, [by])[by].name)


async def show_delivery(desk: Desk, visit: Visit, filled: Filled = NOTHING_FILLED) -> Response:
    """`GET /console/hooks/{hook_id}/deliveries/{sequence}`."""
    hook_id, sequence = visit.ids["hook_id"], visit.ids["sequence"]
    seen = await desk.database.read(see_delivery, visit.caller, hook_id, sequence)
    curl = await desk.database.read(
        fresh_curl, visit.caller, desk.keyring, hook_id, sequence, server_url=desk.settings.public_url, allow=desk.allow, now=visit.now
    )
    piece = delivery_piece(desk, visit, seen, filled)
    shown = {
        "place": seen.place,
        "hook": seen.place.hook,
        "row": seen.delivery.row,
        "piece": Markup(piece),  # noqa: S704  made by a template, which escapes
        "version": version(piece),
        "curl": curl,
        "live": f"{visit.path.rstrip('/')}/live",
    }
    return show_section(desk, visit, "hook_delivery.html", shown, filled=filled)


def delivery_piece(desk: Desk, visit: Visit, seen: DeliverySeen, filled: Filled = NOTHING_FILLED) -> str:
    """All that can change of a delivery."""
    row = seen.delivery.row
    shown = {
        "hook": seen.place.hook,
        "delivery": seen.delivery,
        "row": row,
        "event": seen.delivery.event,
        "author": seen.author,
        "state": delivery_standing(row.state, row.attempts, row.reason, row.status),
        "attempts": [_attempt(each) for each in reversed(seen.delivery.attempts)],
        "breaker": breaker_of(desk, row.hook_id) if row.state == "pending" else ("closed", 0),
        "is_verification": row.type == VERIFY.name,
        "csrf": csrf_token(visit.cookie),
        "filled": filled,
    }
    return render("hook_delivery_piece.html", shown)


def _attempt(attempt: ShownAttempt) -> AttemptSeen:
    if attempt.reason is None:
        state = Standing("good", f"Answered {attempt.status}" if attempt.status else "Delivered")
    else:
        words = reason_words(attempt.reason, attempt.status)
        state = Standing("bad", f"{words[:1].upper()}{words[1:]}")
    return AttemptSeen(attempt, state, segments(attempt.split))


async def redeliver_one(desk: Desk, visit: Visit) -> Response:
    """`POST /console/hooks/{hook_id}/deliveries/{sequence}/redeliver`."""
    check_form(visit)
    hook_id, sequence = visit.ids["hook_id"], visit.ids["sequence"]
    try:
        await desk.database.write(redeliver, visit.caller, hook_id, sequence, now=visit.now)
    except FAULTS as error:
        return await show_delivery(desk, visit, filled_again("redeliver", {}, error))
    return done(f"/console/hooks/{hook_id}/deliveries/{sequence}", "redelivered")


async def stream_delivery(desk: Desk, visit: Visit) -> Response:
    """`GET /console/hooks/{hook_id}/deliveries/{sequence}/live`. Raises `Unavailable` at too many streams."""
    named = (visit.caller, visit.ids["hook_id"], visit.ids["sequence"])

    async def look() -> Pieces:
        return Pieces({"delivery": delivery_piece(desk, visit, await desk.database.read(see_delivery, *named))})

    return await follow(desk, visit, look)
