"""Which deliveries a page shows, as its filter writes it in the address. Pure.

A moment is written as a browser's own input does, `2026-01-02T03:04`, in UTC, or as the API does.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import urlencode

from tidings.clock import SECOND
from tidings.delivery.history import STATES, Asked
from tidings.delivery.replay import DEFAULT_RATE
from tidings.delivery.replay import STATES as ENDED
from tidings.errors import Invalid
from tidings.events.types import EVENT_TYPES
from tidings.workspace.names import not_one_of

NAMES = ("state", "type", "since", "until", "object")
UNDELIVERED = ("exhausted", "cancelled")


def read_asked(query: Mapping[str, str]) -> Asked:
    """What the filter asks for. Raises `Invalid`, naming the input."""
    return Asked(
        states=_states(query.get("state", "")),
        types=_types(query.get("type", "")),
        since=read_moment(query.get("since", ""), "since"),
        until=read_moment(query.get("until", ""), "until"),
        object=_object(query.get("object", "").strip()),
        before=_number(query.get("before", "")),
    )


def written(query: Mapping[str, str], **more: object) -> str:
    """The filter again, as the end of an address, with `more` in it."""
    pairs = {name: query[name] for name in NAMES if query.get(name)} | {name: str(value) for name, value in more.items()}
    return f"?{urlencode(pairs)}" if pairs else ""


def replay_of(asked: Asked) -> str:
    """The end of the address of a replay that means the same, as far as it can; empty where nothing that has ended is asked for."""
    states = [state for state in asked.states if state in ENDED]
    if not states:
        return ""
    moments = {name: moment_text(moment) for name, moment in (("since", asked.since), ("until", asked.until)) if moment is not None}
    return f"?{urlencode({f'state_{state}': 'on' for state in states} | moments | {'rate': DEFAULT_RATE})}"


def is_filtered(query: Mapping[str, str]) -> bool:
    """Whether it leaves anything out."""
    return any(query.get(name) for name in NAMES)


def read_moment(text: str, name: str) -> int | None:
    """Microseconds since the epoch, or None for an empty text. Raises `Invalid`."""
    if not text.strip():
        return None
    try:
        then = datetime.fromisoformat(text.strip())
        return round((then if then.tzinfo else then.replace(tzinfo=UTC)).timestamp() * SECOND)
    except (ValueError, OverflowError):
        raise Invalid(f"{name}: must be a moment in UTC, as 2026-01-02 03:04", parameters={"field": name}) from None


def moment_text(moment: int) -> str:
    """A moment as an input of a browser holds it, to the minute, in UTC."""
    return datetime.fromtimestamp(moment // SECOND, UTC).strftime("%Y-%m-%dT%H:%M")


def _states(word: str) -> tuple[str, ...]:
    if word and word not in (*STATES, "undelivered"):
        raise not_one_of(word, (*STATES, "undelivered"), "state")
    return UNDELIVERED if word == "undelivered" else (word,) if word else ()


def _types(word: str) -> tuple[str, ...]:
    if word and word not in EVENT_TYPES:
        raise Invalid("type: there is no such event", parameters={"field": "type"})
    return (word,) if word else ()


def _object(text: str) -> tuple[str, int] | None:
    if not text:
        return None
    kind, _, number = text.replace(":", " ").rpartition(" ")
    if not (number.isascii() and number.isdigit() and len(number) <= 10):
        raise Invalid("object: must be a kind and an id, as item 42", parameters={"field": "object"})
    return kind.strip().lower() or "item", int(number)


def _number(text: str) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise Invalid("before: must be a number", parameters={"field": "before"})
    return int(text)
