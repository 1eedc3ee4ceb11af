"""Deliveries sent again, which Podio does not have: one (redeliver), or many (replay) by state, type and time.

A replay has a plan, a rate, and a stop. What is sent again keeps its `webhook-id` and `Tidings-Sequence`, and says in
`Tidings-Redelivery` why it comes: `single`, or `replay-7`.
"""

from __future__ import annotations

from typing import Annotated, TypedDict

from msgspec import Meta, Struct, field

from tidings.api.bylines import Byline, byline
from tidings.api.call import Call
from tidings.api.shapes import Timestamp, moment_of, one_of, written
from tidings.delivery import redelivery, replay
from tidings.delivery.replay import DEFAULT_RATE, HIGHEST_RATE, LISTED, STATES, UNDELIVERED, Ended, Plan, Replay, Wanted
from tidings.store.database import Tx
from tidings.wire.podio import timestamp
from tidings.workspace.access import Caller
from tidings.workspace.accounts.authors import Author, find_authors

MOST_LISTED = 500


class ReplayBody(Struct):
    """Which deliveries are meant: those that have ended in these states, of events of these types (all, if none is named)
    committed from `since` on and before `until`."""

    states: Annotated[list[Ended], Meta(min_length=1, max_length=20, description="exhausted and cancelled, if left out")] = field(
        default_factory=lambda: [*UNDELIVERED]
    )
    types: Annotated[list[str], Meta(max_length=100)] = []
    since: Timestamp | None = None
    until: Timestamp | None = None
    rate: Annotated[int, Meta(ge=1, le=HIGHEST_RATE, description="Deliveries a second at most")] = DEFAULT_RATE
    plan: Annotated[bool, Meta(description="true: say what it would come to, and begin nothing")] = False


class ListQuery(Struct):
    """How many are asked for."""

    limit: Annotated[int, Meta(ge=1, le=MOST_LISTED)] = LISTED


class PlanObject(TypedDict):
    """What a replay comes to: how many deliveries, of events from when to when, and how many seconds at its rate."""

    total: int
    first_on: Timestamp | None
    last_on: Timestamp | None
    seconds: float
    rate: int
    states: dict[str, int]
    types: dict[str, int]


class ReplayObject(TypedDict):
    """A replay, and how far it has come: `released` to be sent, and of those `delivered`, `failed` (exhausted or cancelled)
    and `waiting`; `retrying` are those among the waiting that have been tried."""

    replay_id: int
    hook_id: int
    state: Annotated[str, one_of("running", "finished", "stopped")]
    states: list[Annotated[str, one_of(*STATES)]]
    types: list[str]
    since: Timestamp | None
    until: Timestamp | None
    rate: int
    total: int
    released: int
    delivered: int
    failed: int
    waiting: int
    retrying: int
    created_on: Timestamp
    created_by: Byline
    ended_on: Timestamp | None


class PlannedObject(TypedDict):
    """The plan, where that was asked for, or else the replay that has begun."""

    plan: PlanObject | None
    replay: ReplayObject | None


async def redeliver(call: Call) -> None:
    """`POST /hook/{hook_id}/delivery/{sequence}/redeliver`: send one delivery again. 409 while it is being sent, or where the
    hook is inactive or paused."""
    await call.write(redelivery.redeliver, call.caller, call.id("hook_id"), call.id("sequence"), now=call.now)


async def start_replay(call: Call, body: ReplayBody) -> PlannedObject:
    """`POST /hook/{hook_id}/replay`: send many deliveries again, in their order; or, with `plan`, say how many that would be.
    409 where a replay of this hook runs, or the hook is inactive or paused."""
    wanted = Wanted(tuple(body.states), tuple(body.types), moment_of(body.since, "since"), moment_of(body.until, "until"))
    hook_id = call.id("hook_id")
    if body.plan:
        return {"plan": _plan_object(await call.read(replay.plan_replay, call.caller, hook_id, wanted, body.rate)), "replay": None}
    started, author = await call.write(_start, call.caller, hook_id, wanted, body.rate, now=call.now)
    return {"plan": None, "replay": replay_object(started, author, call.house.settings.public_url)}


async def list_replays(call: Call, query: ListQuery) -> list[ReplayObject]:
    """`GET /hook/{hook_id}/replay`: the newest first."""
    replays, authors = await call.read(_list_with_authors, call.caller, call.id("hook_id"), query.limit)
    return [replay_object(each, authors[each.created_by], call.house.settings.public_url) for each in replays]


async def get_replay(call: Call) -> ReplayObject:
    """`GET /replay/{replay_id}`: how far it has come."""
    found, author = await call.read(_get_with_author, call.caller, call.id("replay_id"))
    return replay_object(found, author, call.house.settings.public_url)


async def stop_replay(call: Call) -> ReplayObject:
    """`POST /replay/{replay_id}/stop`: what has not begun to be sent is not sent. One that is over stays as it is."""
    stopped, author = await call.write(_stop, call.caller, call.id("replay_id"), now=call.now)
    return replay_object(stopped, author, call.house.settings.public_url)


def _start(tx: Tx, caller: Caller, hook_id: int, wanted: Wanted, rate: int, *, now: int) -> tuple[Replay, Author]:
    return _with_author(tx, replay.start_replay(tx, caller, hook_id, wanted, rate, now=now))


def _stop(tx: Tx, caller: Caller, replay_id: int, *, now: int) -> tuple[Replay, Author]:
    return _with_author(tx, replay.stop_replay(tx, caller, replay_id, now=now))


def _get_with_author(tx: Tx, caller: Caller, replay_id: int) -> tuple[Replay, Author]:
    return _with_author(tx, replay.get_replay(tx, caller, replay_id))


def _with_author(tx: Tx, found: Replay) -> tuple[Replay, Author]:
    return found, find_authors(tx, {found.created_by})[found.created_by]


def _list_with_authors(tx: Tx, caller: Caller, hook_id: int, limit: int) -> tuple[list[Replay], dict[str, Author]]:
    replays = replay.list_replays(tx, caller, hook_id, limit)
    return replays, find_authors(tx, {each.created_by for each in replays})


def _plan_object(plan: Plan) -> PlanObject:
    return {
        "total": plan.total,
        "first_on": written(plan.first_at),
        "last_on": written(plan.last_at),
        "seconds": plan.seconds,
        "rate": plan.rate,
        "states": plan.states,
        "types": plan.types,
    }


def replay_object(shown: Replay, author: Author, public_url: str) -> ReplayObject:
    """A replay as the API writes it."""
    wanted = shown.wanted
    return {
        "replay_id": shown.replay_id,
        "hook_id": shown.hook_id,
        "state": shown.state,
        "states": [*wanted.states],
        "types": [*wanted.types],
        "since": written(wanted.since),
        "until": written(wanted.until),
        "rate": shown.rate,
        "total": shown.total,
        "released": shown.released,
        "delivered": shown.delivered,
        "failed": shown.failed,
        "waiting": shown.waiting,
        "retrying": shown.retrying,
        "created_on": timestamp(shown.created_at),
        "created_by": byline(author, public_url),
        "ended_on": written(shown.ended_at),
    }
