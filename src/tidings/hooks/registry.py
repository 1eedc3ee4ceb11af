"""Hooks: make one, list those of an object, delete one.

Who has the right `add_hook` on the object (its admin, or an app on itself) may do all three; but what a user made, an
app's token does not delete (contract section 2.1). The same url, type and object again answer the hook that is there
already (section 0, decision 15), unless it was made for another format or signature than is asked for now. Every change
moves `hooks_version`, so that no process matches with a stale index.

The URL is judged by the caller, against the operator's allow-list; here it is only text.
"""

from __future__ import annotations

from msgspec import Struct
from sqlalchemy import ColumnElement, RowMapping, func, insert, select, update

from tidings.errors import Conflict, Forbidden, Invalid
from tidings.events.types import EVENT_TYPES
from tidings.hooks.matching import Format, Signing
from tidings.hooks.reach import Place, check_ref_type, hooks_changed, reach_hook, reach_place
from tidings.hooks.secrets import make_secret
from tidings.hooks.signing_keys import ensure_key
from tidings.hooks.verification import send_code
from tidings.store.database import Tx
from tidings.store.schema import apps, hook_counters, hook_health, hooks, spaces
from tidings.store.sealing import Keyring
from tidings.workspace.access import Caller
from tidings.workspace.names import not_one_of


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
    type: str
    url: str
    status: str  # active | inactive
    reason: str | None  # why it is inactive: unverified | failing | gone
    created_by: str
    created_at: int
    activated_at: int | None
    deactivated_at: int | None
    order: str
    format: str
    signing: str
    failures_in_row: int
    last_success_at: int | None
    last_failure_at: int | None
    last_reason: str | None
    last_status: int | None


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
    _take_turns(tx, place)
    alike = (hooks.c.ref_type == ref_type, hooks.c.ref_id == ref_id, hooks.c.type == type, hooks.c.deleted_at.is_(None))
    if existing := tx.execute(select(hooks).where(*alike, hooks.c.url == url)).mappings().first():
        _check_same(existing, format, signing)
        if existing["status"] == "inactive":
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


def list_hooks(tx: Tx, caller: Caller, ref_type: str, ref_id: int) -> list[HookRecord]:
    """The hooks of one object, in the order they were made. Raises as `create_hook` does."""
    reach_place(tx, caller, ref_type, ref_id)
    wanted = (hooks.c.ref_type == ref_type, hooks.c.ref_id == ref_id, hooks.c.deleted_at.is_(None))
    return [_record(row._mapping) for row in tx.execute(_WITH_HEALTH.where(*wanted).order_by(hooks.c.hook_id))]


def delete_hook(tx: Tx, caller: Caller, hook_id: int, *, now: int) -> None:
    """Delete a hook; what it was still to be told is cancelled. Raises `NotFound`, `Forbidden`."""
    hook = reach_hook(tx, caller, hook_id)
    if caller.kind == "app" and Caller.from_author(hook["created_by"]).kind == "user":
        raise Forbidden("A hook that a user created is deleted by a user, not with an app's token")
    _take_turns(tx, Place(hook["app_id"], hook["space_id"]))
    tx.execute(update(hooks).where(hooks.c.hook_id == hook_id).values(deleted_at=now, status="inactive", verify_code=None))
    _count_full(tx, hook)
    hooks_changed(tx)


def _check_pairing(ref_type: str, type: str) -> None:
    check_ref_type(ref_type)
    offered = [name for name, event_type in EVENT_TYPES.items() if event_type.scopes]
    if type not in offered:
        raise not_one_of(type, offered, "type")
    if ref_type not in EVENT_TYPES[type].scopes:
        raise Invalid(f"Hook type {type} is not allowed for this object", parameters={"type": type, "ref_type": ref_type})


def _take_turns(tx: Tx, place: Place) -> None:
    """Lock the object, so that two creations at once see each other (SQLite takes turns anyway)."""
    table, key, number = (apps, apps.c.app_id, place.app_id) if place.app_id else (spaces, spaces.c.space_id, place.space_id)
    tx.execute(select(key).select_from(table).where(key == number).with_for_update())


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
    _count_full(tx, written)
    tx.execute(insert(hook_counters).values(hook_id=hook_id, last_sequence=0))
    tx.execute(insert(hook_health).values(hook_id=hook_id, failures_in_row=0))
    send_code(tx, written, caller, now=now)
    hooks_changed(tx)
    return NewHook(hook_id, secret)


def _count_full(tx: Tx, hook: RowMapping) -> None:
    """Let the app know how many of its hooks are told of the whole object, where this is one: see `NewEvent.object`."""
    if hook["format"] == "podio" or hook["app_id"] is None:
        return
    full = select(func.count()).where(hooks.c.app_id == hook["app_id"], hooks.c.format != "podio", hooks.c.deleted_at.is_(None))
    tx.execute(update(apps).where(apps.c.app_id == hook["app_id"]).values(full_hooks=full.scalar_subquery()))


_WITH_HEALTH = select(hooks, hook_health).join(hook_health, hook_health.c.hook_id == hooks.c.hook_id)


def _record(row: RowMapping) -> HookRecord:
    values = {name: row[name] for name in HookRecord.__struct_fields__ if name != "order"}
    return HookRecord(**values, order=row["delivery_order"])
