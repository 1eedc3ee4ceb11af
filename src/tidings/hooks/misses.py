"""Why no hook heard of an event: the nearest miss, as a sentence. Pure.

Matching says yes or no (`matching.py`); this says by how little it was no. It is told of each hook around the event, deleted
ones too, as it stands now. A row of a hook keeps when it last became active and when it last ceased to be, and no more: what
a hook was long before its last change is said with as much care. Nothing here names a URL or a secret.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

from msgspec import Struct

from tidings.wire.podio import timestamp

Kind = Literal["unheard", "waiting", "no_hook", "inactive", "unverified", "deleted", "later", "changed", "field", "type", "place"]
"""What kept a hook from hearing; the first three are no hook's doing."""

_NEARNESS: tuple[Kind, ...] = ("inactive", "unverified", "changed", "deleted", "later", "field", "type", "place")

NO_LABELS: Mapping[int, str] = {}


class Happening(Struct, frozen=True):
    """What of an event decides who hears of it. `created_at` is microseconds since the epoch."""

    type: str
    app_id: int | None
    space_id: int | None
    field_ids: Sequence[int]  # the fields that it set, changed or took away
    created_at: int
    unheard_reason: str | None = None  # hook=false | quiet | loop
    matched: int | None = 0  # how many hooks; None: nobody has looked yet


class Listener(Struct, frozen=True):
    """What of a hook decides what it hears of. Moments are microseconds since the epoch."""

    hook_id: int
    type: str
    ref_type: str
    ref_id: int
    app_id: int | None  # None: it hangs on a space
    space_id: int
    status: str  # active | inactive
    reason: str | None  # why it is inactive: unverified | failing | gone
    created_at: int
    activated_at: int | None
    deactivated_at: int | None
    deleted_at: int | None


class Miss(Struct, frozen=True):
    """By how little a hook did not hear of an event."""

    kind: Kind
    sentence: str
    hook_id: int | None = None  # None: it is about no one hook


def why_none(event: Happening, hooks: Iterable[Listener], labels: Mapping[int, str] = NO_LABELS) -> str:
    """The sentence that says why no hook heard of `event`; `hooks` are those of its app and its space, with the deleted ones.

    `labels` are what the fields are called, by their ids, as far as they are known.
    """
    return nearest_miss(event, hooks, labels).sentence


def nearest_miss(event: Happening, hooks: Iterable[Listener], labels: Mapping[int, str] = NO_LABELS) -> Miss:
    """The same, with what kind of miss it was."""
    if event.unheard_reason is not None:
        return Miss("unheard", _UNHEARD.get(event.unheard_reason, f"No hook hears of it: {event.unheard_reason}."))
    if event.matched is None:
        return Miss("waiting", "It waits: hooks are found for it as soon as a server is at work.")
    misses = [(_distance(event, hook, miss), miss) for hook in hooks if (miss := miss_of(event, hook, labels))]
    if not misses:
        return Miss("no_hook", "There was no hook on its app or its space.")
    return min(misses, key=lambda each: each[0])[1]


_UNHEARD = {
    "hook=false": "Whoever made the change asked with hook=false that no hook hears of it.",
    "quiet": "Its app tells nobody: its config has disable_notifications.",
    "loop": "It is one too many in a chain of deliveries that lead to one another, and the chain ends here.",
}


def miss_of(event: Happening, hook: Listener, labels: Mapping[int, str] = NO_LABELS) -> Miss | None:
    """By how little `hook` did not hear of `event`; None where the two have nothing in common."""
    alike, near = hook.type == event.type, _is_near(event, hook)
    if alike and near:
        if hook.ref_type == "app_field" and hook.ref_id not in event.field_ids:
            return _miss(hook, "field", f"hears of {hook.type} where {_field(hook, labels)} changes, and it did not")
        return _by_time(event, hook)
    if near:
        return _miss(hook, "type", f"hears of {hook.type} and not of {event.type}")
    if alike:
        return _miss(hook, "place", f"hears of {hook.type} in {_place(hook, labels)} and not here")
    return None


def _is_near(event: Happening, hook: Listener) -> bool:
    if hook.ref_type == "space":
        return hook.ref_id == event.space_id
    return hook.app_id is not None and hook.app_id == event.app_id


def _by_time(event: Happening, hook: Listener) -> Miss:
    """It hears of this very thing; so it was not the time."""
    at = event.created_at
    if hook.created_at > at:
        return _miss(hook, "later", f"hears of this, but was made later, on {timestamp(hook.created_at)}")
    if hook.deleted_at is not None and hook.deleted_at <= at:
        return _miss(hook, "deleted", f"heard of this until it was deleted on {timestamp(hook.deleted_at)}")
    if hook.activated_at is None:
        return _miss(hook, "unverified", "hears of this, but its URL had not been verified")
    if hook.deactivated_at is not None and hook.deactivated_at <= at:
        return _miss(hook, "inactive", f"hears of this, but had been inactive since {timestamp(hook.deactivated_at)}{_because(hook)}")
    if hook.activated_at > at:
        return _miss(hook, "inactive", f"hears of this, but became active only later, on {timestamp(hook.activated_at)}")
    return _miss(hook, "changed", "hears of this now, and did not when it happened")


def _because(hook: Listener) -> str:
    return {"failing": ": its URL had failed for too long", "gone": ": its URL had answered 410"}.get(hook.reason or "", "")


def _miss(hook: Listener, kind: Kind, predicate: str) -> Miss:
    return Miss(kind, f"The nearest is hook {hook.hook_id}: it {predicate}.", hook.hook_id)


def _field(hook: Listener, labels: Mapping[int, str]) -> str:
    label = labels.get(hook.ref_id)
    return f"the field {label} ({hook.ref_id})" if label else f"the field {hook.ref_id}"


def _place(hook: Listener, labels: Mapping[int, str]) -> str:
    return _field(hook, labels) if hook.ref_type == "app_field" else f"{hook.ref_type} {hook.ref_id}"


def _distance(event: Happening, hook: Listener, miss: Miss) -> tuple[int, bool, bool, int]:
    """What comes first is nearest: of hooks that miss alike, one that is active, of the same noun, made last."""
    noun = event.type.partition(".")[0]
    return _NEARNESS.index(miss.kind), hook.status != "active", hook.type.partition(".")[0] != noun, -hook.hook_id
