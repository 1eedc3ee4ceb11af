"""Dates: a day or a moment, and perhaps another where it ends. All of them UTC.

Kept as `{"start": "2026-01-02", "end": "2026-01-03 10:00:00"}`, each side with a time of day or without one; answered
with all of Podio's keys. Clients write one side as `start` or as `start_date` and `start_time`, each with or without
`_utc`. What some send back is a value they once read with `start` changed, or with `start_date` changed, so `start`
counts unless it only repeats what is there. Midnight beside an empty `start_time` is a day without a time.
An end before its start is refused; a side without a time is its whole day. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from tidings.errors import Invalid
from tidings.workspace.fields.settings import DateSettings
from tidings.workspace.values.given import wrong
from tidings.workspace.values.rule import Key, Known, Rule, Value

Side = Literal["start", "end"]

MIDNIGHT, LAST_SECOND = "00:00:00", "23:59:59"
_EXPECTED = "a date, YYYY-MM-DD, or a moment in UTC, YYYY-MM-DD HH:MM:SS"
_MOMENT = re.compile(r"(?P<day>\d{4}-\d\d-\d\d)(?:[ T](?P<clock>\d\d:\d\d)(?P<seconds>:\d\d)?Z?)?", re.ASCII)
_CLOCK = re.compile(r"(?P<clock>\d\d:\d\d)(?P<seconds>:\d\d)?", re.ASCII)

_SHOWN: dict[Side, list[str]] = {
    side: [f"{side}{part}{utc}" for utc in ("", "_utc") for part in ("", "_date", "_time")] for side in ("start", "end")
}


@dataclass(frozen=True, slots=True)
class Date(Rule):
    """The type `date`."""

    settings: DateSettings
    compares: Literal["moment"] = "moment"

    def read(self, given: object, held: Sequence[Value], /) -> Value:
        """See `Rule.read`."""
        if isinstance(given, str):
            return self._fitting(_read_moment(given), None)
        if not isinstance(given, dict):
            raise wrong(given, _EXPECTED)
        before = held[0] if held else {}
        start, end = _read_side(given, "start", before), _read_side(given, "end", before)
        if start is None:
            raise wrong(given, f"{_EXPECTED}, with a start")
        if end is not None and _latest(end) < _earliest(start):
            raise wrong(end, f"an end that is not before its start, {start}")
        return self._fitting(start, end)

    def _fitting(self, start: str, end: str | None) -> Value:
        if end is not None and self.settings.end == "disabled":
            raise wrong(end, "left out: this date has no end")
        if end is None and self.settings.end == "required":
            raise wrong(end, "the end of the date")
        if end is None:
            return {"start": self._fitting_time(start)}
        return {"start": self._fitting_time(start), "end": self._fitting_time(end)}

    def _fitting_time(self, moment: str) -> str:
        day, _, clock = moment.partition(" ")
        if clock and self.settings.time == "disabled":
            if clock != MIDNIGHT:
                raise wrong(moment, "a date without a time: YYYY-MM-DD")
            return day
        if not clock and self.settings.time == "required":
            raise wrong(moment, "a moment in UTC, YYYY-MM-DD HH:MM:SS")
        return moment

    def show(self, value: Value, _known: Known, /) -> Value:
        """See `Rule.show`."""
        return _shown_side("start", value["start"]) | _shown_side("end", value.get("end"))

    def key(self, value: Value) -> Key:
        """See `Rule.key`."""
        return float(_seconds(_earliest(str(value["start"])))), None

    def words(self, value: Value) -> str:
        """See `Rule.words`."""
        return str(value["start"])

    def operand(self, given: object) -> float:
        """The first second of a day, or the moment."""
        return first_and_last_second(given)[0]


def first_and_last_second(given: object) -> tuple[float, float]:
    """The seconds since the epoch at which a day, or a moment, begins and ends. Raises `Invalid`."""
    moment = _read_moment(given)
    return float(_seconds(_earliest(moment))), float(_seconds(_latest(moment)))


def _read_side(written: Value, side: Side, before: Value) -> str | None:
    whole = _first_of(written, side, f"{side}_utc")
    day = _first_of(written, f"{side}_date", f"{side}_date_utc")
    clock = _first_of(written, f"{side}_time", f"{side}_time_utc")
    if whole is None or (day is not None and whole == _full(before.get(side))):
        return _joined(day, clock)
    moment = _read_moment(whole)
    if " " not in moment:
        return _joined(moment, clock)
    says_no_time = clock is None and (f"{side}_time" in written or f"{side}_time_utc" in written)
    return moment.removesuffix(f" {MIDNIGHT}") if says_no_time else moment


def _first_of(written: Value, *names: str) -> object:
    for name in names:
        if written.get(name) not in (None, ""):
            return written[name]
    return None


def _joined(day: object, clock: object) -> str | None:
    if day is None and clock is None:
        return None
    if day is None:
        raise wrong(clock, "a time beside a date")
    moment = _read_moment(day)
    return moment if clock is None else _read_moment(f"{moment.partition(' ')[0]} {_read_clock(clock)}")


def _read_clock(given: object) -> str:
    match = _CLOCK.fullmatch(given) if isinstance(given, str) else None
    if match is None:
        raise wrong(given, "a time, HH:MM:SS")
    return f"{match['clock']}{match['seconds'] or ':00'}"


def _read_moment(given: object) -> str:
    match = _MOMENT.fullmatch(given) if isinstance(given, str) else None
    if match is None:
        raise wrong(given, _EXPECTED)
    moment = f"{match['day']} {match['clock']}{match['seconds'] or ':00'}" if match["clock"] else match["day"]
    try:
        datetime.fromisoformat(moment)
    except ValueError:
        raise _no_such(given) from None
    return moment


def _no_such(given: object) -> Invalid:
    return wrong(given, "a date and a time that exist")


def _full(moment: object) -> str | None:
    """A side as `start` and `end` are answered: with a time, whether it has one or not."""
    return None if moment is None else _earliest(str(moment))


def _earliest(moment: str) -> str:
    return moment if " " in moment else f"{moment} {MIDNIGHT}"


def _latest(moment: str) -> str:
    return moment if " " in moment else f"{moment} {LAST_SECOND}"


def _seconds(moment: str) -> int:
    return int(datetime.fromisoformat(moment).replace(tzinfo=UTC).timestamp())


def _shown_side(side: Side, moment: object) -> Value:
    names = _SHOWN[side]
    if moment is None:
        return dict.fromkeys(names)
    day, _, clock = str(moment).partition(" ")
    return dict(zip(names, (f"{day} {clock or MIDNIGHT}", day, clock or None) * 2, strict=True))
