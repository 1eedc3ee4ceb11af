"""Phone numbers, e-mail addresses, links and places: several values, each in a line of its own. Pure."""

from __future__ import annotations

from msgspec import Struct

from tidings.console.shapes.shape import Choices, Input, Line, Shape, Shapes, with_chosen
from tidings.workspace.fields.settings import EmailSettings, LocationSettings, PhoneSettings
from tidings.workspace.values.rule import Value


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
        kinds = with_chosen([("", "any kind"), *((each, each.replace("_", " ")) for each in self._kinds)], chosen)
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


SHAPES: Shapes = {"phone": _Address, "email": _Address, "embed": _Link, "location": _Location}
