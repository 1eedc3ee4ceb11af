"""Release: gives the line the next piece of each replay that runs, in order of sequence, spaced by its rate.

The problem: a replay may mean a million deliveries. Made due at once they would stand before everybody's retries, and fill
an index that all claims walk. Made due one by one they would cost a transaction each.

The strategy: a piece holds what is due within the next half second, each with a time of its own, so that claims find it when
its turn comes, between what else is due. How far a replay is stands in its row and moves in the transaction that releases, so
a crash leaves both or neither, and whoever comes next goes on there; on PostgreSQL a row that another process is at is
skipped. While what was released piles up (its receiver is down, or slower than the rate) nothing more is released: a replay
has a second of its rate waiting, or `LEAST_BEHIND`, and its hook's new events wait behind that much at most. What waits for
its next attempt does not count: one delivery that fails for two days holds nobody back, unless its hook keeps order and all
the rest is behind it.

What has become pending or been sent since it was meant is left alone. A replay whose hook is paused waits with it; one whose
hook is no longer active, or deleted, is stopped.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from msgspec import Struct
from sqlalchemy import RowMapping, bindparam, func, select, update

from tidings.clock import SECOND
from tidings.delivery.deliveries import NOBODY
from tidings.delivery.replay import meant, wanted_of
from tidings.store.database import Tx
from tidings.store.rows import update_rows
from tidings.store.schema import deliveries, events, hooks, replays

AHEAD = SECOND // 2  # how long before it is due something may be released
BATCH = 1_000  # deliveries a transaction
AT_ONCE = 20  # replays a transaction
SPAN = 5_000  # sequences that are looked through at a time, whatever they hold
BEHIND = 1  # seconds of the rate that may wait for their turn
LEAST_BEHIND = 50  # deliveries that may, however low the rate is

State = Literal["started", "finished", "stopped"]


class Turned(Struct, frozen=True):
    """A replay that has started, or is over."""

    replay_id: int
    hook_id: int
    state: State
    released: int


class Released(Struct, frozen=True):
    """What one transaction did."""

    deliveries: int
    turned: list[Turned]
    more: bool  # there is more to do at once


def any_running(tx: Tx) -> bool:
    """Whether there is a replay to look after."""
    return tx.execute(_ANY).first() is not None


def release(tx: Tx, *, now: int) -> Released:
    """Release what of the running replays is due within `AHEAD`. `now` is in microseconds since the epoch."""
    rows = tx.execute(_RUNNING, {"soon": now + AHEAD}).mappings().all()
    left, more, turned = BATCH, False, list[Turned]()
    for replay in rows:
        if not left:
            more = True
            break
        step = _advance(tx, replay, left, now)
        tx.execute(update(replays).where(replays.c.replay_id == replay["replay_id"]).values(**step.values))
        left -= step.released
        more = more or step.hurried or (len(rows) == AT_ONCE and not step.waits)
        turned += _turned(replay, step)
    return Released(BATCH - left, turned, more)


_ANY = select(replays.c.replay_id).where(replays.c.ended_at.is_(None)).limit(1)
_RUNNING = (
    select(replays, hooks.c.status, hooks.c.paused_at, hooks.c.deleted_at)
    .join(hooks, hooks.c.hook_id == replays.c.hook_id)
    .where(replays.c.ended_at.is_(None), replays.c.due_at < bindparam("soon"))
    .order_by(replays.c.due_at)
    .limit(AT_ONCE)
    .with_for_update(of=replays, skip_locked=True)
)


class _Step(Struct, frozen=True):
    """What becomes of a replay's row."""

    values: dict[str, object]
    released: int = 0
    hurried: bool = False  # there is more to release for this very moment
    waits: bool = False  # nothing could be done: were that taken for work, as many as a round takes would keep us spinning


def _advance(tx: Tx, replay: RowMapping, room: int, now: int) -> _Step:
    """Release as much of one replay as is due."""
    if replay["state"] != "running":
        return _Step({"ended_at": now})  # somebody has stopped it
    if replay["status"] != "active" or replay["deleted_at"] is not None:
        return _Step({"state": "stopped", "ended_at": now})
    if replay["paused_at"] is not None or _piles_up(tx, replay, now):
        return _Step({"due_at": now + AHEAD - 1}, waits=True)  # looked at again with the next round, after the others
    return _release_piece(tx, replay, room, now)


def _piles_up(tx: Tx, replay: RowMapping, now: int) -> bool:
    """Whether as much as may be waits for its turn, among what was released last."""
    most: int = max(LEAST_BEHIND, BEHIND * replay["rate"])
    place = {"hook": replay["hook_id"], "next": replay["next_sequence"], "many": 2 * most, "now": now}
    waiting: int = tx.execute(_WAITING, place).scalar_one()
    return waiting >= most


# By numbers alone first, which are all in the index of what waits: SQLite would walk past all that has ended.
_newest = deliveries.alias("newest")
_NUMBERS = (
    select(_newest.c.sequence)
    .where(_newest.c.hook_id == bindparam("hook"), _newest.c.ended_at.is_(None), _newest.c.sequence < bindparam("next"))
    .order_by(_newest.c.sequence.desc())
    .limit(bindparam("many"))
)
_WAITING = select(func.count()).where(
    deliveries.c.hook_id == bindparam("hook"), deliveries.c.sequence.in_(_NUMBERS), deliveries.c.due_at <= bindparam("now")
)


def _release_piece(tx: Tx, replay: RowMapping, room: int, now: int) -> _Step:
    interval = SECOND // replay["rate"]
    begin = max(replay["due_at"], now)
    many = min(room, -((begin - now - AHEAD) // interval))
    first, last = replay["next_sequence"], min(replay["next_sequence"] + SPAN - 1, replay["last_sequence"])
    found = _find(tx, replay, first, last, many)
    update_rows(tx, deliveries, _KEY, _ASKED_AGAIN, [
        ("pending", begin + place * interval, attempts, replay["replay_id"], None, None, NOBODY, replay["hook_id"], sequence, state)
        for place, (sequence, state, attempts) in enumerate(found)
    ])  # fmt: skip
    following = last + 1 if len(found) < many else found[-1][0] + 1
    values: dict[str, object] = {
        "released": replays.c.released + len(found),
        "next_sequence": following,
        "due_at": max(begin + len(found) * interval, replay["created_at"] + 1),
    }
    if following > replay["last_sequence"]:
        return _Step({**values, "state": "finished", "ended_at": now}, len(found))
    return _Step(values, len(found), hurried=len(found) < many or many == room)


_KEY = ("hook_id", "sequence", "state")  # one that is no longer what it was is left alone
_ASKED_AGAIN = ("state", "due_at", "earlier", "replay_id", "ended_at", "reason", "lease_id")


def _find(tx: Tx, replay: RowMapping, first: int, last: int, many: int) -> Sequence[tuple[int, str, int]]:
    wanted = (
        select(deliveries.c.sequence, deliveries.c.state, deliveries.c.attempts)
        .join(events, events.c.event_id == deliveries.c.event_id)
        .where(*meant(replay["hook_id"], wanted_of(replay)), deliveries.c.sequence.between(first, last))
        .order_by(deliveries.c.sequence)
        .limit(many)
        .with_for_update(of=deliveries)
    )
    return [(sequence, state, attempts) for sequence, state, attempts in tx.execute(wanted)]


def _turned(replay: RowMapping, step: _Step) -> list[Turned]:
    states: list[State] = []
    if replay["due_at"] == replay["created_at"] and replay["state"] == "running":
        states.append("started")
    if "ended_at" in step.values:
        states.append("finished" if step.values.get("state") == "finished" else "stopped")
    return [Turned(replay["replay_id"], replay["hook_id"], state, replay["released"] + step.released) for state in states]
