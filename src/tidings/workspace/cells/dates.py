"""Dates and moments, as they stand in tables: ISO 8601, 31.01.2026, 31 Jan 2026, and with slashes where one order is
possible or was said. A moment without an offset is UTC, one with an offset is turned into it; fractions of a second are
dropped. Two dates with ` - ` or ` to ` between them are a start and an end. Pure."""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta, timezone

from tidings.workspace.cells.habits import PLAIN, DateOrder, Habits
from tidings.workspace.values.given import wrong

_MONTHS = ("january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december")
_MONTH_NUMBERS = {name[:length]: number for number, name in enumerate(_MONTHS, 1) for length in (3, len(name))} | {"sept": 9}
_YEAR, _NUMBER, _WORD = "(?P<year>[0-9]{4})", "[0-9]{1,2}", r"(?P<word>[A-Za-z]{3,9})\.?"
_DAY, _MONTH = f"(?P<day>{_NUMBER})", f"(?P<month>{_NUMBER})"

_DAYS = [
    re.compile(pattern)
    for pattern in (
        rf"{_YEAR}(?P<mark>[-/.]){_MONTH}(?P=mark){_DAY}",
        rf"{_DAY}\. ?{_MONTH}\. ?{_YEAR}",
        rf"(?P<one>{_NUMBER})(?P<mark>[/-])(?P<other>{_NUMBER})(?P=mark){_YEAR}",
        rf"{_DAY}\.?[ -]{_WORD},?[ -]{_YEAR}",
        rf"{_WORD} {_DAY}(?:st|nd|rd|th)?,? {_YEAR}",
    )
]
_MOMENT = re.compile(
    r"(?P<day>.*?[0-9])(?:(?:T|t|,? +)(?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2})(?:[.,][0-9]+)?)?"
    r" ?(?P<half>[AaPp]\.?[Mm]\.?)?(?: ?(?P<offset>Z|z|UTC|[+-][0-9]{2}:?[0-9]{2}))?)?"
)
_BETWEEN = re.compile("\\s+(?:-|\N{EN DASH}|\N{EM DASH}|to)\\s+")
_EXPECTED = "a date that reads in one way, such as 2026-01-31, 31.01.2026 or 31 Jan 2026, perhaps with a time, 14:30"


def read_date(cell: str, habits: Habits = PLAIN) -> object:
    """A date or a moment as the field takes it, or its start and its end. Raises `Invalid`."""
    sides = _BETWEEN.split(cell.strip())
    if len(sides) > 2:
        raise wrong(cell, _EXPECTED)
    read = [_moment(cell, side, habits) for side in sides]
    return read[0] if len(read) == 1 else dict(zip(("start", "end"), read, strict=True))


def _moment(cell: str, text: str, habits: Habits) -> str:
    match = _MOMENT.fullmatch(text)
    if match is None:
        raise wrong(cell, _EXPECTED)
    try:
        day = _day(cell, match["day"], habits.dates)
        if match["hour"] is None:
            return day.isoformat()
        moment = datetime.combine(day, _clock(match)) - _offset(match["offset"])
    except (ValueError, OverflowError):
        raise wrong(cell, "a date and a time that exist") from None
    return moment.isoformat(" ", "seconds")


def _day(cell: str, text: str, order: DateOrder | None) -> date:
    match = next(filter(None, (pattern.fullmatch(text) for pattern in _DAYS)), None)
    if match is None:
        raise wrong(cell, _EXPECTED)
    parts = match.groupdict()
    if "one" in parts:
        day, month = _ordered(cell, int(parts["one"]), int(parts["other"]), order)
    elif "word" in parts:
        day, month = int(parts["day"]), _month(cell, parts["word"])
    else:
        day, month = int(parts["day"]), int(parts["month"])
    return date(int(parts["year"]), month, day)


def _ordered(cell: str, one: int, other: int, order: DateOrder | None) -> tuple[int, int]:
    """Day and month of two numbers."""
    if order == "day-first" or (order is None and (one > 12 or one == other)):
        return one, other
    if order == "month-first" or other > 12:
        return other, one
    raise wrong(cell, "a date that reads in one way; here the day could come first or the month")


def _month(cell: str, word: str) -> int:
    number = _MONTH_NUMBERS.get(word.lower())
    if number is None:
        raise wrong(cell, _EXPECTED)
    return number


def _clock(match: re.Match[str]) -> time:
    hour = int(match["hour"])
    if match["half"]:
        if not 1 <= hour <= 12:
            raise ValueError
        hour = hour % 12 + (12 if match["half"][0] in "Pp" else 0)
    return time(hour, int(match["minute"]), int(match["second"] or 0))


def _offset(text: str | None) -> timedelta:
    if text is None or text in ("Z", "z", "UTC"):
        return timedelta()
    ahead = timedelta(hours=int(text[1:3]), minutes=int(text[-2:]))
    return timezone(-ahead if text[0] == "-" else ahead).utcoffset(None)
