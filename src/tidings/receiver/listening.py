"""Which functions hear of an event: patterns of types, an app, a hook. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from typing import Any

from tidings.receiver.events import Event

Function = Callable[[Event], Any]


@dataclass(frozen=True, slots=True)
class Listener:
    """One function, and what it wants to hear of."""

    function: Function
    pattern: str  # a type, `item.*`, or `*`
    app: int | None = None
    hook: int | None = None
    name: str = ""  # what it is remembered by when it is done with an event and another is not: the same after a restart

    def hears(self, event: Event) -> bool:
        """Whether `event` is for it."""
        return (
            (self.pattern == event.type or (event.type != "hook.verify" and self._hears_of_all_such(event.type)))
            and (self.app is None or self.app == getattr(event, "app_id", None))
            and (self.hook is None or self.hook == event.hook_id)
        )

    def _hears_of_all_such(self, type: str) -> bool:
        return self.pattern == "*" or (self.pattern.endswith(".*") and type.startswith(self.pattern[:-1]))


def named(listener: Listener, others: Collection[Listener]) -> Listener:
    """`listener` with a name that none of `others` has."""
    parts = [getattr(listener.function, part, None) or "" for part in ("__module__", "__qualname__")]
    name = f"{':'.join(parts)} {listener.pattern} {listener.app} {listener.hook}"
    alike = sum(name == other.name.partition("#")[0] for other in others)
    return replace(listener, name=f"{name}#{alike}" if alike else name)


def checked_pattern(pattern: str) -> str:
    """`pattern`, if it may be one. Raises ValueError for one that would never be met."""
    noun, dot, verb = pattern.partition(".")
    if pattern == "*" or (dot and noun and verb and "*" not in noun and (verb == "*" or "*" not in verb)):
        return pattern
    raise ValueError(f"{pattern!r} is no type of event: those are `item.create` and its like, `item.*`, or `*`")
