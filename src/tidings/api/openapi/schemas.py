"""The types of operations as JSON Schema, and our docstrings as text for people who do not read our source. Pure.

msgspec writes the schemas from the very types that it decodes by, so they are true of bodies; answers are what mypy holds
the operations to. Types with a name become components, and each stands in the document once.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, get_origin, is_typeddict

import msgspec
from msgspec import Struct

Schema = dict[str, Any]

REF = "#/components/schemas/{name}"

_MODULES = re.compile(r"\btidings\.(?:\w+\.)*(?=\w+\.)")  # of two types of one name, each stands with its whole path

_ANYTHING: Schema = {"$comment": "anything"}  # an empty schema is how msgspec reads "I do not know this type"


class Schemas:
    """The schemas of some types."""

    def __init__(self, shapes: Iterable[Any]) -> None:
        """Raises TypeError for a type that JSON has no word for."""
        known = list(dict.fromkeys(shapes))
        found, components = msgspec.json.schema_components(known, schema_hook=_schema_of_anything, ref_template=REF)
        self._schemas = dict(zip(known, map(cleaned, found), strict=True))
        self.components = {_MODULES.sub("", name): cleaned(components[name]) for name in sorted(components)}

    def of(self, shape: Any) -> Schema:
        """The schema of `shape`, which is one of the types."""
        schema: Schema = self._schemas[shape]
        return schema


def parameters_of(query: Any) -> list[Schema]:
    """The parameters of a query, in their order."""
    (ref,), components = msgspec.json.schema_components([query], schema_hook=_schema_of_anything, ref_template="{name}")
    whole = components[ref["$ref"]]
    required = whole.get("required", ())
    return [
        {"name": name, "in": "query", "required": name in required, "schema": _without_null(schema)}
        for name, schema in whole["properties"].items()
    ]


def _without_null(schema: Schema) -> Schema:
    """A parameter is given as text or not at all: null is how our side says the latter."""
    options = [each for each in schema.get("anyOf", ()) if each != {"type": "null"}]
    kept = {name: value for name, value in schema.items() if name != "anyOf" and not (name == "default" and value is None)}
    if len(options) == 1:
        return {**options[0], **kept}
    return {**kept, "anyOf": options} if options else kept


def _schema_of_anything(shape: type) -> Schema:
    if shape is object:
        return _ANYTHING
    raise NotImplementedError


def is_optional(body: Any) -> bool:
    """Whether no body at all, which is read as `{}`, is one of this type."""
    try:
        msgspec.convert({}, body)
    except msgspec.ValidationError:
        return False
    return True


def title_of(shape: Any) -> str:
    """What the docstring of an answer's type says in its first line."""
    if get_origin(shape) is list:
        return "A list."
    described = is_typeddict(shape) or (isinstance(shape, type) and issubclass(shape, Struct))
    return prose(shape.__doc__).partition("\n")[0] if described and shape.__doc__ else "The answer."


def resolved(document: Schema, schema: Schema) -> Schema:
    """What `schema` (or a parameter, or an answer) of the document refers to; itself, where it refers to nothing."""
    if "$ref" not in schema:
        return schema
    found: Any = document
    for part in schema["$ref"].removeprefix("#/").split("/"):
        found = found[part]
    return resolved(document, found)


# --- text --------------------------------------------------------------------------------------------------------------

_CITATION = re.compile(r"\s*\((?:contract )?section[^()]*\)")
_RAISES = re.compile(r"\s*\bRaises [^.]*(?:\.(?!\s)[^.]*)*\.?(?=\s|$)")
_ROUTE = re.compile(r"`(?:GET|POST|PUT|DELETE) [^`]*`[^:.]*[:.]?\s*")


def prose(docstring: str | None) -> str:
    """A docstring without what only our source's readers know: sections of the contract, classes of errors."""
    paragraphs = [" ".join(paragraph.split()) for paragraph in (docstring or "").split("\n\n")]
    told = [_RAISES.sub("", _CITATION.sub("", paragraph)).strip() for paragraph in paragraphs]
    return "\n\n".join(paragraph for paragraph in told if paragraph)


def description_of(operation: Any) -> str:
    """The same for an operation, which begins with the path that it answers to."""
    text = _ROUTE.sub("", prose(operation.__doc__), count=1)
    return f"{text[:1].upper()}{text[1:]}"


def cleaned(schema: Any) -> Any:
    """`schema` with each description as `prose`, and names as short as they can be."""
    if schema == _ANYTHING:
        return {}
    match schema:
        case dict():
            return {name: _cleaned_part(name, value) for name, value in schema.items()}
        case list():
            return [cleaned(each) for each in schema]
        case _:
            return schema


def _cleaned_part(name: str, value: Any) -> Any:
    match name, value:
        case "description", str():
            return prose(value)
        case "$ref", str():
            return _MODULES.sub("", value)
        case _:
            return cleaned(value)
