"""Hooks: make one, read one, list those of an object or a place, delete one.

Who has the right `add_hook` on the object (its admin, or an app on itself) may do all of it; but what a user made, an
app's token does not delete (contract section 2.1). The same url, type and object again answer the hook that is there
already, or is moving there (section 0, decision 15), unless it was made for another format or signature than is asked for
now. Every change moves `hooks_version`, so that no process matches with a stale index.

The URL is judged by the caller, against the operator's allow-list; here it is only text.
"""

from __future__ import annotations

from msgspec import Struct
from sqlalchemy import ColumnElement, RowMapping, func, insert, or_, select, update

from tidings.errors import Conflict, Forbidden, Invalid
from tidings.events.types import EVENT_TYPES
from tidings.hooks.matching import Format, Signing
from tidings.hooks.reach import Place, check_ref_type, hooks_changed, reach_hook, reach_place, take_turns
from tidings.hooks.secrets import make_secret
from tidings.hooks.signing_keys import ensure_key
from tidings.hooks.verification import send_code
from tidings.store.database import Tx
from tidings.store.schema import apps, hook_counters, hook_health, hooks
from tidings.store.sealing import Keyring
from tidings.workspace.access import Caller, reach_app, reach_space
from tidings.workspace.names import not_one_of

LONGEST_LIST = 500  # hooks that are listed at once


class NewHook(Struct, frozen=True):
    """The answer to a creation. `secret` is None where the hook was there already (it is shown once), or needs none."""

    hook_id: int
    secret: str | None = None

    def __repr__(self) -> str:
        return f"NewHook({self.hook_id})"


class HookRecord(Struct, frozen=True):
    """A hook as people see it. Moments are microseconds since the epoch; `created_by` is an author."""

    hook_id: int
    ref_type: str
    ref_id: int
    app_id: int | None  # what it hangs on is this app or one of its fields; None for a space's hook
    space_id: int
    type: str
    url: str
    next_url: str | None  # will be used once it has been verified
    status: str  # active | inactive
    paused_at: int | None  # since when what it hears of waits
    reason: str | None  # why it is inactive: unverified | failing | gone
    verify_expires_at: int | None  # of the code that was sent and not validated yet; None where there is none
    verify_tries: int  # with wrong codes
    created_by: str
    created_at: int
    activated_at: int | None
    deactivated_at: int | None
    order: str
    concurrency: int | None  # None: the server's setting
    preserve_query: bool
    format: str
    signing: str
    former_secret_until: int | None  # the secret before the present one signs as well until then
    failures_in_row: int
    last_success_at: int | None
    last_failure_at: int | None
    last_reason: str | None
    last_status: int | None
    last_answer: bytes | None  # to the last failed attempt, its beginning


def create_hook(
    tx: Tx,
    caller: Caller,
    keyring: Keyring,
    ref_type: str,
    ref_id: int,
    url: str,
    type: str,
    *,
    now: int,
    limit: int,
    order: str = "none",
    concurrency: int | None = None,
    preserve_query: bool = False,
    ca: str | None = None,
    format: Format | None = None,
    signing: Signing | None = None,
) -> NewHook:
    """Make a hook, inactive until its URL has proved that it wants it; a verification goes out at once.

    Raises `Invalid` for a type or ref_type that does not exist or do not go together, and at `limit` hooks of one type
    on one object; `Conflict` where the hook is there with another `format` or `signing` (None: whichever);
    `NotFound`, `Forbidden` and `Gone` as the object itself does.
    """
    _check_pairing(ref_type, type)
    place = reach_place(tx, caller, ref_type, ref_id)
    take_turns(tx, place)
    alike = alike_hooks(ref_type, ref_id, type)
    if existing := tx.execute(select(hooks).where(*alike, at_url(url))).mappings().first():
        _check_same(existing, format, signing)
        if existing["status"] == "inactive" or existing["next_url"] == url:
            send_code(tx, existing, caller, now=now)
        return NewHook(existing["hook_id"])
    _check_limit(tx, alike, type, limit)
    row = {
        "ref_type": ref_type,
        "ref_id": ref_id,
        "app_id": place.app_id,
        "space_id": place.space_id,
        "type": type,
        "url": url,
        "status": "inactive",
        "reason": "unverified",
        "delivery_order": order,
        "concurrency": concurrency,
        "preserve_query": preserve_query,
        "ca": ca,
        "format": format or "podio",
        "signing": signing or "hmac",
        "created_by": caller.author,
        "created_at": now,
    }
    return _write_hook(tx, caller, keyring, row, now=now)


def get_hook(tx: Tx, caller: Caller, hook_id: int) -> HookRecord:
    """One hook. Raises `NotFound` (also for a deleted one), `Forbidden`, `Gone`."""
    reach_hook(tx, caller, hook_id)
    return _record(tx.execute(_WITH_HEALTH.where(hooks.c.hook_id == hook_id)).mappings().one())


def list_hooks(tx: Tx, caller: Caller, ref_type: str, ref_id: int) -> list[HookRecord]:
    """The hooks of one object, in the order they were made. Raises as `create_hook` does."""
    reach_place(tx, caller, ref_type, ref_id)
    return _list(tx, hooks.c.ref_type == ref_type, hooks.c.ref_id == ref_id)


def list_place_hooks(tx: Tx, caller: Caller, app_id: int, *, after: int = 0, limit: int = LONGEST_LIST) -> list[HookRecord]:
    """The hooks of an app and of its fields, in the order they were made; `after` is the id of the last one known.

    Raises `NotFound`, `Forbidden`, `Gone` as the app does.
    """
    reach_app(tx, caller, app_id, "admin")
    return _list(tx, hooks.c.app_id == app_id, after=after, limit=limit)


def list_space_hooks(tx: Tx, caller: Caller, space_id: int, *, after: int = 0, limit: int = LONGEST_LIST) -> list[HookRecord]:
    """The hooks of a space, of its apps and of their fields, likewise."""
    reach_space(tx, caller, space_id, "admin")
    return _list(tx, hooks.c.space_id == space_id, after=after, limit=limit)


def delete_hook(tx: Tx, caller: Caller, hook_id: int, *, now: int) -> None:
    """Delete a hook; what it was still to be told is cancelled. Raises `NotFound`, `Forbidden`."""
    hook = reach_hook(tx, caller, hook_id)
    if caller.kind == "app" and Caller.from_author(hook["created_by"]).kind == "user":
        raise Forbidden("A hook that a user created is deleted by a user, not with an app's token")
    take_turns(tx, Place(hook["app_id"], hook["space_id"]))
    tx.execute(update(hooks).where(hooks.c.hook_id == hook_id).values(deleted_at=now, status="inactive", verify_code=None))
    if hook["format"] != "podio":
        count_full_hooks(tx, hook["app_id"])
    hooks_changed(tx)


def alike_hooks(ref_type: str, ref_id: int, type: str) -> tuple[ColumnElement[bool], ...]:
    """The hooks of one type on one object."""
    return hooks.c.ref_type == ref_type, hooks.c.ref_id == ref_id, hooks.c.type == type, hooks.c.deleted_at.is_(None)


def at_url(url: str) -> ColumnElement[bool]:
    """Of these, the one that delivers to `url` or is moving there."""
    return or_(hooks.c.url == url, hooks.c.next_url == url)


def count_full_hooks(tx: Tx, app_id: int | None) -> None:
    """Let the app know how many of its hooks are told of the whole object: see `NewEvent.object`."""
    if app_id is None:
        return
    full = select(func.count()).where(hooks.c.app_id == app_id, hooks.c.format != "podio", hooks.c.deleted_at.is_(None))
    tx.execute(update(apps).where(apps.c.app_id == app_id).values(full_hooks=full.scalar_subquery()))


def _check_pairing(ref_type: str, type: str) -> None:
    check_ref_type(ref_type)
    offered = [name for name, event_type in EVENT_TYPES.items() if event_type.scopes]
    if type not in offered:
        raise not_one_of(type, offered, "type")
    if ref_type not in EVENT_TYPES[type].scopes:
        raise Invalid(f"Hook type {type} is not allowed for this object", parameters={"type": type, "ref_type": ref_type})


def _check_same(existing: RowMapping, format: Format | None, signing: Signing | None) -> None:
    if (format or existing["format"], signing or existing["signing"]) != (existing["format"], existing["signing"]):
        raise Conflict(
            f"This object has a hook of this type and URL already, in the format {existing['format']}, signed with {existing['signing']}",
            parameters={"hook_id": existing["hook_id"]},
        )


def _check_limit(tx: Tx, alike: tuple[ColumnElement[bool], ...], type: str, limit: int) -> None:
    count = tx.execute(select(func.count()).select_from(hooks).where(*alike)).scalar_one()
    if count >= limit:
        raise Invalid(f"This object has {limit} hooks of type {type} already, which is the limit", parameters={"limit": limit})


def _write_hook(tx: Tx, caller: Caller, keyring: Keyring, row: dict[str, object], *, now: int) -> NewHook:
    written = tx.execute(insert(hooks).values(**row, secret_sealed=b"").returning(hooks)).mappings().one()
    hook_id: int = written["hook_id"]
    secret = None
    if written["signing"] == "hmac":
        secret, sealed = make_secret(keyring, hook_id)  # sealed for this very id, so the row had to be there first
        tx.execute(update(hooks).where(hooks.c.hook_id == hook_id).values(secret_sealed=sealed))
    else:
        ensure_key(tx, keyring, now=now)
    if written["format"] != "podio":
        count_full_hooks(tx, written["app_id"])
    tx.execute(insert(hook_counters).values(hook_id=hook_id, last_sequence=0))
    tx.execute(insert(hook_health).values(hook_id=hook_id, failures_in_row=0))
    send_code(tx, written, caller, now=now)
    hooks_changed(tx)
    return NewHook(hook_id, secret)


_WITH_HEALTH = select(hooks, hook_health).join(hook_health, hook_health.c.hook_id == hooks.c.hook_id)


def _list(tx: Tx, *wanted: ColumnElement[bool], after: int = 0, limit: int | None = None) -> list[HookRecord]:
    those = (*wanted, hooks.c.deleted_at.is_(None), hooks.c.hook_id > after)
    return [_record(row) for row in tx.execute(_WITH_HEALTH.where(*those).order_by(hooks.c.hook_id).limit(limit)).mappings()]


def _record(row: RowMapping) -> HookRecord:
    values = {name: row[name] for name in HookRecord.__struct_fields__ if name in row}
    values["order"] = row["delivery_order"]
    values["verify_expires_at"] = row["verify_expires_at"] if row["verify_code"] is not None else None
    return HookRecord(**values)
