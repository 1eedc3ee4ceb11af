"""How a hook's URL has been doing, and when it has done so badly that the hook becomes inactive.

Two roads lead there: the URL answers 410, at once; or 50 attempts in a row have failed and no success has come for 24
hours (contract section 0, decisions 9 and 12). Why and when is kept with the hook. The record is moved by batches of
attempts, from several processes at once, so it is moved by arithmetic in the database and never written back from memory.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec import Struct
from sqlalchemy import bindparam, func, select, update

from tidings.clock import DAY
from tidings.hooks.reach import hooks_changed
from tidings.store.database import Tx
from tidings.store.schema import hook_health, hooks
from tidings.store.statements import Statement

FAILURES_TO_INACTIVE = 50
TIME_TO_INACTIVE = DAY
ANSWER_KEPT = 1024  # bytes of the last failed answer


class Turn(Struct):
    """What a batch of attempts says of one hook."""

    hook_id: int
    succeeded_at: int | None = None
    failures: int = 0  # since the last success of the batch
    failing_since: int | None = None
    failed_at: int | None = None
    reason: str | None = None
    status: int | None = None
    answer: bytes | None = None
    gone: bool = False

    def success(self, moment: int) -> None:
        """One attempt more has been a success."""
        self.succeeded_at = moment
        self.failures = 0
        self.failing_since = None

    def failure(self, moment: int, reason: str, status: int | None, answer: bytes | None) -> None:
        """One attempt more has failed."""
        self.failures += 1
        self.failing_since = self.failing_since or moment
        self.failed_at = moment
        self.reason, self.status, self.answer = reason, status, answer[:ANSWER_KEPT] if answer else None


def record_turns(tx: Tx, turns: Iterable[Turn], *, now: int) -> list[tuple[int, str]]:
    """Move the records, and make inactive whom it is time for: answers those as (hook_id, reason)."""
    ordered = sorted(turns, key=lambda turn: turn.hook_id)  # one order for everybody: no deadlocks
    for turn in ordered:
        _move(tx, turn)
    suspects = [turn.hook_id for turn in ordered if turn.failures]
    ended = [(turn.hook_id, "gone") for turn in ordered if turn.gone]
    ended += [(hook_id, "failing") for hook_id in _failing(tx, suspects, now) if (hook_id, "gone") not in ended]
    return [(hook_id, reason) for hook_id, reason in ended if _deactivate(tx, hook_id, reason, now)]


def _move(tx: Tx, turn: Turn) -> None:
    values = {"hook": turn.hook_id, "failures": turn.failures, "since": turn.failing_since}
    if turn.succeeded_at is not None:
        _BEGIN_ANEW.run(tx, {**values, "success": turn.succeeded_at})
    elif turn.failures:
        _FAIL_ON.run(tx, values)
    if turn.failed_at is not None:
        last = {"failure": turn.failed_at, "reason": turn.reason, "status": turn.status, "answer": turn.answer}
        _REMEMBER.run(tx, {"hook": turn.hook_id, **last})


_mine = update(hook_health).where(hook_health.c.hook_id == bindparam("hook"))
_BEGIN_ANEW = Statement(
    _mine.values(last_success_at=bindparam("success"), failures_in_row=bindparam("failures"), first_failure_at=bindparam("since"))
)
_FAIL_ON = Statement(
    _mine.values(
        failures_in_row=hook_health.c.failures_in_row + bindparam("failures"),
        first_failure_at=func.coalesce(hook_health.c.first_failure_at, bindparam("since")),
    )
)
_REMEMBER = Statement(
    _mine.values(
        last_failure_at=bindparam("failure"),
        last_reason=bindparam("reason"),
        last_status=bindparam("status"),
        last_answer=bindparam("answer"),
    )
)


def _failing(tx: Tx, suspects: Sequence[int], now: int) -> list[int]:
    if not suspects:
        return []
    return list(
        tx.execute(
            select(hooks.c.hook_id)
            .join(hook_health, hook_health.c.hook_id == hooks.c.hook_id)
            .where(
                hooks.c.hook_id.in_(suspects),
                hook_health.c.failures_in_row >= FAILURES_TO_INACTIVE,
                hooks.c.activated_at <= now - TIME_TO_INACTIVE,  # another URL, or a second chance, has as long as the first
                func.coalesce(hook_health.c.last_success_at, 0) <= now - TIME_TO_INACTIVE,
            )
        ).scalars()
    )


def _deactivate(tx: Tx, hook_id: int, reason: str, now: int) -> bool:
    inactive = {"status": "inactive", "reason": reason, "deactivated_at": now, "paused_at": None}
    changed = tx.execute(update(hooks).where(hooks.c.hook_id == hook_id, hooks.c.status == "active").values(**inactive)).rowcount
    if changed:
        hooks_changed(tx)
    return bool(changed)
