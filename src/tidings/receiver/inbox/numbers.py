"""Which numbers of each hook are accounted for: they came, to whichever process, or their absence was told of.

A row is a span of one hook's numbers: one that came, or a gap that was told. It outlives the process, so that counting goes
on after a restart where it stood; and it is shared, so that what another process took is no gap, and a gap is told by one.
Of each hook the highest number stays for ever. Only a receiver with functions that hear of gaps writes here.
"""

from __future__ import annotations

from collections.abc import Sequence

from tidings.receiver.gaps import Gap, Span
from tidings.receiver.inbox.rows import Place

REMEMBERED = 1_000  # spans of each hook, the newest: a gap further back was told long ago

_VALUES = "INTO tidings_inbox_numbers (hook_id, first_number, last_number, seen_at) VALUES (:hook_id, :first, :last, :now)"
PLAIN_COUNT = f"INSERT {_VALUES}"
COUNT = f"{PLAIN_COUNT} ON CONFLICT (hook_id, first_number) DO NOTHING"
_NEWEST = (
    "SELECT first_number, last_number, seen_at FROM tidings_inbox_numbers WHERE hook_id = :hook_id ORDER BY first_number DESC LIMIT :most"
)
_WITHIN = (
    "SELECT first_number, last_number FROM tidings_inbox_numbers"
    " WHERE hook_id = :hook_id AND first_number BETWEEN :first AND :last ORDER BY first_number"
)
PRUNE = (
    "DELETE FROM tidings_inbox_numbers WHERE seen_at < :before AND NOT EXISTS (SELECT 1 FROM"
    " (SELECT hook_id AS hook, MAX(first_number) AS highest FROM tidings_inbox_numbers GROUP BY hook_id) AS newest"
    " WHERE newest.hook = tidings_inbox_numbers.hook_id AND newest.highest = tidings_inbox_numbers.first_number)"
)


def remembered(place: Place, hook_id: int) -> list[Span]:
    """What is accounted for of a hook, the newest spans in their order; when each was seen is in seconds."""
    found = place.rows(_NEWEST, {"hook_id": hook_id, "most": REMEMBERED})
    return [Span(first, last, seen_at / 1_000_000) for first, last, seen_at in reversed(found)]


def count(place: Place, hook_id: int, number: int, now: float) -> None:
    """A number came."""
    _account(place, hook_id, number, number, now)


def claim(place: Place, gap: Gap, now: float) -> list[Gap]:
    """What of a gap nobody has had and nobody has told: it counts as told from now on."""
    found = place.rows(_WITHIN, {"hook_id": gap.hook_id, "first": gap.first, "last": gap.last})
    left = [Gap(gap.hook_id, first, last) for first, last in _between(gap, found)]
    return [each for each in left if _account(place, each.hook_id, each.first, each.last, now)]


def _account(place: Place, hook_id: int, first: int, last: int, now: float) -> bool:
    return place.execute(COUNT, {"hook_id": hook_id, "first": first, "last": last, "now": int(now * 1_000_000)}) == 1


def _between(gap: Gap, found: Sequence[Sequence[int]]) -> list[tuple[int, int]]:
    ends = [gap.first - 1, *(last for _, last in found)]
    starts = [*(first for first, _ in found), gap.last + 1]
    return [(end + 1, start - 1) for end, start in zip(ends, starts, strict=True) if end + 1 <= start - 1]
