"""What this process holds: deliveries waiting for their turn, exchanges under way, results waiting to be settled.

Lives on the engine's loop, in one thread, and holds no future for a delivery: it is called with deliveries, calls the
sender when a turn comes, is called back with the outcome, and keeps the result for `settle`. It sends nothing once the
lease may have run out, and pauses while too many results wait for the database.

What brings its code to the URL that a hook moves to stands aside: in lanes of its own, without a say in the hook's breaker.

A turn of the loop does like things together: outcomes are only noted as they come in; then `pump` decides on all of them,
makes all requests whose turn has come, and only then sends them. Each trip to the kernel leaves the processor's caches
cold for Python, so going back and forth for every single delivery takes a third more time.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from functools import partial

from msgspec.structs import replace

from tidings.clock import Clock
from tidings.delivery.allow import AllowList
from tidings.delivery.breaker import BreakerState
from tidings.delivery.claims import why_unwanted
from tidings.delivery.decide import Verdict, decide
from tidings.delivery.deliveries import Delivery
from tidings.delivery.destination import Destination
from tidings.delivery.exchange import Done
from tidings.delivery.guard import judge_url
from tidings.delivery.lanes import Lanes
from tidings.delivery.outcomes import Outcome, Reason, Timings
from tidings.delivery.requests import Prepared, build, prepare
from tidings.delivery.schedule import Schedule
from tidings.delivery.sender import Sender
from tidings.delivery.settle import Given, Result
from tidings.errors import Invalid
from tidings.hooks.matching import EMPTY_INDEX, Hook, HookIndex
from tidings.telemetry.facts import BreakerMoved, DeliveryAttempted, Telemetry

Request = tuple[Destination, bytes, Done]  # what `Sender.send` takes

UNSETTLED = 5_000  # results that may wait for the database before sending pauses


class Sending:
    """The deliveries held under this process's lease."""

    def __init__(
        self,
        sender: Sender,
        *,
        instance: str,
        server: str,
        allow: AllowList,
        schedule: Schedule,
        concurrency: int,
        capacity: int,
        exchanges: int,
        clock: Clock,
        chance: Callable[[], float],
        telemetry: Telemetry,
        settle_soon: Callable[[], None],
    ) -> None:
        """Made on the engine's loop. `concurrency`: of a hook that does not say; `capacity`: deliveries held at most;
        `exchanges`: under way at once at most; `server`: our public address."""
        self._sender = sender
        self._instance = instance
        self._server = server
        self._allow = allow
        self._schedule = schedule
        self._concurrency = concurrency
        self._exchanges = exchanges
        self._clock = clock
        self._chance = chance
        self._telemetry = telemetry
        self._settle_soon = settle_soon
        self._lanes: Lanes[Delivery] = Lanes(capacity)
        self._asides: Lanes[Delivery] = Lanes(capacity)
        self._prepared: dict[int, Prepared | str] = {}  # by hook; what stands aside, by minus that
        self._outcomes: deque[tuple[Delivery, str, Outcome]] = deque()
        self._results: list[Result] = []
        self._given: list[Given] = []
        self._loop = asyncio.get_running_loop()
        self._pump_is_due = False
        self.index: HookIndex = EMPTY_INDEX
        self.sends_until = 0  # when the lease runs out, microseconds since the epoch

    def __repr__(self) -> str:
        return f"<Sending {self._lanes!r} unsettled={len(self._results)}>"

    @property
    def under_way(self) -> int:
        """Exchanges that have begun and not ended."""
        return self._lanes.under_way + self._asides.under_way

    @property
    def unsettled(self) -> int:
        """Results and deliveries given back that wait to be written."""
        return len(self._results) + len(self._given)

    def room(self, hook: Hook) -> int:
        """How many deliveries more of `hook` would be taken in."""
        return self._lanes.room(hook.hook_id, self._cap(hook), self._clock())

    def full(self) -> list[int]:
        """The hooks of which none would be taken in."""
        return self._lanes.full(self._clock())

    def breaker_of(self, hook_id: int) -> tuple[BreakerState, int]:
        """Where a hook's breaker stands, and until when (microseconds since the epoch) it is open."""
        return self._lanes.breaker_of(hook_id, self._clock())

    def breaker_states(self) -> dict[str, int]:
        """How many hooks have their breaker open, and half-open."""
        return self._lanes.breaker_states(self._clock())

    def take_in(self, index: HookIndex, deliveries: Iterable[Delivery]) -> None:
        """Hold `deliveries`, just leased, and send those whose turn it is. `index` is the hooks as that lease saw them."""
        if index.version > self.index.version:
            self._follow(index)
        for delivery in deliveries:
            if delivery.proves_next_url:
                delivery.aside = True
                self._asides.add(delivery, 1)
            else:
                self._lanes.add(delivery, self._cap(delivery.hook))
        self.pump()

    def tick(self) -> None:
        """Let time pass: breakers become half-open, a pause ends."""
        self._lanes.tick()
        self._asides.tick()
        self.pump()

    def pump(self) -> None:
        """Decide on the outcomes that came in, and begin as many exchanges as there are turns for."""
        self._pump_is_due = False
        now = self._clock()
        while self._outcomes:
            self._decide(*self._outcomes.popleft(), now)
        requests: list[Request] = []
        try:
            for delivery in self._turns(now):
                if request := self._make_request(delivery, now):
                    requests.append(request)  # noqa: PERF401  one by one: a defect in one leaves those before it
        finally:
            for request in requests:
                self._sender.send(*request)

    def stop(self, *, drop: bool = False) -> None:
        """Send nothing more. What waits is given back to be settled; or dropped, where the lease has been lost."""
        self.sends_until = 0
        waiting = [*self._lanes.hand_back_all(), *self._asides.hand_back_all()]
        if not drop:
            self._give_back(waiting, self._clock())

    def take_unsettled(self, limit: int) -> tuple[list[Result], list[Given]]:
        """The oldest results, and all that was given back, for `settle`."""
        results, self._results = self._results[:limit], self._results[limit:]
        given, self._given = self._given, []
        return results, given

    def _follow(self, index: HookIndex) -> None:
        """Hooks have changed: what waits for a paused one is given back, and another URL begins with a breaker of its own."""
        before, self.index = self.index, index
        self._prepared.clear()
        for hook_id in self._lanes.hook_ids():
            hook, former = index.by_id.get(hook_id), before.by_id.get(hook_id)
            if hook is not None and hook.paused:
                self._give_back(self._lanes.hand_back(hook_id), self._clock())
            if hook is not None and former is not None and hook.url != former.url:
                self._lanes.forgive(hook_id)

    # --- one exchange ---

    def _cap(self, hook: Hook) -> int:
        return hook.concurrency or self._concurrency

    def _turns(self, now: int) -> Iterator[Delivery]:
        free = min(self._exchanges - self.under_way, UNSETTLED - self.unsettled)
        for lanes in (self._asides, self._lanes):
            while free > 0 and now < self.sends_until and (delivery := lanes.take(now)) is not None:
                yield delivery
                free -= 1

    def _make_request(self, delivery: Delivery, now: int) -> Request | None:
        """The request of the next attempt; None where there is to be none any more, or the guard refuses it."""
        hook = self.index.by_id.get(delivery.hook_id)
        if why := why_unwanted(hook, delivery.event):
            self._cancel(delivery, why, now)
            return None
        assert hook is not None
        if hook.paused:
            self._let_wait(delivery, now)
            return None
        prepared = self._prepare(hook, delivery)
        if isinstance(prepared, str):
            self._ended(delivery, "", Outcome(now, Timings(0), b"", Reason.REFUSED_ADDRESS, prepared))
            return None
        if delivery.whole is None and prepared.format != "podio":  # the format is another than when it was leased
            self._let_wait(delivery, now)
            return None
        destination = prepared.destination
        return destination, build(prepared, delivery, now=now), partial(self._ended, delivery, destination.host)

    def _prepare(self, hook: Hook, delivery: Delivery) -> Prepared | str:
        """What requests of `hook` to one URL share; or the sentence with which the guard refuses that URL."""
        key = -hook.hook_id if delivery.aside else hook.hook_id
        prepared = self._prepared.get(key)
        if prepared is None:
            if delivery.aside and hook.next_url:
                hook = replace(hook, url=hook.next_url)
            try:
                prepared = prepare(hook, judge_url(hook.url, self._allow, hook.ca), self._instance, self._server)
            except Invalid as refusal:
                prepared = refusal.description
            self._prepared[key] = prepared
        return prepared

    def _cancel(self, delivery: Delivery, why: str, now: int) -> None:
        handed_back = self._done(delivery, ended=True)
        self._given.append(Given(delivery, now, cancelled=why))
        self._give_back(handed_back, now)

    def _let_wait(self, delivery: Delivery, now: int) -> None:
        """No attempt is made now: it is given back, and those behind it in its lane."""
        self._give_back([delivery, *self._done(delivery, ended=False)], now)

    def _done(self, delivery: Delivery, *, ended: bool) -> list[Delivery]:
        return (self._asides if delivery.aside else self._lanes).done(delivery, ended=ended)

    def _ended(self, delivery: Delivery, host: str, outcome: Outcome) -> None:
        """An exchange has ended: `pump` decides on it once this turn of the loop has read all that came."""
        self._outcomes.append((delivery, host, outcome))
        if not self._pump_is_due:
            self._pump_is_due = True
            self._loop.call_soon(self.pump)

    def _decide(self, delivery: Delivery, host: str, outcome: Outcome, now: int) -> None:
        if outcome.reason is Reason.STOPPED:  # by us: no attempt of the destination's
            self._let_wait(delivery, now)
            return
        number = delivery.attempts + 1
        verdict = decide(outcome, delivery.tries + 1, self._schedule, now=now, chance=self._chance())
        if not delivery.aside:
            self._tell_breaker(delivery.hook_id, outcome, now)
        if handed_back := self._done(delivery, ended=verdict.state != "pending"):
            self._give_back(handed_back, now)
        if not self._results:
            self._settle_soon()
        self._results.append(Result(delivery, number, outcome, verdict))
        self._telemetry.tell(_attempted(delivery, number, host, outcome, verdict))

    def _tell_breaker(self, hook_id: int, outcome: Outcome, now: int) -> None:
        if outcome.reason is None:
            if self._lanes.succeeded(hook_id):
                self._telemetry.tell(BreakerMoved(hook_id, "closed"))
        elif self._lanes.failed(hook_id, now):
            self._telemetry.tell(BreakerMoved(hook_id, "open"))
            self._give_back(self._lanes.hand_back(hook_id), now)

    def _give_back(self, deliveries: Iterable[Delivery], now: int) -> None:
        self._given.extend(Given(delivery, now) for delivery in deliveries)
        if self._given:
            self._settle_soon()


def _attempted(delivery: Delivery, number: int, host: str, outcome: Outcome, verdict: Verdict) -> DeliveryAttempted:
    event, ended = delivery.event, outcome.timings.ended
    return DeliveryAttempted(
        delivery.hook_id,
        delivery.sequence,
        event.event_id,
        event.type,
        number,
        verdict.state,
        ended,
        outcome.started_at + ended - event.created_at,
        host,
        outcome.reason,
        outcome.status,
        outcome.detail,
        outcome.address,
        verdict.due_at if verdict.state == "pending" else None,
    )
