"""An app's developer page: its webhooks, what programs sign in with, its fields with an example of each value, lines to copy.

For the app's admins. The token is shown only when it was asked for, on a page that answers a form, so that it stands in no
address; a new one makes the one before worthless at once.
"""

from __future__ import annotations

import json
from typing import NamedTuple

from starlette.responses import Response

from tidings.console.apps import Place, find_place
from tidings.console.desk import Desk, Visit, check_form, done, show_section
from tidings.console.event_words import event_options
from tidings.console.filled import FAULTS, NOTHING_FILLED, Filled, filled_again
from tidings.console.hook_list import PAGE, HookLine, add_hook, hook_lines, page_of, read_after
from tidings.console.hook_page import show_new_hook
from tidings.console.hook_words import FORMATS, ORDERS, SIGNINGS
from tidings.console.snippets import LISTEN, app_snippets, example_value
from tidings.errors import Invalid
from tidings.hooks.registry import list_place_hooks
from tidings.store.database import Tx
from tidings.workspace.access import Caller
from tidings.workspace.accounts.tokens import renew_app_token
from tidings.workspace.apps import get_app, open_app_token


class _Seen(NamedTuple):
    place: Place
    lines: list[HookLine]
    next_after: int | None


async def show_developer(desk: Desk, visit: Visit, filled: Filled = NOTHING_FILLED, token: str = "", status: int = 0) -> Response:
    """`GET /console/apps/{app_id}/developer`; with `token`, the page says it."""
    seen = await desk.database.read(_see, visit.caller, visit.ids["app_id"], read_after(visit), visit.now)
    app = seen.place.app
    fields = [(field, json.dumps(example_value(field), ensure_ascii=False)) for field in app.fields]
    shown = {
        **seen._asdict(),
        "app": app,
        "token": token,
        "fields": fields,
        "types": event_options("app"),
        "places": [("app", "The whole app"), *((f"field-{field.field_id}", f"Only the field {field.config.label}") for field, _ in fields)],
        "formats": FORMATS.items(),
        "orders": ORDERS.items(),
        "signings": SIGNINGS.items(),
        "listen": LISTEN,
        "snippets": app_snippets(desk.settings.public_url, app.app_id, app.fields),
    }
    return show_section(desk, visit, "hook_developer.html", shown, filled=filled, status=status)


def _see(tx: Tx, caller: Caller, app_id: int, after: int, now: int) -> _Seen:
    hooks, next_after = page_of(list_place_hooks(tx, caller, app_id, after=after, limit=PAGE + 1))
    place = find_place(tx, caller, app_id)
    return _Seen(place, hook_lines(tx, hooks, {app_id: place.app}, now=now), next_after)


async def reveal_token(desk: Desk, visit: Visit) -> Response:
    """`POST /console/apps/{app_id}/token/reveal`."""
    check_form(visit)
    token = await desk.database.read(open_app_token, visit.caller, visit.ids["app_id"], keyring=desk.keyring)
    return await show_developer(desk, visit, token=token)


async def renew_token(desk: Desk, visit: Visit) -> Response:
    """`POST /console/apps/{app_id}/token/renew`: the new one is shown."""
    check_form(visit)
    token = await desk.database.write(renew_app_token, visit.caller, desk.keyring, visit.ids["app_id"], now=visit.now)
    return await show_developer(desk, visit, token=token)


async def make_hook(desk: Desk, visit: Visit) -> Response:
    """`POST /console/apps/{app_id}/hooks`: on the app, or on one of its fields."""
    check_form(visit)
    try:
        new = await add_hook(desk, visit, *await _object(desk, visit))
    except FAULTS as error:
        return await show_developer(desk, visit, filled_again("hook", visit.form, error))
    if new.secret is None:
        return done(f"/console/hooks/{new.hook_id}", "hook-there")
    return await show_new_hook(desk, visit, new.hook_id, new.secret)


async def _object(desk: Desk, visit: Visit) -> tuple[str, int]:
    app_id, on = visit.ids["app_id"], visit.form.get("on", "app")
    if on == "app":
        return "app", app_id
    app = await desk.database.read(get_app, visit.caller, app_id)
    for field in app.fields:
        if on == f"field-{field.field_id}":
            return "app_field", field.field_id
    raise Invalid("on: must be the app, or one of its fields", parameters={"field": "on"})
