"""The webhooks of a space: those on the space itself, which are made here, and those of its apps, which are made at the apps."""

from __future__ import annotations

from typing import NamedTuple

from starlette.responses import Response

from tidings.console.desk import Desk, Visit, check_form, done, show_section
from tidings.console.event_words import event_options
from tidings.console.filled import FAULTS, NOTHING_FILLED, Filled, filled_again
from tidings.console.hook_list import PAGE, HookLine, add_hook, hook_lines, page_of, read_after
from tidings.console.hook_page import show_new_hook
from tidings.console.hook_words import FORMATS, ORDERS, SIGNINGS
from tidings.hooks.registry import list_space_hooks
from tidings.store.database import Tx
from tidings.workspace.access import Caller
from tidings.workspace.apps import App, list_apps
from tidings.workspace.orgs import Org, get_org
from tidings.workspace.spaces import Space, get_space


class _Seen(NamedTuple):
    org: Org
    space: Space
    lines: list[HookLine]
    next_after: int | None
    apps: dict[int, App]


async def show_space_hooks(desk: Desk, visit: Visit, filled: Filled = NOTHING_FILLED) -> Response:
    """`GET /console/spaces/{space_id}/hooks`."""
    seen = await desk.database.read(_see, visit.caller, visit.ids["space_id"], read_after(visit), visit.now)
    shown = {
        **seen._asdict(),
        "types": event_options("space"),
        "formats": FORMATS.items(),
        "orders": ORDERS.items(),
        "signings": SIGNINGS.items(),
    }
    return show_section(desk, visit, "hook_space.html", shown, filled=filled)


def _see(tx: Tx, caller: Caller, space_id: int, after: int, now: int) -> _Seen:
    hooks, next_after = page_of(list_space_hooks(tx, caller, space_id, after=after, limit=PAGE + 1))
    apps = {app.app_id: app for app in list_apps(tx, caller, space_id)}
    space = get_space(tx, caller, space_id)
    return _Seen(get_org(tx, caller, space.org_id), space, hook_lines(tx, hooks, apps, now=now), next_after, apps)


async def make_space_hook(desk: Desk, visit: Visit) -> Response:
    """`POST /console/spaces/{space_id}/hooks`."""
    check_form(visit)
    try:
        new = await add_hook(desk, visit, "space", visit.ids["space_id"])
    except FAULTS as error:
        return await show_space_hooks(desk, visit, filled_again("hook", visit.form, error))
    if new.secret is None:
        return done(f"/console/hooks/{new.hook_id}", "hook-there")
    return await show_new_hook(desk, visit, new.hook_id, new.secret)
