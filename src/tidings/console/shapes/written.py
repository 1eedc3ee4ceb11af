"""Texts, numbers, amounts, spans and dates: one value, in one input or a few. Pure."""

from __future__ import annotations

from msgspec import Struct

from tidings.console.shapes.shape import Choices, Input, Line, Shape, Shapes, spoken, with_chosen
from tidings.workspace.fields.settings import DateSettings, DurationSettings, MoneySettings, TextSettings
from tidings.workspace.values.rule import Value

MANY_LINES = 6  # of a text area


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
        options = with_chosen([(each, each) for each in self._currencies], chosen)
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
        return line if spoken(line) else {self._units[-1]: "0"}

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


SHAPES: Shapes = {"text": _Text, "number": _Number, "progress": _Progress, "money": _Money, "duration": _Duration, "date": _Date}
