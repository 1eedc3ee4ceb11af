"""What a type of field says of its inputs: the shape that every file of this package fills in.

A shape leads from a kept value to the texts of a line, and from what was typed to what the API takes. It judges nothing: what
it cannot read it hands on as it was typed, and the field's own rule says what is wrong with it. Texts that are empty say
nothing. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from msgspec import Struct

from tidings.workspace.values.rule import Value

Line = dict[str, str]
"""The texts of the inputs of one value, by their names within it."""

Options = list[tuple[str, str]]
"""The values that can be picked, and their words."""


class Input(NamedTuple):
    """One input."""

    name: str
    text: str
    kind: str = "text"  # of HTML's, or `area`, `select`
    label: str = ""  # where a line has several
    options: Sequence[tuple[str, str]] = ()
    checked: bool = False
    width: Literal["", "short", "whole"] = ""  # of its line
    unit: str = ""  # what is said behind it
    lead: str = ""  # and before it
    more: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True)
class Choices:
    """What can be named by those who fill in the form."""

    people: Mapping[int, str] = field(default_factory=dict)  # user_id to name
    items: Mapping[int, Sequence[tuple[int, str]]] = field(default_factory=dict)  # app_id to the newest of its items, with their titles
    whole: frozenset[int] = frozenset()  # the apps of which those are all items

    def are_all(self, app_ids: Sequence[int]) -> bool:
        """Whether nothing else could be named in these apps, so that it can be picked from a list."""
        return bool(app_ids) and self.whole.issuperset(app_ids)


NO_CHOICES = Choices()


class Shape:
    """One type of field, with its settings."""

    many: bool = False
    wide: bool = False
    hint: str = ""

    def fill(self, values: Sequence[Value]) -> list[Line]:
        """The lines for these values."""
        return [self.fill_one(value) for value in values]

    def fill_one(self, value: Value) -> Line:
        """The line for one value."""
        return {"value": str(value["value"])}

    def read(self, line: Line, held: Value | None) -> list[object]:
        """What a line says: one value, or none, or several. `held` is what the field has in its place."""
        if held is not None and spoken(line) == spoken(self.fill_one(held)):
            return [held]
        given = self.read_one(line)
        return [] if given is None else [given]

    def read_one(self, line: Line) -> object:
        """What a line says, None for nothing."""
        return line.get("value", "").strip() or None

    def inputs(self, line: Line, choices: Choices) -> list[Input]:
        """The inputs of a line, without the field's part of their names."""
        raise NotImplementedError

    def suggestions(self, _choices: Choices) -> Sequence[tuple[int, str]]:
        """What can be picked where an id is typed."""
        return ()


Shapes = Mapping[str, Callable[[Struct], Shape]]
"""By the type of field: what makes its shape of its settings."""


def spoken(line: Line) -> Line:
    """The texts of a line that say something."""
    return {part: text for part, text in line.items() if text}


def with_chosen(options: Options, chosen: str) -> Options:
    """The options, and what was chosen before, if it is none of them."""
    return options if not chosen or any(value == chosen for value, _ in options) else [*options, (chosen, chosen)]
