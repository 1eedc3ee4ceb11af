"""The OpenAPI 3.1 document, made from the route table, the signatures of its operations and the table of events.

Every row is in it. It says what the operations take and answer as their types say it, and no more: an operation that
answers just anything is shown as one. Clients may rely on `operationId` as long as the row stays.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Sequence
from http import HTTPStatus
from itertools import chain, count
from types import UnionType
from typing import Any, NamedTuple, TypedDict, Union, get_args, get_origin

from starlette.responses import Response

from tidings import __version__
from tidings.api.call import GREATEST_ID
from tidings.api.openapi.events import header_parameters, webhooks
from tidings.api.openapi.schemas import Schema, Schemas, description_of, is_optional, parameters_of, prose, title_of
from tidings.api.operations import Content, Signature, answered, read_signature, taken
from tidings.api.routes import Row
from tidings.workspace.accounts.scopes import NOUNS, PERMISSIONS, right_needed

JSON = "application/json"
SCHEMES = ("token", "bearer", "parameter", "oauth2")  # ways to send a token; the last is how one is had
NO_SHAPES = (None, type(None), Response, bytes)  # answers that no JSON Schema is made of

INTRODUCTION = """Tidings keeps apps, spaces and items, and tells your URLs the moment they change.

It speaks Podio's wire protocol. Paths answer with a final slash and without. Flags of a query are `true` or `false`, `1` or `0`.
Times are UTC. No body at all counts as `{}`.

What is not open to all takes an access token: as `Authorization: OAuth2 TOKEN`, as `Authorization: Bearer TOKEN`, or as the
parameter `oauth_token`."""


class RequestObject(TypedDict):
    """What was asked for."""

    url: str
    query_string: str
    method: str


class ErrorObject(TypedDict):
    """The body of every answer that is not a success."""

    error: str
    error_detail: str | None
    error_description: str | None
    error_parameters: dict[str, Any]
    error_propagate: bool
    request: RequestObject


class Described(NamedTuple):
    """A row, as the document knows it."""

    row: Row
    signature: Signature
    path: str  # as OpenAPI writes it; rows of one form share it, and with it the names of its parts
    operation_id: str

    @property
    def shapes(self) -> list[Any]:
        """The types that it takes and answers as bodies."""
        operation = self.row.operation
        said = [content.shape for content in (*taken(operation), *answered(operation))]
        return [*(shape for shape in (self.signature.body, *said) if shape is not None), *_answers(self.signature.answer)]


def document(rows: Iterable[Row], *, public_url: str) -> Schema:
    """The whole document. Raises TypeError for an operation whose types have no JSON Schema."""
    described = _described(list(rows))
    schemas = Schemas([ErrorObject, *(shape for each in described for shape in each.shapes)])
    paths: dict[str, Schema] = {}
    for each in described:
        paths.setdefault(each.path, {})[each.row.method.lower()] = _operation(each, schemas)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Tidings",
            "version": __version__,
            "summary": "Webhooks for apps and spaces",
            "description": INTRODUCTION,
            "license": {"name": "Apache License 2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": public_url}],
        "tags": [*_tags(described), {"name": "events", "description": "What is sent to the URLs of hooks."}],
        "paths": paths,
        "webhooks": webhooks(),
        "components": {
            "schemas": schemas.components,
            "responses": _responses(schemas),
            "parameters": header_parameters(),
            "securitySchemes": _security_schemes(public_url),
        },
    }


# --- rows --------------------------------------------------------------------------------------------------------------

_PART = re.compile(r"\{(?P<name>\w+)(?::(?P<kind>\w+))?\}")


def _described(rows: Sequence[Row]) -> list[Described]:
    paths: dict[str, str] = {}
    ids: dict[str, str] = {}
    return [
        Described(
            row, read_signature(row.operation), paths.setdefault(_form_of(row.path), _PART.sub(r"{\g<name>}", row.path)), _name(row, ids)
        )
        for row in rows
    ]


def _form_of(path: str) -> str:
    return _PART.sub("{}", path)


def _name(row: Row, ids: dict[str, str]) -> str:
    """The operation's name; of two, the noun goes before it, and of one at several paths, what tells this from the first."""
    name = row.operation.__name__
    literals = [part for part in row.path.strip("/").split("/") if part.isidentifier()]
    first = ids.get(name, "").split("/")
    told = "_".join([name, *(part for part in literals if part not in first)])
    those = chain([name, told, f"{_noun(row)}_{name}"], (f"{name}_{number}" for number in count(2)))
    free = next(each for each in those if each not in ids)
    ids[free] = row.path
    return free


def _noun(row: Row) -> str:
    return row.operation.__module__.rpartition(".")[2]


def _tags(described: Sequence[Described]) -> list[Schema]:
    modules = {_noun(each.row): sys.modules[each.row.operation.__module__].__doc__ for each in described}
    return [{"name": noun, "description": prose(docstring).partition("\n\n")[0]} for noun, docstring in modules.items()]


# --- one operation -----------------------------------------------------------------------------------------------------


def _operation(each: Described, schemas: Schemas) -> Schema:
    row, signature = each.row, each.signature
    name = row.operation.__name__
    text = description_of(row.operation)
    more = ["Counts towards the lower rate limit as well."] if row.limited else []
    parameters = _path_parameters(each) + (parameters_of(signature.query) if signature.query else [])
    return {
        "operationId": each.operation_id,
        "summary": name.replace("_", " ").capitalize(),
        **({"description": "\n\n".join([*([text] if text else []), *more])} if text or more else {}),
        "tags": [_noun(row)],
        **({"parameters": parameters} if parameters else {}),
        **_request_body(row, signature, schemas),
        "responses": _answered(row, signature, schemas) | _REFUSALS,
        "security": [] if row.open else _security(row),
    }


_KNOWN_PARTS: dict[str, Schema] = {
    "field": {"type": "string", "minLength": 1, "description": "The id or the external_id of a field."},
}
_IDS: Schema = {"type": "string", "pattern": "^[1-9][0-9]{0,8}(,[1-9][0-9]{0,8})*$", "description": "Ids, with commas between them."}


def _path_parameters(each: Described) -> list[Schema]:
    """The variable parts of the path, by the names that they have in the document."""
    names = [match["name"] for match in _PART.finditer(each.path)]
    parts = _PART.finditer(each.row.path)
    return [
        {"name": name, "in": "path", "required": True, "schema": _part(part["name"], part["kind"])}
        for name, part in zip(names, parts, strict=True)
    ]


def _part(name: str, kind: str | None) -> Schema:
    if kind == "int":
        return {"type": "integer", "minimum": 1 if name.endswith("_id") else 0, "maximum": GREATEST_ID}
    return _IDS if name.endswith("_ids") else _KNOWN_PARTS.get(name, {"type": "string", "minLength": 1})


def _request_body(row: Row, signature: Signature, schemas: Schemas) -> Schema:
    said = taken(row.operation)
    if signature.body is not None:
        content = {JSON: {"schema": schemas.of(signature.body)}}
        required = "required" in content[JSON]["schema"] or not is_optional(signature.body)
        return {"requestBody": {"required": required, "content": content}}
    if said:
        return {"requestBody": {"required": True, "content": _content(said, schemas)}}
    return {"requestBody": {"content": {"application/octet-stream": {}}}} if row.streams else {}


def _content(said: Iterable[Content], schemas: Schemas) -> Schema:
    return {each.media_type: {"schema": schemas.of(each.shape)} if each.shape is not None else {} for each in said if each.media_type}


def _security(row: Row) -> list[Schema]:
    """The scopes of which a token must have one, however it is sent."""
    right = right_needed(row.method, row.path)
    return [{scheme: [f"{noun}:{right.permission}"]} for noun in right.nouns for scheme in SCHEMES]


def _answered(row: Row, signature: Signature, schemas: Schemas) -> Schema:
    """What comes back when all is well, by status."""
    said = answered(row.operation)
    if said:
        statuses = sorted({content.status for content in said})
        return {str(status): _said(status, [each for each in said if each.status == status], schemas) for status in statuses}
    if signature.answer in (Response, bytes):
        return {"2XX": {"description": "The answer.", "content": {"*/*": {}}}}
    shapes = _answers(signature.answer)
    schema = schemas.of(shapes[0]) if len(shapes) == 1 else {"anyOf": [schemas.of(shape) for shape in shapes]}
    whole = {"200": {"description": title_of(shapes[0]), "content": {JSON: {"schema": schema}}}} if shapes else {}
    nothing = {"204": {"description": "Done; there is nothing to say."}} if len(shapes) < len(_options(signature.answer)) else {}
    return whole | nothing


def _said(status: int, said: Sequence[Content], schemas: Schemas) -> Schema:
    content = _content(said, schemas)
    return {"description": f"{HTTPStatus(status).phrase}.", **({"content": content} if content else {})}


def _answers(answer: Any) -> list[Any]:
    """The types of JSON that an operation of this return type answers; none where it answers none."""
    return [shape for shape in _options(answer) if shape not in NO_SHAPES]


def _options(answer: Any) -> tuple[Any, ...]:
    return get_args(answer) if get_origin(answer) in (Union, UnionType) else (answer,)


_REFUSALS: Schema = {
    "4XX": {"$ref": "#/components/responses/Refused"},
    "420": {"$ref": "#/components/responses/RateLimited"},
    "503": {"$ref": "#/components/responses/Unavailable"},
}


# --- what all share ----------------------------------------------------------------------------------------------------


def _responses(schemas: Schemas) -> Schema:
    content = {JSON: {"schema": schemas.of(ErrorObject)}}
    limits = {
        "X-Rate-Limit-Limit": _number("Calls an hour."),
        "X-Rate-Limit-Remaining": _number("Those that are left."),
        "Retry-After": _number("Seconds until there is one more."),
    }
    return {
        "Refused": {"description": "The call cannot be done as it is; `error_description` names what is wrong.", "content": content},
        "RateLimited": {"description": "There were too many calls.", "headers": limits, "content": content},
        "Unavailable": {
            "description": "Not now: the database does not answer, or the server is not ready.",
            "headers": {"Retry-After": _number("Seconds after which to try again.")},
            "content": content,
        },
    }


def _number(text: str) -> Schema:
    return {"description": text, "schema": {"type": "integer"}}


def _security_schemes(public_url: str) -> Schema:
    scopes = {f"{noun}:{permission}": f"{permission} in {noun}" for noun in NOUNS for permission in (*PERMISSIONS, "all")}
    token_url = f"{public_url}/oauth/token/v2"
    ends = {"tokenUrl": token_url, "refreshUrl": token_url, "scopes": scopes}
    begins = {"authorizationUrl": f"{public_url}/oauth/authorize"}
    flows = {"password": ends, "authorizationCode": ends | begins, "implicit": begins | {"scopes": scopes}}
    return {
        "token": {"type": "apiKey", "in": "header", "name": "Authorization", "description": "`OAuth2 TOKEN`"},
        "bearer": {"type": "http", "scheme": "bearer"},
        "parameter": {"type": "apiKey", "in": "query", "name": "oauth_token"},
        "oauth2": {"type": "oauth2", "description": "How a token is had.", "flows": flows},
    }
