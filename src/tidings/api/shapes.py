"""Types that bodies, queries and answers have in common; a `TypedDict` of the nouns' own files is made of them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from tidings.api.call import GREATEST_ID
from tidings.errors import Invalid
from tidings.wire.podio import read_timestamp, timestamp

Id = Annotated[int, Meta(ge=1, le=GREATEST_ID)]

Timestamp = Annotated[str, Meta(pattern=r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$", examples=["2026-01-02 03:04:05"], description="UTC")]
"""As `wire.podio.timestamp` writes it."""

Binary = Annotated[str, Meta(extra_json_schema={"contentMediaType": "application/octet-stream"})]
"""The bytes of a file, in a form."""


def moment_of(text: str | None, name: str) -> int | None:
    """The moment that a `Timestamp` names, in microseconds since the epoch. Raises `Invalid` for `name` where there is no such day."""
    try:
        return None if text is None else read_timestamp(text)
    except ValueError:
        raise Invalid(f"{name}: must be a moment in UTC that exists, YYYY-MM-DD HH:MM:SS", parameters={"field": name}) from None


def written(moment: int | None) -> str | None:
    """A moment as a `Timestamp`, if there is one."""
    return None if moment is None else timestamp(moment)


def one_of(*words: str) -> Meta:
    """What says of a text that it is one of these, where the floors below keep plain text."""
    return Meta(extra_json_schema={"enum": [*words]})


def parts_of(*shapes: type[Struct], required: Iterable[str] = ()) -> Meta:
    """What says of an object that it names some parts of these records: what is not named stays, and null is the default.

    It is for the reader of the OpenAPI document alone; `workspace.parts` is what reads such an object.
    """
    _, schemas = msgspec.json.schema_components(shapes)
    parts = {name: part for shape in shapes for name, part in schemas[shape.__name__]["properties"].items()}
    schema: dict[str, Any] = {"properties": {name: part if name in required else _or_null(part) for name, part in parts.items()}}
    return Meta(extra_json_schema=schema | ({"required": [*required]} if required else {}))


def _or_null(part: dict[str, Any]) -> dict[str, Any]:
    shown = {name: value for name, value in part.items() if name != "default"}
    return shown if not shown or {"type": "null"} in shown.get("anyOf", ()) else {"anyOf": [shown, {"type": "null"}]}
