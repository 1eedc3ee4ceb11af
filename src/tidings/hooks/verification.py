"""Podio's handshake: a hook hears of nothing until its URL has shown, with a code, that it wants to.

The code goes to the URL alone, as a `hook.verify` event meant for this hook, which is delivered like any other (contract
section 0, decision 14). Who has it posts it back. The same code stands until it is validated, for 7 days and through 5
wrong tries (decision 13); the next request then makes a new one.

A hook that moves proves its next URL in the same way, while the present one goes on to be told. No code is ever sent to
two URLs: another URL to be proved means another code, and what was to bring the former one is not sent any more.
"""

from __future__ import annotations

import hmac
import secrets

from sqlalchemy import RowMapping, update

from tidings.clock import DAY
from tidings.errors import Conflict
from tidings.events.outbox import NewEvent, append
from tidings.events.types import VERIFY
from tidings.hooks.reach import hooks_changed, lock_hook, reach_hook
from tidings.store.database import Tx
from tidings.store.schema import hook_health, hooks
from tidings.workspace.access import Caller

CODE_BYTES = 16  # written as 32 hex digits
CODE_LIFE = 7 * DAY
WRONG_TRIES = 5

NO_CODE = {"verify_code": None, "verify_expires_at": None, "verify_tries": 0}
"""The columns of a hook whose URL has nothing to prove, or whose code must not prove anything any more."""


def request_verification(tx: Tx, caller: Caller, hook_id: int, *, now: int) -> None:
    """Send its code (again) to the hook's URL, or to the one that it moves to.

    Raises `Conflict` while the hook is paused; `NotFound`, `Forbidden`, `Gone`.
    """
    reach_hook(tx, caller, hook_id)
    hook = lock_hook(tx, hook_id)
    if hook["paused_at"] is not None:
        raise Conflict("The hook is paused, and nothing is sent: resume it first", parameters={"hook_id": hook_id})
    send_code(tx, hook, caller, now=now)


def validate(tx: Tx, caller: Caller, hook_id: int, code: str, *, now: int) -> bool:
    """Make the hook active if `code` is the one that was sent; answer whether it was. An active hook stays so.

    A hook that moves is told at its next URL from now on, which is its URL then. A wrong code is an answer and not an error
    because the try must be counted, and an error would roll that back. Raises `NotFound`, `Forbidden`, `Gone`.
    """
    reach_hook(tx, caller, hook_id)
    hook = lock_hook(tx, hook_id)
    if hook["status"] == "active" and hook["next_url"] is None:
        return True
    if not _is_right(hook, code, now):
        tx.execute(update(hooks).where(hooks.c.hook_id == hook_id).values(verify_tries=hooks.c.verify_tries + 1))
        return False
    proven = {"url": hook["next_url"] or hook["url"], "next_url": None, **NO_CODE}
    active = {"status": "active", "reason": None, "activated_at": now, "deactivated_at": None}
    tx.execute(update(hooks).where(hooks.c.hook_id == hook_id).values(**proven, **active))
    tx.execute(update(hook_health).where(hook_health.c.hook_id == hook_id).values(failures_in_row=0, first_failure_at=None))
    hooks_changed(tx)
    return True


def send_code(tx: Tx, hook: RowMapping, caller: Caller, *, now: int) -> None:
    """Write the `hook.verify` event for `hook` (a row of `hooks`), with its present code, or a new one if that is dead."""
    code = hook["verify_code"] if _is_alive(hook, now) else secrets.token_hex(CODE_BYTES)
    if code != hook["verify_code"]:
        fresh = {"verify_code": code, "verify_expires_at": now + CODE_LIFE, "verify_tries": 0}
        tx.execute(update(hooks).where(hooks.c.hook_id == hook["hook_id"]).values(**fresh))
        hooks_changed(tx)  # with the former code in memory, nobody would send this one
    append(
        tx,
        NewEvent(
            type=VERIFY.name,
            space_id=hook["space_id"],
            app_id=hook["app_id"],
            object_id=hook["hook_id"],
            parameters={"code": code},
            created_by=caller.author,
            created_at=now,
            hook_id=hook["hook_id"],
        ),
    )


def _is_alive(hook: RowMapping, now: int) -> bool:
    return hook["verify_code"] is not None and now < hook["verify_expires_at"] and hook["verify_tries"] < WRONG_TRIES


def _is_right(hook: RowMapping, code: str, now: int) -> bool:
    return _is_alive(hook, now) and hmac.compare_digest(hook["verify_code"].encode(), code.encode("utf-8", "replace"))
