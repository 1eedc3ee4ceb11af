"""What each station of the line reports: one frozen type for each fact, and the list of those who listen.

A station tells what happened and knows nothing of who hears it; log lines (`logs.py`), counters (`metrics.py`) and tests
listen to the same facts, so the line itself holds no logging noise. A fact is built once a delivery, many thousand times
a second: it holds plain values, never a body, a secret or a URL beyond its host. Pure but for a log line about a listener
that failed: nobody who listens can stop the line.

Durations are microseconds, moments microseconds since the epoch, unless the name says seconds.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, Literal, TypeVar

from msgspec import Struct

_log = logging.getLogger(__name__)


class EventsFannedOut(Struct, frozen=True, gc=False):
    """Fan-out has committed a batch."""

    events: int
    unheard: int  # of those, what nobody is to be told of: made with hook=false, say
    matched: int  # deliveries written
    leased: int  # of those, taken by this process at once


class LoopStopped(Struct, frozen=True, gc=False):
    """An event was written unheard, because the chain of deliveries that led to it is too long."""

    event_id: int
    event_type: str
    depth: int


class Claimed(Struct, frozen=True, gc=False):
    """The slow lane has committed a batch."""

    leased: int
    cancelled: int  # their hooks want them no more


class DeliveryAttempted(Struct, frozen=True, gc=False, omit_defaults=True):
    """One exchange with a destination has ended, and it is decided what follows."""

    hook_id: int
    sequence: int
    event_id: int
    event_type: str
    number: int  # of the attempt, from 1
    state: str  # what the delivery goes to: delivered | pending | exhausted | cancelled
    duration: int  # of the exchange
    latency: int  # from the event to the end of the exchange
    host: str
    reason: str | None = None  # None: it was delivered
    status: int | None = None
    detail: str | None = None  # a sentence for people, of a failure
    address: str | None = None  # dialled, or refused
    due_at: int | None = None  # of the next attempt, where the state is `pending`


class Settled(Struct, frozen=True, gc=False):
    """A batch of attempts is on record."""

    delivered: int
    retried: int  # back to pending
    exhausted: int
    cancelled: int
    lost: int = 0  # their lease had run out: what another process does with them counts


class HookDeactivated(Struct, frozen=True, gc=False):
    """A hook became inactive by what its destination did."""

    hook_id: int
    reason: str


class BreakerMoved(Struct, frozen=True, gc=False):
    """The breaker of a hook went to another state."""

    hook_id: int
    state: Literal["closed", "open", "half-open"]


class ReplayTurned(Struct, frozen=True, gc=False):
    """A replay has started, or is over: all that it means is released, or it was stopped."""

    replay_id: int
    hook_id: int
    state: Literal["started", "finished", "stopped"]
    released: int  # deliveries that it has given to the line


class LeaseTaken(Struct, frozen=True, gc=False):
    """The engine has a lease to hold deliveries under."""

    lease_id: int


class LeaseLost(Struct, frozen=True, gc=False):
    """The lease ran out before it could be renewed: what was held is dropped, for others to claim."""

    lease_id: int


class Pruned(Struct, frozen=True, gc=False):
    """Events that ended long ago were forgotten, with their deliveries and attempts."""

    events: int


class DatabaseUnavailable(Struct, frozen=True, gc=False):
    """A station could not reach the database, and tries again."""

    where: str  # the station
    why: str
    seconds: float  # until it tries again


class StationFailed(Struct, frozen=True):
    """A defect: a station raised what it never should. It tries again."""

    where: str
    error: Exception
    seconds: float  # until it tries again


class EngineStopped(Struct, frozen=True, gc=False):
    """The engine has let go of everything."""

    returned: int  # deliveries given back without an attempt


F = TypeVar("F", bound=Struct)


class Telemetry:
    """Who listens to what. Telling a fact that nobody listens to costs a look into a dictionary.

    Listeners are added before the stations start. They are called on the thread that tells, one after the other, so they
    are quick and never wait.
    """

    def __init__(self) -> None:
        self._listeners: dict[type[Struct], tuple[Callable[[Any], None], ...]] = {}

    def listen(self, kind: type[F], listener: Callable[[F], None]) -> None:
        """Call `listener` with every fact of exactly this kind."""
        self._listeners[kind] = (*self._listeners.get(kind, ()), listener)

    def tell(self, fact: Struct) -> None:
        """Hand `fact` to those who listen to its kind. What a listener raises is logged and goes no further."""
        for listener in self._listeners.get(type(fact), ()):
            try:
                listener(fact)
            except Exception:  # noqa: BLE001 (whatever it is, the line goes on)
                _log.exception("a listener failed on %s", type(fact).__name__)
