"""What the token endpoint is sent: as a form, as JSON, in the query, as HTTP Basic, or as a mix of these (contract section 4.1).

A body's field goes before the query's, and fields before Basic. Everything is text in the end.
"""

from __future__ import annotations

import base64
import binascii

from tidings.api.bodies import FORM, read_body, read_pairs
from tidings.api.call import GREATEST_ID, Call
from tidings.errors import Invalid, InvalidClient

Parameters = dict[str, str]

LONGEST = 4096  # characters of one parameter


def read_parameters(call: Call) -> Parameters:
    """All parameters, from wherever they came. Raises `Invalid` for a body that is neither a form nor a JSON object."""
    parameters = dict(call.request.query_params)
    parameters |= _basic(call.request.headers.get("authorization", ""))
    parameters |= {name: value for name, value in _from_body(call).items() if value}
    for name, value in parameters.items():
        if len(value) > LONGEST:
            raise Invalid(f"{name[:60]}: is longer than {LONGEST} characters", parameters={"field": name[:60]})
    return parameters


def _basic(header: str) -> Parameters:
    """The client of an HTTP Basic header; nothing where there is none, or it cannot be read."""
    scheme, _, encoded = header.strip().partition(" ")
    if scheme.lower() != "basic":
        return {}
    try:
        client_id, colon, client_secret = base64.b64decode(encoded.strip(), validate=True).decode("utf-8").partition(":")
    except (binascii.Error, ValueError):
        raise Invalid("Invalid authorization header") from None
    return {"client_id": client_id, "client_secret": client_secret} if colon and "\0" not in client_id else {}


def _from_body(call: Call) -> Parameters:
    """A form, or a JSON object: told apart by the content type, and where that says neither, by the first character."""
    content_type = call.request.headers.get("content-type", "").lower()
    if content_type.startswith("multipart/"):
        raise Invalid("The body is multipart; send a form (application/x-www-form-urlencoded) or JSON")
    is_json = call.raw_body.lstrip()[:1] in (b"{", b"[")
    if not is_json and (content_type.startswith(FORM) or "json" not in content_type):
        return dict(read_pairs(call.raw_body, "The body"))
    return {name: _text(name, value) for name, value in read_body(call.raw_body, dict[str, object]).items()}


def _text(name: str, value: object) -> str:
    match value:
        case None:
            return ""
        case str():
            return value
        case int() if not isinstance(value, bool):
            return str(value)
        case _:
            raise Invalid(f"{name[:60]}: must be text", parameters={"field": name[:60]})


def named_client(parameters: Parameters) -> tuple[str, str]:
    """The `client_id` and the `client_secret`. Raises `InvalidClient` where one is missing."""
    for name, detail in (("client_id", "oauth.client.invalid_id"), ("client_secret", "oauth.client.invalid_secret")):
        if not parameters.get(name):
            raise InvalidClient(f"{name}: is missing", detail=detail, parameters={"field": name})
    return parameters["client_id"], parameters["client_secret"]


def given_app_id(parameters: Parameters) -> int:
    """The `app_id`; 0, which no app has, for a number that no id can be. Raises `Invalid` for what is no number."""
    text = required(parameters, "app_id")
    if not (text.isascii() and text.isdigit()):
        raise Invalid("app_id: must be a whole number", parameters={"field": "app_id"})
    return int(text) if len(text) <= 10 and int(text) <= GREATEST_ID else 0


def required(parameters: Parameters, name: str) -> str:
    """The parameter `name`. Raises `Invalid` where it is missing."""
    if not parameters.get(name):
        raise Invalid(f"{name}: is missing", parameters={"field": name})
    return parameters[name]
