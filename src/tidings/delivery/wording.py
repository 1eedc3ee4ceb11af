"""How moments, numbers and lists are said in sentences for people. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from tidings.clock import MILLISECOND, SECOND
from tidings.wire.podio import timestamp


def at(moment: int | None) -> str:
    """A moment, in microseconds since the epoch."""
    return "an unknown time" if moment is None else f"{timestamp(moment)} UTC"


def lasting(microseconds: int) -> str:
    """How long something took: `80 ms`, `1.5 s`."""
    return f"{microseconds / MILLISECOND:.0f} ms" if microseconds < SECOND else f"{microseconds / SECOND:.1f} s"


def counted(number: int, noun: str, verb: str = "") -> str:
    """`1 delivery waits`, `2 deliveries wait`: `verb` is the plural's, and `were` becomes `was`."""
    plural = noun[:-1] + "ies" if noun.endswith("y") else noun + "s"
    said = f"{number} {noun if number == 1 else plural}"
    singular = "was" if verb == "were" else f"{verb}s"
    return f"{said} {singular if number == 1 else verb}" if verb else said


def times(number: int) -> str:
    """`once`, `twice`, `3 times`."""
    return {1: "once", 2: "twice"}.get(number, f"{number} times")


def listed(parts: Sequence[str]) -> str:
    """`a, b and c`."""
    return f"{', '.join(parts[:-1])} and {parts[-1]}" if len(parts) > 1 else "".join(parts)


def plain(text: str, limit: int) -> str:
    """What a stranger wrote, on one line, without characters that do something to a screen, and at most `limit` long."""
    line = " ".join("".join(character if character.isprintable() else " " for character in text).split())
    return line if len(line) <= limit else f"{line[:limit]}..."
