"""The token endpoint: a client and a grant in, a pair of tokens out (contract section 4); and the end of a pair.

Every grant goes the same way: the client is checked, the login is counted towards the caller's rate limit, and then the
grant is looked at. A scope may be asked for with any of them, and none means everything, or what was given before.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Literal, Required, TypedDict

from msgspec import Meta

from tidings.api.bodies import FORM
from tidings.api.call import Call
from tidings.api.limits import IN_SCOPE, read_rates, refuse
from tidings.api.operations import takes
from tidings.api.parameters import Parameters, given_app_id, named_client, read_parameters, required
from tidings.errors import Invalid, InvalidGrant
from tidings.store.database import Tx
from tidings.store.sealing import Keyring
from tidings.workspace.access import Caller
from tidings.workspace.accounts.auth_codes import exchange_code, find_code_user
from tidings.workspace.accounts.clients import Client, check_client
from tidings.workspace.accounts.passwords import find_password
from tidings.workspace.accounts.scopes import checked_scope
from tidings.workspace.accounts.tokens import Exchange, Lives, TokenPair, check_app_token, find_refresher, issue, revoke, rotate


class TokenForm(TypedDict, total=False):
    """What asks for tokens: the grant, the client, and what the grant needs. HTTP Basic may name the client as well."""

    grant_type: Required[Literal["authorization_code", "app", "password", "refresh_token"]]
    client_id: str
    client_secret: str
    scope: str
    code: str
    redirect_uri: str
    code_verifier: str
    app_id: int
    app_token: str
    username: str
    password: str
    refresh_token: str


EXAMPLE = {"grant_type": "app", "app_id": 1, "app_token": "TOKEN OF THE APP", "client_id": "1", "client_secret": "SECRET"}


class RevocationForm(TypedDict, total=False):
    """Either token of a pair, and the client that it belongs to."""

    token: Required[str]
    token_type_hint: str
    client_id: str
    client_secret: str


class TokenRef(TypedDict):
    """Whom a token acts for."""

    type: str  # user | app
    id: int


class TokenObject(TypedDict):
    """A pair of tokens, as OAuth 2 and Podio write it."""

    access_token: str
    token_type: str
    expires_in: int  # seconds
    refresh_token: str
    scope: str
    ref: TokenRef


@takes("application/json", TokenForm)
@takes(FORM, Annotated[TokenForm, Meta(examples=[EXAMPLE])])
async def give_token(call: Call) -> TokenObject:
    """`POST /oauth/token`.

    Raises `Invalid` for parameters, `InvalidClient` and `InvalidGrant` as section 4.4 words them, `InvalidScope`, and
    `RateLimited`.
    """
    parameters = read_parameters(call)
    grant = _GRANTS.get(required(parameters, "grant_type"))
    if grant is None:
        names = ",".join(f"'{name}'" for name in _GRANTS)
        raise Invalid(f"Invalid value of grant_type: must be one of {{{names}}}", parameters={"grant_type": list(_GRANTS)})
    return token_object(await grant(call, parameters), call.house.settings.access_token_life)


def token_object(pair: TokenPair, seconds: float) -> TokenObject:
    """A new pair, whose access token is good for so long."""
    return {
        "access_token": pair.access_token,
        "token_type": "bearer",
        "expires_in": int(seconds),
        "refresh_token": pair.refresh_token,
        "scope": pair.scope,
        "ref": {"type": pair.caller.kind, "id": pair.caller.id},
    }


@takes("application/json", RevocationForm)
@takes(FORM, RevocationForm)
async def revoke_token(call: Call) -> dict[str, object]:
    """`POST /oauth/revoke` (RFC 7009): kill a pair by either of its tokens, and whatever came from the same login.

    A token that is unknown, dead or another client's is no error. `token_type_hint` is taken and not needed.
    """
    parameters = read_parameters(call)
    client_id, client_secret = named_client(parameters)
    token = required(parameters, "token")
    client = await call.read(check_client, client_id, client_secret)
    call.house.callers.forget(await call.write(revoke, client.auth_client_id, token, now=call.now))
    return {}


# --- the grants --------------------------------------------------------------------------------------------------------


async def _grant_app(call: Call, parameters: Parameters) -> TokenPair:
    client_fields, scope = named_client(parameters), _scope(parameters)
    app_id, token = given_app_id(parameters), required(parameters, "app_token")
    client = await call.read(_check_app, client_fields, call.house.keyring, app_id, token)
    caller = Caller("app", app_id, client.auth_client_id)
    _count_login(call, client, caller)
    return await call.write(issue, caller, now=call.now, lives=_lives(call), scope=scope)


async def _grant_password(call: Call, parameters: Parameters) -> TokenPair:
    client_fields, scope = named_client(parameters), _scope(parameters)
    username, password = required(parameters, "username"), required(parameters, "password")
    client, user = await call.read(_find_login, client_fields, username)
    user_id, password_hash = user or (0, None)
    caller = Caller("user", user_id, client.auth_client_id)
    if user is not None:
        _count_login(call, client, caller)
    right = await call.house.logins.is_right(username, _address(call), password, password_hash, now=call.now)
    if user is None:
        raise InvalidGrant("Sorry, you've supplied an invalid username.", detail="user.invalid.username")
    if not right:
        raise InvalidGrant("Sorry, you've supplied an invalid password.", detail="user.invalid.password")
    return await call.write(issue, caller, now=call.now, lives=_lives(call), scope=scope)


async def _grant_code(call: Call, parameters: Parameters) -> TokenPair:
    client_fields, code = named_client(parameters), required(parameters, "code")
    redirect_uri, verifier = required(parameters, "redirect_uri"), parameters.get("code_verifier", "")
    client, caller = await call.read(_find_coming, client_fields, find_code_user, code)
    if caller is not None:
        _count_login(call, client, caller)
    number, lives = client.auth_client_id, _lives(call)
    exchange = await call.write(exchange_code, number, code, redirect_uri, verifier, now=call.now, lives=lives)
    sentence = "The code is unknown, used, expired or another client's, or was asked for in another way."
    return _pair(call, exchange, InvalidGrant(sentence, detail="oauth.code.invalid"))


async def _grant_refresh(call: Call, parameters: Parameters) -> TokenPair:
    client_fields, token = named_client(parameters), required(parameters, "refresh_token")
    client, caller = await call.read(_find_coming, client_fields, _find_refresher_now(call.now), token)
    if caller is not None:
        _count_login(call, client, caller)
    scope = parameters.get("scope", "")
    exchange = await call.write(rotate, client.auth_client_id, token, now=call.now, lives=_lives(call), scope=scope)
    sentence = "The refresh token is unknown, used, expired or another client's."
    return _pair(call, exchange, InvalidGrant(sentence, detail="oauth.refresh_token.invalid"))


_GRANTS: dict[str, Callable[[Call, Parameters], Awaitable[TokenPair]]] = {
    "app": _grant_app,
    "password": _grant_password,
    "authorization_code": _grant_code,
    "refresh_token": _grant_refresh,
}

Finder = Callable[[Tx, int, str], Caller | None]


def _check_app(tx: Tx, client_fields: tuple[str, str], keyring: Keyring, app_id: int, token: str) -> Client:
    client = check_client(tx, *client_fields)
    check_app_token(tx, keyring, app_id, token)
    return client


def _find_login(tx: Tx, client_fields: tuple[str, str], username: str) -> tuple[Client, tuple[int, str] | None]:
    return check_client(tx, *client_fields), find_password(tx, username)


def _find_coming(tx: Tx, client_fields: tuple[str, str], find: Finder, shown: str) -> tuple[Client, Caller | None]:
    """The client, and whose tokens it would get for what it shows."""
    client = check_client(tx, *client_fields)
    return client, find(tx, client.auth_client_id, shown)


def _find_refresher_now(now: int) -> Finder:
    return lambda tx, auth_client_id, token: find_refresher(tx, auth_client_id, token, now=now)


def _pair(call: Call, exchange: Exchange, otherwise: InvalidGrant) -> TokenPair:
    """The pair that was given; what died of it is forgotten first. Raises `otherwise` where none was."""
    call.house.callers.forget(exchange.dead)
    if exchange.pair is None:
        raise otherwise
    return exchange.pair


def _count_login(call: Call, client: Client, caller: Caller) -> None:
    """Count it as one of the caller's calls. Raises `RateLimited`."""
    rates = read_rates(client.calls_per_hour, client.limited_calls_per_hour, call.house.settings)
    if rates is not None:
        allowance = call.house.limits.count(caller, rates, call.now, limited=False)
        call.request.scope[IN_SCOPE] = allowance
        refuse(allowance)


def _scope(parameters: Parameters) -> str:
    return checked_scope(parameters.get("scope", ""))


def _lives(call: Call) -> Lives:
    return Lives(call.house.settings.access_token_life, call.house.settings.refresh_token_life)


def _address(call: Call) -> str:
    return call.request.client.host if call.request.client else ""
