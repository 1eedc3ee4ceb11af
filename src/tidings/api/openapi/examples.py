"""An example of each call, as one types it: `curl`, an address, a body with the parts that must be there. Pure."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

from tidings.api.openapi.schemas import Schema, resolved

JSON = "application/json"
DEPTH = 3  # levels of objects
PARTS_SHOWN = 3  # of a body none of whose parts is required


def example_of(document: Schema, method: str, path: str, operation: Schema) -> str:
    """The call on a command line."""
    parameters = [resolved(document, each) for each in operation.get("parameters", ())]
    parts = {each["name"]: quote(str(_value(document, each["schema"])), safe=",") for each in parameters if each["in"] == "path"}
    needed = {each["name"]: _value(document, each["schema"]) for each in parameters if each["in"] == "query" and each["required"]}
    address = f"{document['servers'][0]['url']}{path.format_map(parts)}{f'?{urlencode(needed)}' if needed else ''}"
    words = ["curl", *([] if method == "GET" else ["-X", method]), shlex.quote(address)]
    token = [] if operation.get("security") == [] else ["-H 'Authorization: OAuth2 TOKEN'"]
    return " \\\n  ".join([" ".join(words), *token, *_sent(document, operation.get("requestBody", {}).get("content", {}))])


def _sent(document: Schema, content: Schema) -> list[str]:
    """The body, in the first media type that it may have."""
    for media_type, each in content.items():
        value = _value(document, each.get("schema", {}))
        if media_type == JSON:
            return [f"-H 'Content-Type: {JSON}'", f"-d {shlex.quote(json.dumps(value, ensure_ascii=False))}"]
        if isinstance(value, dict):
            option = "-F" if media_type.startswith("multipart/") else "-d"
            return [f"{option} {shlex.quote(f'{name}={part}')}" for name, part in value.items()]
    return []


def _value(document: Schema, schema: Schema, depth: int = 0) -> Any:
    """One value of this type, short."""
    if "examples" in schema:
        return schema["examples"][0]
    schema = resolved(document, schema)
    match schema:
        case {"examples": [first, *_]} | {"const": first} | {"enum": [first, *_]}:
            return first
        case {"anyOf": [first, *_]}:
            return _value(document, first, depth)
        case {"type": "object"}:
            return _object(document, schema, depth)
        case {"type": "array"}:
            return [_value(document, schema.get("items", {}), depth + 1)] if depth < DEPTH else []
        case _:
            return _plain_value(schema)


def _plain_value(schema: Schema) -> Any:
    match schema:
        case {"type": "string", "contentMediaType": _}:
            return "@path/to/file"
        case {"type": "string"}:
            return "1,2" if "," in schema.get("pattern", "") else "text"
        case {"type": "integer" | "number"}:
            return schema.get("default") or max(1, schema.get("minimum", 1))
        case {"type": "boolean"}:
            return schema.get("default", True)
        case _:
            return "text"


def _object(document: Schema, schema: Schema, depth: int) -> dict[str, Any]:
    properties: Mapping[str, Schema] = schema.get("properties", {})
    names = schema.get("required") or ([*properties][:PARTS_SHOWN] if depth == 0 else ())
    return {name: _value(document, properties.get(name, {}), depth + 1) for name in names} if depth < DEPTH else {}
