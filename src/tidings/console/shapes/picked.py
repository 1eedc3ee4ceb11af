"""Options, people, items and files: what is picked from a list, or named by its ID where the list would be too long. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from tidings.console.shapes.shape import Choices, Input, Line, Options, Shape, Shapes, with_chosen
from tidings.workspace.fields.settings import AppSettings, CategorySettings
from tidings.workspace.values.rule import Value

MOST_PICKED = 200  # people in a list to pick from: of more, the ID is typed, and found by the name


class _Category(Shape):
    """One option is picked from a list; several are ticked, all in one line."""

    def __init__(self, settings: Struct) -> None:
        assert isinstance(settings, CategorySettings)
        self._options = settings.options
        self._multiple = settings.multiple
        self.wide = settings.multiple

    def fill(self, values: Sequence[Value]) -> list[Line]:
        if self._multiple:
            return [{str(value["value"]): "on" for value in values}] if values else []
        return super().fill(values)

    def read(self, line: Line, _held: Value | None) -> list[object]:
        if self._multiple:
            return [{"value": int(part)} for part, text in line.items() if text and part.isascii() and part.isdigit() and len(part) <= 10]
        chosen = line.get("value", "")
        return [{"value": int(chosen) if chosen.isascii() and chosen.isdigit() and len(chosen) <= 10 else chosen}] if chosen else []

    def inputs(self, line: Line, _choices: Choices) -> list[Input]:
        offered = [option for option in self._options if option.status == "active" or self._has(line, option.id)]
        if self._multiple:
            ticked = [(str(option.id), option.text, self._has(line, option.id)) for option in offered]
            # What a form does not send says nothing, so an input that always does says that the field was there.
            return [Input(name, "on", "checkbox", words, checked=has) for name, words, has in ticked] + [Input("shown", "", "hidden")]
        options: Options = [("", ""), *((str(option.id), option.text) for option in offered)]
        return [Input("value", line.get("value", ""), "select", options=options)]

    def _has(self, line: Line, option_id: int | None) -> bool:
        return line.get("value") == str(option_id) or bool(line.get(str(option_id)))


class _Reference(Shape):
    """The id of something, typed or picked."""

    wide = True

    def __init__(self, settings: Struct) -> None:
        self.many = not isinstance(settings, AppSettings) or settings.multiple
        self._apps = settings.referenceable_types if isinstance(settings, AppSettings) else ()
        self._noun = "an item" if isinstance(settings, AppSettings) else "a file"

    def inputs(self, line: Line, choices: Choices) -> list[Input]:
        chosen, offered = line.get("value", ""), self._offered(choices)
        if offered and choices.are_all(self._apps):
            options: Options = [("", ""), *((str(number), words) for number, words in offered)]
            return [Input("value", chosen, "select", options=with_chosen(options, chosen))]
        more = {"inputmode": "numeric", "placeholder": f"The ID of {self._noun}", "autocomplete": "off"}
        return [Input("value", chosen, more=more)]

    def suggestions(self, choices: Choices) -> Sequence[tuple[int, str]]:
        return () if choices.are_all(self._apps) else self._offered(choices)

    def _offered(self, choices: Choices) -> list[tuple[int, str]]:
        return [item for app_id in self._apps for item in choices.items.get(app_id, ())]


class _Person(Shape):
    many = True

    def __init__(self, _settings: Struct) -> None:
        pass

    def inputs(self, line: Line, choices: Choices) -> list[Input]:
        chosen = line.get("value", "")
        if len(choices.people) > MOST_PICKED:
            return [Input("value", chosen, more={"inputmode": "numeric", "placeholder": "The ID of a person", "autocomplete": "off"})]
        options = with_chosen([("", ""), *((str(user_id), name) for user_id, name in choices.people.items())], chosen)
        return [Input("value", chosen, "select", options=options)]

    def suggestions(self, choices: Choices) -> Sequence[tuple[int, str]]:
        return list(choices.people.items()) if len(choices.people) > MOST_PICKED else ()


SHAPES: Shapes = {
    "category": _Category,
    "contact": _Person,
    "member": _Person,
    "app": _Reference,
    "image": _Reference,
    "file": _Reference,
}
