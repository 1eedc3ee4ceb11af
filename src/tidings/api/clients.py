"""API clients: the programs of a user that ask for tokens. These paths are Tidings' own; Podio has a page for it.

A user sees and changes their own clients only, and a token of an app none. A secret is answered once, when it is made. A
client's own rate limits may only be stricter than the server's: looser ones are given on the command line.
"""

from __future__ import annotations

from typing import Annotated, TypedDict

from msgspec import UNSET, Meta, Struct, UnsetType

from tidings.api.call import Call
from tidings.api.shapes import Timestamp
from tidings.errors import Invalid
from tidings.settings import Settings
from tidings.wire.podio import timestamp
from tidings.workspace.access import require_user
from tidings.workspace.accounts import clients
from tidings.workspace.accounts.clients import MOST_CALLS, Client, ClientChange, NewClient

Calls = Annotated[int, Meta(ge=1, le=MOST_CALLS)]


class ClientBody(Struct):
    """What a creation says. `domains` are `host` or `host:port`: where codes and tokens may be sent back to."""

    name: str
    url: str | None = None
    domains: list[str] = []
    calls_per_hour: Calls | None = None  # null: the server's setting
    limited_calls_per_hour: Calls | None = None


class ClientChangeBody(Struct):
    """What a change says; what is not there stays."""

    name: str | UnsetType = UNSET
    url: str | UnsetType | None = UNSET
    domains: list[str] | UnsetType = UNSET
    calls_per_hour: Calls | UnsetType | None = UNSET
    limited_calls_per_hour: Calls | UnsetType | None = UNSET


class ClientObject(TypedDict):
    """A client, without its secret."""

    auth_client_id: int
    client_id: str
    name: str
    url: str | None
    domains: list[str]
    calls_per_hour: int | None
    limited_calls_per_hour: int | None
    created_on: Timestamp


class NewClientObject(TypedDict):
    """A client's name and, this once, its secret."""

    auth_client_id: int
    client_id: str
    client_secret: str


async def create_client(call: Call, body: ClientBody) -> NewClientObject:
    """`POST /client/`."""
    user_id = require_user(call.caller)
    _refuse_looser(call.house.settings, body.calls_per_hour, body.limited_calls_per_hour)
    made = await call.write(
        clients.create_client,
        body.name,
        now=call.now,
        url=body.url,
        user_id=user_id,
        domains=body.domains,
        calls_per_hour=body.calls_per_hour,
        limited_calls_per_hour=body.limited_calls_per_hour,
    )
    return _new_object(made)


async def list_clients(call: Call) -> list[ClientObject]:
    """`GET /client/`."""
    return [_object(client) for client in await call.read(clients.list_clients, call.caller)]


async def get_client(call: Call) -> ClientObject:
    """`GET /client/{auth_client_id}`."""
    return _object(await call.read(clients.get_client, call.caller, call.id("auth_client_id")))


async def update_client(call: Call, body: ClientChangeBody) -> None:
    """`PUT /client/{auth_client_id}`."""
    limits = (body.calls_per_hour, body.limited_calls_per_hour)
    _refuse_looser(call.house.settings, *(None if limit is UNSET else limit for limit in limits))
    change = ClientChange(body.name, body.url, body.domains, *limits)
    await call.write(clients.update_client, call.caller, call.id("auth_client_id"), change)


async def renew_secret(call: Call) -> NewClientObject:
    """`POST /client/{auth_client_id}/secret`: the old one is of no use from now on; tokens live on."""
    return _new_object(await call.write(clients.renew_secret, call.caller, call.id("auth_client_id")))


async def delete_client(call: Call) -> None:
    """`DELETE /client/{auth_client_id}`: with its tokens and its codes."""
    auth_client_id = call.id("auth_client_id")
    await call.write(clients.delete_client, call.caller, auth_client_id, now=call.now)
    call.house.callers.forget_client(auth_client_id)


def _refuse_looser(settings: Settings, calls: int | None, limited: int | None) -> None:
    for field, own, most in (
        ("calls_per_hour", calls, settings.rate_limit),
        ("limited_calls_per_hour", limited, settings.rate_limit_low),
    ):
        if own is not None and 0 < most < own:
            raise Invalid(f"{field}: must be at most {most}, the server's own limit", parameters={"field": field, "limit": most})


def _object(client: Client) -> ClientObject:
    return {
        "auth_client_id": client.auth_client_id,
        "client_id": client.client_id,
        "name": client.name,
        "url": client.url,
        "domains": client.domains,
        "calls_per_hour": client.calls_per_hour,
        "limited_calls_per_hour": client.limited_calls_per_hour,
        "created_on": timestamp(client.created_at),
    }


def _new_object(made: NewClient) -> NewClientObject:
    return {"auth_client_id": made.auth_client_id, "client_id": made.client_id, "client_secret": made.client_secret}
