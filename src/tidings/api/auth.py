"""The token endpoint: a client and a grant in, a pair of tokens out (contract section 4).

Clients send their parameters as a form, as JSON, in the query, or as a mix of these, and themselves as fields or as HTTP
Basic; all are taken, a body's field before the query's, fields before Basic. A password is checked on a thread of its own
and outside of any transaction: it takes a while on purpose, and neither the event loop nor the one SQLite writer may wait
for it.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor

from tidings.api.bodies import FORM, read_body, read_pairs
from tidings.api.call import GREATEST_ID, Call
from tidings.errors import Invalid, InvalidClient, InvalidGrant
from tidings.store.database import Tx
from tidings.store.sealing import Keyring
from tidings.workspace.access import Caller
from tidings.workspace.clients import check_client
from tidings.workspace.passwords import find_password, is_password
from tidings.workspace.tokens import Lives, TokenPair, check_app_token, issue, rotate

Parameters = dict[str, str]

LONGEST = 4096  # characters of one parameter
AT_ONCE = 2  # passwords checked at the same time: each takes a core and 19 MiB meanwhile

_slowly = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="tidings-passwords")


async def give_token(call: Call) -> object:
    """`POST /oauth/token`. Raises `Invalid` for parameters, `InvalidClient` and `InvalidGrant` as section 4.4 words them."""
    parameters = read_parameters(call)
    grant = _GRANTS.get(_required(parameters, "grant_type"))
    if grant is None:
        names = ",".join(f"'{name}'" for name in _GRANTS)
        raise Invalid(f"Invalid value of grant_type: must be one of {{{names}}}", parameters={"grant_type": list(_GRANTS)})
    pair = await grant(call, parameters)
    return {
        "access_token": pair.access_token,
        "token_type": "bearer",
        "expires_in": int(call.house.settings.access_token_life),
        "refresh_token": pair.refresh_token,
        "scope": "global:all",
        "ref": {"type": pair.caller.kind, "id": pair.caller.id},
    }


# --- the grants --------------------------------------------------------------------------------------------------------


async def _grant_app(call: Call, parameters: Parameters) -> TokenPair:
    client = _client(parameters)
    app_id, token = _app_id(parameters), _required(parameters, "app_token")
    auth_client_id = await call.read(_check_app, client, call.house.keyring, app_id, token)
    return await call.write(issue, Caller("app", app_id, auth_client_id), now=call.now, lives=_lives(call))


async def _grant_password(call: Call, parameters: Parameters) -> TokenPair:
    client = _client(parameters)
    username, password = _required(parameters, "username"), _required(parameters, "password")
    auth_client_id, user = await call.read(_find_login, client, username)
    user_id, password_hash = user or (0, None)
    right = await asyncio.get_running_loop().run_in_executor(_slowly, is_password, password, password_hash)
    if user is None:
        raise InvalidGrant("Sorry, you've supplied an invalid username.", detail="user.invalid.username")
    if not right:
        raise InvalidGrant("Sorry, you've supplied an invalid password.", detail="user.invalid.password")
    return await call.write(issue, Caller("user", user_id, auth_client_id), now=call.now, lives=_lives(call))


async def _grant_refresh(call: Call, parameters: Parameters) -> TokenPair:
    client = _client(parameters)
    refresh_token = _required(parameters, "refresh_token")
    auth_client_id = await call.read(check_client, *client)
    pair, dead = await call.write(rotate, auth_client_id, refresh_token, now=call.now, lives=_lives(call))
    call.house.callers.forget(dead)
    return pair


_GRANTS: dict[str, Callable[[Call, Parameters], Awaitable[TokenPair]]] = {
    "app": _grant_app,
    "password": _grant_password,
    "refresh_token": _grant_refresh,
}


def _check_app(tx: Tx, client: tuple[str, str], keyring: Keyring, app_id: int, token: str) -> int:
    auth_client_id = check_client(tx, *client)
    check_app_token(tx, keyring, app_id, token)
    return auth_client_id


def _find_login(tx: Tx, client: tuple[str, str], username: str) -> tuple[int, tuple[int, str] | None]:
    return check_client(tx, *client), find_password(tx, username)


def _lives(call: Call) -> Lives:
    return Lives(call.house.settings.access_token_life, call.house.settings.refresh_token_life)


# --- the parameters ----------------------------------------------------------------------------------------------------


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


def _client(parameters: Parameters) -> tuple[str, str]:
    for name, detail in (("client_id", "oauth.client.invalid_id"), ("client_secret", "oauth.client.invalid_secret")):
        if not parameters.get(name):
            raise InvalidClient(f"{name}: is missing", detail=detail, parameters={"field": name})
    return parameters["client_id"], parameters["client_secret"]


def _app_id(parameters: Parameters) -> int:
    """The `app_id`; 0, which no app has, for a number that no id can be. Raises `Invalid` for what is no number."""
    text = _required(parameters, "app_id")
    if not (text.isascii() and text.isdigit()):
        raise Invalid("app_id: must be a whole number", parameters={"field": "app_id"})
    return int(text) if len(text) <= 10 and int(text) <= GREATEST_ID else 0


def _required(parameters: Parameters, name: str) -> str:
    if not parameters.get(name):
        raise Invalid(f"{name}: is missing", parameters={"field": name})
    return parameters[name]
