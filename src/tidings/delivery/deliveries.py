"""A delivery as it is held in memory: one event for one hook, leased to this process. And how its row is written.

States: `pending` -> `sending` (leased) -> `delivered` | `exhausted` | `cancelled`; back to `pending` with a later `due_at`
for a retry. `attempts` counts the exchanges that have ended.
"""

from __future__ import annotations

import msgspec
from msgspec import Struct

from tidings.events.types import VERIFY
from tidings.hooks.matching import Hook

NOBODY = 0
"""The lease of a delivery that is held by nobody."""


def waits_under(hook: Hook, lane: str | None) -> int:
    """The lease of a delivery that is due and may not go yet, since its hook is paused or has no room: one of the hook's own,
    below `NOBODY`. What only waits for its turn in its lane is held by nobody.

    So whoever looks for what is due never walks over what waits for such a hook, however much that is.
    """
    return -hook.hook_id if hook.paused or lane is None else NOBODY


EVENT_COLUMNS = (
    "event_id, type, app_id, space_id, object_type, object_id, parameters, field_ids, unheard_reason, depth, hook_id, created_at, test"
)

_field_ids = msgspec.json.Decoder(list[int]).decode


class Event(Struct, frozen=True, gc=False):
    """An event as delivery needs it: a row's `EVENT_COLUMNS`, in that order."""

    event_id: int
    type: str
    app_id: int | None
    space_id: int | None
    object_type: str
    object_id: int
    parameters: str  # JSON object, text to text
    touched: str  # JSON list of field ids
    unheard_reason: str | None
    depth: int
    hook_id: int | None
    created_at: int
    test: bool = False  # nothing has happened: somebody tries the hook

    @property
    def field_ids(self) -> list[int]:
        """The fields that the change set, changed or took away."""
        return _field_ids(self.touched)

    @property
    def heard(self) -> bool:
        """Whether hooks are told of it."""
        return self.unheard_reason is None

    @property
    def lane(self) -> str:
        """The object whose events stay in order where a hook asks for it: `item:42`."""
        return f"{self.object_type}:{self.object_id}"


class Whole(Struct, frozen=True, gc=False):
    """What an event says beyond its parameters, for hooks that are told of it: columns of its row."""

    created_by: str
    cause: str | None
    object: str | None  # JSON
    changes: str  # JSON list


class Delivery(Struct, gc=False):
    """One event for one hook. `(hook_id, sequence)` is its name, everywhere."""

    hook_id: int
    sequence: int
    event: Event
    hook: Hook
    lease_id: int  # what it is held under
    lane: str | None = None
    attempts: int = 0
    reason: str | None = None  # of the last failure
    whole: Whole | None = None  # where the hook's format asks for it
    earlier: int | None = None  # attempts from before it was last asked for again; None: it was not
    replay_id: int | None = None  # the replay that asked for it
    aside: bool = False  # it goes where its hook moves to, and nothing that happens there counts for the hook

    @property
    def proves_next_url(self) -> bool:
        """Whether it brings the code of a hook that moves."""
        return self.hook.next_url is not None and self.event.type == VERIFY.name

    @property
    def tries(self) -> int:
        """Exchanges that have ended since it was last asked for: what the retry schedule counts."""
        return self.attempts - (self.earlier or 0)

    def __repr__(self) -> str:
        return f"Delivery({self.hook_id}-{self.sequence}, {self.event.type})"
