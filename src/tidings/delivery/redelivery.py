"""Redeliver: one delivery, asked for again.

What has ended becomes pending and due at once, and takes the same road as any other; what is pending is due now, if it was not
before, and stands aside no longer. Nothing new is written, so the delivery keeps its number, and with it the `webhook-id` that
a receiver knows it by: one that has seen it drops the repeat. The retry schedule begins anew for what had ended; its attempts
stay on record and are counted on.

Refused where nothing could come of it: while it is being sent, while its hook is inactive or paused, and for a
verification, which is asked for where it is made.
"""

from __future__ import annotations

from sqlalchemy import RowMapping, select, update

from tidings.delivery.deliveries import NOBODY
from tidings.errors import Conflict, Invalid, NotFound
from tidings.events.types import VERIFY
from tidings.hooks.reach import reach_hook
from tidings.store.database import Tx, wake_after
from tidings.store.schema import deliveries, events
from tidings.workspace.access import Caller

VERIFY_FIRST = "have its URL sent a verification code, and validate that"

_WHY_INACTIVE = {
    "unverified": f"its URL has not shown yet that it wants it: {VERIFY_FIRST}",
    "failing": f"its deliveries failed for a day: repair what it calls, then {VERIFY_FIRST}",
    "gone": f"its URL answered 410, that nobody is there any more: if somebody is, {VERIFY_FIRST}",
}


def redeliver(tx: Tx, caller: Caller, hook_id: int, sequence: int, *, now: int) -> None:
    """Have delivery `sequence` of the hook sent again. `now` is in microseconds since the epoch.

    Raises `NotFound` and `Forbidden` as the hook does, `NotFound` for a delivery that is not there (any more), `Invalid` for a
    verification, and `Conflict` while it is being sent, or where the hook is inactive or paused.
    """
    check_sends(reach_hook(tx, caller, hook_id))
    delivery = _locked(tx, hook_id, sequence)
    if delivery["type"] == VERIFY.name:
        raise Invalid("A verification is not sent again: ask for a new one instead", parameters={"sequence": sequence})
    if delivery["state"] == "sending":
        raise Conflict("It is being sent at this moment", parameters={"sequence": sequence})
    mine = (deliveries.c.hook_id == hook_id, deliveries.c.sequence == sequence)
    tx.execute(update(deliveries).where(*mine).values(**_asked_again(delivery, now)))
    wake_after(tx, "deliveries")


def check_sends(hook: RowMapping) -> None:
    """Raise `Conflict`, saying what to do, unless the hook (a row of `hooks`) is sent what it hears of."""
    parameters = {"hook_id": hook["hook_id"]}
    if hook["status"] != "active":
        raise Conflict(f"The hook is inactive, since {_WHY_INACTIVE[hook['reason']]}", parameters=parameters)
    if hook["paused_at"] is not None:
        raise Conflict("The hook is paused: resume it first", parameters=parameters)


def _locked(tx: Tx, hook_id: int, sequence: int) -> RowMapping:
    wanted = (
        select(deliveries.c.state, deliveries.c.attempts, deliveries.c.due_at, events.c.type)
        .join(events, events.c.event_id == deliveries.c.event_id)
        .where(deliveries.c.hook_id == hook_id, deliveries.c.sequence == sequence)
        .with_for_update(of=deliveries)
    )
    found = tx.execute(wanted).mappings().first()
    if found is None:
        raise NotFound(parameters={"hook_id": hook_id, "sequence": sequence})
    return found


def _asked_again(delivery: RowMapping, now: int) -> dict[str, object]:
    if delivery["state"] == "pending":
        return {"due_at": min(now, delivery["due_at"]), "lease_id": NOBODY}
    return {
        "state": "pending",
        "due_at": now,
        "lease_id": NOBODY,
        "reason": None,
        "ended_at": None,
        "earlier": delivery["attempts"],
        "replay_id": None,
    }
