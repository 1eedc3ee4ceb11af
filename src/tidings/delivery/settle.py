"""Settle: what became of a batch of attempts, on record in one transaction.

Every attempt is kept as it went. A delivery's state moves only where it is still held under the lease we took it with: where the lease ran
out meanwhile, another has it, and what it does counts. The hooks' health moves with the same batch.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import bindparam, select

from tidings.delivery.decide import Verdict
from tidings.delivery.deliveries import NOBODY, Delivery
from tidings.delivery.outcomes import Outcome
from tidings.delivery.strip import count_attempts, quarter_of
from tidings.events.types import VERIFY
from tidings.hooks.health import Turn, record_turns
from tidings.hooks.hiding import hide_code_in_bytes
from tidings.store.database import Tx
from tidings.store.rows import insert_rows, update_rows
from tidings.store.schema import attempts, deliveries

BATCH = 1_000  # attempts a transaction


class Result(Struct, frozen=True, gc=False):
    """One attempt and what is to be done about it."""

    delivery: Delivery
    number: int  # of the attempt, from 1
    outcome: Outcome
    verdict: Verdict

    def bare(self) -> Result:
        """The same, without what was sent and what came back."""
        outcome = replace(self.outcome, sent=b"", detail=None, address=None, answer_head=None, answer_body=None)
        return replace(self, outcome=outcome)


class Given(Struct, frozen=True, gc=False):
    """A delivery that was held and not attempted: handed back, or cancelled with a reason."""

    delivery: Delivery
    due_at: int
    cancelled: str | None = None


class Settled(Struct, frozen=True):
    """What one transaction of settle did."""

    moved: int  # deliveries whose lease was still ours
    deactivated: list[tuple[int, str]]  # (hook_id, reason)


_ATTEMPT = (
    "hook_id", "sequence", "number", "started_at", "reason", "detail", "status", "address", "sent", "answer_head", "answer_body",
    "resolved_after", "connected_after", "secured_after", "answered_after", "ended_after",
)  # fmt: skip
_STATE = ("state", "attempts", "due_at", "reason", "ended_at", "lease_id")
_KEY = ("hook_id", "sequence", "lease_id")


def settle(tx: Tx, results: Sequence[Result], given: Sequence[Given], *, now: int, again: bool = False) -> Settled:
    """Write `results` and `given`. `now` is in microseconds since the epoch.

    `again` says that this batch was tried before and the connection broke: it may be on record already.
    """
    if again:
        results = _not_on_record(tx, results)
    rows = [_attempted(result, now) for result in results] + [_given_back(each, now) for each in given]
    rows.sort(key=_name)  # in one order for everybody: two processes never wait for each other in a circle
    moved = update_rows(tx, deliveries, _KEY, _STATE, rows)
    insert_rows(tx, attempts, _ATTEMPT, [_attempt(result) for result in results])
    count_attempts(tx, _counted(results))
    return Settled(moved, record_turns(tx, _turns(results), now=now))


def _attempted(result: Result, now: int) -> tuple[object, ...]:
    delivery, verdict = result.delivery, result.verdict
    again = verdict.state == "pending"
    return (
        verdict.state,
        result.number,
        verdict.due_at if again else now,
        result.outcome.reason,
        None if again else now,
        NOBODY,
        delivery.hook_id,
        delivery.sequence,
        delivery.lease_id,
    )


def _given_back(given: Given, now: int) -> tuple[object, ...]:
    delivery, why = given.delivery, given.cancelled
    return (
        "cancelled" if why else "pending",
        delivery.attempts,
        given.due_at,
        why or delivery.reason,
        now if why else None,
        NOBODY,
        delivery.hook_id,
        delivery.sequence,
        delivery.lease_id,
    )


def _name(row: tuple[Any, ...]) -> tuple[int, int]:
    return row[6], row[7]


def _attempt(result: Result) -> tuple[object, ...]:
    delivery, outcome = result.delivery, result.outcome
    timings = outcome.timings
    return (
        delivery.hook_id,
        delivery.sequence,
        result.number,
        outcome.started_at,
        outcome.reason,
        outcome.detail,
        outcome.status,
        outcome.address,
        outcome.sent,
        outcome.answer_head,
        outcome.answer_body,
        timings.resolved,
        timings.connected,
        timings.secured,
        timings.answered,
        timings.ended,
    )


def _not_on_record(tx: Tx, results: Sequence[Result]) -> list[Result]:
    recorded = select(attempts.c.hook_id).where(
        attempts.c.hook_id == bindparam("hook_id"),
        attempts.c.sequence == bindparam("sequence"),
        attempts.c.started_at == bindparam("started_at"),
    )
    return [
        result
        for result in results
        if tx.execute(
            recorded, {"hook_id": result.delivery.hook_id, "sequence": result.delivery.sequence, "started_at": result.outcome.started_at}
        ).first()
        is None
    ]


def _counted(results: Iterable[Result]) -> dict[tuple[int, int], tuple[int, int]]:
    """How many attempts of a hook ended in a quarter of an hour: delivered, and failed."""
    counted: dict[tuple[int, int], tuple[int, int]] = {}
    for result in results:
        if result.delivery.aside:
            continue
        outcome = result.outcome
        name = result.delivery.hook_id, quarter_of(outcome.started_at + outcome.timings.ended)
        delivered, failed = counted.get(name, (0, 0))
        counted[name] = (delivered + 1, failed) if outcome.reason is None else (delivered, failed + 1)
    return counted


def _turns(results: Iterable[Result]) -> Iterable[Turn]:
    turns: dict[int, Turn] = {}
    for result in results:
        if result.delivery.aside:
            continue
        hook_id, outcome = result.delivery.hook_id, result.outcome
        turn = turns.get(hook_id)
        if turn is None:
            turn = turns[hook_id] = Turn(hook_id)
        ended_at = outcome.started_at + outcome.timings.ended
        if outcome.reason is None:
            turn.success(ended_at)
        else:
            turn.failure(ended_at, outcome.reason, outcome.status, _answer(result))
            turn.gone = turn.gone or result.verdict.gone
    return turns.values()


def _answer(result: Result) -> bytes | None:
    """What came back, for the hook's record: without the code, where it was a verification and the answer repeats it."""
    event, answer = result.delivery.event, result.outcome.answer_body
    if answer is None or event.type != VERIFY.name:
        return answer
    return hide_code_in_bytes(answer, json.loads(event.parameters)["code"])
