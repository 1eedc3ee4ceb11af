"""API clients: the programs that ask for tokens, and the people who make them.

A secret is 256 random bits, so a plain SHA-256 of it is all that is kept: there is no list of likely secrets to try, and
a slow hash would only slow us. It is shown once, when it is made. A client belongs to the user who made it, and nobody
else sees it; one that nobody made was made on the command line. A deleted client is no more, and with it whatever was
given to it: its tokens and its codes. Its name stays, for what was changed through it.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from collections.abc import Sequence
from typing import Any

from msgspec import UNSET, Struct, UnsetType
from sqlalchemy import RowMapping, func, insert, select, update

from tidings.errors import Gone, Invalid, InvalidClient, NotFound
from tidings.store.database import Tx
from tidings.store.schema import auth_codes, clients, tokens
from tidings.workspace.access import Caller, require_user
from tidings.workspace.accounts.redirects import checked_domains
from tidings.workspace.names import checked_name, within

MOST_CLIENTS = 100  # that a user may have: each has a rate limit of its own
MOST_CALLS = 2**31 - 1  # an hour
LONGEST_URL = 2_000  # characters


class NewClient(Struct, frozen=True):
    """A client and, this once, its secret. `client_id` is the text users see, `auth_client_id` the number in answers."""

    auth_client_id: int
    client_id: str
    client_secret: str

    def __repr__(self) -> str:
        return f"NewClient({self.auth_client_id}, {self.client_id!r})"


class Client(Struct, frozen=True):
    """A client as it is known. Its secret's hash is not here."""

    auth_client_id: int
    client_id: str
    name: str
    url: str | None
    user_id: int | None
    domains: list[str]
    calls_per_hour: int | None  # None: the server's setting; 0: no limit
    limited_calls_per_hour: int | None
    created_at: int


class ClientChange(Struct, frozen=True):
    """What to change of a client; what is not set stays."""

    name: str | UnsetType = UNSET
    url: str | UnsetType | None = UNSET
    domains: Sequence[str] | UnsetType = UNSET
    calls_per_hour: int | UnsetType | None = UNSET
    limited_calls_per_hour: int | UnsetType | None = UNSET


def create_client(
    tx: Tx,
    name: str,
    *,
    now: int,
    url: str | None = None,
    user_id: int | None = None,
    domains: Sequence[str] = (),
    calls_per_hour: int | None = None,
    limited_calls_per_hour: int | None = None,
) -> NewClient:
    """A new client, owned by the user `user_id` or by nobody. Raises `Invalid`, naming the field, for what it cannot have."""
    if user_id is not None:
        _refuse_too_many(tx, user_id)
    values = _checked(ClientChange(name, url, domains, calls_per_hour, limited_calls_per_hour))
    client_id, client_secret = secrets.token_hex(16), secrets.token_hex(32)
    values |= {"client_id": client_id, "secret_hash": hash_secret(client_secret), "user_id": user_id, "created_at": now}
    auth_client_id: int = tx.execute(insert(clients).values(**values).returning(clients.c.auth_client_id)).scalar_one()
    return NewClient(auth_client_id, client_id, client_secret)


def _refuse_too_many(tx: Tx, user_id: int) -> None:
    held = tx.execute(select(func.count()).where(clients.c.user_id == user_id, clients.c.deleted_at.is_(None))).scalar_one()
    if held >= MOST_CLIENTS:
        raise Invalid(f"A user has at most {MOST_CLIENTS} API clients", parameters={"limit": MOST_CLIENTS})


def _checked(change: ClientChange) -> dict[str, Any]:
    """The columns that `change` names, each as it may be kept."""
    values: dict[str, Any] = {}
    if change.name is not UNSET:
        values["name"] = checked_name(change.name, "name")
    if change.url is not UNSET:
        values["url"] = _checked_url(change.url)
    if change.domains is not UNSET:
        values["domains"] = json.dumps(checked_domains(change.domains))
    for field in ("calls_per_hour", "limited_calls_per_hour"):
        calls = getattr(change, field)
        if calls is not UNSET:
            values[field] = _checked_calls(calls, field)
    return values


def _checked_url(url: str | None) -> str | None:
    """A page about the client. It becomes a link, so that it must be one that leads to a page."""
    if not url:
        return None
    if not url.lower().startswith(("http://", "https://")) or not url.isprintable() or " " in url:
        raise Invalid("url: must be an http or https URL", parameters={"field": "url"})
    return within(url, "url", LONGEST_URL)


def _checked_calls(calls: int | None, field: str) -> int | None:
    if calls is not None and not 0 <= calls <= MOST_CALLS:
        raise Invalid(f"{field}: must be a number of calls an hour, or 0 for no limit", parameters={"field": field})
    return calls


# --- the people who make them ------------------------------------------------------------------------------------------


def list_clients(tx: Tx, caller: Caller) -> list[Client]:
    """The clients of the user who calls, or all there are for the command line. Raises `Forbidden` for an app."""
    query = select(clients).where(clients.c.deleted_at.is_(None)).order_by(clients.c.auth_client_id)
    if caller.kind != "system":
        query = query.where(clients.c.user_id == require_user(caller))
    return [_client(row) for row in tx.execute(query).mappings()]


def get_client(tx: Tx, caller: Caller, auth_client_id: int) -> Client:
    """One of them. Raises `NotFound` for somebody else's, `Gone` for one that was deleted, `Forbidden` for an app."""
    return _client(_own_row(tx, caller, auth_client_id))


def update_client(tx: Tx, caller: Caller, auth_client_id: int, change: ClientChange) -> None:
    """Change one of them. Raises as `get_client` and `create_client` do."""
    _own_row(tx, caller, auth_client_id)
    if values := _checked(change):
        tx.execute(update(clients).where(clients.c.auth_client_id == auth_client_id).values(**values))


def renew_secret(tx: Tx, caller: Caller, auth_client_id: int) -> NewClient:
    """A new secret in place of the old, which is of no use from now on. Tokens live on. Raises as `get_client` does."""
    client_id = _own_row(tx, caller, auth_client_id)["client_id"]
    client_secret = secrets.token_hex(32)
    tx.execute(update(clients).where(clients.c.auth_client_id == auth_client_id).values(secret_hash=hash_secret(client_secret)))
    return NewClient(auth_client_id, client_id, client_secret)


def delete_client(tx: Tx, caller: Caller, auth_client_id: int, *, now: int) -> None:
    """Delete one of them, its tokens and its codes. Raises as `get_client` does."""
    _own_row(tx, caller, auth_client_id)
    tx.execute(update(clients).where(clients.c.auth_client_id == auth_client_id).values(deleted_at=now))
    tx.execute(update(tokens).where(tokens.c.auth_client_id == auth_client_id, tokens.c.revoked_at.is_(None)).values(revoked_at=now))
    tx.execute(update(auth_codes).where(auth_codes.c.auth_client_id == auth_client_id, auth_codes.c.used_at.is_(None)).values(used_at=now))


def _own_row(tx: Tx, caller: Caller, auth_client_id: int) -> RowMapping:
    row = tx.execute(select(clients).where(clients.c.auth_client_id == auth_client_id)).mappings().first()
    if row is None or (caller.kind != "system" and row["user_id"] != require_user(caller)):
        raise NotFound(parameters={"auth_client_id": auth_client_id})
    if row["deleted_at"] is not None:
        raise Gone(parameters={"auth_client_id": auth_client_id})
    return row


# --- the programs ------------------------------------------------------------------------------------------------------


def find_client(tx: Tx, client_id: str) -> Client | None:
    """The client that names itself so, if there is one."""
    row = tx.execute(select(clients).where(clients.c.client_id == client_id, clients.c.deleted_at.is_(None))).mappings().first()
    return None if row is None else _client(row)


def check_client(tx: Tx, client_id: str, client_secret: str) -> Client:
    """The client that these are of. Raises `InvalidClient` as contract section 4.4 words it."""
    row = tx.execute(select(clients).where(clients.c.client_id == client_id, clients.c.deleted_at.is_(None))).mappings().first()
    if row is None:
        raise InvalidClient("Sorry, you've supplied an invalid client id.", detail="oauth.client.invalid_id")
    if not hmac.compare_digest(row["secret_hash"], hash_secret(client_secret)):
        raise InvalidClient("Sorry, you've supplied an invalid client secret.", detail="oauth.client.invalid_secret")
    return _client(row)


def hash_secret(client_secret: str) -> bytes:
    """What is kept of a client's secret."""
    return hashlib.sha256(client_secret.encode()).digest()


def _client(row: RowMapping) -> Client:
    return Client(
        row["auth_client_id"],
        row["client_id"],
        row["name"],
        row["url"],
        row["user_id"],
        json.loads(row["domains"]),
        row["calls_per_hour"],
        row["limited_calls_per_hour"],
        row["created_at"],
    )
