"""Every event type, in one table: which objects a hook for it may hang on, and what its form says.

The table is the only place that knows. Hooks are checked against its scopes, payloads are written in the order of its
parameters, and the suite walks it: a type without a test case fails. Source: contract section 1.2. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
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
    of: str = ""  # the kind of object in whose history it stands, where that is not the noun before the dot

    @property
    def object_type(self) -> str:
        """What kind of object changed: its events stay in order (section 0, decision 21) and are listed together."""
        return self.of or self.name.partition(".")[0]


_ITEM = ("item_id", "item_revision_id", "external_id")
_APP, _FIELD, _SPACE = frozenset[Scope]({"app"}), frozenset[Scope]({"app", "app_field"}), frozenset[Scope]({"space"})

VERIFY = EventType("hook.verify", frozenset(), ("code",))
"""Podio's handshake. Nobody subscribes to it: it goes to the one hook that is to be verified."""

EVENT_TYPES: dict[str, EventType] = {
    event_type.name: event_type
    for event_type in (
        EventType("item.create", _FIELD, _ITEM),
        EventType("item.update", _FIELD, _ITEM),
        EventType("item.delete", _FIELD, _ITEM),
        EventType("comment.create", _APP, ("item_id", "comment_id"), of="item"),
        EventType("comment.delete", _APP, ("item_id", "comment_id"), of="item"),
        EventType("file.change", _APP, ("item_id", "action_type", "file_ids"), of="item"),
        EventType("tag.add", _APP, ("item_id", "tag"), of="item"),
        EventType("tag.delete", _APP, ("item_id", "tag"), of="item"),
        EventType("app.create", _SPACE, ("app_id",)),
        EventType("app.update", _APP, ("app_id",)),
        EventType("app.delete", _APP, ("app_id",)),
        EventType("form.create", _APP, ("form_id", "app_id")),
        EventType("form.update", _APP, ("form_id", "app_id")),
        EventType("form.delete", _APP, ("form_id", "app_id")),
        EventType("task.create", _SPACE, ("task_id",)),
        EventType("task.update", _SPACE, ("task_id",)),
        EventType("task.delete", _SPACE, ("task_id",)),
        EventType("status.create", _SPACE, ("status_id",)),
        EventType("status.update", _SPACE, ("status_id",)),
        EventType("status.delete", _SPACE, ("status_id",)),
        EventType("contact.create", _SPACE, ("space_id", "profile_id")),
        EventType("contact.update", _SPACE, ("space_id", "profile_id")),
        EventType("contact.delete", _SPACE, ("space_id", "profile_id")),
        EventType("member.add", _SPACE, ("space_id", "user_id")),
        EventType("member.remove", _SPACE, ("space_id", "user_id")),
        VERIFY,
    )
}


_WORDS = frozenset({"action_type", "tag", "code"})


def typed(parameters: Mapping[str, str]) -> dict[str, object]:
    """An event's parameters as JSON says them: ids are numbers, `file_ids` is a list of them, an empty `external_id` is null."""
    return {name: _typed(name, value) for name, value in parameters.items()}


def _typed(name: str, value: str) -> object:
    if name == "external_id":
        return value or None
    if name == "file_ids":
        return [int(file_id) for file_id in value.split(",") if file_id]
    return value if name in _WORDS else int(value)
