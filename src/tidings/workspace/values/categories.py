"""Categories: one of a list of options, or several. Kept as `{"value": 2}`, the option's id; answered as the option.

A caller names an option by its id or by its exact text. An option that can no longer be picked is refused, except
where the item has it already: clients write back what they read. Pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from tidings.workspace.fields.settings import CategorySettings, Option
from tidings.workspace.values.given import sub_value, wrong
from tidings.workspace.values.rule import Key, Known, Rule, Value

_SHOWN_TEXTS = 20  # options that an error lists; all of them are in its parameters


@dataclass(frozen=True, slots=True)
class Category(Rule):
    """The type `category`."""

    options: dict[int, Option]
    by_text: dict[str, int]
    many: bool
    compares: Literal["id"] = "id"
    shown: dict[int, Value] = field(default_factory=dict)

    @classmethod
    def of(cls, settings: CategorySettings) -> Category:
        """The rule that these settings make. Where two options have one text, the first that is active has it."""
        options = {option.id or 0: option for option in settings.options}
        preferred = sorted(options.items(), key=lambda entry: entry[1].status != "active")
        by_text: dict[str, int] = {}
        for number, option in preferred:
            by_text.setdefault(option.text, number)
        return cls(options, by_text, settings.multiple, shown={number: _shown(number, option) for number, option in options.items()})

    def read(self, given: object, held: Sequence[Value], /) -> Value:
        """See `Rule.read`."""
        number = self._number(given)
        value: Value = {"value": number}
        if self.options[number].status != "active" and value not in held:
            raise self._no_option(given)
        return value

    def _number(self, given: object) -> int:
        named = sub_value(sub_value(given, "value"), "id", "text")
        match named:
            case str() if named in self.by_text:
                return self.by_text[named]
            case str() if named.isascii() and named.isdigit() and len(named) <= 10:
                number = int(named)
            case int() if not isinstance(named, bool):
                number = named
            case _:
                raise self._no_option(given)
        if number not in self.options:
            raise self._no_option(given)
        return number

    def _no_option(self, given: object) -> Exception:
        texts = [option.text for option in self.options.values() if option.status == "active"]
        listed = ",".join(f"'{text}'" for text in texts[:_SHOWN_TEXTS]) + (",..." if len(texts) > _SHOWN_TEXTS else "")
        return wrong(sub_value(given, "value"), f"one of {{{listed}}}, or the id of one", options=texts)

    def show(self, value: Value, _known: Known, /) -> Value:
        """See `Rule.show`."""
        number = value["value"]
        assert isinstance(number, int)
        return self.shown.get(number) or _shown(number, Option("", status="deleted"))

    def key(self, value: Value) -> Key:
        """See `Rule.key`."""
        return float(str(value["value"])), None

    def words(self, value: Value) -> str:
        """See `Rule.words`."""
        return next((option.text for number, option in self.options.items() if number == value["value"]), "")

    def operand(self, given: object) -> float:
        """Also an option that can no longer be picked: items may have it."""
        return float(self._number(given))


def _shown(number: int, option: Option) -> Value:
    return {"value": {"id": number, "text": option.text, "status": option.status, "color": option.color}}
