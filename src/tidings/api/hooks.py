"""The hook endpoints (contract section 2), and nothing that Podio does not have: to change a hook is to make another.

A URL is judged here, before anything is written: what it says at once, and what its name resolves to within
`RESOLVE_SECONDS`. A name that does not resolve yet is let through, since hooks may be made ahead of what they call; the
guard judges again before every connection. Names are resolved only for those who may add hooks to the object, so that
nobody else can ask us what is in our network.
"""

from __future__ import annotations

import asyncio
from typing import Annotated, Literal

from msgspec import Meta, Struct

from tidings.api.bylines import byline, via
from tidings.api.call import Call
from tidings.delivery.destination import Destination
from tidings.delivery.guard import Guard, judge_url
from tidings.delivery.outcomes import NoConnection, Reason
from tidings.delivery.tls import check_authority
from tidings.errors import Invalid
from tidings.hooks import registry, verification
from tidings.hooks.reach import reach_place
from tidings.hooks.registry import HookRecord
from tidings.store.database import Tx
from tidings.wire.podio import timestamp
from tidings.workspace.access import Caller
from tidings.workspace.authors import Author, find_authors

RESOLVE_SECONDS = 2.0
MOST_AT_ONCE = 1_000  # exchanges under way for one hook


class HookBody(Struct):
    """What a creation says. Podio has the first two; the others are ours (contract section 0, decisions 7 and 21)."""

    url: str
    type: str
    order: Literal["none", "object"] = "none"
    preserve_query: bool = False
    concurrency: Annotated[int, Meta(ge=1, le=MOST_AT_ONCE)] | None = None
    ca: str | None = None


class CodeBody(Struct):
    """The code that a hook's URL was sent."""

    code: str


async def create_hook(call: Call) -> object:
    """`POST /hook/{ref_type}/{ref_id}`: the hook's id, and its secret if it is new."""
    ref_type, ref_id, body = call.text("ref_type"), call.id("ref_id"), call.body(HookBody)
    destination = judge_url(body.url, call.house.allow)
    if body.ca is not None:
        check_authority(body.ca)
    await call.read(reach_place, call.caller, ref_type, ref_id)
    await refuse_closed(call.house.guard, destination)
    new = await call.write(
        registry.create_hook,
        call.caller,
        call.house.keyring,
        ref_type,
        ref_id,
        body.url,
        body.type,
        now=call.now,
        limit=call.house.settings.hook_limit,
        order=body.order,
        concurrency=body.concurrency,
        preserve_query=body.preserve_query,
        ca=body.ca,
    )
    return {"hook_id": new.hook_id, **({"secret": new.secret} if new.secret else {})}


async def list_hooks(call: Call) -> object:
    """`GET /hook/{ref_type}/{ref_id}`: the hooks of one object."""
    hooks, authors = await call.read(_list_with_authors, call.caller, call.text("ref_type"), call.id("ref_id"))
    return [hook_object(hook, authors[hook.created_by], call.house.settings.public_url) for hook in hooks]


async def request_verification(call: Call) -> None:
    """`POST /hook/{hook_id}/verify/request`: the code goes out once more. Whatever body comes with it is not read."""
    await call.write(verification.request_verification, call.caller, call.id("hook_id"), now=call.now)


async def validate(call: Call) -> None:
    """`POST /hook/{hook_id}/verify/validate`: the hook is active from now on. Raises `Invalid` for a wrong code."""
    hook_id, body = call.id("hook_id"), call.body(CodeBody)
    if not await call.write(verification.validate, call.caller, hook_id, body.code, now=call.now):
        raise Invalid("The code is wrong or has expired", parameters={"field": "code"})


async def delete_hook(call: Call) -> None:
    """`DELETE /hook/{hook_id}`."""
    await call.write(registry.delete_hook, call.caller, call.id("hook_id"), now=call.now)


async def refuse_closed(guard: Guard, destination: Destination) -> None:
    """Raise `Invalid` when `destination` resolves, within `RESOLVE_SECONDS`, to what the guard refuses."""
    try:
        async with asyncio.timeout(RESOLVE_SECONDS):
            await guard.route(destination)
    except TimeoutError:
        return
    except NoConnection as error:
        if error.reason is Reason.REFUSED_ADDRESS:
            raise Invalid(f"The URL is refused: {error.detail}", parameters={"field": "url", "rule": "public"}) from None


def _list_with_authors(tx: Tx, caller: Caller, ref_type: str, ref_id: int) -> tuple[list[HookRecord], dict[str, Author]]:
    hooks = registry.list_hooks(tx, caller, ref_type, ref_id)
    return hooks, find_authors(tx, {hook.created_by for hook in hooks})


def hook_object(hook: HookRecord, author: Author, public_url: str) -> dict[str, object]:
    """A hook as Podio writes it (contract section 2.3), and why it stands as it does (section 0, decision 12)."""
    return {
        "hook_id": hook.hook_id,
        "status": hook.status,
        "type": hook.type,
        "url": hook.url,
        "created_on": timestamp(hook.created_at),
        "created_by": byline(author, public_url),
        "created_via": via(author),
        "ref_type": hook.ref_type,
        "ref_id": hook.ref_id,
        "order": hook.order,
        "reason": hook.reason,
        "activated_on": _moment(hook.activated_at),
        "deactivated_on": _moment(hook.deactivated_at),
        "failures_in_row": hook.failures_in_row,
        "last_success_on": _moment(hook.last_success_at),
        "last_failure_on": _moment(hook.last_failure_at),
        "last_failure_reason": hook.last_reason,
        "last_failure_status": hook.last_status,
    }


def _moment(moment: int | None) -> str | None:
    return None if moment is None else timestamp(moment)
