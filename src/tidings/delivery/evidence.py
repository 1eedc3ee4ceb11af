"""What a diagnosis goes by: what the database has on record of one hook, and what a look at the network found. Types alone.

Moments are microseconds since the epoch. Texts that came from a receiver are cut, hold no control character and no
verification code; of URLs there is only where they lead, since their paths and queries may be secret.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from msgspec import Struct

DAYS_LOOKED_AT = 7

Stage = Literal["url", "name", "connection", "certificate"]
"""What stands between us and an answer, in the order in which it is met."""

Fault = Literal[
    "url",
    "port",
    "address",
    "dns",
    "nothing_listens",
    "firewall",
    "unreachable",
    "tls",
    "certificate",
    "certificate_expired",
    "certificate_not_yet",
    "certificate_host",
    "certificate_self_signed",
    "certificate_chain",
]
"""What is wrong there."""


class Certificate(Struct, frozen=True):
    """What a certificate says of itself."""

    names: tuple[str, ...]
    issuer: str
    begins_at: int
    ends_at: int


class Probe(Struct, frozen=True):
    """A connection that was opened as a delivery's would be, and closed without a request; or where that ended."""

    scheme: str
    host: str
    authority: str  # host and port, as a `Host` header has them
    stage: Stage | None = None  # where it ended; None: all is well
    fault: Fault | None = None  # what was wrong there
    detail: str = ""  # the same as deliveries have it in their attempts
    addresses: tuple[str, ...] = ()  # what the name resolves to
    address: str | None = None  # that was dialled last
    certificate: Certificate | None = None


class HookFacts(Struct, frozen=True):
    """The hook itself."""

    hook_id: int
    type: str
    ref_type: str
    ref_id: int
    active: bool
    reason: str | None  # why it is inactive: unverified | failing | gone
    paused_at: int | None
    moving: bool  # it has a next URL, which has not been verified
    activated_at: int | None
    deactivated_at: int | None
    has_code: bool
    code_expires_at: int | None
    wrong_tries: int
    failures_in_row: int
    last_success_at: int | None
    last_failure_at: int | None


class Tried(Struct, frozen=True):
    """The last attempt on record."""

    sequence: int
    number: int
    verification: bool
    started_at: int
    took: int  # microseconds
    reason: str | None  # None: it was delivered
    detail: str = ""
    status: int | None = None
    location: str = ""  # where a redirect points, without its query
    body: str = ""  # how the answer begins, as text


class Verification(Struct, frozen=True):
    """The last time that the hook's URL was to be sent a code."""

    asked_at: int
    state: str | None = None  # of the delivery; None: it has not been written yet
    attempts: int = 0
    due_at: int = 0
    ended_at: int | None = None


class Front(Struct, frozen=True):
    """A delivery that waits."""

    sequence: int
    what: str  # item 42
    attempts: int
    due_at: int


class Waiting(Struct, frozen=True):
    """The deliveries that have not ended, as many of them as were looked at, and those that were given up."""

    count: int = 0
    more: bool = False  # there are others, which were not looked at
    under_way: int = 0  # in the hands of a process
    first: Front | None = None  # that goes next, of the others
    behind: int = 0  # held back by an earlier one of the same object
    blocker: Front | None = None  # that earlier one, or the first of several
    given_up: int = 0  # within the days looked at
    given_up_more: bool = False  # there may be others, which were not looked at
    given_up_at: int | None = None  # the last of them
    somebody_delivers: bool = True  # a process holds a lease


class Happened(Struct, frozen=True):
    """The events of the days looked at, in the place that the hook hangs on."""

    counts: Mapping[str, int] = {}  # by type
    more: bool = False  # there may be others: the looking was bounded
    heard: int = 0  # deliveries of this hook
    heard_more: bool = False  # there are others, which were not looked at
    last_heard_at: int | None = None
    waiting: int = 0  # not fanned out yet
    miss: str = ""  # the nearest, and why it was none: sentences
    missed_by: str = ""  # the same in a word: why the event is unheard, or the kind of miss
    others: tuple[tuple[int, str], ...] = ()  # the other active hooks there, and what they hear


class Evidence(Struct, frozen=True):
    """All that the database says, at one moment."""

    hook: HookFacts
    url: str  # of deliveries: may hold a secret
    ca: str | None
    tried: Tried | None
    verification: Verification | None
    waiting: Waiting
    happened: Happened

    def __repr__(self) -> str:
        return f"Evidence({self.hook!r})"
