"""Every event type, in one table: which objects a hook for it may hang on, and what its form says.

The table is the only place that knows. Hooks are checked against its scopes, payloads are written in the order of its
parameters, and the suite walks it: a type without a test case fails. Source: contract section 1.2. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Scope = Literal["app", "app_field", "space"]

SCOPES: tuple[Scope, ...] = ("app", "app_field", "space")


@dataclass(frozen=True, slots=True)
class EventType:
    """One type of event: `item.create` and its like."""

    name: str
    scopes: frozenset[Scope]  # the ref_types of hooks that can hear of it
    parameters: tuple[str, ...]  # what the form says beside `type` and `hook_id`, in this order

    @property
    def object_type(self) -> str:
        """The noun before the dot: what kind of object changed."""
        return self.name.partition(".")[0]


_ITEM = ("item_id", "item_revision_id", "external_id")

VERIFY = EventType("hook.verify", frozenset(), ("code",))
"""Podio's handshake. Nobody subscribes to it: it goes to the one hook that is to be verified."""

EVENT_TYPES: dict[str, EventType] = {
    event_type.name: event_type
    for event_type in (
        EventType("item.create", frozenset({"app", "app_field"}), _ITEM),
        EventType("item.update", frozenset({"app", "app_field"}), _ITEM),
        EventType("item.delete", frozenset({"app", "app_field"}), _ITEM),
        EventType("app.create", frozenset({"space"}), ("app_id",)),
        EventType("app.update", frozenset({"app"}), ("app_id",)),
        EventType("app.delete", frozenset({"app"}), ("app_id",)),
        VERIFY,
    )
}
