"""How the values of each type of field stand in inputs: from a kept value to the texts of a line, and from what was typed to what
the API takes.

A closed table, one shape a type. A shape judges nothing: what it cannot read it hands on as it was typed, and the field's
own rule says what is wrong with it. Texts that are empty say nothing. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

import msgspec
from msgspec import Struct

from tidings.workspace.fields.fieldsets import Slot
from tidings.workspace.fields.settings import (
    SETTINGS,
    AppSettings,
    CategorySettings,
    DateSettings,
    DurationSettings,
    EmailSettings,
    LocationSettings,
    MoneySettings,
    PhoneSettings,
    TextSettings,
)
from tidings.workspace.values.rule import Value

Line = dict[str, str]
"""The texts of the inputs of one value, by their names within it."""

Options = list[tuple[str, str]]
"""The values that can be picked, and their words."""

MANY_LINES = 6  # of a text area


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
        if held is not None and _spoken(line) == _spoken(self.fill_one(held)):
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


def shape_of(slot: Slot) -> Shape:
    """The shape of a field's values."""
    return _SHAPES[slot.field.type](msgspec.convert(slot.field.config.settings, SETTINGS[slot.field.type]))


def _spoken(line: Line) -> Line:
    return {part: text for part, text in line.items() if text}


# --- text and numbers --------------------------------------------------------------------------------------------------


class _Text(Shape):
    def __init__(self, settings: Struct) -> None:
        assert isinstance(settings, TextSettings)
        self.wide = settings.size == "large"

    def fill_one(self, value: Value) -> Line:
        return {"value": str(value["value"]).replace("\r\n", "\n")}

    def read_one(self, line: Line) -> object:
        return line.get("value") or None

    def inputs(self, line: Line, _choices: Choices) -> list[Input]:
        text = line.get("value", "")
        if self.wide or "\n" in text:  # an input of one line would drop the breaks
            return [Input("value", text, "area", more={"rows": str(MANY_LINES)})]
        return [Input("value", text)]


class _Number(Shape):
    def __init__(self, _settings: Struct) -> None:
        pass

    def fill_one(self, value: Value) -> Line:
        return {"value": _shortest(value["value"])}

    def inputs(self, line: Line, _choices: Choices) -> list[Input]:
        return [Input("value", line.get("value", ""), more={"inputmode": "decimal"})]


class _Progress(Shape):
    def __init__(self, _settings: Struct) -> None:
        pass

    def inputs(self, line: Line, _choices: Choices) -> list[Input]:
        return [Input("value", line.get("value", ""), "number", unit="%", more={"min": "0", "max": "100"})]


class _Money(Shape):
    def __init__(self, settings: Struct) -> None:
        assert isinstance(settings, MoneySettings)
        self._currencies = settings.allowed_currencies

    def fill_one(self, value: Value) -> Line:
        return {"value": _shortest(value["value"]), "currency": str(value["currency"])}

    def read_one(self, line: Line) -> object:
        amount = line.get("value", "").strip()
        return {"value": amount, "currency": line.get("currency", "").strip().upper()} if amount else None

    def inputs(self, line: Line, _choices: Choices) -> list[Input]:
        chosen = line.get("currency", "")
        amount = Input("value", line.get("value", ""), label="Amount", more={"inputmode": "decimal"})
        if not self._currencies:
            typed = {"maxlength": "3", "placeholder": "EUR", "autocapitalize": "characters", "spellcheck": "false"}
            return [amount, Input("currency", chosen, label="Currency", width="short", more=typed)]
        options = _with([(each, each) for each in self._currencies], chosen)
        return [amount, Input("currency", chosen, "select", "Currency", options, width="short")]


_UNITS = {"days": 86_400, "hours": 3_600, "minutes": 60, "seconds": 1}


class _Duration(Shape):
    wide = True

    def __init__(self, settings: Struct) -> None:
        assert isinstance(settings, DurationSettings)
        self._units: list[str] = [unit for unit in _UNITS if unit in settings.fields] or list(_UNITS)

    def fill_one(self, value: Value) -> Line:
        rest = int(str(value["value"]))
        line: Line = {}
        for unit in self._units:
            amount, rest = divmod(rest, _UNITS[unit])
            line[unit] = str(amount) if amount else ""
        if rest:  # what these units cannot say
            line["seconds"] = str(rest)
        return line if _spoken(line) else {self._units[-1]: "0"}

    def read_one(self, line: Line) -> object:
        parts = {unit: line[unit].strip() for unit in _UNITS if line.get(unit, "").strip()}
        if wrong := next((text for text in parts.values() if not (text.isascii() and text.isdigit() and len(text) <= 12)), None):
            return {"value": wrong}
        return {"value": sum(int(text) * _UNITS[unit] for unit, text in parts.items())} if parts else None

    def inputs(self, line: Line, _choices: Choices) -> list[Input]:
        units = [unit for unit in _UNITS if unit in self._units or line.get(unit)]
        return [Input(unit, line.get(unit, ""), "number", unit, unit=unit, more={"min": "0"}) for unit in units]


def _shortest(decimal: object) -> str:
    return str(decimal).rstrip("0").removesuffix(".") if "." in str(decimal) else str(decimal)


# --- dates -------------------------------------------------------------------------------------------------------------


class _Date(Shape):
    wide = True

    def __init__(self, settings: Struct) -> None:
        assert isinstance(settings, DateSettings)
        self._settings = settings
        self.wide = settings.end != "disabled"
        self.hint = "" if settings.time == "disabled" else "Times are in UTC."

    def fill_one(self, value: Value) -> Line:
        line: Line = {}
        for side in ("start", "end"):
            line[f"{side}_date"], _, clock = str(value.get(side) or "").partition(" ")
            line[f"{side}_time"] = clock[:5] if clock.endswith(":00") else clock  # as browsers write it
        return line

    def read_one(self, line: Line) -> object:
        spoken = {part: text for part, text in line.items() if part in _DATE_PARTS and text}
        return spoken or None

    def inputs(self, line: Line, _choices: Choices) -> list[Input]:
        inputs = self._side(line, "start", "from", "")
        if self._settings.end != "disabled" or line.get("end_date"):
            inputs += self._side(line, "end", "until", "until")
        return inputs

    def _side(self, line: Line, side: str, word: str, lead: str) -> list[Input]:
        day, clock = line.get(f"{side}_date", ""), line.get(f"{side}_time", "")
        inputs = [Input(f"{side}_date", day, "date", word, lead=lead)]
        if self._settings.time != "disabled" or clock:
            step = "60" if len(clock) <= len("12:00") else "1"
            inputs.append(Input(f"{side}_time", clock, "time", f"{word}, time in UTC", width="short", more={"step": step}))
        return inputs


_DATE_PARTS = ("start_date", "start_time", "end_date", "end_time")


# --- one or several of a list ------------------------------------------------------------------------------------------


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


# --- addresses, links, places ------------------------------------------------------------------------------------------


class _Address(Shape):
    many = True
    wide = True

    def __init__(self, settings: Struct) -> None:
        assert isinstance(settings, PhoneSettings | EmailSettings)
        self._kinds = settings.possible_types
        self._kind = "tel" if isinstance(settings, PhoneSettings) else "text"

    def fill_one(self, value: Value) -> Line:
        return {"value": str(value["value"]), "type": str(value["type"])}

    def read_one(self, line: Line) -> object:
        address = line.get("value", "").strip()
        kind = line.get("type")
        return None if not address else {"value": address, **({"type": kind} if kind else {})}

    def inputs(self, line: Line, _choices: Choices) -> list[Input]:
        word = "Number" if self._kind == "tel" else "Address"
        address = Input("value", line.get("value", ""), self._kind, word, more={"autocapitalize": "none", "spellcheck": "false"})
        chosen = line.get("type", "")
        kinds = _with([("", "any kind"), *((each, each.replace("_", " ")) for each in self._kinds)], chosen)
        return [address, Input("type", chosen, "select", "Kind", kinds, width="short")]


class _Link(Shape):
    many = True
    wide = True

    def __init__(self, _settings: Struct) -> None:
        pass

    def fill_one(self, value: Value) -> Line:
        return {"value": str(value["url"])}

    def read_one(self, line: Line) -> object:
        url = line.get("value", "").strip()
        return {"url": url} if url else None

    def inputs(self, line: Line, _choices: Choices) -> list[Input]:
        return [Input("value", line.get("value", ""), "url", more={"placeholder": "https://"})]


_PLACE_PARTS = {
    "street_address": "Street",
    "postal_code": "Postal code",
    "city": "City",
    "state": "State",
    "country": "Country",
}


class _Location(Shape):
    many = True
    wide = True

    def __init__(self, settings: Struct) -> None:
        assert isinstance(settings, LocationSettings)
        self._parts = _PLACE_PARTS if settings.structured else {}

    def fill_one(self, value: Value) -> Line:
        return {"value": str(value["value"]), **{part: str(value.get(part) or "") for part in self._parts}}

    def read_one(self, line: Line) -> object:
        spoken = {part: text.strip() for part, text in line.items() if part in ("value", *self._parts) and text.strip()}
        if spoken and "value" not in spoken:
            spoken["value"] = ", ".join(spoken[part] for part in self._parts if part in spoken)
        return spoken or None

    def inputs(self, line: Line, _choices: Choices) -> list[Input]:
        whole = Input("value", line.get("value", ""), label="place" if self._parts else "", width="whole", more=_said_within("Place"))
        return [whole, *(Input(part, line.get(part, ""), label=words, more=_said_within(words)) for part, words in self._parts.items())]


def _said_within(words: str) -> dict[str, str]:
    return {"placeholder": words}


# --- what is named by its id -------------------------------------------------------------------------------------------


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
            return [Input("value", chosen, "select", options=_with(options, chosen))]
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
        options = _with([("", ""), *((str(user_id), name) for user_id, name in choices.people.items())], chosen)
        return [Input("value", chosen, "select", options=options)]


def _with(options: Options, chosen: str) -> Options:
    """The options, and what was chosen before, if it is none of them."""
    return options if not chosen or any(value == chosen for value, _ in options) else [*options, (chosen, chosen)]


_SHAPES: dict[str, Callable[[Struct], Shape]] = {
    "text": _Text,
    "number": _Number,
    "progress": _Progress,
    "money": _Money,
    "duration": _Duration,
    "date": _Date,
    "category": _Category,
    "phone": _Address,
    "email": _Address,
    "embed": _Link,
    "location": _Location,
    "contact": _Person,
    "member": _Person,
    "app": _Reference,
    "image": _Reference,
    "file": _Reference,
}
