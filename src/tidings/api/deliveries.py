"""What hooks were told, which Podio does not show: the deliveries of a hook, one of them whole, a hook's health; the ledger of
an item, and what of an app has not arrived. All of it is only read here; what is sent again is `replays.py`.

A list is asked for in pages, the newest first, and is never counted. Looking for what is rare ends after a while, and says how
far it has come (`looked_back_to`): whoever wants more asks again, from `next_before` on.
"""

from __future__ import annotations

from typing import Annotated, TypedDict

from msgspec import Meta, Struct

from tidings.api.bylines import Byline, byline
from tidings.api.call import GREATEST_ID, Call
from tidings.api.shapes import Timestamp, moment_of, one_of, written
from tidings.clock import DAY, MILLISECOND
from tidings.delivery import history, ledger, showing, strip, undelivered
from tidings.delivery.delivery_rows import DeliveryRow
from tidings.delivery.history import STATES, Asked
from tidings.delivery.ledger import LedgerEntry
from tidings.delivery.showing import ShownAttempt, ShownDelivery, ShownEvent
from tidings.errors import Invalid
from tidings.store.database import Tx
from tidings.wire.podio import timestamp
from tidings.workspace.access import Caller
from tidings.workspace.accounts.authors import Author, find_authors

_GREATEST = 2**53  # of the numbers that pages go by

State = Annotated[str, one_of(*STATES)]
Before = Annotated[int, Meta(ge=1, le=_GREATEST)]


class DeliveryQuery(Struct):
    """Which deliveries are wanted; `state` and `type` may name several, with commas."""

    state: Annotated[str, Meta(max_length=100, description=f"{', '.join(STATES)}")] = ""
    type: Annotated[str, Meta(max_length=1_000, description="Event types")] = ""
    since: Timestamp | None = None
    until: Timestamp | None = None
    object: Annotated[str, Meta(pattern=r"^[a-z_]{1,20}:[0-9]{1,10}$", examples=["item:42"])] | None = None
    before: Before | None = None
    limit: Annotated[int, Meta(ge=1, le=history.LONGEST_PAGE)] = 50


class LedgerQuery(Struct):
    """Where the page begins, and how many are wanted."""

    before: Annotated[Before, Meta(description="The `event_id` that the last page ended with")] | None = None
    limit: Annotated[int, Meta(ge=1, le=ledger.LONGEST_PAGE)] = 20


class UndeliveredQuery(Struct):
    """From when on; a day ago, unless it says otherwise."""

    since: Timestamp | None = None
    limit: Annotated[int, Meta(ge=1, le=undelivered.LONGEST_LIST)] = 100


class DeliveryObject(TypedDict):
    """A delivery. `attempts` are exchanges that have ended, `reason` is of the last failure (or why it was cancelled), `status`
    and `milliseconds` of the last attempt. `earlier` counts the attempts from before it was asked for again."""

    hook_id: int
    sequence: int
    event_id: int
    type: str
    object_type: str
    object_id: int
    what: str
    state: State
    attempts: int
    reason: str | None
    status: int | None
    milliseconds: float | None
    due_on: Timestamp
    created_on: Timestamp
    ended_on: Timestamp | None
    test: bool
    earlier: int | None
    replay_id: int | None


class DeliveriesObject(TypedDict):
    """A page of deliveries."""

    deliveries: list[DeliveryObject]
    next_before: int | None
    looked_back_to: Timestamp | None


class EventObject(TypedDict):
    """What happened. The code of a verification is hidden."""

    event_id: int
    type: str
    app_id: int | None
    space_id: int | None
    parameters: dict[str, str]
    changed: list[str]
    cause: str | None
    depth: int
    test: bool
    created_on: Timestamp
    created_by: Byline


class SplitObject(TypedDict):
    """What the milliseconds of an attempt went into; null where it came to no such part, or needed none."""

    dns: float | None
    connect: float | None
    tls: float | None
    first_byte: float | None
    rest: float | None


class AttemptObject(TypedDict):
    """One exchange: what was sent and what came back, as text."""

    number: int
    started_on: Timestamp
    reason: str | None
    detail: str | None
    status: int | None
    address: str | None
    sent_head: str
    sent_body: str
    answer_head: str | None
    answer_body: str | None
    milliseconds: float
    split: SplitObject


class WholeDeliveryObject(TypedDict):
    """A delivery with its event and its attempts. `next_on` is null where it is not to be tried."""

    delivery: DeliveryObject
    event: EventObject
    attempts: list[AttemptObject]
    next_on: Timestamp | None


class SlotObject(TypedDict):
    """The attempts that ended in a quarter of an hour."""

    began_on: Timestamp
    delivered: int
    failed: int


class HealthObject(TypedDict):
    """How a hook has done in the last 24 hours. `rate` is the part of its attempts that delivered; the latencies are of the last
    attempts that were answered, in milliseconds."""

    hook_id: int
    quarters: list[SlotObject]
    delivered: int
    failed: int
    rate: float | None
    waiting: int
    more_waiting: bool
    oldest_waiting_on: Timestamp | None
    p50: float | None
    p95: float | None
    failures_in_row: int
    last_success_on: Timestamp | None
    last_failure_on: Timestamp | None
    last_failure_reason: str | None
    last_failure_status: int | None


class ToldObject(TypedDict):
    """A hook that was told; `deleted` says that it is no longer there."""

    hook_id: int
    url: str
    sequence: int
    state: State
    attempts: int
    reason: str | None
    due_on: Timestamp
    ended_on: Timestamp | None
    deleted: bool


class EntryObject(TypedDict):
    """One thing that happened to an item, and whom it was told; or, in `why_none`, why nobody."""

    event_id: int
    type: str
    created_on: Timestamp
    created_by: Byline
    parameters: dict[str, str]
    changed: list[str]
    revision: int | None
    cause: str | None
    deliveries: list[ToldObject]
    why_none: str | None


class UndeliveredObject(TypedDict):
    """The newest first. `urls` are the hooks', by their ids; `more` says that there is more than was asked for."""

    deliveries: list[DeliveryObject]
    urls: dict[str, str]
    more: bool


# --- operations --------------------------------------------------------------------------------------------------------------


async def list_deliveries(call: Call, query: DeliveryQuery) -> DeliveriesObject:
    """`GET /hook/{hook_id}/delivery`: what a hook was told, the newest first."""
    asked = Asked(
        states=_words(query.state),
        types=_words(query.type),
        since=moment_of(query.since, "since"),
        until=moment_of(query.until, "until"),
        object=_object(query.object),
        before=query.before,
    )
    listed = await call.read(history.list_deliveries, call.caller, call.id("hook_id"), asked, limit=query.limit)
    rows = [delivery_object(row) for row in listed.rows]
    return {"deliveries": rows, "next_before": listed.next_before, "looked_back_to": written(listed.looked_back_to)}


async def get_delivery(call: Call) -> WholeDeliveryObject:
    """`GET /hook/{hook_id}/delivery/{sequence}`: one of them, with what was sent and what came back."""
    shown, author = await call.read(_get_with_author, call.caller, call.id("hook_id"), call.id("sequence"))
    return {
        "delivery": delivery_object(shown.row),
        "event": _event_object(shown.event, author, call.house.settings.public_url),
        "attempts": [_attempt_object(attempt) for attempt in shown.attempts],
        "next_on": written(shown.next_at),
    }


async def get_health(call: Call) -> HealthObject:
    """`GET /hook/{hook_id}/health`: its last 24 hours at a glance."""
    health = await call.read(strip.hook_health, call.caller, call.id("hook_id"), now=call.now)
    slots = health.strip.slots
    return {
        "hook_id": health.hook_id,
        "quarters": [{"began_on": timestamp(slot.began_at), "delivered": slot.delivered, "failed": slot.failed} for slot in slots],
        "delivered": health.strip.delivered,
        "failed": health.strip.failed,
        "rate": health.strip.rate,
        "waiting": health.waiting,
        "more_waiting": health.more_waiting,
        "oldest_waiting_on": written(health.oldest_waiting_at),
        "p50": _milliseconds(health.p50),
        "p95": _milliseconds(health.p95),
        "failures_in_row": health.failures_in_row,
        "last_success_on": written(health.last_success_at),
        "last_failure_on": written(health.last_failure_at),
        "last_failure_reason": health.last_reason,
        "last_failure_status": health.last_status,
    }


async def get_ledger(call: Call, query: LedgerQuery) -> list[EntryObject]:
    """`GET /item/{item_id}/ledger`: what happened to an item, and whom it was told. Of deleted items too."""
    entries, authors = await call.read(_ledger_with_authors, call.caller, call.id("item_id"), query.before, query.limit)
    return [_entry_object(entry, authors[entry.created_by], call.house.settings.public_url) for entry in entries]


async def list_undelivered(call: Call, query: UndeliveredQuery) -> UndeliveredObject:
    """`GET /app/{app_id}/undelivered`: what happened in an app since a moment and has not arrived, whatever the hook."""
    since = moment_of(query.since, "since")
    since = call.now - DAY if since is None else since
    found = await call.read(undelivered.undelivered, call.caller, call.id("app_id"), since=since, limit=query.limit)
    urls = {str(hook_id): url for hook_id, url in found.urls.items()}
    return {"deliveries": [delivery_object(row) for row in found.rows], "urls": urls, "more": found.more}


def _get_with_author(tx: Tx, caller: Caller, hook_id: int, sequence: int) -> tuple[ShownDelivery, Author]:
    shown = showing.get_delivery(tx, caller, hook_id, sequence)
    by = shown.event.created_by
    return shown, find_authors(tx, {by})[by]


def _ledger_with_authors(
    tx: Tx, caller: Caller, item_id: int, before: int | None, limit: int
) -> tuple[list[LedgerEntry], dict[str, Author]]:  # fmt: skip
    entries = ledger.item_ledger(tx, caller, item_id, before=before, limit=limit)
    return entries, find_authors(tx, {entry.created_by for entry in entries})


# --- reading what is asked ---------------------------------------------------------------------------------------------------


def _words(text: str) -> tuple[str, ...]:
    return tuple(word for part in text.split(",") if (word := part.strip()))


def _object(text: str | None) -> tuple[str, int] | None:
    if text is None:
        return None
    kind, _, number = text.partition(":")
    if int(number) > GREATEST_ID:
        raise Invalid("object: no id is as large", parameters={"field": "object"})
    return kind, int(number)


# --- answers -----------------------------------------------------------------------------------------------------------------


def delivery_object(row: DeliveryRow) -> DeliveryObject:
    """A delivery as the API writes it."""
    return {
        "hook_id": row.hook_id,
        "sequence": row.sequence,
        "event_id": row.event_id,
        "type": row.type,
        "object_type": row.object_type,
        "object_id": row.object_id,
        "what": row.what,
        "state": row.state,
        "attempts": row.attempts,
        "reason": row.reason,
        "status": row.status,
        "milliseconds": _milliseconds(row.took),
        "due_on": timestamp(row.due_at),
        "created_on": timestamp(row.created_at),
        "ended_on": written(row.ended_at),
        "test": row.test,
        "earlier": row.earlier,
        "replay_id": row.replay_id,
    }


def _event_object(event: ShownEvent, author: Author, public_url: str) -> EventObject:
    return {
        "event_id": event.event_id,
        "type": event.type,
        "app_id": event.app_id,
        "space_id": event.space_id,
        "parameters": event.parameters,
        "changed": event.changed,
        "cause": event.cause,
        "depth": event.depth,
        "test": event.test,
        "created_on": timestamp(event.created_at),
        "created_by": byline(author, public_url),
    }


def _attempt_object(attempt: ShownAttempt) -> AttemptObject:
    split = attempt.split
    return {
        "number": attempt.number,
        "started_on": timestamp(attempt.started_at),
        "reason": attempt.reason,
        "detail": attempt.detail,
        "status": attempt.status,
        "address": attempt.address,
        "sent_head": attempt.sent_head,
        "sent_body": attempt.sent_body,
        "answer_head": attempt.answer_head,
        "answer_body": attempt.answer_body,
        "milliseconds": attempt.took / MILLISECOND,
        "split": {
            "dns": _milliseconds(split.dns),
            "connect": _milliseconds(split.connect),
            "tls": _milliseconds(split.tls),
            "first_byte": _milliseconds(split.first_byte),
            "rest": _milliseconds(split.rest),
        },
    }


def _entry_object(entry: LedgerEntry, author: Author, public_url: str) -> EntryObject:
    return {
        "event_id": entry.event_id,
        "type": entry.type,
        "created_on": timestamp(entry.created_at),
        "created_by": byline(author, public_url),
        "parameters": entry.parameters,
        "changed": entry.changed,
        "revision": entry.revision,
        "cause": entry.cause,
        "deliveries": [
            {
                "hook_id": told.hook_id,
                "url": told.url,
                "sequence": told.sequence,
                "state": told.state,
                "attempts": told.attempts,
                "reason": told.reason,
                "due_on": timestamp(told.due_at),
                "ended_on": written(told.ended_at),
                "deleted": told.deleted,
            }
            for told in entry.deliveries
        ],
        "why_none": entry.why_none,
    }


def _milliseconds(microseconds: int | None) -> float | None:
    return None if microseconds is None else microseconds / MILLISECOND
