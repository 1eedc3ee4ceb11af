"""What a type of field says of its values: the shape that every file of this package fills in. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from tidings.workspace.values.given import single_values, wrong

Value = dict[str, object]
"""One value as it is kept: sub_id to what stands there, in Podio's words, with ids for what lives elsewhere."""

Key = tuple[float | None, str | None]
"""What a filter and a sort compare: a number, or the beginning of a text."""

KEY_LENGTH = 200  # characters of a text that are compared
VALUES_LIMIT = 500  # values of one field


@dataclass(frozen=True, slots=True)
class KnownItem:
    """An item that a value refers to, as far as it is shown."""

    item_id: int
    app_item_id: int
    title: str
    app_id: int
    app_name: str
    item_name: str


@dataclass(frozen=True, slots=True)
class KnownFile:
    """A file that a value refers to, as far as it is shown."""

    file_id: int
    name: str
    mimetype: str
    size: int  # bytes
    description: str | None


@dataclass(frozen=True, slots=True)
class Known:
    """What is known, to one caller, of the items, people and files that values name: those not in it stay bare ids."""

    items: Mapping[int, KnownItem] = field(default_factory=dict)
    people: Mapping[int, str] = field(default_factory=dict)  # user_id to name
    files: Mapping[int, KnownFile] = field(default_factory=dict)


NOTHING_KNOWN = Known()


class Rule:
    """One type of field, with its settings."""

    __slots__ = ()

    many: bool = False
    """Whether a field has more than one value."""

    refers_to: Literal["item", "person", "file"] | None = None
    """What a value names by its id."""

    compares: Literal["text", "number", "moment", "id"] = "text"
    """How a filter on the field is written."""

    def read(self, given: object, held: Sequence[Value], /) -> Value:
        """One value as it is kept, from any way of writing it; `held` is what the field has now. Raises `Invalid`."""
        raise NotImplementedError

    def show(self, value: Value, _known: Known, /) -> Value:
        """The value as it is answered."""
        return value

    def key(self, value: Value, /) -> Key:
        """What a filter and a sort compare."""
        raise NotImplementedError

    def words(self, _value: Value, /) -> str:
        """The value as people say it, where it can be said without looking anything up; else empty."""
        return ""

    def operand(self, given: object, /) -> float | str:
        """What a filter compares the keys of values with. Raises `Invalid`."""
        number, text = self.key(self.read(given, ()))
        return number if number is not None else text or ""


def read_values(rule: Rule, given: object, held: Sequence[Value]) -> list[Value]:
    """All values in what was written, without repeats of a reference or an option; none for what clears the field.

    Raises `Invalid`, which does not name the field yet.
    """
    members = single_values(given)
    if len(members) > (VALUES_LIMIT if rule.many else 1):
        raise wrong(given, f"at most {VALUES_LIMIT} values" if rule.many else "one value")
    values = [rule.read(member, held) for member in members]
    return _without_repeats(values) if rule.many and rule.compares == "id" else values


def _without_repeats(values: list[Value]) -> list[Value]:
    return list({str(value["value"]): value for value in values}.values())


def text_key(text: str) -> Key:
    """The key of a text."""
    return None, text[:KEY_LENGTH].lower()
