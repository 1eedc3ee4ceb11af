"""One delivery, whole: its event, and each attempt with what was sent and what came back, as text.

Bytes of strangers are text here, bytes that are no UTF-8 replaced, and never more than that. The code of a verification is
hidden wherever it stands (`hooks/hiding.py`).
"""

from __future__ import annotations

from itertools import pairwise

import msgspec
from msgspec import Struct
from sqlalchemy import RowMapping, bindparam, select

from tidings.delivery.delivery_rows import DeliveryRow, read_rows
from tidings.delivery.outcomes import Reason
from tidings.errors import NotFound
from tidings.events.types import VERIFY
from tidings.hooks.hiding import HIDDEN, hide_code
from tidings.hooks.reach import reach_hook
from tidings.store.database import Tx
from tidings.store.schema import attempts, events
from tidings.workspace.access import Caller

ATTEMPTS_SHOWN = 100  # the newest; a delivery has ten each time that it is asked for


class Split(Struct, frozen=True):
    """What the time of an attempt went into, in microseconds; None where it came to no such part, or needed none."""

    dns: int | None = None
    connect: int | None = None
    tls: int | None = None
    first_byte: int | None = None  # from the request to the answer's first byte
    rest: int | None = None  # of the answer


class ShownAttempt(Struct, frozen=True):
    """One exchange, as it went. `started_at` is microseconds since the epoch, `took` microseconds."""

    number: int
    started_at: int
    reason: str | None  # None: it was delivered
    detail: str | None
    status: int | None
    address: str | None
    sent_head: str
    sent_body: str
    answer_head: str | None
    answer_body: str | None
    split: Split
    took: int


class ShownEvent(Struct, frozen=True):
    """What happened. `created_at` is microseconds since the epoch, `created_by` an author."""

    event_id: int
    type: str
    app_id: int | None
    space_id: int | None
    object_type: str
    object_id: int
    parameters: dict[str, str]
    changed: list[str]  # the labels of the fields that it set, changed or took away
    cause: str | None  # the delivery that led to it, as `hook_id-sequence`
    depth: int
    test: bool
    created_by: str
    created_at: int


class ShownDelivery(Struct, frozen=True):
    """A delivery, its event, and its attempts in their order."""

    row: DeliveryRow
    event: ShownEvent
    attempts: list[ShownAttempt]
    next_at: int | None  # when it is to be tried next, microseconds since the epoch; None: it is not, or it is under way


def get_delivery(tx: Tx, caller: Caller, hook_id: int, sequence: int) -> ShownDelivery:
    """One delivery of a hook. Raises `NotFound`, `Forbidden`, `Gone`."""
    reach_hook(tx, caller, hook_id)
    rows = read_rows(tx, hook_id, [sequence])
    if not rows:
        raise NotFound(parameters={"hook_id": hook_id, "sequence": sequence})
    row = rows[0]
    event, code = _event(tx.execute(_EVENT, {"event_id": row.event_id}).mappings().one())
    shown = tx.execute(_ATTEMPTS, {"hook_id": hook_id, "sequence": sequence}).mappings()
    return ShownDelivery(row, event, [show_attempt(each, code) for each in shown][::-1], row.due_at if row.state == "pending" else None)


_EVENT = select(events).where(events.c.event_id == bindparam("event_id"))
_ATTEMPTS = (
    select(attempts)
    .where(attempts.c.hook_id == bindparam("hook_id"), attempts.c.sequence == bindparam("sequence"))
    .order_by(attempts.c.started_at.desc())
    .limit(ATTEMPTS_SHOWN)
)


class _Labelled(Struct):
    label: str


_parameters = msgspec.json.Decoder(dict[str, str]).decode
_changes = msgspec.json.Decoder(list[_Labelled]).decode


def read_labels(changes: str) -> list[str]:
    """The labels of the fields in `changes`, as an event's row keeps them."""
    return [change.label for change in _changes(changes)]


def _event(row: RowMapping) -> tuple[ShownEvent, str | None]:
    """The event, and the code that is hidden in it."""
    parameters = _parameters(row["parameters"])
    code = parameters.get("code") if row["type"] == VERIFY.name else None
    made = {name: row[name] for name in ShownEvent.__struct_fields__ if name not in ("parameters", "changed")}
    shown = parameters if code is None else {**parameters, "code": HIDDEN}
    return ShownEvent(parameters=shown, changed=read_labels(row["changes"]), **made), code


# --- an attempt --------------------------------------------------------------------------------------------------------


def show_attempt(row: RowMapping, code: str | None) -> ShownAttempt:
    """A row of `attempts` as text, without `code` (None: there is none to hide)."""
    values = msgspec.convert(row, _Attempt)
    head, _, body = values.sent.partition(b"\r\n\r\n")
    return ShownAttempt(
        number=values.number,
        started_at=values.started_at,
        reason=values.reason,
        detail=None if values.detail is None else hide_code(values.detail, code),
        status=values.status,
        address=values.address,
        sent_head=_text(head, code) or "",
        sent_body=_text(body, code) or "",
        answer_head=_text(values.answer_head, code),
        answer_body=_text(values.answer_body, code),
        split=_split(values),
        took=values.ended_after,
    )


class _Attempt(Struct):
    """What is read of a row of `attempts`."""

    number: int
    started_at: int
    reason: str | None
    detail: str | None
    status: int | None
    address: str | None
    sent: bytes
    answer_head: bytes | None
    answer_body: bytes | None
    resolved_after: int | None
    connected_after: int | None
    secured_after: int | None
    answered_after: int | None
    ended_after: int


def _text(raw: bytes | None, code: str | None) -> str | None:
    return None if raw is None else hide_code(raw.decode("utf-8", "replace"), code)


_PARTS = ("dns", "connect", "tls", "first_byte", "rest")


def _split(attempt: _Attempt) -> Split:
    """The time from mark to mark; what came after the last mark went into the part that did not end."""
    marks = (attempt.resolved_after, attempt.connected_after, attempt.secured_after, attempt.answered_after)
    reached = [(part, mark) for part, mark in zip(_PARTS, marks, strict=False) if mark is not None]
    spans = {part: mark - before for (_, before), (part, mark) in pairwise([("", 0), *reached])}
    last = reached[-1][1] if reached else 0
    if attempt.answered_after is not None:
        spans["rest"] = attempt.ended_after - last
    elif attempt.ended_after:
        spans[_unended(attempt)] = attempt.ended_after - last
    return Split(**spans)


def _unended(attempt: _Attempt) -> str:
    """The part that an attempt without an answer ended in."""
    if attempt.connected_after is not None:
        return "tls" if attempt.reason in (Reason.TLS, Reason.TIMEOUT_CONNECT) else "first_byte"
    if attempt.reason in (Reason.DNS, Reason.REFUSED_ADDRESS, Reason.CONNECT, Reason.TIMEOUT_CONNECT):
        return "dns" if attempt.resolved_after is None else "connect"
    return "first_byte"  # over a connection that was kept alive
