"""Which column of a table is which field: by what the caller said, else by external_id, else by label, in any case of letters.

A column that finds no field is refused, so that none is lost unseen; whoever wants to leave one out says so. What comes
back from an import as rejected carries columns of ours in front (`tidings:...`), which are passed over. Pure.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from tidings.errors import Invalid
from tidings.workspace.fields.fields import Field

OURS = "tidings:"  # what the headings of our own columns begin with


class Column(Struct, frozen=True):
    """A column whose cells are values of a field."""

    place: int  # from 0
    heading: str
    field: Field


class Columns(Struct, frozen=True):
    """What each column of a table is for."""

    headings: tuple[str, ...]
    fields: tuple[Column, ...]
    external_id: int | None = None  # the place of the column that names each row, from 0

    @property
    def left_out(self) -> list[str]:
        """The headings of what goes nowhere."""
        used = {column.place for column in self.fields} | {self.external_id}
        return [heading for place, heading in enumerate(self.headings) if heading and place not in used]

    def heading_of(self, external_id: object) -> str:
        """The column whose field has this external_id, or that field itself."""
        return next((column.heading for column in self.fields if column.field.external_id == external_id), str(external_id or ""))


def match_columns(
    headings: Sequence[str], fields: Sequence[Field], *, mapping: Mapping[str, str], external_id: str | None = None
) -> Columns:  # fmt: skip
    """Find the field of every column. `mapping` is from a heading to a field, or to nothing for a column to leave out.

    Raises `Invalid`, naming the columns, for a heading that is there twice, a column without a field, a field with two columns.
    """
    places = places_of(headings)
    said = {place_of(places, heading): name for heading, name in mapping.items()}
    key = None if external_id is None else place_of(places, external_id)
    known = _known(fields)
    found = {place: _said_field(known, said[place]) if place in said else known.get(_folded(headings[place])) for place in places.values()}
    lost = [headings[place] for place, field in found.items() if field is None and place not in said and place != key]
    if lost:
        sentence = f"no field is called {_listed(lost)}; the app has {_listed(field.external_id for field in fields)}"
        raise Invalid(sentence, parameters={"columns": lost})
    matched = tuple(Column(place, headings[place], field) for place, field in found.items() if field is not None)
    _check_single(matched)
    return Columns(tuple(headings), matched, key)


def places_of(headings: Sequence[str]) -> dict[str, int]:
    """The place of each column that has a heading and is not ours. Raises `Invalid` for a heading that is there twice."""
    named = [(_folded(heading), place) for place, heading in enumerate(headings) if heading and not heading.startswith(OURS)]
    twice = [headings[place] for text, place in named if Counter(text for text, _ in named)[text] > 1]
    if twice:
        raise Invalid(f"more than one column is called {_listed(dict.fromkeys(twice))}")
    if not named:
        raise Invalid("the first line has no headings")
    return dict(named)


def place_of(places: Mapping[str, int], heading: str) -> int:
    """The place of the column with this heading. Raises `Invalid`."""
    place = places.get(_folded(heading))
    if place is None:
        raise Invalid(f"no column is called {_listed([heading])}")
    return place


def _known(fields: Sequence[Field]) -> dict[str, Field]:
    """Fields by what a heading may call them. A label that two fields have is none."""
    labels = Counter(_folded(field.config.label) for field in fields)
    by_label = {_folded(field.config.label): field for field in fields if labels[_folded(field.config.label)] == 1}
    return by_label | {_folded(field.external_id): field for field in fields}


def _said_field(known: Mapping[str, Field], name: str) -> Field | None:
    if not name:
        return None
    if _folded(name) not in known:
        raise Invalid(f"the app has no field {_listed([name])}")
    return known[_folded(name)]


def _check_single(matched: Iterable[Column]) -> None:
    by_field: dict[int, list[str]] = {}
    for column in matched:
        by_field.setdefault(column.field.field_id, []).append(column.heading)
    for headings in by_field.values():
        if len(headings) > 1:
            raise Invalid(f"the columns {_listed(headings)} are for the same field; leave all but one out")


def _folded(name: str) -> str:
    return " ".join(name.split()).casefold()


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"'{name[:100]}'" for name in names)
