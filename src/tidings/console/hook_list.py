"""The webhooks of an app or of a space as a list, and the form that adds one.

After it has been added, its own page says its secret, once, and what comes next. A second sending of the same form finds
the hook there, and shows no secret.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, get_args

from tidings.console.bars import Paths, strip_paths
from tidings.console.desk import GREATEST_ID, Desk, Visit
from tidings.console.hook_place import place_words
from tidings.console.hook_words import Standing, hook_standing, why_so
from tidings.delivery.guard import judge_url, refuse_closed
from tidings.delivery.strip import Strip, health_of_many
from tidings.errors import Invalid
from tidings.hooks.matching import Format, Order, Signing
from tidings.hooks.reach import reach_place
from tidings.hooks.registry import HookRecord, NewHook, create_hook
from tidings.store.database import Tx
from tidings.workspace.apps import App

PAGE = 30  # hooks


class HookLine(NamedTuple):
    """One hook of a list."""

    hook: HookRecord
    standing: Standing
    why: str
    on: str
    strip: Strip
    paths: Paths


def hook_lines(tx: Tx, hooks: Sequence[HookRecord], apps: dict[int, App], *, now: int) -> list[HookLine]:
    """The lines of hooks that the visitor may see; `apps` by their ids, for their fields' names."""
    strips = health_of_many(tx, [hook.hook_id for hook in hooks], now=now)
    lines = []
    for hook in hooks:
        strip = strips.get(hook.hook_id) or Strip([], 0, 0)
        on = place_words(hook, apps.get(hook.app_id or 0))
        lines.append(HookLine(hook, hook_standing(hook), why_so(hook), on, strip, strip_paths(strip.slots)))
    return lines


def read_after(visit: Visit) -> int:
    """After which hook the page begins. Raises `Invalid` for what is no id."""
    after = visit.query.get("after", "") or "0"
    if not (after.isascii() and after.isdigit() and len(after) <= 10):
        raise Invalid("after: must be the id of a hook", parameters={"field": "after"})
    return min(int(after), GREATEST_ID)


def page_of(hooks: Sequence[HookRecord]) -> tuple[Sequence[HookRecord], int | None]:
    """Of `PAGE` hooks and perhaps one more, the page, and what the next begins after."""
    return hooks[:PAGE], hooks[PAGE - 1].hook_id if len(hooks) > PAGE else None


async def add_hook(desk: Desk, visit: Visit, ref_type: str, ref_id: int) -> NewHook:
    """What the form asks for. Raises `Invalid`, naming the input, `Conflict`, and what the object itself raises."""
    await judge_target(desk, visit, ref_type, ref_id, visit.form.get("url", "").strip())
    format, order, signing = (chosen(visit, *each) for each in (("format", Format), ("order", Order), ("signing", Signing)))
    return await desk.database.write(
        create_hook,
        visit.caller,
        desk.keyring,
        ref_type,
        ref_id,
        visit.form.get("url", "").strip(),
        visit.form.get("type", ""),
        now=visit.now,
        limit=desk.settings.hook_limit,
        order=order or "none",
        format=format,  # type: ignore[arg-type]  # `chosen` has judged it
        signing=signing,  # type: ignore[arg-type]  # likewise
    )


async def judge_target(desk: Desk, visit: Visit, ref_type: str, ref_id: int, url: str) -> None:
    """Raise `Invalid` for a URL that hooks may not call. Names are resolved only for those who may add hooks there."""
    try:
        destination = judge_url(url, desk.allow)
    except Invalid as error:
        raise Invalid(error.description, parameters={"field": "url"}) from None
    await desk.database.read(reach_place, visit.caller, ref_type, ref_id)
    await refuse_closed(desk.guard, destination)


def chosen(visit: Visit, name: str, words: object) -> str | None:
    """One of the words that an input offers, or None where nothing was sent. Raises `Invalid` for another."""
    word = visit.form.get(name, "")
    if word and word not in get_args(words):
        raise Invalid(f"{name}: must be one of {', '.join(get_args(words))}", parameters={"field": name})
    return word or None
