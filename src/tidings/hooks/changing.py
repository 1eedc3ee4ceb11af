"""Changing how a hook tells: its format, its order, how much at once, and where its URL's query goes.

All of it holds for what is sent from then on, in the form that the hook has at that moment, also for what has been waiting.
Only the order is written into a delivery with the delivery: those that are there keep the one that they were written with, so
that after a change to `object` an event may still overtake one of the same object from before.

What a hook is signed with does not change: whoever wants the other signature makes another hook.
"""

from __future__ import annotations

from msgspec import UNSET, UnsetType
from sqlalchemy import update

from tidings.hooks.matching import Format, Order
from tidings.hooks.reach import Place, hooks_changed, reach_hook, take_turns
from tidings.hooks.registry import count_full_hooks
from tidings.store.database import Tx
from tidings.store.schema import hooks
from tidings.workspace.access import Caller


def change_hook(
    tx: Tx,
    caller: Caller,
    hook_id: int,
    *,
    format: Format | None = None,
    order: Order | None = None,
    concurrency: int | UnsetType | None = UNSET,
    preserve_query: bool | None = None,
) -> None:
    """Change what is given; `concurrency` None is the server's setting. Raises `NotFound`, `Forbidden`, `Gone`."""
    hook = reach_hook(tx, caller, hook_id)
    asked = {"format": format, "delivery_order": order, "preserve_query": preserve_query}
    changes: dict[str, object] = {name: value for name, value in asked.items() if value is not None}
    if not isinstance(concurrency, UnsetType):
        changes["concurrency"] = concurrency
    if not changes:
        return
    take_turns(tx, Place(hook["app_id"], hook["space_id"]))
    tx.execute(update(hooks).where(hooks.c.hook_id == hook_id).values(**changes))
    if format is not None:
        count_full_hooks(tx, hook["app_id"])
    hooks_changed(tx)
