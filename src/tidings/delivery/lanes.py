"""Whose turn it is: the deliveries that this process holds, waiting for a free place. Pure; time is passed in.

Each hook has a queue of its own and a cap on exchanges under way. Hooks with work and a free place stand in a ring and
take turns, one delivery a turn, so that a long queue costs the others nothing. Where a hook wants its objects' events in
order, only the first delivery of each object (its lane) may be under way; if that one has to be tried again later, those
behind it are handed back, since nothing may overtake it.

How many deliveries one hook may hold in memory is its fair share of `capacity`, and never less than its cap; a hook whose
breaker is open holds none.
"""

from __future__ import annotations

from collections import deque
from typing import Generic, Protocol, TypeVar

from tidings.delivery.breaker import Breaker, BreakerState


class Waiting(Protocol):
    """What lanes look at in a delivery."""

    @property
    def hook_id(self) -> int:
        """Whose queue it stands in."""

    @property
    def lane(self) -> str | None:
        """The object whose order it keeps, where its hook asks for that."""


W = TypeVar("W", bound=Waiting)


class _Queue(Generic[W]):
    """One hook's deliveries: those that may go now, those that wait for their lane, and how many are under way."""

    __slots__ = ("behind", "breaker", "cap", "held", "in_ring", "ready", "under_way")

    def __init__(self, cap: int) -> None:
        self.cap = cap
        self.breaker = Breaker()
        self.ready: deque[W] = deque()
        self.behind: dict[str, deque[W]] = {}  # a lane is a key here exactly while its first delivery is ready or under way
        self.under_way = 0
        self.held = 0  # ready, behind and under way
        self.in_ring = False


class Lanes(Generic[W]):
    """All hooks' queues. `capacity`: how many deliveries are held at most, shared out among the hooks that hold any."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._queues: dict[int, _Queue[W]] = {}
        self._ring: deque[_Queue[W]] = deque()
        self._busy = 0  # hooks that hold something
        self.held = 0
        self.under_way = 0

    def __repr__(self) -> str:
        return f"<Lanes held={self.held} under_way={self.under_way} hooks={self._busy}>"

    def room(self, hook_id: int, cap: int, now: int) -> int:
        """How many deliveries more this hook may hold; `cap` is how many it may have under way."""
        queue = self._queues.get(hook_id)
        if queue is None:
            return max(cap, self._capacity // (self._busy + 1))
        if queue.breaker.state(now) == "closed":
            allowed = max(cap, self._capacity // (self._busy + (queue.held == 0)))
        else:
            allowed = queue.breaker.room(cap, now)
        return max(0, allowed - queue.held)

    def full(self, now: int) -> list[int]:
        """The hooks that may hold nothing more at the moment."""
        return [hook_id for hook_id, queue in self._queues.items() if not self.room(hook_id, queue.cap, now)]

    def add(self, delivery: W, cap: int) -> None:
        """Hold `delivery` until its turn comes."""
        queue = self._queues.get(delivery.hook_id)
        if queue is None:
            queue = self._queues[delivery.hook_id] = _Queue(cap)
        queue.cap = cap
        self._busy += queue.held == 0
        queue.held += 1
        self.held += 1
        lane = delivery.lane
        if lane is None:
            queue.ready.append(delivery)
        elif lane in queue.behind:
            queue.behind[lane].append(delivery)
        else:
            queue.behind[lane] = deque()
            queue.ready.append(delivery)
        self._join_ring(queue)

    def take(self, now: int) -> W | None:
        """The delivery whose turn it is, now under way; None when nobody has both work and a free place."""
        for _ in range(len(self._ring)):
            queue = self._ring.popleft()
            queue.in_ring = False
            if not queue.ready or queue.under_way >= queue.breaker.room(queue.cap, now):
                continue  # it joins again when a place or work comes, or when `tick` finds its breaker half-open
            delivery = queue.ready.popleft()
            queue.under_way += 1
            self.under_way += 1
            self._join_ring(queue)
            return delivery
        return None

    def done(self, delivery: W, *, ended: bool) -> list[W]:
        """`delivery` is no longer under way. When it has not `ended`, answers those of its lane that are handed back."""
        queue = self._queues[delivery.hook_id]
        queue.under_way -= 1
        self.under_way -= 1
        handed_back = [] if delivery.lane is None else self._advance(queue, delivery.lane, ended=ended)
        self._let_go(queue, 1 + len(handed_back))
        self._join_ring(queue)
        return handed_back

    def hand_back(self, hook_id: int) -> list[W]:
        """Give up all of a hook's deliveries that are not under way."""
        queue = self._queues.get(hook_id)
        if queue is None:
            return []
        given = [*queue.ready, *(delivery for lane in queue.behind.values() for delivery in lane)]
        under_way_lanes = queue.behind.keys() - {delivery.lane for delivery in queue.ready}
        queue.behind = {lane: deque() for lane in under_way_lanes}
        queue.ready.clear()
        self._let_go(queue, len(given))
        return given

    def hook_ids(self) -> list[int]:
        """The hooks that hold something, or have failed of late."""
        return list(self._queues)

    def forgive(self, hook_id: int) -> None:
        """Give the hook a breaker that knows of no failure."""
        if queue := self._queues.get(hook_id):
            queue.breaker = Breaker()
            self._join_ring(queue)

    def hand_back_all(self) -> list[W]:
        """Give up everything that is not under way."""
        return [delivery for hook_id in self._queues for delivery in self.hand_back(hook_id)]

    def succeeded(self, hook_id: int) -> bool:
        """Tell the hook's breaker of a success; answers whether that has just closed it."""
        return self._queues[hook_id].breaker.success()

    def failed(self, hook_id: int, now: int) -> bool:
        """Tell the hook's breaker of a failure; answers whether that has just opened it."""
        breaker = self._queues[hook_id].breaker
        before = breaker.state(now)
        breaker.failure(now)
        return before != "open" and breaker.state(now) == "open"

    def tick(self) -> None:
        """Let hooks whose breaker has become half-open stand in the ring again; forget those that hold nothing."""
        for hook_id, queue in list(self._queues.items()):
            if queue.held:
                self._join_ring(queue)
            elif queue.breaker.is_untroubled:
                del self._queues[hook_id]

    def breaker_of(self, hook_id: int, now: int) -> tuple[BreakerState, int]:
        """Where a hook's breaker stands, and until when it is open. Asked from other threads."""
        queue = self._queues.get(hook_id)
        return (queue.breaker.state(now), queue.breaker.opens_until) if queue else ("closed", 0)

    def breaker_states(self, now: int) -> dict[str, int]:
        """How many hooks have their breaker open, and half-open."""
        states = [queue.breaker.state(now) for queue in list(self._queues.values())]  # asked from other threads
        return {state: states.count(state) for state in ("open", "half-open")}

    def _advance(self, queue: _Queue[W], lane: str, *, ended: bool) -> list[W]:
        behind = queue.behind[lane]
        if behind and ended:
            queue.ready.append(behind.popleft())
            return []
        del queue.behind[lane]
        return list(behind)

    def _let_go(self, queue: _Queue[W], count: int) -> None:
        self.held -= count
        queue.held -= count
        self._busy -= bool(count) and queue.held == 0

    def _join_ring(self, queue: _Queue[W]) -> None:
        if not queue.in_ring and queue.ready and queue.under_way < queue.cap:
            queue.in_ring = True
            self._ring.append(queue)
