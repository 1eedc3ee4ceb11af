"""Pausing a hook: it goes on to match, and what it is to be told waits until somebody resumes it.

A paused hook is active. Nothing of it is sent that has not begun, its verification included; nothing is lost, however long
that takes, and what waited then goes out in its order. Every engine hears of it within a second.
"""

from __future__ import annotations

from sqlalchemy import update

from tidings.errors import Conflict
from tidings.hooks.reach import hooks_changed, lock_hook, reach_hook
from tidings.store.database import Tx, wake_after
from tidings.store.schema import hooks
from tidings.workspace.access import Caller


def pause_hook(tx: Tx, caller: Caller, hook_id: int, *, now: int) -> None:
    """Let what the hook hears of wait. Of a hook that is paused already, nothing changes.

    Raises `Conflict` for an inactive one, which hears of nothing; `NotFound`, `Forbidden`, `Gone`.
    """
    reach_hook(tx, caller, hook_id)
    hook = lock_hook(tx, hook_id)
    if hook["status"] != "active":
        raise Conflict("The hook is inactive: there is nothing to pause", parameters={"hook_id": hook_id})
    if hook["paused_at"] is None:
        _set(tx, hook_id, now)


def resume_hook(tx: Tx, caller: Caller, hook_id: int) -> None:
    """Send what has waited, and what comes. Of a hook that is not paused, nothing changes.

    Raises `NotFound`, `Forbidden`, `Gone`.
    """
    reach_hook(tx, caller, hook_id)
    if lock_hook(tx, hook_id)["paused_at"] is not None:
        _set(tx, hook_id, None)


def _set(tx: Tx, hook_id: int, paused_at: int | None) -> None:
    tx.execute(update(hooks).where(hooks.c.hook_id == hook_id).values(paused_at=paused_at))
    hooks_changed(tx)
    wake_after(tx, "deliveries")
