"""Replay from the console: which deliveries and how fast, then the plan, then the progress, with a way to stop it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from markupsafe import Markup
from starlette.responses import Response

from tidings.console.asked import read_moment
from tidings.console.desk import Desk, Visit, check_form, csrf_token, done, render, show_section
from tidings.console.filled import FAULTS, NOTHING_FILLED, Filled, filled_again
from tidings.console.following import follow
from tidings.console.hook_place import HookPlace, read_place
from tidings.console.hook_words import STATES, Standing, hook_standing
from tidings.console.live import Pieces, version
from tidings.delivery.replay import (
    DEFAULT_RATE,
    HIGHEST_RATE,
    UNDELIVERED,
    Plan,
    Replay,
    Wanted,
    get_replay,
    list_replays,
    plan_replay,
    start_replay,
    stop_replay,
)
from tidings.delivery.replay import STATES as ENDED
from tidings.errors import Invalid
from tidings.store.database import Tx
from tidings.workspace.access import Caller

LISTED = 20
OFFERED = ("exhausted", "cancelled", "delivered")
COUNTED = 50_000  # of each state: to count that many takes some ten milliseconds


class _Seen(NamedTuple):
    place: HookPlace
    replays: list[Replay]
    plan: Plan | None


async def show_replay_form(desk: Desk, visit: Visit, filled: Filled = NOTHING_FILLED) -> Response:
    """`GET /console/hooks/{hook_id}/replay`: the form; with its fields in the query, the plan."""
    typed = visit.form or visit.query
    asked = "rate" in typed
    try:
        wanted, rate = read_wanted(typed) if asked else (Wanted(), DEFAULT_RATE)
        seen = await desk.database.read(_see, visit.caller, visit.ids["hook_id"], wanted if asked else None, rate)
    except FAULTS as error:
        filled = filled_again("replay", typed, error)
        seen = await desk.database.read(_see, visit.caller, visit.ids["hook_id"], None, DEFAULT_RATE)
    shown = {
        "place": seen.place,
        "hook": seen.place.hook,
        "state": hook_standing(seen.place.hook),
        "plan": seen.plan,
        "replays": [(replay, replay_standing(replay)) for replay in seen.replays],
        "typed": typed,
        "asked": asked,
        "choices": [(state, STATES[state], state in UNDELIVERED) for state in OFFERED],
        "words": STATES,
        "default_rate": DEFAULT_RATE,
        "highest_rate": HIGHEST_RATE,
    }
    return show_section(desk, visit, "hook_replay.html", shown, filled=filled)


def _see(tx: Tx, caller: Caller, hook_id: int, wanted: Wanted | None, rate: int) -> _Seen:
    place = read_place(tx, caller, hook_id)
    plan = None if wanted is None else plan_replay(tx, caller, hook_id, wanted, rate, counted=COUNTED)
    return _Seen(place, list_replays(tx, caller, hook_id, LISTED), plan)


def read_wanted(typed: Mapping[str, str]) -> tuple[Wanted, int]:
    """What the form asks for, and how many a second. Raises `Invalid`, naming the input."""
    states = tuple(state for state in ENDED if typed.get(f"state_{state}") == "on")
    if not states:
        raise Invalid("Choose at least one of the three", parameters={"field": "state_exhausted"})
    rate = typed.get("rate", "").strip()
    if not (rate.isascii() and rate.isdigit() and len(rate) <= 4):
        raise Invalid(f"rate: must be a number from 1 to {HIGHEST_RATE}", parameters={"field": "rate"})
    since, until = (read_moment(typed.get(name, ""), name) for name in ("since", "until"))
    return Wanted(states=states, since=since, until=until), int(rate)


async def start(desk: Desk, visit: Visit) -> Response:
    """`POST /console/hooks/{hook_id}/replay`: begin what the plan said."""
    check_form(visit)
    try:
        wanted, rate = read_wanted(visit.form)
        replay = await desk.database.write(start_replay, visit.caller, visit.ids["hook_id"], wanted, rate, now=visit.now)
    except FAULTS as error:
        return await show_replay_form(desk, visit, filled_again("replay", visit.form, error))
    return done(f"/console/replays/{replay.replay_id}", "replay-started")


# --- its progress ------------------------------------------------------------------------------------------------------


def replay_standing(replay: Replay) -> Standing:
    """How a replay stands."""
    if replay.state == "stopped":
        return Standing("quiet", "Stopped")
    if replay.state == "running" or replay.waiting:
        return Standing("busy", "Running" if replay.state == "running" else "Finishing")
    return Standing("warn", "Finished, with failures") if replay.failed else Standing("good", "Finished")


def see_replay(tx: Tx, caller: Caller, replay_id: int) -> tuple[Replay, HookPlace]:
    """Raises `NotFound`, `Forbidden`."""
    replay = get_replay(tx, caller, replay_id)
    return replay, read_place(tx, caller, replay.hook_id)


async def show_replay(desk: Desk, visit: Visit) -> Response:
    """`GET /console/replays/{replay_id}`."""
    replay, place = await desk.database.read(see_replay, visit.caller, visit.ids["replay_id"])
    piece = replay_piece(visit, replay)
    shown = {
        "place": place,
        "hook": place.hook,
        "replay": replay,
        "piece": Markup(piece),  # noqa: S704  made by a template, which escapes
        "version": version(piece),
        "live": f"/console/replays/{replay.replay_id}/live",
    }
    return show_section(desk, visit, "hook_replay_progress.html", shown)


def replay_piece(visit: Visit, replay: Replay) -> str:
    """All that can change of a replay."""
    shown = {"replay": replay, "state": replay_standing(replay), "words": STATES, "csrf": csrf_token(visit.cookie)}
    return render("hook_replay_piece.html", shown)


async def stop(desk: Desk, visit: Visit) -> Response:
    """`POST /console/replays/{replay_id}/stop`."""
    check_form(visit)
    replay_id = visit.ids["replay_id"]
    await desk.database.write(stop_replay, visit.caller, replay_id, now=visit.now)
    return done(f"/console/replays/{replay_id}", "replay-stopped")


async def stream_replay(desk: Desk, visit: Visit) -> Response:
    """`GET /console/replays/{replay_id}/live`. Raises `Unavailable` at too many streams."""

    async def look() -> Pieces:
        return Pieces({"replay": replay_piece(visit, await desk.database.read(get_replay, visit.caller, visit.ids["replay_id"]))})

    return await follow(desk, visit, look)
