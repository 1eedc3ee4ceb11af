"""The inputs by which people write the values of an item: a few for each type of field, there and back.

A field's inputs stand in lines, one for each value: `f12.0.value` is the first value of field 12. A field that can have
several has one empty line more than it has values. From values to texts and back to values is the same again (`fill`, then
`read_item`): a field whose texts are those that were filled in is not named in the change at all, so that nothing that the
inputs cannot show is lost by looking at it. What was typed is judged by the field's own rule, and by nothing here. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from tidings.console.shapes.shape import Choices, Input, Line
from tidings.console.shapes.table import shape_of
from tidings.errors import TidingsError
from tidings.workspace.fields.fieldsets import Fieldset, Slot, Values

MOST_LINES = 500  # of one field, as a field has values


class Widget(NamedTuple):
    """One field of an item's form."""

    name: str  # what a complaint about it is found by: its external_id
    id: str
    label: str
    type: str
    required: bool
    hint: str
    many: bool
    wide: bool  # it takes the whole width of the form
    lines: list[list[Input]]
    suggestions: Sequence[tuple[int, str]]


def widgets(those: Fieldset, texts: Mapping[str, str], choices: Choices) -> list[Widget]:
    """The inputs of all fields that are shown, filled with `texts`, by the names of the inputs."""
    return [_widget(slot, texts, choices) for slot in those.slots if not slot.field.config.hidden_create_view_edit]


def fill_item(those: Fieldset, values: Values) -> dict[str, str]:
    """The texts of all inputs for these values."""
    return {name: text for slot in those.slots for name, text in fill(slot, values).items()}


def fill(slot: Slot, values: Values) -> dict[str, str]:
    """The same for one field."""
    lines = shape_of(slot).fill(values.get(slot.field.field_id, ()))
    return {_name(slot, place, part): text for place, line in enumerate(lines) for part, text in line.items()}


def read_item(those: Fieldset, typed: Mapping[str, str], held: Values) -> dict[int, object]:
    """What was written for the fields that differ from what they hold, as the API takes it. Raises `Invalid` naming a field."""
    changed: dict[int, object] = {}
    for slot in those.slots:
        lines = _typed_lines(slot, typed)
        if lines and _said(lines.values()) != _said(shape_of(slot).fill(held.get(slot.field.field_id, ()))):
            changed[slot.field.field_id] = _read(slot, lines, held)
    return changed


def merge(those: Fieldset, typed: Mapping[str, str], base: Values, held: Values) -> dict[str, str]:
    """The texts of a form that was filled in when the item held `base`, and is shown again now that it holds `held`: what was
    touched stays as it was typed, everything else is as it is now."""
    texts: dict[str, str] = {}
    for slot in those.slots:
        lines = _typed_lines(slot, typed)
        if _said(lines.values()) == _said(shape_of(slot).fill(base.get(slot.field.field_id, ()))):
            texts |= fill(slot, held)
        else:
            texts |= {_name(slot, place, part): text for place, line in lines.items() for part, text in line.items()}
    return texts


def _said(lines: Iterable[Line]) -> list[Line]:
    """The lines that say something, without the inputs that say nothing."""
    spoken = ({part: text for part, text in line.items() if text} for line in lines)
    return [line for line in spoken if line]


def _read(slot: Slot, lines: Mapping[int, Line], held: Values) -> list[object]:
    shape = shape_of(slot)
    before = held.get(slot.field.field_id, [])
    return [given for place, line in lines.items() for given in shape.read(line, before[place] if place < len(before) else None)]


# --- names and lines ---------------------------------------------------------------------------------------------------


def _name(slot: Slot, place: int, part: str) -> str:
    return f"f{slot.field.field_id}.{place}.{part}"


def _typed_lines(slot: Slot, typed: Mapping[str, str]) -> dict[int, Line]:
    """What was typed for a field, by the place of the line."""
    begin = f"f{slot.field.field_id}."
    lines: dict[int, Line] = {}
    for name, text in typed.items():
        place, _, part = name.removeprefix(begin).partition(".")
        if name.startswith(begin) and place.isascii() and place.isdigit() and int(place) < MOST_LINES:
            lines.setdefault(int(place), {})[part] = text.replace("\r\n", "\n")
    return dict(sorted(lines.items()))


def _widget(slot: Slot, texts: Mapping[str, str], choices: Choices) -> Widget:
    field, shape = slot.field, shape_of(slot)
    lines = [line for line in _typed_lines(slot, texts).values() if _said([line])]
    if shape.many or not lines:
        lines.append({})
    named = [_named(slot, place, shape.inputs(line, choices)) for place, line in enumerate(lines)]
    return Widget(
        field.external_id,
        f"f{field.field_id}",
        field.config.label,
        field.type,
        field.config.required,
        " ".join(filter(None, (field.config.description, shape.hint))),
        shape.many,
        shape.wide,
        named,
        shape.suggestions(choices),
    )


def _named(slot: Slot, place: int, inputs: Sequence[Input]) -> list[Input]:
    return [each._replace(name=_name(slot, place, each.name)) for each in inputs]


# --- complaints --------------------------------------------------------------------------------------------------------

_MUST_BE = re.compile(r"Invalid value .* \([a-z]+\): (must be .*)", re.DOTALL)


def in_short(error: TidingsError) -> str:
    """An error about a value, as it stands beside the very field: without what was typed and the field's name."""
    sentence = error.description.rpartition(" (field '")[0] or error.description
    match = _MUST_BE.fullmatch(sentence)
    short = match[1] if match else sentence
    return f"{short[:1].upper()}{short[1:]}."
