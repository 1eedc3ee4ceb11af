"""Locations: `{"value": "Main Street 1, Aarhus", "city": "Aarhus", "lat": 56.1, "lng": 10.2}`. Nothing is looked up.

`value` is the location as somebody wrote it; without it, `formatted` stands for it, or the coordinates do. Pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tidings.workspace.values.given import clean_text, exact_decimal, wrong
from tidings.workspace.values.rule import Key, Known, Rule, Value, text_key

LOCATION_LIMIT = 1_000  # characters of each part

_TEXTS = ("value", "formatted", "street_address", "street_number", "street_name", "postal_code", "city", "state", "country")
_COORDINATES = {"lat": 90, "lng": 180}  # degrees, either way
_SHOWN = ("value", "formatted", "street_address", "postal_code", "city", "state", "country", "lat", "lng")
_EXPECTED = "a location: text, or an object with a value"


@dataclass(frozen=True, slots=True)
class Location(Rule):
    """The type `location`."""

    many: bool = True

    def read(self, given: object, _held: Sequence[Value], /) -> Value:
        """See `Rule.read`."""
        written = {"value": given} if isinstance(given, str) else given
        if not isinstance(written, dict):
            raise wrong(given, _EXPECTED)
        location: Value = {
            name: clean_text(written[name], limit=LOCATION_LIMIT, expected=f"text, as {name}") for name in _TEXTS if _is_said(written, name)
        }
        location |= {name: _degrees(written[name], most) for name, most in _COORDINATES.items() if _is_said(written, name)}
        if "value" not in location:
            location = {"value": _place(given, location)} | location
        return location

    def show(self, value: Value, _known: Known, /) -> Value:
        """See `Rule.show`."""
        return dict.fromkeys(_SHOWN) | value | {"map_in_sync": False}

    def key(self, value: Value) -> Key:
        """See `Rule.key`."""
        return text_key(str(value["value"]))

    def words(self, value: Value) -> str:
        """See `Rule.words`."""
        return str(value["value"])


def _is_said(written: Value, name: str) -> bool:
    return written.get(name) not in (None, "")


def _degrees(given: object, most: int) -> float:
    degrees = float(exact_decimal(given))
    if abs(degrees) > most:
        raise wrong(given, f"a number of degrees from -{most} to {most}")
    return degrees


def _place(given: object, location: Value) -> object:
    if "formatted" in location:
        return location["formatted"]
    if "lat" not in location or "lng" not in location:
        raise wrong(given, _EXPECTED)
    return f"{location['lat']}, {location['lng']}"
