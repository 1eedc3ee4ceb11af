"""From a cell to what a field takes: one reader for each field, from the closed table of types.

Fields that hold many values take several in one cell, with `;` or a line break between them. An option of a category is
named by its text in any case of letters, never by its id; a person by mail address or id. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from functools import partial

from tidings.errors import Invalid
from tidings.workspace.cells.dates import read_date
from tidings.workspace.cells.habits import Habits
from tidings.workspace.cells.numbers import read_duration, read_money, read_number, read_progress
from tidings.workspace.fields.fieldsets import Slot
from tidings.workspace.values.categories import Category
from tidings.workspace.values.given import wrong

Reader = Callable[[str], object]
"""From a cell that is not blank to what was meant. Raises `Invalid`."""

People = Mapping[str, int]
"""The user_id of everybody who is named, by what they are named by."""

NEW_OPTIONS = "new_options"
"""The parameter of an `Invalid` that lists what would have to be options of the field."""

_SEVERAL = re.compile(r"[;\r\n]+")
_LINKS = re.compile(r"\s+|;(?=\s|https?://|\Z)")  # a `;` may well be of the link
_LONGEST = 200  # characters of a number or a date: patterns take their time over a page of blanks
YES, NO = frozenset({"yes", "y", "true", "1"}), frozenset({"no", "n", "false", "0"})


def reader_of(slot: Slot, habits: Habits, people: People) -> Reader:  # noqa: C901, PLR0911 (a table: one return a type)
    """The reader of the cells of a field."""
    match slot.field.type:
        case "number":
            return _short(partial(read_number, habits=habits))
        case "money":
            return _short(partial(read_money, habits=habits))
        case "progress":
            return _short(partial(read_progress, habits=habits))
        case "duration":
            return _short(read_duration)
        case "date":
            return _short(partial(read_date, habits=habits))
        case "category":
            assert isinstance(slot.rule, Category)
            return _option_reader(slot.rule)
        case "phone" | "email" | "app":
            return several
        case "embed":
            return partial(several, between=_LINKS)
        case "contact" | "member":
            return partial(_read_people, people)
        case "image" | "file":
            return _refuse_file
        case _:
            return str


def _short(reader: Reader) -> Reader:
    def read(cell: str) -> object:
        if len(cell) > _LONGEST:
            raise wrong(cell, f"at most {_LONGEST} characters")
        return reader(cell)

    return read


def several(cell: str, *, between: re.Pattern[str] = _SEVERAL) -> list[object]:
    """The values in a cell, without the blanks around them."""
    return [part for part in (each.strip() for each in between.split(cell)) if part]


def named_people(cell: str) -> Iterable[str]:
    """Those whom a cell names."""
    return (str(name) for name in several(cell))


def _read_people(people: People, cell: str) -> list[object]:
    return [_person(people, name) for name in named_people(cell)]


def _person(people: People, name: str) -> int:
    if name not in people:
        raise wrong(name, "the mail address of a person of this organization")
    return people[name]


def _refuse_file(cell: str) -> object:
    raise wrong(cell, "blank: files are not imported")


def _option_reader(category: Category) -> Reader:
    active = {number: option.text for number, option in category.options.items() if option.status == "active"}
    folded = {text.casefold(): number for number, text in reversed(active.items())}
    exact = {text: number for number, text in reversed(active.items())}
    named = folded | _answers(folded) | exact

    def find(text: str) -> int | None:
        return named.get(text) or named.get(text.casefold())

    def read(cell: str) -> list[object]:
        whole = cell.strip()
        texts = [whole] if find(whole) or not category.many else [str(each) for each in several(whole)]
        missing = [text for text in texts if find(text) is None]
        if missing:
            raise _no_option(missing, list(active.values()))
        return [{"value": find(text)} for text in texts]

    return read


def _answers(folded: Mapping[str, int]) -> dict[str, int]:
    """The other words for yes and no, where those are options."""
    words = {word: folded["yes"] for word in YES if "yes" in folded} | {word: folded["no"] for word in NO if "no" in folded}
    return {word: number for word, number in words.items() if word not in folded}


def _no_option(missing: list[str], texts: list[str]) -> Invalid:
    names = ", ".join(f"'{text[:60]}'" for text in missing)
    offered = ", ".join(f"'{text}'" for text in texts[:20]) + (", ..." if len(texts) > 20 else "")
    return Invalid(f"There is no option {names}; there are {offered or 'none'}", parameters={NEW_OPTIONS: missing})
