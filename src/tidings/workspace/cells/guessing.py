"""Which type of field a column would be: the first of a list that takes every one of its cells.

All cells are looked at, one after the other, and only what is still possible is kept. What means more than its digits say
(`007`, a number of more than 15 digits) is text. A few texts that come again and again are the options of a category.
Pure.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from tidings.errors import Invalid
from tidings.workspace.cells.columns import OURS
from tidings.workspace.cells.habits import Habits
from tidings.workspace.cells.reading import NO, YES, Reader, reader_of, several
from tidings.workspace.fields.fields import Field, FieldConfig, NewField
from tidings.workspace.fields.fieldsets import Fieldset, Slot
from tidings.workspace.fields.settings import changed_settings
from tidings.workspace.values.rule import read_values

_LOOKS = {
    "embed": re.compile(r"https?://.*", re.DOTALL),
    "email": re.compile(r"[^@]+@.+", re.DOTALL),
    "progress": re.compile(r"[0-9]{1,3} ?%"),
    "money": re.compile(r".*(?:\b[A-Z]{3}\b|[€$£¥]).*"),
    "date": re.compile(r".*[0-9]{4}.*"),
    "number": re.compile(r"[-+\N{MINUS SIGN}]?(?!0[0-9])(?:[0-9][^0-9]?){0,15}[0-9]?"),
    "phone": re.compile(r"(?:\+|00|\(?0)[0-9 ()/.-]{6,24}"),
}
"""What a cell must look like besides, to be taken for a value of the type; in the order in which the types are tried."""

OPTIONS = 12  # texts that a category may have, to be guessed as one
OPTION_LENGTH = 60  # characters
REPEATED = 3  # times that each of them comes on average
LARGE_TEXT = 200  # characters


class Guess:
    """One column, while its cells go by."""

    def __init__(self, heading: str, habits: Habits) -> None:
        self.heading = heading
        self.cells = 0
        self._possible: dict[str, tuple[Slot, Reader]] = {name: _candidate(name, habits) for name in _LOOKS}
        self._texts: Counter[str] | None = Counter()  # None: too many for a category
        self._multiple = False
        self._large = False

    def see(self, cell: str) -> None:
        """Take one more cell into account."""
        text = cell.strip()
        if not text:
            return
        self.cells += 1
        self._large = self._large or len(text) > LARGE_TEXT or "\n" in text
        for name in [name for name in self._possible if not self._could_be(name, text)]:
            del self._possible[name]
        self._count(text)

    def field(self) -> NewField:
        """The field that the column would be."""
        settings: dict[str, object] = {}
        name = next(iter(self._possible), "text") if self.cells else "text"
        if name == "text" and (options := self._options()):
            name, settings = "category", {"options": options, "multiple": self._multiple}
        elif name == "text" and self._large:
            settings = {"size": "large"}
        return NewField(name, {"label": self.heading, "settings": settings})

    def _could_be(self, name: str, text: str) -> bool:
        slot, reader = self._possible[name]
        if not _LOOKS[name].fullmatch(text):
            return False
        try:
            return bool(read_values(slot.rule, reader(text), ()))
        except Invalid:
            return False

    def _count(self, text: str) -> None:
        if self._texts is None:
            return
        parts = [str(part) for part in several(text)]
        self._multiple = self._multiple or len(parts) > 1
        self._texts.update(parts)
        if len(self._texts) > OPTIONS or any(len(part) > OPTION_LENGTH for part in parts):
            self._texts = None

    def _options(self) -> list[str]:
        if not self._texts:
            return []
        words = {text.casefold() for text in self._texts}
        if words <= YES or words <= NO or (words <= YES | NO and len(self._texts) <= 2):
            return ["Yes", "No"]
        often = self._texts.total() >= REPEATED * len(self._texts)
        first: dict[str, str] = {}
        for text in self._texts:
            first.setdefault(text.casefold(), text)
        return list(first.values()) if often else []


def _candidate(name: str, habits: Habits) -> tuple[Slot, Reader]:
    slot = _slot(1, NewField(name, {"label": name}))
    return slot, reader_of(slot, habits, {})


def guess_all(headings: Sequence[str], habits: Habits) -> dict[int, Guess]:
    """A guess for each column that has a heading and is not one of ours, by its place."""
    return {place: Guess(heading, habits) for place, heading in enumerate(headings) if heading and not heading.startswith(OURS)}


def as_fields(new: Sequence[NewField]) -> Fieldset:
    """Fields that nobody has made yet, as if they were there: to judge rows by. Their ids are made up."""
    return Fieldset(tuple(_slot(number, each).field for number, each in enumerate(new, 1)))


def _slot(number: int, new: NewField) -> Slot:
    settings = changed_settings(new.type, {}, new.config.get("settings", {}), "settings")
    external_id = new.external_id or f"column-{number}"
    config = FieldConfig(str(new.config["label"]), settings=settings, required=bool(new.config.get("required")))
    field = Field(number, 0, external_id, new.type, "active", config, number)
    return Fieldset((field,)).slots[0]
