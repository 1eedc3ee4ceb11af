"""How the people who made a table write what can be read in two ways. Pure."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

DateOrder = Literal["day-first", "month-first"]


class Habits(Struct, frozen=True):
    """`decimal_comma`: 1.234,50 and not 1,234.50. `dates`: what 01/02/2026 means; None refuses it."""

    decimal_comma: bool = False
    dates: DateOrder | None = None


PLAIN = Habits()
