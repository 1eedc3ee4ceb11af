"""The fields of one app with the rules of their values: from what a caller wrote to what is kept, and back.

Here a value's error gets the name of its field. What a field does not name stays as it is; a field that the app no
longer has keeps its values in the record, and nobody sees or changes them. Pure, but for where a set is remembered.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import RowMapping

from tidings.errors import Invalid
from tidings.events.outbox import Change
from tidings.store.database import Tx
from tidings.workspace.fields.fields import REMEMBERED, Field, definition
from tidings.workspace.values.given import wrong
from tidings.workspace.values.rule import Known, Rule, Value, read_values
from tidings.workspace.values.table import rule_of

Values = dict[int, list[Value]]
"""The values of an item, by field_id; a field without any is left out."""

TITLE_LIMIT = 255  # characters


@dataclass(frozen=True, slots=True)
class Slot:
    """One field, with the rule of its values."""

    field: Field
    rule: Rule

    def show(self, values: Values, known: Known) -> list[object]:
        """What `values` hold for this field, as it is answered."""
        return [self.rule.show(value, known) for value in values.get(self.field.field_id, ())]

    def change(self, before: Values, after: Values, known: Known) -> Change:
        """What an event tells of this field."""
        field = self.field
        return Change(field.field_id, field.external_id, field.type, field.config.label, self.show(before, known), self.show(after, known))


class Fieldset:
    """The fields of one app, in their order."""

    __slots__ = ("__weakref__", "_by_external_id", "_by_id", "fields", "refers", "slots")

    def __init__(self, fields: tuple[Field, ...]) -> None:
        """`fields` are the active ones, in their order."""
        self.fields = fields
        self.slots = tuple(Slot(field, rule_of(field.type, field.config.settings)) for field in fields)
        self.refers = any(slot.rule.refers_to for slot in self.slots)  # whether any value can name an item, a person or a file
        self._by_id = {slot.field.field_id: slot for slot in self.slots}
        self._by_external_id = {slot.field.external_id: slot for slot in self.slots}

    def find(self, name: object) -> Slot | None:
        """The field that `name` means: its field_id, as a number or as text, or its external_id."""
        match name:
            case bool():
                return None
            case int():
                return self._by_id.get(name)
            case str():
                by_id = self._by_id.get(int(name)) if name.isascii() and name.isdigit() and len(name) <= 10 else None
                return by_id or self._by_external_id.get(name)
            case _:
                return None

    def read(self, given: object, held: Values) -> Values:
        """What a caller wrote for some fields, as it is kept; an empty list where a field is cleared.

        `held` is what the item has now. Raises `Invalid`, naming the field that does not exist, is written twice, is
        required and has no value, or has a value that is wrong.
        """
        read: Values = {}
        for slot, written in self._named(given):
            field_id = slot.field.field_id
            if field_id in read:
                raise _at(slot, Invalid("The field is there twice"))
            read[field_id] = _read(slot, written, held.get(field_id, ()))
        return read

    def _named(self, given: object) -> Iterator[tuple[Slot, object]]:
        """Each field with what was written for it: from a map, or from a list of {external_id | field_id, values}."""
        match given:
            case None:
                return
            case Mapping():
                for name, written in given.items():
                    yield self._require(name), written
            case list():
                for entry in given:
                    if not isinstance(entry, dict) or "values" not in entry:
                        raise wrong(entry, "an object with an external_id or a field_id, and values", field="fields")
                    names = [entry[name] for name in ("field_id", "external_id") if entry.get(name) is not None]
                    yield self._require(names[0] if names else None), entry["values"]
            case _:
                raise wrong(given, "an object, from a field to its values", field="fields")

    def _require(self, name: object) -> Slot:
        slot = self.find(name)
        if slot is None:
            raise wrong(name, "the external_id or the field_id of a field of this app", field=name if isinstance(name, str | int) else None)
        return slot

    def check_required(self, values: Values) -> None:
        """Raise `Invalid` when `values`, those of a whole item, lack a required field."""
        for slot in self.slots:
            if slot.field.config.required and not values.get(slot.field.field_id):
                raise _missing(slot)

    def title(self, values: Values, otherwise: str) -> str:
        """The title of an item: its first text, or the first value that can be said in words, or `otherwise`."""
        held = [slot for slot in self.slots if values.get(slot.field.field_id)]
        for slot in sorted(held, key=lambda slot: slot.field.type != "text"):
            if words := slot.rule.words(values[slot.field.field_id][0]):
                return words[:TITLE_LIMIT]
        return otherwise

    def keys(self, item_id: int, values: Values) -> list[tuple[object, ...]]:
        """The rows of `item_values` for what `values` hold: item_id, field_id, position, number, text."""
        rows: list[tuple[object, ...]] = []
        for field_id, those in values.items():
            slot = self._by_id.get(field_id)
            if slot is not None:
                rows += [(item_id, field_id, position, *slot.rule.key(value)) for position, value in enumerate(those)]
        return rows

    def changes(self, before: Values, after: Values, known: Known) -> list[Change]:
        """What an event tells of a change: each field that `after` names, with its values before and after."""
        named = (slot for slot in self.slots if slot.field.field_id in after)
        return [slot.change(before, after, known) for slot in named]

    def files(self, values: Values) -> dict[int, list[int]]:
        """The ids of the files that `values` name, by field_id."""
        held = (slot.field.field_id for slot in self.slots if slot.rule.refers_to == "file")
        return {field_id: list(_ids(values[field_id])) for field_id in held if values.get(field_id)}

    def referred(self, values: Values) -> tuple[set[int], set[int], set[int]]:
        """The ids of the items, of the people and of the files that `values` name."""
        ids: dict[str | None, set[int]] = {"item": set(), "person": set(), "file": set()}
        for slot in self.slots:
            if slot.rule.refers_to is not None:
                ids[slot.rule.refers_to].update(_ids(values.get(slot.field.field_id, ())))
        return ids["item"], ids["person"], ids["file"]


def fieldset(tx: Tx, app: RowMapping) -> Fieldset:
    """The fields of the app whose row this is, made once for each state of its definition (see `fields.definition`)."""
    remembered: dict[int, Fieldset] = tx.info.setdefault("fieldsets", {})
    fields = definition(tx, app)
    found = remembered.get(app["app_id"])
    if found is None or found.fields is not fields:
        if len(remembered) >= REMEMBERED:
            remembered.clear()
        found = remembered[app["app_id"]] = Fieldset(fields)
    return found


def _read(slot: Slot, written: object, held: Sequence[Value]) -> list[Value]:
    try:
        values = read_values(slot.rule, written, held)
    except Invalid as error:
        raise _at(slot, error) from None
    if not values and slot.field.config.required:
        raise _missing(slot)
    return values


def _missing(slot: Slot) -> Invalid:
    return _at(slot, Invalid("A value is required"))


def _at(slot: Slot, error: Invalid) -> Invalid:
    name = slot.field.external_id
    return Invalid(f"{error.description} (field '{name}')", parameters={"field": name, **error.parameters})


def _ids(values: Sequence[Value]) -> Iterator[int]:
    for value in values:
        number = value["value"]
        assert isinstance(number, int)
        yield number
