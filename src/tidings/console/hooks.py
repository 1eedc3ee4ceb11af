"""What is done to a hook from its pages: verified, paused, tried, moved, changed, given a new secret, deleted.

Each is a form; whoever may not is refused by the function itself, as everywhere. What a person can mend is said beside the
form that they sent, with what they typed.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from msgspec import UNSET, UnsetType
from starlette.responses import Response

from tidings.clock import HOUR
from tidings.console.desk import Desk, Visit, check_form, done
from tidings.console.filled import FAULTS, filled_again
from tidings.console.hook_list import chosen, judge_target
from tidings.console.hook_page import show_hook, show_new_hook
from tidings.console.hook_settings import show_settings
from tidings.errors import Invalid
from tidings.hooks.changing import change_hook
from tidings.hooks.matching import Format, Order
from tidings.hooks.moving import move_hook
from tidings.hooks.pausing import pause_hook, resume_hook
from tidings.hooks.registry import delete_hook, get_hook
from tidings.hooks.secrets import renew_secret
from tidings.hooks.trying import try_hook
from tidings.hooks.verification import request_verification, validate
from tidings.store.database import Tx
from tidings.workspace.access import Caller

OVERLAPS = {"0": 0, "1": HOUR, "24": 24 * HOUR, "168": 168 * HOUR}  # by hours
MOST_AT_ONCE = 1_000  # exchanges under way for one hook


async def ask_verification(desk: Desk, visit: Visit) -> Response:
    """`POST /console/hooks/{hook_id}/verify`: the code goes out once more."""
    return await _do(desk, visit, partial(request_verification, now=visit.now), "code-sent")


async def pause(desk: Desk, visit: Visit) -> Response:
    """`POST /console/hooks/{hook_id}/pause`."""
    return await _do(desk, visit, partial(pause_hook, now=visit.now), "hook-paused")


async def resume(desk: Desk, visit: Visit) -> Response:
    """`POST /console/hooks/{hook_id}/resume`."""
    return await _do(desk, visit, resume_hook, "hook-resumed")


async def send_test(desk: Desk, visit: Visit) -> Response:
    """`POST /console/hooks/{hook_id}/test`: a delivery to try it."""
    return await _do(desk, visit, partial(try_hook, now=visit.now), "test-sent")


async def _do(desk: Desk, visit: Visit, act: Callable[[Tx, Caller, int], None], notice: str) -> Response:
    check_form(visit)
    hook_id = visit.ids["hook_id"]
    try:
        await desk.database.write(act, visit.caller, hook_id)
    except FAULTS as error:
        return await show_hook(desk, visit, filled_again("standing", {}, error))
    return done(f"/console/hooks/{hook_id}", notice)


async def enter_code(desk: Desk, visit: Visit) -> Response:
    """`POST /console/hooks/{hook_id}/validate`: the code that the URL was sent, typed in by hand."""
    check_form(visit)
    hook_id, code = visit.ids["hook_id"], visit.form.get("code", "").strip()
    if await desk.database.write(validate, visit.caller, hook_id, code, now=visit.now):
        return done(f"/console/hooks/{hook_id}", "hook-verified")
    wrong = Invalid("This is not the code that was sent, or it is no longer good", parameters={"field": "code"})
    return await show_hook(desk, visit, filled_again("code", {"code": ""}, wrong))


async def move(desk: Desk, visit: Visit) -> Response:
    """`POST /console/hooks/{hook_id}/url`: another URL, which is used once it has been verified."""
    check_form(visit)
    hook_id, url = visit.ids["hook_id"], visit.form.get("url", "").strip()
    try:
        hook = await desk.database.read(get_hook, visit.caller, hook_id)
        await judge_target(desk, visit, hook.ref_type, hook.ref_id, url)
        await desk.database.write(move_hook, visit.caller, hook_id, url, now=visit.now)
    except FAULTS as error:
        return await show_settings(desk, visit, filled_again("url", visit.form, error))
    return done(f"/console/hooks/{hook_id}", "hook-stays" if url == hook.url else "hook-moving")


async def change(desk: Desk, visit: Visit) -> Response:
    """`POST /console/hooks/{hook_id}/settings`: how it tells."""
    check_form(visit)
    hook_id = visit.ids["hook_id"]
    try:
        await desk.database.write(
            change_hook,
            visit.caller,
            hook_id,
            format=chosen(visit, "format", Format),  # type: ignore[arg-type]  # `chosen` has judged it
            order=chosen(visit, "order", Order),  # type: ignore[arg-type]  # likewise
            concurrency=_concurrency(visit.form),
            preserve_query=visit.form.get("preserve_query") == "on",
        )
    except FAULTS as error:
        return await show_settings(desk, visit, filled_again("settings", visit.form, error))
    return done(f"/console/hooks/{hook_id}/settings", "hook-changed")


def _concurrency(form: dict[str, str]) -> int | UnsetType | None:
    text = form.get("concurrency", "").strip()
    if not text:
        return None if "concurrency" in form else UNSET
    if not (text.isascii() and text.isdigit() and len(text) <= 4 and 1 <= int(text) <= MOST_AT_ONCE):
        raise Invalid(f"concurrency: must be a number from 1 to {MOST_AT_ONCE}", parameters={"field": "concurrency"})
    return int(text)


async def renew(desk: Desk, visit: Visit) -> Response:
    """`POST /console/hooks/{hook_id}/secret`: a new one, which the page that answers says."""
    check_form(visit)
    hook_id = visit.ids["hook_id"]
    try:
        overlap = OVERLAPS.get(visit.form.get("overlap", ""))
        if overlap is None:
            raise Invalid("overlap: must be one of those offered", parameters={"field": "overlap"})
        secret = await desk.database.write(renew_secret, visit.caller, desk.keyring, hook_id, overlap=overlap, now=visit.now)
    except FAULTS as error:
        return await show_settings(desk, visit, filled_again("secret", visit.form, error))
    return await show_new_hook(desk, visit, hook_id, secret)


async def delete(desk: Desk, visit: Visit) -> Response:
    """`POST /console/hooks/{hook_id}/delete`."""
    check_form(visit)
    hook = await desk.database.read(get_hook, visit.caller, visit.ids["hook_id"])
    await desk.database.write(delete_hook, visit.caller, hook.hook_id, now=visit.now)
    where = f"/console/spaces/{hook.space_id}/hooks" if hook.app_id is None else f"/console/apps/{hook.app_id}/developer"
    return done(where, "hook-deleted")
