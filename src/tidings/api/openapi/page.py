"""The OpenAPI document as one page: nouns, operations, what they take and answer, an example of each. Pure.

The page is whole without a script, and its policy forbids every load, the style being part of it. Whatever comes from the
document is escaped.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from importlib.resources import files
from typing import NamedTuple

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from tidings.api.openapi.examples import example_of
from tidings.api.openapi.schemas import Schema, resolved

_STYLE = (files("tidings.api.openapi") / "templates" / "docs.css").read_text("utf-8")
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()

POLICY = {
    "content-security-policy": (
        f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
}
"""The headers that the page is sent with."""


class Part(NamedTuple):
    """One parameter, or one part of an object."""

    name: str
    place: str  # path | query | header; empty for a part of an object
    required: bool
    type: Markup
    description: str
    parts: list[Part]  # of an object that has no name of its own


class Body(NamedTuple):
    """What is taken or answered, in one media type."""

    media_type: str
    type: Markup
    parts: list[Part]


class Answer(NamedTuple):
    """One status."""

    status: str
    description: str
    bodies: list[Body]


class Place(NamedTuple):
    """One path that an operation answers at."""

    id: str
    method: str
    path: str


class Shown(NamedTuple):
    """One operation, with all its paths; or one event, which has none of ours."""

    places: list[Place]
    summary: str
    description: str
    scopes: list[str]  # one of which a token must have; none, where no token is needed
    parameters: list[Part]
    bodies: list[Body]
    answers: list[Answer]
    example: str


class Noun(NamedTuple):
    """The operations of one tag."""

    name: str
    description: str
    operations: list[Shown]


def page(document: Schema) -> str:
    """The whole page."""
    schemas = document["components"]["schemas"]
    text: str = _template.render(
        document=document,
        style=Markup(_STYLE),  # noqa: S704 (our own file)
        nouns=list(_nouns(document)),
        schemas=[_named(name, schema) for name, schema in schemas.items()],
        refused=_body(document["components"]["responses"]["Refused"]),
    )
    return text


def _named(name: str, schema: Schema) -> Part:
    return Part(name, "", required=False, type=type_of(schema), description=schema.get("description", ""), parts=parts_of(schema))


def _nouns(document: Schema) -> Iterator[Noun]:
    calls = [(method.upper(), path, each) for path, methods in document["paths"].items() for method, each in methods.items()]
    events = [("POST", "", each["post"]) for each in document["webhooks"].values()]
    for tag in document["tags"]:
        those = [call for call in (*calls, *events) if call[2]["tags"] == [tag["name"]]]
        yield Noun(tag["name"], tag["description"], list(_merged(document, those)))


def _merged(document: Schema, calls: Iterable[tuple[str, str, Schema]]) -> Iterator[Shown]:
    """The operations, those that are the same at another path with the first of them."""
    first: dict[tuple[str, str], Shown] = {}
    for method, path, operation in calls:
        known = (method, operation["summary"])
        if known not in first:
            first[known] = _shown(document, method, path, operation)
        first[known].places.append(Place(operation["operationId"], method, path))
    yield from first.values()


def _shown(document: Schema, method: str, path: str, operation: Schema) -> Shown:
    parameters = [resolved(document, each) for each in operation.get("parameters", ())]
    return Shown(
        places=[],
        summary=operation["summary"],
        description=operation.get("description", ""),
        scopes=list(dict.fromkeys(scope for each in operation["security"] for scopes in each.values() for scope in scopes)),
        parameters=[_parameter(each) for each in parameters],
        bodies=_body(operation.get("requestBody", {})),
        answers=[_answer(status, each) for status, each in operation["responses"].items() if "$ref" not in each],
        example=example_of(document, method, path, operation) if path else "",
    )


def _parameter(each: Schema) -> Part:
    schema = each["schema"]
    description = each.get("description") or schema.get("description", "")
    return Part(each["name"], each["in"], each["required"], type_of(schema), description, [])


def _answer(status: str, answer: Schema) -> Answer:
    return Answer(status, answer["description"], _body(answer))


def _body(body: Schema) -> list[Body]:
    contents = body.get("content", {}).items()
    return [Body(media_type, type_of(each.get("schema", {})), parts_of(each.get("schema", {}))) for media_type, each in contents]


# --- types as text -----------------------------------------------------------------------------------------------------

_WORDS = {"string": "text", "integer": "whole number", "boolean": "true or false", "number": "number", "null": "null", "object": "object"}


def type_of(schema: Schema) -> Markup:
    """A type as people say it; a named one leads to its place in the page."""
    match schema:
        case {"$ref": ref}:
            return Markup('<a href="#{0}">{0}</a>').format(ref.rpartition("/")[2])
        case {"anyOf": options}:
            return Markup(" or ").join(type_of(option) for option in options)
        case {"const": value} | {"enum": [value]}:
            return Markup("<code>{}</code>").format(value)
        case {"enum": values}:
            return Markup(", ").join(Markup("<code>{}</code>").format(value) for value in values)
        case _:
            return _plain_type(schema)


def _plain_type(schema: Schema) -> Markup:
    kind = schema.get("type")
    if kind == "array":
        return Markup("list of {}").format(type_of(schema.get("items") or {}))
    return escape(f"{_WORDS.get(kind, kind)}{_bounds(schema)}" if kind else "anything")


def _bounds(schema: Schema) -> str:
    least, most = schema.get("minimum"), schema.get("maximum")
    if least is not None and most is not None and most < 2**31 - 1:
        return f", {least} to {most}"
    if least is not None:
        return f", {least} or more" if least > 1 or least < 0 else ""
    length = schema.get("maxLength")
    return f", up to {length} characters" if length else ""


def parts_of(schema: Schema) -> list[Part]:
    """The parts of an object, with those of unnamed objects in it."""
    properties: Mapping[str, Schema] = schema.get("properties", {})
    required = schema.get("required", ())
    return [
        Part(name, "", name in required, type_of(part), part.get("description", ""), parts_of(_inner(part)))
        for name, part in properties.items()
    ]


def _inner(schema: Schema) -> Schema:
    """The object in a list of it, or in what may be null as well."""
    options = schema.get("anyOf", [schema.get("items")] if schema.get("type") == "array" else ())
    return next((option for option in options if option and "properties" in option), schema)


# --- the template ------------------------------------------------------------------------------------------------------

_CODE = re.compile(r"`([^`]+)`")


def marked(text: str) -> Markup:
    """Text of docstrings: paragraphs, and code between backticks."""
    paragraphs = [_CODE.sub(r"<code>\1</code>", str(escape(paragraph))) for paragraph in text.split("\n\n") if paragraph]
    return Markup("".join(f"<p>{paragraph}</p>" for paragraph in paragraphs))  # noqa: S704 (escaped above)


_environment = Environment(
    loader=PackageLoader("tidings.api.openapi"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
)
_environment.filters["marked"] = marked
_template = _environment.get_template("docs.html")
