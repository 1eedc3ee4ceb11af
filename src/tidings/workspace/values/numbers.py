"""Numbers: plain ones, amounts of money, progress, durations.

A number and an amount are exact decimals, kept as text with four decimals at least, as Podio writes them; nothing is
ever rounded, and what does not fit is refused. Only the key that filters compare is a float. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from tidings.workspace.fields.settings import MoneySettings
from tidings.workspace.values.given import exact_decimal, sub_value, whole_number, wrong
from tidings.workspace.values.rule import Key, Rule, Value

LONGEST = 10**12  # seconds: 31,700 years


@dataclass(frozen=True, slots=True)
class Number(Rule):
    """The type `number`: `{"value": "12.0000"}`."""

    compares: Literal["number"] = "number"

    def read(self, given: object, _held: Sequence[Value], /) -> Value:
        """See `Rule.read`."""
        return {"value": exact_decimal(sub_value(given, "value"))}

    def key(self, value: Value) -> Key:
        """See `Rule.key`."""
        return float(str(value["value"])), None

    def words(self, value: Value) -> str:
        """See `Rule.words`."""
        return _shortest(value["value"])

    def operand(self, given: object) -> float:
        """See `Rule.operand`."""
        return float(exact_decimal(given))


_CURRENCY = re.compile(r"[A-Za-z]{3}")


@dataclass(frozen=True, slots=True)
class Money(Rule):
    """The type `money`: `{"value": "12.0000", "currency": "EUR"}`. The currency may be left out where only one is allowed."""

    settings: MoneySettings
    compares: Literal["number"] = "number"

    def read(self, given: object, held: Sequence[Value], /) -> Value:
        """See `Rule.read`."""
        amount = exact_decimal(sub_value(given, "value"))
        currency = self._currency(given)
        value: Value = {"value": amount, "currency": currency}
        allowed = self.settings.allowed_currencies
        if allowed and currency not in allowed and value not in held:
            raise wrong(currency, f"one of {{{','.join(allowed)}}}", currencies=allowed)
        return value

    def _currency(self, given: object) -> str:
        currency = given.get("currency") if isinstance(given, dict) else None
        if currency is None and len(self.settings.allowed_currencies) == 1:
            return self.settings.allowed_currencies[0]
        if not isinstance(currency, str) or not _CURRENCY.fullmatch(currency):
            raise wrong(currency, "a currency of three letters, beside the amount: {'value': '12.50', 'currency': 'EUR'}")
        return currency.upper()

    def key(self, value: Value) -> Key:
        """See `Rule.key`."""
        return float(str(value["value"])), None

    def words(self, value: Value) -> str:
        """See `Rule.words`."""
        return f"{_shortest(value['value'])} {value['currency']}"

    def operand(self, given: object) -> float:
        """See `Rule.operand`."""
        return float(exact_decimal(sub_value(given, "value")))


@dataclass(frozen=True, slots=True)
class Whole(Rule):
    """A whole number: `progress`, 0 to 100, and `duration`, in seconds. `{"value": 55}`."""

    most: int
    expected: str
    unit: str
    compares: Literal["number"] = "number"

    def read(self, given: object, _held: Sequence[Value], /) -> Value:
        """See `Rule.read`."""
        return {"value": whole_number(sub_value(given, "value"), least=0, most=self.most, expected=self.expected)}

    def key(self, value: Value) -> Key:
        """See `Rule.key`."""
        return float(str(value["value"])), None

    def words(self, value: Value) -> str:
        """See `Rule.words`."""
        return f"{value['value']}{self.unit}"

    def operand(self, given: object) -> float:
        """See `Rule.operand`."""
        return float(exact_decimal(given))


PROGRESS = Whole(100, "a whole number from 0 to 100", "%")
DURATION = Whole(LONGEST, f"a whole number of seconds from 0 to {LONGEST}", " s")


def _shortest(decimal: object) -> str:
    return str(decimal).rstrip("0").removesuffix(".")
