"""What the server answers of deliveries, as types. Podio shows none of it; see `objects.py` for what such a type promises."""

from __future__ import annotations

from typing import TypedDict

from tidings.client.objects import Byline


class Delivery(TypedDict):
    """One event for one hook. Moments are `YYYY-MM-DD HH:MM:SS` in UTC."""

    hook_id: int
    sequence: int
    event_id: int
    type: str
    object_type: str
    object_id: int
    what: str  # `item 42`, with its external_id
    state: str  # pending | sending | delivered | exhausted | cancelled
    attempts: int
    reason: str | None  # of the last failure, or why it was cancelled
    status: int | None  # of the last answer
    milliseconds: float | None  # that the last attempt took
    due_on: str
    created_on: str  # of the event
    ended_on: str | None
    test: bool
    earlier: int | None  # attempts from before it was asked for again
    replay_id: int | None


class Deliveries(TypedDict):
    """A page, the newest first."""

    deliveries: list[Delivery]
    next_before: int | None  # `before` for the next page; None: there is none
    looked_back_to: str | None  # where looking ended before the page was full


class DeliveryEvent(TypedDict):
    """What happened."""

    event_id: int
    type: str
    app_id: int | None
    space_id: int | None
    parameters: dict[str, str]
    changed: list[str]  # labels of fields
    cause: str | None
    depth: int
    test: bool
    created_on: str
    created_by: Byline


class Attempt(TypedDict):
    """One exchange: what was sent and what came back."""

    number: int
    started_on: str
    reason: str | None  # None: it was delivered
    detail: str | None
    status: int | None
    address: str | None
    sent_head: str
    sent_body: str
    answer_head: str | None
    answer_body: str | None
    milliseconds: float
    split: dict[str, float | None]  # dns, connect, tls, first_byte, rest


class WholeDelivery(TypedDict):
    """A delivery, its event, and its attempts in their order."""

    delivery: Delivery
    event: DeliveryEvent
    attempts: list[Attempt]
    next_on: str | None


class Quarter(TypedDict):
    """The attempts that ended in a quarter of an hour."""

    began_on: str
    delivered: int
    failed: int


class HookHealth(TypedDict):
    """The last 24 hours of a hook."""

    hook_id: int
    quarters: list[Quarter]
    delivered: int
    failed: int
    rate: float | None
    waiting: int
    more_waiting: bool
    oldest_waiting_on: str | None
    p50: float | None
    p95: float | None
    failures_in_row: int
    last_success_on: str | None
    last_failure_on: str | None
    last_failure_reason: str | None
    last_failure_status: int | None


class Told(TypedDict):
    """A hook that was told of a change of an item."""

    hook_id: int
    url: str
    sequence: int
    state: str
    attempts: int
    reason: str | None
    due_on: str
    ended_on: str | None
    deleted: bool


class LedgerEntry(TypedDict):
    """One thing that happened to an item, and whom it was told; or why nobody."""

    event_id: int
    type: str
    created_on: str
    created_by: Byline
    parameters: dict[str, str]
    changed: list[str]
    revision: int | None
    cause: str | None
    deliveries: list[Told]
    why_none: str | None


class Undelivered(TypedDict):
    """What of an app has not arrived, the newest first."""

    deliveries: list[Delivery]
    urls: dict[str, str]  # of the hooks, by their ids
    more: bool
