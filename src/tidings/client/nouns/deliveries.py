"""Deliveries of a hook, and those that are sent again. Podio shows none of it."""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from tidings.client.calls import Call, D_co, Many, Noun, given, many, nothing, one, operation, path
from tidings.client.delivery_objects import Deliveries as DeliveryPage
from tidings.client.delivery_objects import HookHealth, LedgerEntry, Undelivered, WholeDelivery
from tidings.client.objects import Replay, ReplayPlan
from tidings.errors import TidingsError


class Deliveries(Noun[D_co]):
    """What a hook was told, or is to be."""

    @operation
    def list(
        self,
        hook_id: int,
        *,
        states: Sequence[str] | None = None,
        types: Sequence[str] | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        object: str | None = None,
        before: int | None = None,
        limit: int | None = None,
    ) -> Call[DeliveryPage]:
        """A page of them, the newest first; `object` is one that the events are of, as in `item:42`.

        `since` (that moment is meant) and `until` (that one is not) are of the events; a `datetime` that says no zone is UTC.
        """
        asked: dict[str, builtins.object] = {"state": states, "type": types, "since": _written(since), "until": _written(until)}
        query = asked | {"object": object, "before": before, "limit": limit}
        return Call("GET", path("/hook/{}/delivery", hook_id), one(DeliveryPage, "deliveries"), query=query)

    @operation
    def get(self, hook_id: int, sequence: int) -> Call[WholeDelivery]:
        """One of them, with its event, and what was sent and came back in each attempt."""
        return Call("GET", path("/hook/{}/delivery/{}", hook_id, sequence), one(WholeDelivery, "delivery"))

    @operation
    def health(self, hook_id: int) -> Call[HookHealth]:
        """How the hook has done in the last 24 hours."""
        return Call("GET", path("/hook/{}/health", hook_id), one(HookHealth, "hook_id"))

    @operation
    def ledger(self, item_id: int, *, before: int | None = None, limit: int | None = None) -> Call[Many[LedgerEntry]]:
        """What happened to an item, the newest first, and whom it was told, or why nobody. `before` is an `event_id`."""
        return Call("GET", path("/item/{}/ledger", item_id), many(LedgerEntry, "event_id"), query={"before": before, "limit": limit})

    @operation
    def undelivered(self, app_id: int, *, since: datetime | None = None, limit: int | None = None) -> Call[Undelivered]:
        """What happened in an app from `since` on, or in the last day, and has not arrived, whatever the hook."""
        query = {"since": _written(since), "limit": limit}
        return Call("GET", path("/app/{}/undelivered", app_id), one(Undelivered, "more"), query=query)

    # --- sending again ---

    @operation
    def redeliver(self, hook_id: int, sequence: int) -> Call[None]:
        """Have one delivery sent again, under the id it had. Raises `Conflict` while it is being sent."""
        return Call("POST", path("/hook/{}/delivery/{}/redeliver", hook_id, sequence), nothing)


class Replays(Noun[D_co]):
    """Many deliveries of one hook, sent again in their order: all that were exhausted or cancelled, unless it says otherwise.

    `since` (that moment is meant) and `until` (that one is not) are of the events; a `datetime` that says no zone is UTC.
    """

    @operation
    def plan(
        self,
        hook_id: int,
        *,
        states: Sequence[str] | None = None,
        types: Sequence[str] | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        rate: int | None = None,
    ) -> Call[ReplayPlan]:
        """What `start` would come to. Nothing begins."""
        body = {**_body(states, types, since, until, rate), "plan": True}
        return Call("POST", path("/hook/{}/replay", hook_id), _plan, body, repeatable=True)

    @operation
    def start(
        self,
        hook_id: int,
        *,
        states: Sequence[str] | None = None,
        types: Sequence[str] | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        rate: int | None = None,
    ) -> Call[Replay]:
        """Begin, `rate` deliveries a second at most. Raises `Conflict` where a replay of this hook runs already."""
        return Call("POST", path("/hook/{}/replay", hook_id), _replay, _body(states, types, since, until, rate))

    @operation
    def get(self, replay_id: int) -> Call[Replay]:
        """How far it has come."""
        return Call("GET", path("/replay/{}", replay_id), one(Replay, "replay_id"))

    @operation
    def list(self, hook_id: int, *, limit: int | None = None) -> Call[Many[Replay]]:
        """The replays of a hook, the newest first."""
        return Call("GET", path("/hook/{}/replay", hook_id), many(Replay, "replay_id"), query={"limit": limit})

    @operation
    def stop(self, replay_id: int) -> Call[Replay]:
        """Send nothing more that has not begun to be sent."""
        return Call("POST", path("/replay/{}/stop", replay_id), one(Replay, "replay_id"), repeatable=True)


def _body(
    states: Sequence[str] | None, types: Sequence[str] | None, since: datetime | None, until: datetime | None, rate: int | None
) -> dict[str, object]:
    return given(
        states=None if states is None else [*states],
        types=None if types is None else [*types],
        since=_written(since),
        until=_written(until),
        rate=rate,
    )


def _written(moment: datetime | None) -> str | None:
    if moment is None:
        return None
    utc = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return utc.isoformat(" ")[:19]


def _plan(answer: Any) -> ReplayPlan:
    return one(ReplayPlan, "total")(_part(answer, "plan"))


def _replay(answer: Any) -> Replay:
    return one(Replay, "replay_id")(_part(answer, "replay"))


def _part(answer: Any, name: str) -> Any:
    if not isinstance(answer, dict):
        raise TidingsError(f"the server's answer is not an object with a {name}")
    return answer.get(name)
