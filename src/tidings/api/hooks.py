"""The hook endpoints (contract section 2), and what Podio does not have: one hook, changing it in place, pausing it, trying it,
a new secret for it; and the server's public keys.

What a hook is told of is no part of that: for another object or type one makes another hook.

A URL is judged here, before anything is written: what it says at once, and what its name resolves to within a moment
(`refuse_closed`). A name that does not resolve yet is let through, since hooks may be made ahead of what they call; the
guard judges again before every connection. Names are resolved only for those who may add hooks to the object, so that
nobody else can ask us what is in our network.
"""

from __future__ import annotations

import base64
from typing import Annotated, NotRequired, TypedDict, TypeVar

from msgspec import UNSET, Meta, Struct, UnsetType

from tidings.api.bylines import Byline, Via, byline, via
from tidings.api.call import Call
from tidings.api.shapes import Timestamp, one_of
from tidings.clock import SECOND
from tidings.delivery.guard import judge_url, refuse_closed
from tidings.delivery.tls import check_authority
from tidings.errors import Invalid
from tidings.hooks import changing, moving, pausing, registry, secrets, signing_keys, trying, verification
from tidings.hooks.matching import Format, Order, Signing
from tidings.hooks.reach import reach_hook, reach_place
from tidings.hooks.registry import HookRecord
from tidings.hooks.signing_keys import PublicSigningKey
from tidings.store.database import Tx
from tidings.wire.ed25519 import public_key_text
from tidings.wire.podio import timestamp
from tidings.workspace.access import Caller
from tidings.workspace.accounts.authors import Author, find_authors

T = TypeVar("T")

MOST_AT_ONCE = 1_000  # exchanges under way for one hook


Concurrency = Annotated[int, Meta(ge=1, le=MOST_AT_ONCE)]


class HookBody(Struct):
    """What a creation says. Podio has the first two; the others are ours (contract section 0, decisions 7 and 21)."""

    url: str
    type: str
    order: Order = "none"
    preserve_query: bool = False
    concurrency: Concurrency | None = None
    ca: str | None = None
    format: Format | None = None  # podio, if it is new
    signing: Signing | None = None  # hmac, if it is new


class HookChangesBody(Struct):
    """What is to be changed of a hook; what is not named stays. Another `url` is used once it has been verified."""

    url: str | UnsetType = UNSET
    format: Format | UnsetType = UNSET
    order: Order | UnsetType = UNSET
    concurrency: Concurrency | UnsetType | None = UNSET  # null: the server's setting
    preserve_query: bool | UnsetType = UNSET


class OverlapBody(Struct):
    """For how many seconds more the secret that a hook has had signs as well: a day, unless it says otherwise."""

    overlap: Annotated[int, Meta(ge=0, le=secrets.LONGEST_OVERLAP // SECOND)] = 86_400


class CodeBody(Struct):
    """The code that a hook's URL was sent."""

    code: str


class NewHookObject(TypedDict):
    """The hook's id, and its secret if it is new and has one: it is shown this once."""

    hook_id: int
    secret: NotRequired[str]


class SecretObject(TypedDict):
    """A hook's new secret, which is shown this once, and until when the former one signs as well."""

    hook_id: int
    secret: str
    former_until: Timestamp


class KeyObject(TypedDict):
    """A public key, as a JSON Web Key (RFC 8037), and as the Standard Webhooks specification writes it."""

    kty: str
    crv: str
    use: str
    alg: str
    kid: str
    x: str
    whpk: str
    exp: NotRequired[int]  # seconds since the epoch, when it stops to sign


class KeysObject(TypedDict):
    """The keys that sign at this moment, the newest first."""

    keys: list[KeyObject]


class HookObject(TypedDict):
    """A hook, and why it stands as it does."""

    hook_id: int
    status: Annotated[str, one_of("inactive", "active")]
    type: str
    url: str
    next_url: str | None
    created_on: Timestamp
    created_by: Byline
    created_via: Via
    ref_type: str
    ref_id: int
    order: Annotated[str, one_of("none", "object")]
    concurrency: int | None
    preserve_query: bool
    format: Annotated[str, one_of("podio", "json", "cloudevents", "cloudevents-binary")]
    signing: Annotated[str, one_of("hmac", "ed25519")]
    reason: str | None
    paused_on: Timestamp | None
    activated_on: Timestamp | None
    deactivated_on: Timestamp | None
    failures_in_row: int
    last_success_on: Timestamp | None
    last_failure_on: Timestamp | None
    last_failure_reason: str | None
    last_failure_status: int | None


async def create_hook(call: Call, body: HookBody) -> NewHookObject:
    """`POST /hook/{ref_type}/{ref_id}`: the hook's id, and its secret if it is new."""
    ref_type, ref_id = call.text("ref_type"), call.id("ref_id")
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
        format=body.format,
        signing=body.signing,
    )
    return {"hook_id": new.hook_id, "secret": new.secret} if new.secret else {"hook_id": new.hook_id}


async def get_hook(call: Call) -> HookObject:
    """`GET /hook/{hook_id}`: one hook."""
    hook, author = await call.read(_with_author, call.caller, call.id("hook_id"))
    return hook_object(hook, author, call.house.settings.public_url)


async def list_hooks(call: Call) -> list[HookObject]:
    """`GET /hook/{ref_type}/{ref_id}`: the hooks of one object."""
    hooks, authors = await call.read(_list_with_authors, call.caller, call.text("ref_type"), call.id("ref_id"))
    return [hook_object(hook, authors[hook.created_by], call.house.settings.public_url) for hook in hooks]


async def request_verification(call: Call) -> None:
    """`POST /hook/{hook_id}/verify/request`: the code goes out once more. Whatever body comes with it is not read."""
    await call.write(verification.request_verification, call.caller, call.id("hook_id"), now=call.now)


async def validate(call: Call, body: CodeBody) -> None:
    """`POST /hook/{hook_id}/verify/validate`: the hook is active from now on. Raises `Invalid` for a wrong code."""
    if not await call.write(verification.validate, call.caller, call.id("hook_id"), body.code, now=call.now):
        raise Invalid("The code is wrong or has expired", parameters={"field": "code"})


async def renew_secret(call: Call, body: OverlapBody) -> SecretObject:
    """`POST /hook/{hook_id}/secret`: a new secret; the one before it signs as well for `overlap` seconds."""
    hook_id, overlap = call.id("hook_id"), body.overlap * SECOND
    secret = await call.write(secrets.renew_secret, call.caller, call.house.keyring, hook_id, overlap=overlap, now=call.now)
    return {"hook_id": hook_id, "secret": secret, "former_until": timestamp(call.now + overlap)}


async def list_keys(call: Call) -> KeysObject:
    """`GET /.well-known/tidings-keys`: what anybody checks `v1a` signatures with."""
    return {"keys": [_key_object(key) for key in await call.read(signing_keys.list_keys, now=call.now)]}


async def update_hook(call: Call, body: HookChangesBody) -> HookObject:
    """`PUT /hook/{hook_id}`: the hook as it is after the change. It is told at its URL until another has been verified."""
    hook_id = call.id("hook_id")
    if not isinstance(body.url, UnsetType):
        destination = judge_url(body.url, call.house.allow)
        await call.read(reach_hook, call.caller, hook_id)
        await refuse_closed(call.house.guard, destination)
    hook, author = await call.write(_update, call.caller, hook_id, body, now=call.now)
    return hook_object(hook, author, call.house.settings.public_url)


async def pause_hook(call: Call) -> None:
    """`POST /hook/{hook_id}/pause`: what the hook hears of waits from now on."""
    await call.write(pausing.pause_hook, call.caller, call.id("hook_id"), now=call.now)


async def resume_hook(call: Call) -> None:
    """`POST /hook/{hook_id}/resume`: what has waited is sent, in its order."""
    await call.write(pausing.resume_hook, call.caller, call.id("hook_id"))


async def try_hook(call: Call) -> None:
    """`POST /hook/{hook_id}/test`: the hook, and no other, is told of something that has not happened."""
    await call.write(trying.try_hook, call.caller, call.id("hook_id"), now=call.now)


async def delete_hook(call: Call) -> None:
    """`DELETE /hook/{hook_id}`."""
    await call.write(registry.delete_hook, call.caller, call.id("hook_id"), now=call.now)


def _list_with_authors(tx: Tx, caller: Caller, ref_type: str, ref_id: int) -> tuple[list[HookRecord], dict[str, Author]]:
    hooks = registry.list_hooks(tx, caller, ref_type, ref_id)
    return hooks, find_authors(tx, {hook.created_by for hook in hooks})


def _with_author(tx: Tx, caller: Caller, hook_id: int) -> tuple[HookRecord, Author]:
    hook = registry.get_hook(tx, caller, hook_id)
    return hook, find_authors(tx, {hook.created_by})[hook.created_by]


def _update(tx: Tx, caller: Caller, hook_id: int, body: HookChangesBody, *, now: int) -> tuple[HookRecord, Author]:
    changing.change_hook(
        tx,
        caller,
        hook_id,
        format=_given(body.format),
        order=_given(body.order),
        concurrency=body.concurrency,
        preserve_query=_given(body.preserve_query),
    )
    if not isinstance(body.url, UnsetType):
        moving.move_hook(tx, caller, hook_id, body.url, now=now)
    return _with_author(tx, caller, hook_id)


def _given(value: T | UnsetType) -> T | None:
    return None if isinstance(value, UnsetType) else value


def hook_object(hook: HookRecord, author: Author, public_url: str) -> HookObject:
    """A hook as Podio writes it (contract section 2.3), and why it stands as it does (section 0, decision 12)."""
    return {
        "hook_id": hook.hook_id,
        "status": hook.status,
        "type": hook.type,
        "url": hook.url,
        "next_url": hook.next_url,
        "created_on": timestamp(hook.created_at),
        "created_by": byline(author, public_url),
        "created_via": via(author),
        "ref_type": hook.ref_type,
        "ref_id": hook.ref_id,
        "order": hook.order,
        "concurrency": hook.concurrency,
        "preserve_query": hook.preserve_query,
        "format": hook.format,
        "signing": hook.signing,
        "reason": hook.reason,
        "paused_on": _moment(hook.paused_at),
        "activated_on": _moment(hook.activated_at),
        "deactivated_on": _moment(hook.deactivated_at),
        "failures_in_row": hook.failures_in_row,
        "last_success_on": _moment(hook.last_success_at),
        "last_failure_on": _moment(hook.last_failure_at),
        "last_failure_reason": hook.last_reason,
        "last_failure_status": hook.last_status,
    }


def _key_object(key: PublicSigningKey) -> KeyObject:
    told: KeyObject = {
        "kty": "OKP",
        "crv": "Ed25519",
        "use": "sig",
        "alg": "EdDSA",
        "kid": str(key.key_id),
        "x": base64.urlsafe_b64encode(key.public).decode().rstrip("="),
        "whpk": public_key_text(key.public),
    }
    return told if key.retires_at is None else {**told, "exp": key.retires_at // SECOND}


def _moment(moment: int | None) -> str | None:
    return None if moment is None else timestamp(moment)
