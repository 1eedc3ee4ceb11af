"""What happened, as a receiver's function is handed it: ids are numbers, and whatever else was said is kept.

A type that this kit has never heard of is an event too. What the signature covers is the body, the message's id and its
time; `attempt`, `sequence`, `redelivery`, `test`, and where the body is silent `app_id` and `space_id`, stand in headers
beside it: good for a log or a hint, not for a decision that matters.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, overload

_LONGEST_NUMBER = 18  # digits
_HINTS = {"app_id": "tidings-app", "space_id": "tidings-space"}


def number(value: object) -> int | None:
    """`value` as a whole number from 0, as a form or JSON has it; None where it is none."""
    if isinstance(value, str):
        return int(value) if value.isdigit() and value.isascii() and len(value) <= _LONGEST_NUMBER else None
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10**_LONGEST_NUMBER else None


class Change(NamedTuple):
    """The values of one field, before an event and after it."""

    before: Any
    after: Any


class _Id:
    """One of the ids that an event may say. Asking for one that it does not say is an AttributeError that tells what it says."""

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, event: None, owner: type) -> _Id: ...

    @overload
    def __get__(self, event: Event, owner: type) -> int: ...

    def __get__(self, event: Event | None, owner: type) -> int | _Id:
        if event is None:
            return self
        told = number(event.parameters.get(self._name))
        if told is None and self._name in _HINTS:
            told = number(event.headers.get(_HINTS[self._name]))
        if told is None:
            raise AttributeError(f"{event!r} says no {self._name}; it says {', '.join(event.parameters) or 'nothing'}")
        return told


@dataclass(slots=True)  # not frozen: making a frozen one takes three times as long
class Event:
    """One event, as it was told. `getattr(event, "item_id", None)` asks for an id that may be missing."""

    type: str  # item.create, hook.verify ...
    hook_id: int
    parameters: Mapping[str, Any]  # all that the body says beside `type` and `hook_id`; of a form's name that repeats, the first
    id: str  # the same on every attempt: who has seen it before has done the work already
    timestamp: int | None = None  # seconds since the epoch, as signed; None where the sender does not sign
    headers: Mapping[str, str] = field(default_factory=dict, compare=False)  # of the request, by their names in lower case

    app_id = _Id()
    space_id = _Id()
    item_id = _Id()
    item_revision_id = _Id()  # the revision's number within its item: 0 is the item's creation
    comment_id = _Id()
    form_id = _Id()
    task_id = _Id()
    status_id = _Id()
    profile_id = _Id()
    user_id = _Id()

    def __repr__(self) -> str:
        # The parameters are left out: a verification code is among them.
        return f"Event({self.type!r}, hook_id={self.hook_id}, id={self.id!r}{', test=True' if self.test else ''})"

    @property
    def attempt(self) -> int | None:
        """Which attempt this is, from 1; None where the sender does not say."""
        return number(self.headers.get("tidings-attempt"))

    @property
    def sequence(self) -> int | None:
        """The delivery's number within its hook, without gaps; None where the sender does not say."""
        return number(self.headers.get("tidings-sequence"))

    @property
    def redelivery(self) -> str | None:
        """Who had it sent again after it had ended: `single`, or `replay-7` for the seventh replay; None for what comes by itself.

        A hint: whoever stands in between can add or drop it.
        """
        return self.headers.get("tidings-redelivery")

    @property
    def test(self) -> bool:
        """Whether it is a test delivery that somebody asked for: what it tells of has not happened. A hint, as `redelivery`."""
        return self.headers.get("tidings-test") == "true"

    @property
    def external_id(self) -> str | None:
        """The item's id in another system; None where it has none."""
        told = self.parameters.get("external_id")
        return str(told) if told else None

    @property
    def file_ids(self) -> list[int]:
        """The files of a `file.change`."""
        told = self.parameters.get("file_ids", ())
        parts = told.split(",") if isinstance(told, str) else told if isinstance(told, list) else ()
        return [file_id for part in parts if (file_id := number(part)) is not None]

    @property
    def depth(self) -> int:
        """How many deliveries led to this one, each by what its receiver did; 0 where nothing did, or the sender does not say."""
        return number(self.parameters.get("depth")) or number(self.headers.get("tidings-depth")) or 0

    @property
    def item(self) -> dict[str, Any] | None:
        """The item as it stood after the change, where the hook is told in full; None where it is told ids alone."""
        told = self.parameters.get("item")
        return told if isinstance(told, dict) else None

    @property
    def fields(self) -> dict[str, list[Any]] | None:
        """The values of the item's fields, by the field's external_id; None where the hook is told ids alone."""
        if self.item is None:
            return None
        return {external_id: field.get("values", []) for external_id, field in _by_external_id(self.item.get("fields"))}

    @property
    def changed(self) -> dict[str, Change] | None:
        """The fields that changed, by their external_id; None where the hook is told ids alone."""
        told = self.parameters.get("changes")
        if not isinstance(told, list):
            return None
        return {external_id: Change(field.get("from", []), field.get("to", [])) for external_id, field in _by_external_id(told)}


def _by_external_id(told: object) -> Iterator[tuple[str, dict[str, Any]]]:
    for each in told if isinstance(told, list) else ():
        if isinstance(each, dict) and isinstance(each.get("external_id"), str):
            yield each["external_id"], each
