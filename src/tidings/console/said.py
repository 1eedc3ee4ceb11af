"""The values of an item in words, as a table and a page show them. Pure."""

from __future__ import annotations

from decimal import Decimal

from tidings.clock import SECOND
from tidings.console.words import spelled
from tidings.workspace.fields.fieldsets import Slot, Values
from tidings.workspace.values.rule import Known, Value


def in_words(slot: Slot, values: Values, known: Known) -> list[str]:
    """Each value of a field."""
    return [_one(slot, value, known) for value in values.get(slot.field.field_id, ())]


def _one(slot: Slot, value: Value, known: Known) -> str:
    if slot.rule.refers_to is not None:
        return _named(slot.rule.refers_to, int(str(value["value"])), known)
    if slot.field.type == "date" and value.get("end"):
        return f"{value['start']} \N{EN DASH} {value['end']}"
    if slot.field.type == "duration":
        return spelled(int(str(value["value"])) * SECOND)
    if slot.field.type == "money":
        return f"{_at_least_cents(str(value['value']))} {value['currency']}"
    return slot.rule.words(value)


def _at_least_cents(decimal: str) -> str:
    whole, _, decimals = f"{Decimal(decimal):,f}".partition(".")
    return f"{whole}.{decimals.rstrip('0'):0<2}"


def _named(kind: str, number: int, known: Known) -> str:
    if kind == "item" and number in known.items:
        return known.items[number].title
    if kind == "person" and number in known.people:
        return known.people[number]
    if kind == "file" and number in known.files:
        return known.files[number].name
    return f"{kind} {number}"
