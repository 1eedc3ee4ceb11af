"""`tidings inbox`: what a receiver's inbox holds, and what is to become of what failed.

The receiver may be running meanwhile: it takes up what is to be tried again within a second or so.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from tidings.errors import Invalid, NotFound, Unavailable
from tidings.receiver.inbox import Inbox, Kept


def print_messages(place: str, state: str, *, limit: int, as_json: bool) -> None:
    """The messages in one state, the oldest first; for people, how many there are in each. Raises `Invalid`, `NotFound`."""
    with _opened(place) as inbox:
        messages, counts = inbox.list(state, limit=limit), inbox.counts()
    if as_json:
        sys.stdout.write(json.dumps([_shown(message) for message in messages]) + "\n")
        return
    for message in messages:
        sys.stdout.write(", ".join(f"{name} {value}" for name, value in _shown(message).items() if value not in (None, "")) + "\n")
    sys.stdout.write(", ".join(f"{count} {name}" for name, count in counts.items()) + "\n")


def retry(place: str, ids: Sequence[str]) -> None:
    """Have failed messages tried again: those named, or all. Raises `NotFound` where there is no inbox."""
    with _opened(place) as inbox:
        sys.stdout.write(f"{inbox.retry(ids or None)} to be tried again\n")


def drop(place: str, ids: Sequence[str], *, every: bool) -> None:
    """Give up failed messages: those named, or `every` one. Raises `Invalid` where neither is said, `NotFound`."""
    if bool(ids) == every:
        raise Invalid("name the messages to be dropped, or say --all")
    with _opened(place) as inbox:
        sys.stdout.write(f"{inbox.drop(None if every else ids)} dropped\n")


def _shown(message: Kept) -> dict[str, object]:
    return {
        "id": message.id,
        "type": message.type,
        "hook_id": message.hook_id,
        "attempts": message.attempts,
        "received_at": datetime.fromtimestamp(message.received_at // 1_000_000, UTC).isoformat(),
        "error": message.error,
    }


@contextmanager
def _opened(place: str) -> Iterator[Inbox]:
    if "://" not in place and not Path(place).is_file():
        raise NotFound(f"there is no inbox at {place}")
    inbox = Inbox(place)
    try:
        yield inbox
    except ValueError as error:
        raise Invalid(str(error)) from None
    except Exception as error:  # noqa: BLE001 (whatever the database's driver raises)
        raise Unavailable(f"the inbox cannot be used: {type(error).__name__}") from None
    finally:
        inbox.close()
