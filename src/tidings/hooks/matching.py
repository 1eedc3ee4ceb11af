"""Which hooks an event is for: pure, from an index held in memory.

An event matches the active hooks of its type on its app, on its space, and on each field that the change set, changed
or took away (contract section 0, decision 18). An unheard event (`hook=false`) matches none. An event meant for one hook
(`hook.verify`) matches that hook, active or not. A paused hook is active: what it matches waits.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal, Protocol

from msgspec import Struct

Order = Literal["none", "object"]
Format = Literal["podio", "json", "cloudevents", "cloudevents-binary"]
Signing = Literal["hmac", "ed25519"]
Key = tuple[str, str, int]  # event type, ref_type, ref_id


class Hook(Struct, frozen=True, gc=False):
    """A hook as matching and sending need it. `repr` shows no secret."""

    hook_id: int
    ref_type: str
    ref_id: int
    type: str
    url: str
    active: bool
    code: str | None  # that a URL was sent and has not sent back yet
    order: Order
    concurrency: int | None  # None: the server's setting
    preserve_query: bool
    ca: str | None  # PEM certificates trusted beside the system's
    keys: tuple[bytes, ...]  # what deliveries are signed with, the newest first; at most two
    format: Format = "podio"
    signing: Signing = "hmac"
    former_until: int = 0  # when the second of the keys stops signing
    paused: bool = False  # it matches, and what it is to be told waits
    next_url: str | None = None  # where the code goes, and all else once it has come back

    def __repr__(self) -> str:
        return f"Hook({self.hook_id}, {self.type} on {self.ref_type} {self.ref_id}, {'active' if self.active else 'inactive'})"


class Matchable(Protocol):
    """What matching looks at in an event."""

    @property
    def type(self) -> str:
        """`item.update` and its like."""

    @property
    def app_id(self) -> int | None:
        """The app it happened in."""

    @property
    def space_id(self) -> int | None:
        """The space it happened in."""

    @property
    def field_ids(self) -> Sequence[int]:
        """The fields that it set, changed or took away."""

    @property
    def heard(self) -> bool:
        """False when it was made with `hook=false`."""

    @property
    def hook_id(self) -> int | None:
        """The one hook that it is meant for."""


class HookIndex:
    """All hooks that are not deleted, by id and by what they listen to, as of one `version` of the hooks."""

    def __init__(self, version: int, hooks: Iterable[Hook]) -> None:
        self.version = version
        self.by_id: dict[int, Hook] = {}
        self._listening: dict[Key, tuple[Hook, ...]] = {}
        self._on_fields: set[str] = set()  # the event types that some field hook listens to
        for hook in hooks:
            self._add(hook)

    def _add(self, hook: Hook) -> None:
        self.by_id[hook.hook_id] = hook
        if hook.active:
            key = (hook.type, hook.ref_type, hook.ref_id)
            self._listening[key] = (*self._listening.get(key, ()), hook)
            if hook.ref_type == "app_field":
                self._on_fields.add(hook.type)

    def match(self, event: Matchable) -> Sequence[Hook]:
        """The hooks that `event` is for, each once."""
        if not event.heard:
            return ()
        if event.hook_id is not None:
            meant = self.by_id.get(event.hook_id)
            return (meant,) if meant else ()
        hooks: tuple[Hook, ...] = ()
        if event.app_id is not None:
            hooks = self._listening.get((event.type, "app", event.app_id), ())
        if event.space_id is not None:
            hooks += self._listening.get((event.type, "space", event.space_id), ())
        if event.type in self._on_fields:
            for field_id in event.field_ids:
                hooks += self._listening.get((event.type, "app_field", field_id), ())
        return hooks


EMPTY_INDEX = HookIndex(0, ())
