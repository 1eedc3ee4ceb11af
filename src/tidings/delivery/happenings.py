"""What happened in the place that a hook hangs on, and which of it came nearest to being told to the hook.

Events have no index by app or space, since each would cost every event of the hot path. So the newest events of the whole
server are looked through, and where few of them are the app's, those of the items that changed last: on a server where much
else happens, that is where somebody who asks has just made a change.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

import msgspec
from msgspec import Struct
from sqlalchemy import RowMapping, and_, bindparam, select

from tidings.delivery.delivery_rows import describe
from tidings.delivery.evidence import Happened
from tidings.delivery.wording import at
from tidings.events.types import VERIFY
from tidings.hooks.misses import Happening, Kind, Listener, miss_of, nearest_miss
from tidings.store.database import Tx
from tidings.store.schema import events, hooks, items

SCANNED = 1_000  # events of the whole server, the newest
FEW = 50  # of the place among them: with fewer, items are looked at as well
ITEMS = 20  # of the app, changed last
CONSIDERED = 200  # events that may be the nearest miss, the newest
OTHERS = 5  # hooks beside it that are named

# What kept the hook from hearing, the nearest first. `changed`, where nobody is to hear at all, is nearest of all.
_NEARNESS: tuple[Kind, ...] = ("changed", "inactive", "unverified", "later", "deleted", "field", "type", "place")
_field_ids = msgspec.json.Decoder(list[int]).decode


class Seen(Struct, frozen=True, gc=False):
    """One event."""

    event_id: int
    type: str
    app_id: int | None
    space_id: int | None
    object_type: str
    object_id: int
    parameters: str
    field_ids: str
    unheard_reason: str | None
    created_at: int
    matched: int | None
    test: bool


def read_happened(tx: Tx, hook: RowMapping, told: Mapping[int, int], *, more: bool, since: int) -> Happened:
    """The events from `since` on. `hook` is its row. `told`: when what it was told of last happened, by the event's id; `more`
    says that it was told of more before."""
    seen, not_all_seen = _seen(tx, hook, since)
    heard = [created_at for created_at in told.values() if created_at >= since]
    known_from = min(told, default=0) if more else 0  # of what is older than that it may have been told
    missed = [each for each in seen if each.event_id not in told and each.event_id > known_from]
    listener = Listener(**{name: hook[name] for name in Listener.__struct_fields__})
    miss, missed_by = _nearest(missed[:CONSIDERED], listener, but_type=bool(heard))
    return Happened(
        counts=dict(Counter(each.type for each in seen).most_common()),
        more=not_all_seen,
        heard=len(heard),
        heard_more=more and len(heard) == len(told),
        last_heard_at=max(heard, default=None),
        waiting=sum(each.matched is None for each in missed),
        miss=miss,
        missed_by=missed_by,
        others=_others(tx, hook),
    )


def _seen(tx: Tx, hook: RowMapping, since: int) -> tuple[list[Seen], bool]:
    """The events of the hook's place, the newest first; and whether there may be others."""
    newest = [Seen(*row) for row in tx.execute(_NEWEST)]
    more = len(newest) == SCANNED and newest[-1].created_at >= since
    there = [each for each in newest if each.created_at >= since and _is_there(each, hook)]
    if more and len(there) < FEW and hook["app_id"] is not None:
        of_items = [Seen(*row) for row in tx.execute(_OF_ITEMS, {"app_id": hook["app_id"]})]
        known = {each.event_id for each in there}
        there += [each for each in of_items if each.event_id not in known and each.created_at >= since and _is_there(each, hook)]
    return there, more


def _is_there(event: Seen, hook: RowMapping) -> bool:
    if event.type == VERIFY.name or event.test:
        return False
    return bool(event.space_id == hook["space_id"] if hook["app_id"] is None else event.app_id == hook["app_id"])


_EVENTS = select(*(events.c[name] for name in Seen.__struct_fields__))
_NEWEST = _EVENTS.order_by(events.c.event_id.desc()).limit(SCANNED)
_CHANGED = (
    select(items.c.item_id)
    .where(items.c.app_id == bindparam("app_id"), items.c.deleted_at.is_(None))
    .order_by(items.c.last_event_at.desc())
    .limit(ITEMS)
)
_OF_ITEMS = (
    _EVENTS.where(events.c.object_type == "item", events.c.object_id.in_(_CHANGED)).order_by(events.c.event_id.desc()).limit(CONSIDERED)
)


def _nearest(missed: Iterable[Seen], hook: Listener, *, but_type: bool) -> tuple[str, str]:
    """The event that came nearest, and why it was none: as sentences, and in a word. `but_type`: another type does not count."""
    ranked = [(rank, each) for each in missed if (rank := _rank(_happening(each), hook)) is not None]
    if not ranked:
        return "", ""
    rank, event = min(ranked, key=lambda each: each[0])  # of those alike the first, which is the newest
    if but_type and rank >= _NEARNESS.index("type"):
        return "", ""
    what = describe(event.object_type, event.object_id, event.parameters)
    why = nearest_miss(_happening(event), [hook])
    return f"{event.type} of {what}, at {at(event.created_at)}. {why.sentence}", event.unheard_reason or why.kind


def _rank(event: Happening, hook: Listener) -> int | None:
    miss = miss_of(event, hook)
    return None if miss is None or event.matched is None else _NEARNESS.index(miss.kind)


def _happening(event: Seen) -> Happening:
    return Happening(
        event.type, event.app_id, event.space_id, _field_ids(event.field_ids), event.created_at, event.unheard_reason, event.matched
    )


def _others(tx: Tx, hook: RowMapping) -> tuple[tuple[int, str], ...]:
    """Only those of the very app or space: who may see the one may not see the other."""
    app_id = hook["app_id"]
    beside = hooks.c.app_id == app_id if app_id is not None else and_(hooks.c.ref_type == "space", hooks.c.ref_id == hook["ref_id"])
    active = (hooks.c.status == "active", hooks.c.deleted_at.is_(None), hooks.c.hook_id != hook["hook_id"])
    found = tx.execute(select(hooks.c.hook_id, hooks.c.type).where(beside, *active).order_by(hooks.c.hook_id).limit(OTHERS))
    return tuple((hook_id, type) for hook_id, type in found)
