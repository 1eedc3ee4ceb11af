"""The ledger of an item: each thing that happened to it, which hooks were told and how that went, or why none was.

It outlives the item. Tests of hooks are not in it: nothing happened. An app's own token sees the hooks that it may change,
those of the app and its fields; the space's are for the admins of the space.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec
from msgspec import Struct
from sqlalchemy import Integer, bindparam, false, literal_column, select

from tidings.delivery.showing import read_labels
from tidings.hooks.listeners import listeners_around
from tidings.hooks.misses import Happening, Listener, why_none
from tidings.store.database import Tx
from tidings.store.schema import deliveries, events, hooks
from tidings.store.statements import Statement
from tidings.workspace.access import Caller
from tidings.workspace.fields.fields import load_fields
from tidings.workspace.items.items import reach_item

LONGEST_PAGE = 50
_NEWEST_OF_ALL = 2**62


class LedgerDelivery(Struct, frozen=True):
    """One hook that was told. Moments are microseconds since the epoch."""

    hook_id: int
    url: str
    sequence: int
    state: str
    attempts: int
    reason: str | None
    due_at: int
    ended_at: int | None
    deleted: bool  # the hook is no longer there


class LedgerEntry(Struct, frozen=True):
    """One thing that happened. `created_at` is microseconds since the epoch, `created_by` an author."""

    event_id: int
    type: str
    created_at: int
    created_by: str
    parameters: dict[str, str]
    changed: list[str]  # the labels of the fields that it set, changed or took away
    revision: int | None  # of the item, where the event made one
    cause: str | None  # the delivery that led to it, as `hook_id-sequence`
    deliveries: list[LedgerDelivery]  # by hook
    why_none: str | None  # a sentence; None where hooks were told


def item_ledger(tx: Tx, caller: Caller, item_id: int, *, before: int | None = None, limit: int = 20) -> list[LedgerEntry]:
    """What happened to an item, the newest first, before the event `before`. Raises `NotFound`, `Forbidden`, `Gone`."""
    item, app = reach_item(tx, caller, item_id, "admin", even_deleted=True)
    asked = {"item_id": item_id, "before": before or _NEWEST_OF_ALL, "limit": max(1, min(limit, LONGEST_PAGE))}
    happened = [_Happened(*row) for row in _EVENTS.all(tx, asked)]
    told = _told(tx, caller, [event.event_id for event in happened])
    reasons = _Reasons(tx, caller, item.app_id, app["space_id"])
    return [_entry(event, told.get(event.event_id, []), reasons) for event in happened]


class _Happened(Struct, frozen=True):
    """A row of `events`, as it is kept."""

    event_id: int
    type: str
    app_id: int | None
    space_id: int | None
    parameters: str
    field_ids: str
    changes: str
    unheard_reason: str | None
    cause: str | None
    created_by: str
    created_at: int
    matched: int | None


_EVENTS = Statement(
    select(*(events.c[name] for name in _Happened.__struct_fields__))
    .where(
        events.c.object_type == literal_column("'item'"),
        events.c.object_id == bindparam("item_id"),
        events.c.event_id < bindparam("before"),
        events.c.test.is_(false()),
    )
    .order_by(events.c.event_id.desc())
    .limit(bindparam("limit"))
    .offset(literal_column("0", Integer))
)

_parameters = msgspec.json.Decoder(dict[str, str]).decode
_field_ids = msgspec.json.Decoder(list[int]).decode


def _entry(event: _Happened, told: list[LedgerDelivery], reasons: _Reasons) -> LedgerEntry:
    parameters = _parameters(event.parameters)
    revision = parameters.get("item_revision_id")
    return LedgerEntry(
        event_id=event.event_id,
        type=event.type,
        created_at=event.created_at,
        created_by=event.created_by,
        parameters=parameters,
        changed=read_labels(event.changes),
        revision=None if revision is None else int(revision),
        cause=event.cause,
        deliveries=told,
        why_none=None if told else reasons.why_none(event),
    )


# --- who was told --------------------------------------------------------------------------------------------------------


def _told(tx: Tx, caller: Caller, event_ids: Sequence[int]) -> dict[int, list[LedgerDelivery]]:
    """What the hooks were told of each event, as far as the caller may see the hooks."""
    rows = tx.execute(_DELIVERIES, {"ids": event_ids}).all()
    seen = {hook.hook_id: hook for hook in _hooks(tx, {row.hook_id for row in rows}) if may_see(caller, hook.app_id)}
    told: dict[int, list[LedgerDelivery]] = {}
    for event_id, hook_id, sequence, state, tried, reason, due_at, ended_at in rows:
        if hook := seen.get(hook_id):
            one = LedgerDelivery(hook_id, hook.url, sequence, state, tried, reason, due_at, ended_at, hook.deleted_at is not None)
            told.setdefault(event_id, []).append(one)
    return told


def may_see(caller: Caller, app_id: int | None) -> bool:
    """Whether a caller who has been let into an app may see a hook that hangs on `app_id` (None: on the space)."""
    return caller.kind != "app" or app_id is not None


class _Told(Struct, frozen=True):
    """A hook, as its row has it."""

    hook_id: int
    url: str
    app_id: int | None
    deleted_at: int | None


_DELIVERIES = (
    select(
        deliveries.c.event_id,
        deliveries.c.hook_id,
        deliveries.c.sequence,
        deliveries.c.state,
        deliveries.c.attempts,
        deliveries.c.reason,
        deliveries.c.due_at,
        deliveries.c.ended_at,
    )
    .where(deliveries.c.event_id.in_(bindparam("ids", expanding=True)))
    .order_by(deliveries.c.event_id, deliveries.c.hook_id)
)
_HOOKS = select(hooks.c.hook_id, hooks.c.url, hooks.c.app_id, hooks.c.deleted_at).where(
    hooks.c.hook_id.in_(bindparam("ids", expanding=True))
)


def _hooks(tx: Tx, hook_ids: Iterable[int]) -> list[_Told]:
    return [_Told(*row) for row in tx.execute(_HOOKS, {"ids": sorted(hook_ids)})]


# --- why none was ----------------------------------------------------------------------------------------------------------


class _Reasons:
    """Why no hook was told; what that takes is read once, and only where it is asked."""

    def __init__(self, tx: Tx, caller: Caller, app_id: int, space_id: int) -> None:
        self._tx = tx
        self._caller = caller
        self._app_id = app_id
        self._space_id = space_id
        self._around: tuple[list[Listener], dict[int, str]] | None = None

    def why_none(self, event: _Happened) -> str:
        if event.matched:
            return "Only hooks of the space heard of it, and an app's token does not see those."
        listeners, labels = self._read()
        field_ids = _field_ids(event.field_ids)
        happening = Happening(
            event.type, event.app_id, event.space_id, field_ids, event.created_at, event.unheard_reason, event.matched
        )  # fmt: skip
        return why_none(happening, listeners, labels)

    def _read(self) -> tuple[list[Listener], dict[int, str]]:
        if self._around is None:
            around = listeners_around(self._tx, self._app_id, self._space_id)
            labels = {field.field_id: field.config.label for field in load_fields(self._tx, self._app_id)}
            self._around = [hook for hook in around if may_see(self._caller, hook.app_id)], labels
        return self._around
