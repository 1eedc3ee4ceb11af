"""Text: `{"value": "..."}`, kept letter for letter. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tidings.workspace.values.given import clean_text, sub_value
from tidings.workspace.values.rule import Key, Rule, Value, text_key

TEXT_LIMIT = 100_000  # characters


@dataclass(frozen=True, slots=True)
class Text(Rule):
    """The type `text`."""

    def read(self, given: object, _held: Sequence[Value], /) -> Value:
        """See `Rule.read`."""
        return {"value": clean_text(sub_value(given, "value"), limit=TEXT_LIMIT)}

    def key(self, value: Value) -> Key:
        """See `Rule.key`."""
        return text_key(str(value["value"]))

    def words(self, value: Value) -> str:
        """See `Rule.words`."""
        return str(value["value"])
