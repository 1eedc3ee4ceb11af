"""Phone numbers and e-mail addresses: `[{"type": "work", "value": "..."}]`. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from tidings.workspace.values.given import clean_text, sub_value, wrong
from tidings.workspace.values.rule import Key, Rule, Value, text_key

ADDRESS_LIMIT = 254  # characters: the longest address that mail can reach
_OTHER = "other"  # the kind of a number or an address that comes without one


@dataclass(frozen=True, slots=True)
class Address(Rule):
    """The types `phone` and `email`: texts of a pattern, each of one of a few kinds."""

    kinds: Sequence[str]
    pattern: re.Pattern[str]
    expected: str
    many: bool = True

    def read(self, given: object, held: Sequence[Value], /) -> Value:
        """See `Rule.read`."""
        text = clean_text(sub_value(given, "value"), limit=ADDRESS_LIMIT, expected=self.expected)
        if not self.pattern.fullmatch(text):
            raise wrong(text, self.expected)
        kind = given.get("type") if isinstance(given, dict) else None
        value: Value = {"type": self._default() if kind is None else kind, "value": text}
        if value["type"] not in self.kinds and value not in held:
            raise wrong(kind, f"one of {{{','.join(self.kinds)}}}", types=list(self.kinds))
        return value

    def _default(self) -> str:
        return _OTHER if _OTHER in self.kinds or not self.kinds else self.kinds[0]

    def key(self, value: Value) -> Key:
        """See `Rule.key`."""
        return text_key(str(value["value"]))

    def words(self, value: Value) -> str:
        """See `Rule.words`."""
        return str(value["value"])


def phone(kinds: Sequence[str]) -> Address:
    """The rule of the type `phone`. What a phone number looks like differs too much to judge more than this."""
    return Address(kinds, re.compile(r".*\d.*", re.DOTALL), "a phone number")


def email(kinds: Sequence[str]) -> Address:
    """The rule of the type `email`."""
    return Address(kinds, re.compile(r"[^@\s]+@[^@\s]+"), "an e-mail address")
