"""What the database has on record of one hook, for a diagnosis: its state, its last attempt, its verification, what waits.

Bounded: however much a hook has had, only so many rows are looked at. Verifications are kept apart from what the hook is
told, which is all that waits, fails or arrives here.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

import msgspec
from msgspec import Struct
from sqlalchemy import RowMapping, and_, bindparam, literal_column, select

from tidings.clock import DAY
from tidings.delivery.delivery_rows import describe
from tidings.delivery.evidence import DAYS_LOOKED_AT, Evidence, Front, HookFacts, Tried, Verification, Waiting
from tidings.delivery.happenings import read_happened
from tidings.delivery.leases import somebody_delivers
from tidings.delivery.outcomes import Reason
from tidings.delivery.wording import plain
from tidings.events.types import VERIFY
from tidings.hooks.hiding import hide_code
from tidings.hooks.reach import reach_hook
from tidings.store.database import Tx
from tidings.store.schema import attempts, deliveries, events, hook_health
from tidings.workspace.access import Caller

RECENT = 200  # deliveries of the hook, the newest
PENDING = 1_000  # of those that wait, the oldest
GIVEN_UP = 200  # of each kind, the newest
BODY_SHOWN = 200  # characters of an answer

_LOCATION = re.compile(rb"\r\nlocation:[ \t]*([^\r]*)", re.IGNORECASE)


_OF_DELIVERIES = ("sequence", "state", "attempts", "lane", "due_at")


class Known(Struct, frozen=True, gc=False):
    """One delivery of the hook, with what its event says."""

    sequence: int
    state: str
    attempts: int
    lane: str | None
    due_at: int
    event_id: int
    type: str
    object_type: str
    object_id: int
    parameters: str
    created_at: int  # of the event
    test: bool

    @property
    def is_verification(self) -> bool:
        """Whether it brings a code."""
        return self.type == VERIFY.name


def read_evidence(tx: Tx, caller: Caller, hook_id: int, *, now: int) -> Evidence:
    """All of it. `now` is in microseconds since the epoch. Raises `NotFound`, `Forbidden`, `Gone` as `reach_hook` does."""
    row = reach_hook(tx, caller, hook_id)
    health = tx.execute(select(hook_health).where(hook_health.c.hook_id == hook_id)).mappings().one()
    hook = _hook_facts(row, health)
    recent = [Known(*each) for each in tx.execute(_RECENT, {"hook_id": hook_id})]
    pending = [Known(*each) for each in tx.execute(_PENDING, {"hook_id": hook_id})]
    told = {each.event_id: each.created_at for each in recent if not (each.is_verification or each.test)}
    since = now - DAYS_LOOKED_AT * DAY
    return Evidence(
        hook=hook,
        url=row["url"],
        ca=row["ca"],
        tried=_last_tried(tx, hook, [*recent, *pending], row["verify_code"]),
        verification=_last_verification(tx, hook_id),
        waiting=_waiting(tx, hook_id, [each for each in pending if not each.is_verification], since=since, now=now),
        happened=read_happened(tx, row, told, more=len(recent) == RECENT, since=since),
    )


_DELIVERIES = (
    select(*((deliveries if name in _OF_DELIVERIES else events).c[name] for name in Known.__struct_fields__))
    .join(events, events.c.event_id == deliveries.c.event_id)
    .where(deliveries.c.hook_id == bindparam("hook_id"))
)
_RECENT = _DELIVERIES.order_by(deliveries.c.sequence.desc()).limit(RECENT)
# By numbers alone first: that is all in the index of what waits. Otherwise SQLite walks past all that has ended.
_waiting_too = deliveries.alias("waiting")
_NUMBERS = select(_waiting_too.c.sequence).where(_waiting_too.c.hook_id == bindparam("hook_id"), _waiting_too.c.ended_at.is_(None))
_PENDING = _DELIVERIES.where(deliveries.c.sequence.in_(_NUMBERS.order_by(_waiting_too.c.sequence).limit(PENDING))).order_by(
    deliveries.c.sequence
)


def _hook_facts(row: RowMapping, health: RowMapping) -> HookFacts:
    return HookFacts(
        hook_id=row["hook_id"],
        type=row["type"],
        ref_type=row["ref_type"],
        ref_id=row["ref_id"],
        active=row["status"] == "active",
        reason=row["reason"],
        paused_at=row["paused_at"],
        moving=row["next_url"] is not None,
        activated_at=row["activated_at"],
        deactivated_at=row["deactivated_at"],
        has_code=row["verify_code"] is not None,
        code_expires_at=row["verify_expires_at"],
        wrong_tries=row["verify_tries"],
        failures_in_row=health["failures_in_row"],
        last_success_at=health["last_success_at"],
        last_failure_at=health["last_failure_at"],
    )


# --- the last attempt --------------------------------------------------------------------------------------------------


def _last_tried(tx: Tx, hook: HookFacts, looked_at: Sequence[Known], present_code: str | None) -> Tried | None:
    """Of what the hook is told; of its verifications as well while it is inactive."""
    told = {each.sequence: each for each in looked_at if each.attempts and not (each.is_verification and hook.active)}
    last = tx.execute(_LAST, {"hook_id": hook.hook_id, "sequences": sorted(told)}).first()
    if last is None:
        return None
    attempt = tx.execute(_ATTEMPT, {"hook_id": hook.hook_id, "sequence": last.sequence, "started_at": last.started_at}).one()
    delivery = told[last.sequence]
    codes = [code for code in (_code(delivery), present_code) if code]
    return Tried(
        sequence=last.sequence,
        number=attempt.number,
        verification=delivery.is_verification,
        started_at=last.started_at,
        took=attempt.ended_after,
        reason=attempt.reason,
        detail=attempt.detail or "",
        status=attempt.status,
        location=_location(attempt.answer_head, codes) if attempt.reason == Reason.REDIRECTED else "",
        body=_shown(attempt.answer_body, codes),
    )


_LAST = (
    select(attempts.c.sequence, attempts.c.started_at)
    .where(attempts.c.hook_id == bindparam("hook_id"), attempts.c.sequence.in_(bindparam("sequences", expanding=True)))
    .order_by(attempts.c.started_at.desc())
    .limit(1)
)
_ATTEMPT = select(attempts).where(
    attempts.c.hook_id == bindparam("hook_id"),
    attempts.c.sequence == bindparam("sequence"),
    attempts.c.started_at == bindparam("started_at"),
)


class _Coded(Struct):
    code: str = ""


_coded = msgspec.json.Decoder(_Coded).decode


def _code(delivery: Known) -> str:
    return _coded(delivery.parameters).code if delivery.is_verification else ""


def _location(head: bytes | None, codes: Sequence[str]) -> str:
    match = _LOCATION.search(head or b"")
    return _shown(match[1].partition(b"?")[0], codes) if match else ""


def _shown(said: bytes | None, codes: Sequence[str]) -> str:
    text = (said or b"").decode("utf-8", "replace")
    for code in codes:
        text = hide_code(text, code)
    return plain(text, BODY_SHOWN)


# --- its verification --------------------------------------------------------------------------------------------------


def _last_verification(tx: Tx, hook_id: int) -> Verification | None:
    row = tx.execute(_VERIFICATION, {"hook_id": hook_id}).first()
    if row is None:
        return None
    if row.state is None:
        return Verification(row.created_at)
    return Verification(row.created_at, row.state, row.attempts, row.due_at, row.ended_at)


_VERIFICATION = (
    select(events.c.created_at, deliveries.c.state, deliveries.c.attempts, deliveries.c.due_at, deliveries.c.ended_at)
    .outerjoin(deliveries, and_(deliveries.c.event_id == events.c.event_id, deliveries.c.hook_id == events.c.hook_id))
    .where(events.c.object_type == VERIFY.object_type, events.c.object_id == bindparam("hook_id"), events.c.type == VERIFY.name)
    .order_by(events.c.event_id.desc())
    .limit(1)
)


# --- what waits --------------------------------------------------------------------------------------------------------


def _waiting(tx: Tx, hook_id: int, pending: Sequence[Known], *, since: int, now: int) -> Waiting:
    """`pending` is the oldest first."""
    given_up = [at for state in ("exhausted", "cancelled") for at in tx.execute(_GIVEN_UP, {"hook_id": hook_id, "state": state}).scalars()]
    lost = [at for at in given_up if at >= since]
    fronts: dict[str, Known] = {}
    behind: Counter[str] = Counter()
    free = []
    for each in pending:
        if each.lane is not None and fronts.setdefault(each.lane, each) is not each:
            behind[each.lane] += 1
        elif each.state == "pending":
            free.append(each)
    lane, held_back = next(((lane, count) for lane, count in behind.most_common() if fronts[lane].state == "pending"), ("", 0))
    first = min(free, key=lambda each: each.due_at, default=None)
    return Waiting(
        count=len(pending),
        more=len(pending) == PENDING,
        under_way=sum(each.state == "sending" for each in pending),
        first=None if first is None else _front(first),
        behind=held_back,
        blocker=_front(fronts[lane]) if lane else None,
        given_up=len(lost),
        given_up_more=len(lost) >= GIVEN_UP,
        given_up_at=max(lost, default=None),
        somebody_delivers=somebody_delivers(tx, now=now),
    )


def _front(row: Known) -> Front:
    return Front(row.sequence, describe(row.object_type, row.object_id, row.parameters), row.attempts, row.due_at)


_lost = deliveries.alias("lost")
# Written out, for an index of these two states alone.
_IS_LOST = _lost.c.state.in_([literal_column("'exhausted'"), literal_column("'cancelled'")])
_LOST = (
    select(_lost.c.sequence)
    .where(_lost.c.hook_id == bindparam("hook_id"), _lost.c.state == bindparam("state"), _IS_LOST)
    .order_by(_lost.c.sequence.desc())
    .limit(GIVEN_UP)
)
_GIVEN_UP = (
    select(deliveries.c.ended_at)
    .join(events, events.c.event_id == deliveries.c.event_id)
    .where(deliveries.c.hook_id == bindparam("hook_id"), deliveries.c.sequence.in_(_LOST))
    .where(events.c.type != VERIFY.name, events.c.test.is_(False))
)
