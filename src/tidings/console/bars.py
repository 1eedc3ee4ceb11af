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
    highest = max((slot.delivered + slot.failed for slot in slots), default=0)
    return [_bar(number, slot, highest) for number, slot in enumerate(slots) if slot.delivered + slot.failed]


def _bar(number: int, slot: Slot, highest: int) -> Bar:
    good, bad = (max(LEAST, round(TALL * count / highest)) if count else 0 for count in (slot.delivered, slot.failed))
    over = max(0, good + bad - TALL)
    good -= over if good >= bad else 0
    bad -= over if good < bad else 0
    return Bar(number * STEP, good, bad, f"From {at(slot.began_at)}: {slot.delivered} delivered, {slot.failed} failed")


def strip_paths(slots: Sequence[Slot]) -> Paths:
    """The same in a few characters, for a list."""
    bars = strip_bars(slots)
    good = "".join(f"M{bar.x} {TALL}v-{bar.good}h{BAR}v{bar.good}z" for bar in bars if bar.good)
    return Paths(good, "".join(f"M{bar.x} {TALL - bar.good}v-{bar.bad}h{BAR}v{bar.bad}z" for bar in bars if bar.bad))


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
