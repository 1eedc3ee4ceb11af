"""Moments, spans and sizes as people read them. Pure: the templates hand in `now`.

Moments are microseconds since the epoch, and shown in UTC; the page's script says them in the reader's own time as well.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from tidings.clock import DAY, HOUR, MILLISECOND, MINUTE, SECOND

JUST_NOW = 5 * SECOND
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")  # a page says hundreds: no strftime


def at(moment: int) -> str:
    """`2 Jan 2026, 03:04:05 UTC`."""
    then = _then(moment)
    return f"{then.day} {MONTHS[then.month - 1]} {then.year}, {then.hour:02}:{then.minute:02}:{then.second:02} UTC"


def day(moment: int) -> str:
    """`2 Jan 2026`."""
    then = _then(moment)
    return f"{then.day} {MONTHS[then.month - 1]} {then.year}"


def iso(moment: int) -> str:
    """For the attribute of a `<time>`: `2026-01-02T03:04:05Z`."""
    return f"{_then(moment).isoformat()[:19]}Z"


def ago(moment: int, now: int) -> str:
    """`just now`, `5 min ago`, `in 2 h`; the day itself when it is more than a month away."""
    span = abs(now - moment)
    if span < JUST_NOW:
        return "just now"
    if span > 30 * DAY:
        return day(moment)
    return f"in {for_long(span)}" if moment > now else f"{for_long(span)} ago"


def for_long(span: int) -> str:
    """A span of microseconds in its largest unit: `3 s`, `5 min`, `2 h`, `4 d`."""
    for unit, name in ((DAY, "d"), (HOUR, "h"), (MINUTE, "min")):
        if span >= unit:
            return f"{span // unit} {name}"
    return f"{span // SECOND} s"


def spelled(span: int) -> str:
    """A span of microseconds in all its units: `1 d 2 h`, `5 min 30 s`, `0 s`."""
    parts: list[str] = []
    for unit, name in ((DAY, "d"), (HOUR, "h"), (MINUTE, "min"), (SECOND, "s")):
        amount, span = divmod(span, unit)
        if amount:
            parts.append(f"{amount} {name}")
    return " ".join(parts) or "0 s"


def took(span: int | None) -> str:
    """How long an exchange took: `0.4 ms`, `38 ms`, `1.25 s`; nothing for None."""
    if span is None:
        return ""
    if span < 10 * MILLISECOND:
        return f"{span / MILLISECOND:.1f} ms"
    return f"{span / MILLISECOND:.0f} ms" if span < SECOND else f"{span / SECOND:.2f} s"


def count(number: int) -> str:
    """`1,234,567`."""
    return f"{number:,}"


def plural(number: int, one: str, many: str = "") -> str:
    """`1 item`, `12 items`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def size(number: int) -> str:
    """So many bytes: `512 B`, `4.0 KiB`, `1.5 MiB`."""
    amount = float(number)
    for unit in ("B", "KiB", "MiB"):
        if amount < 1024:
            return f"{amount:.0f} B" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1024
    return f"{amount:.1f} GiB"


def _then(moment: int) -> datetime:
    return datetime.fromtimestamp(moment // SECOND, UTC)


FILTERS: dict[str, Callable[..., str]] = {
    each.__name__: each for each in (at, day, iso, ago, for_long, spelled, took, count, plural, size)
}  # fmt: skip
"""What templates say as `moment | at`. Jinja's own `count` gives way."""
