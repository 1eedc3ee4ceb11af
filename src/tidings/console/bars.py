"""The geometry of small pictures: the strip of a hook's day, and where the time of an attempt went. Pure.

Everything is an attribute of an SVG element, since a page has no inline style; the words beside a picture say the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from tidings.console.words import at, took
from tidings.delivery.showing import Split
from tidings.delivery.strip import Slot

STEP, BAR, TALL = 10, 8, 100  # units of the strip: from bar to bar, of a bar, of the highest
LEAST = 6  # of a bar that stands for anything at all
WIDE = 1000  # units of a split


class Bar(NamedTuple):
    """The attempts of one while: what failed stands on top of what was delivered. A height of 0 is not drawn."""

    x: int
    good: int
    bad: int
    title: str


class Paths(NamedTuple):
    """The bars of a small strip: what was delivered and what failed, each the `d` of one path."""

    good: str
    bad: str


class Segment(NamedTuple):
    """One part of an attempt's time."""

    name: str
    label: str
    x: int
    width: int
    took: str


def strip_bars(slots: Sequence[Slot]) -> list[Bar]:
    """The bars of those slots in which anything was tried."""
    heights = zip(slots, _heights(slots), strict=True)
    return [Bar(number * STEP, good, bad, _title(slot)) for number, (slot, (good, bad)) in enumerate(heights) if good or bad]


def _heights(slots: Sequence[Slot]) -> list[tuple[int, int]]:
    """How high each slot's bars are, the good one and the bad one; both 0 where nothing was tried."""
    highest = max((slot.delivered + slot.failed for slot in slots), default=0)
    return [_height(slot, highest) for slot in slots]


def _height(slot: Slot, highest: int) -> tuple[int, int]:
    good = max(LEAST, round(TALL * slot.delivered / highest)) if slot.delivered else 0
    bad = max(LEAST, round(TALL * slot.failed / highest)) if slot.failed else 0
    over = max(0, good + bad - TALL)
    return (good - over, bad) if good >= bad else (good, bad - over)


def _title(slot: Slot) -> str:
    return f"From {at(slot.began_at)}: {slot.delivered} delivered, {slot.failed} failed"


def strip_paths(slots: Sequence[Slot]) -> Paths:
    """The same in a few characters, for a list: of a hundred strips, nobody reads a title."""
    bars = [(number * STEP, good, bad) for number, (good, bad) in enumerate(_heights(slots))]
    good_path = "".join(f"M{x} {TALL}v-{good}h{BAR}v{good}z" for x, good, _ in bars if good)
    return Paths(good_path, "".join(f"M{x} {TALL - good}v-{bad}h{BAR}v{bad}z" for x, good, bad in bars if bad))


def segments(split: Split) -> list[Segment]:
    """The parts of an attempt's time, one behind the other; none where it came to nothing."""
    parts = [(name, label, span) for name, label in _PARTS if (span := getattr(split, name)) is not None]
    total = sum(span for _, _, span in parts)
    made: list[Segment] = []
    begun = 0
    for name, label, span in parts:
        x, end = (round(WIDE * each / total) if total else 0 for each in (begun, begun + span))
        made.append(Segment(name, label, x, max(2, end - x), took(span)))
        begun += span
    return made


_PARTS = (("dns", "DNS"), ("connect", "Connect"), ("tls", "TLS"), ("first_byte", "First byte"), ("rest", "Rest"))
