"""The table of an inbox's messages, and every statement on it: one text for SQLite and for whatever SQLAlchemy reaches.

A row is a message. `pending` until its functions have run, then `done`; `failed` when its last attempt has failed too;
`dropped` when somebody gave it up. Done and dropped rows lose their body and stay for a while, so that a repeat is known
as one. A pending row is owned by the process that has it in memory until `due_at`, which that process keeps moving: when
it dies, the row falls due and another takes it. Times are microseconds since the epoch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from tidings.receiver.core import reread
from tidings.receiver.events import Event

Values = Mapping[str, Any]

_COLUMNS = (
    "id", "hook_id", "type", "headers", "body", "state", "attempts", "due_at", "owner", "received_at", "ended_at", "finished", "error",
)  # fmt: skip
_LIST = ", ".join(_COLUMNS)
_MINE = "id = :id AND owner = :owner AND state = 'pending'"
_KEPT_HEADERS = (
    "content-type", "webhook-timestamp", "tidings-app", "tidings-space", "tidings-sequence", "tidings-attempt", "tidings-depth",
    "tidings-redelivery", "tidings-test",
)  # fmt: skip

# S608: the names put into these texts are the ones above
PLAIN_INSERT = f"INSERT INTO tidings_inbox ({_LIST}) VALUES ({', '.join(f':{name}' for name in _COLUMNS)})"  # noqa: S608
INSERT = f"{PLAIN_INSERT} ON CONFLICT (id) DO NOTHING"
DONE = f"UPDATE tidings_inbox SET state = 'done', attempts = attempts + 1, owner = '', ended_at = :now, body = :empty WHERE {_MINE}"  # noqa: S608
MISSED = (
    "UPDATE tidings_inbox SET state = :state, attempts = attempts + 1, due_at = :due_at, owner = '', ended_at = :now,"  # noqa: S608
    f" finished = :finished, error = :error WHERE {_MINE}"
)
DUE = f"SELECT {_LIST} FROM tidings_inbox WHERE state = 'pending' AND due_at <= :now ORDER BY due_at LIMIT :most"  # noqa: S608
TAKE = "UPDATE tidings_inbox SET owner = :owner, due_at = :until WHERE id = :id AND state = 'pending' AND due_at <= :now"
RENEW = "UPDATE tidings_inbox SET due_at = :until WHERE owner = :owner AND state = 'pending'"
RELEASE = "UPDATE tidings_inbox SET owner = '', due_at = :now WHERE owner = :owner AND state = 'pending'"
LISTED = f"SELECT {_LIST} FROM tidings_inbox WHERE state = :state ORDER BY received_at, id LIMIT :most"  # noqa: S608
COUNTS = "SELECT state, COUNT(*) FROM tidings_inbox GROUP BY state"
RETRY = "UPDATE tidings_inbox SET state = 'pending', attempts = 0, due_at = :now, owner = '' WHERE state = 'failed'"
DROP = "UPDATE tidings_inbox SET state = 'dropped', body = :empty, ended_at = :now WHERE state = 'failed'"
PRUNE = "DELETE FROM tidings_inbox WHERE state IN ('done', 'dropped') AND ended_at < :before"


class Place(Protocol):
    """Where the table is: used by one thread, in one transaction after the other."""

    def open(self) -> None:
        """Reach it, and make the tables where they are missing. Does nothing when it is open."""

    def execute(self, statement: str, values: Values) -> int:
        """Run a statement that changes rows; how many it changed."""

    def rows(self, statement: str, values: Values) -> list[Sequence[Any]]:
        """Run a statement that finds rows."""

    def commit(self) -> None:
        """Make lasting what was done since the last commit."""

    def rollback(self) -> None:
        """Undo it."""

    def close(self) -> None:
        """Let go of it."""


@dataclass(frozen=True, slots=True)
class Kept:
    """One message of the inbox. Its body is left out of its `repr`."""

    id: str
    hook_id: int
    type: str
    headers: str = field(repr=False)
    body: bytes = field(repr=False)
    state: str
    attempts: int
    due_at: int
    owner: str = field(repr=False)
    received_at: int
    ended_at: int | None
    finished: str  # the names of the functions that are done with it, a line each
    error: str  # of the last attempt

    def event(self) -> Event:
        """What it tells. Raises `ReceiverError` when this version of the kit cannot read it."""
        headers = dict(line.split(":", 1) for line in self.headers.split("\n") if line)
        return reread(headers, self.body, self.id)


def keep(place: Place, values: Values, *, again: bool) -> int:
    """Put a new row in, unless its message is there; how many were put. With `again`, one that is there and has failed is tried again."""
    new = place.execute(INSERT, values)
    if again and not new:
        place.execute(f"{RETRY} AND id = :id", {"now": values["received_at"], "id": values["id"]})
    return new


def kept(row: Sequence[Any]) -> Kept:
    """A row as it was found."""
    return Kept(*row)


def arrival(event: Event, headers: Mapping[str, str], body: bytes, *, owner: str, due_at: int, now: int) -> dict[str, Any]:
    """A new row, pending."""
    return {
        "id": event.id,
        "hook_id": event.hook_id,
        "type": event.type,
        "headers": "\n".join([f"{name}:{headers[name]}".replace("\n", " ") for name in _KEPT_HEADERS if name in headers]),
        "body": body,
        "state": "pending",
        "attempts": 0,
        "due_at": due_at,
        "owner": owner,
        "received_at": now,
        "ended_at": None,
        "finished": "",
        "error": "",
    }
