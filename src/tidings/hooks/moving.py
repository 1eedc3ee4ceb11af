"""Moving a hook to another URL, in place: its number, its secret, its record and what waits for it stay.

An active hook goes on to be told at its URL until the next one has proved, with a code that nobody else was sent, that it
wants this (see `verification.py`). Until then nothing that happens there counts for the hook. An inactive hook has nothing
to lose: its URL is another at once, and is sent its code.

The URL is judged by the caller, as for a new hook.
"""

from __future__ import annotations

from sqlalchemy import RowMapping, select, update

from tidings.errors import Conflict
from tidings.hooks.reach import Place, hooks_changed, lock_hook, reach_hook, take_turns
from tidings.hooks.registry import alike_hooks, at_url
from tidings.hooks.verification import NO_CODE, send_code
from tidings.store.database import Tx
from tidings.store.schema import hooks
from tidings.workspace.access import Caller


def move_hook(tx: Tx, caller: Caller, hook_id: int, url: str, *, now: int) -> None:
    """Have the hook told at `url`, once that has been verified. Back to the present one ends a move that is under way.

    Asked for what is the case already, nothing changes and nothing is sent. Raises `Conflict` while the hook is paused, and
    where another hook tells the same there; `NotFound`, `Forbidden`, `Gone`.
    """
    reached = reach_hook(tx, caller, hook_id)
    take_turns(tx, Place(reached["app_id"], reached["space_id"]))
    hook = lock_hook(tx, hook_id)
    moved = _moved(hook, url)
    if moved == {"url": hook["url"], "next_url": hook["next_url"]}:
        return
    if hook["paused_at"] is not None:
        raise Conflict("The hook is paused, and nothing would be sent to prove the URL: resume it first", parameters={"hook_id": hook_id})
    _check_alone(tx, hook, url)
    reason = {"reason": "unverified"} if hook["status"] == "inactive" else {}
    changed = update(hooks).where(hooks.c.hook_id == hook_id).values(**moved, **NO_CODE, **reason)
    to_prove = tx.execute(changed.returning(hooks)).mappings().one()
    if to_prove["next_url"] is not None or to_prove["status"] == "inactive":
        send_code(tx, to_prove, caller, now=now)
    hooks_changed(tx)


def _moved(hook: RowMapping, url: str) -> dict[str, str | None]:
    """The URLs of the hook, once it is to be told at `url`."""
    if hook["status"] == "inactive" or url == hook["url"]:
        return {"url": url, "next_url": None}
    return {"url": hook["url"], "next_url": url}


def _check_alone(tx: Tx, hook: RowMapping, url: str) -> None:
    alike = alike_hooks(hook["ref_type"], hook["ref_id"], hook["type"])
    other = tx.execute(select(hooks.c.hook_id).where(*alike, at_url(url), hooks.c.hook_id != hook["hook_id"])).scalar()
    if other is not None:
        raise Conflict(f"Hook {other} tells this URL of the same already", parameters={"hook_id": other, "field": "url"})
