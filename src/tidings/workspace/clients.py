"""API clients: the programs that ask for tokens.

A secret is 256 random bits, so a plain SHA-256 of it is all that is kept: there is no list of likely secrets to try, and
a slow hash would only slow us. It is shown once, when it is made.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets

from msgspec import Struct
from sqlalchemy import insert, select

from tidings.errors import InvalidClient
from tidings.store.database import Tx
from tidings.store.schema import clients
from tidings.workspace.names import checked_name


class NewClient(Struct, frozen=True):
    """A client and, this once, its secret. `client_id` is the text users see, `auth_client_id` the number in answers."""

    auth_client_id: int
    client_id: str
    client_secret: str

    def __repr__(self) -> str:
        return f"NewClient({self.auth_client_id}, {self.client_id!r})"


def create_client(tx: Tx, name: str, *, now: int, url: str | None = None, user_id: int | None = None) -> NewClient:
    """A new client, owned by the user `user_id` or by nobody. Raises `Invalid` for a blank or over-long name."""
    client_id, client_secret = secrets.token_hex(16), secrets.token_hex(32)
    values = {"client_id": client_id, "secret_hash": hash_secret(client_secret), "name": checked_name(name, "name")}
    row = insert(clients).values(**values, url=url, user_id=user_id, created_at=now)
    auth_client_id: int = tx.execute(row.returning(clients.c.auth_client_id)).scalar_one()
    return NewClient(auth_client_id, client_id, client_secret)


def check_client(tx: Tx, client_id: str, client_secret: str) -> int:
    """The `auth_client_id` of the client that these are of. Raises `InvalidClient` as contract section 4.4 words it."""
    row = tx.execute(select(clients.c.auth_client_id, clients.c.secret_hash).where(clients.c.client_id == client_id)).first()
    if row is None:
        raise InvalidClient("Sorry, you've supplied an invalid client id.", detail="oauth.client.invalid_id")
    if not hmac.compare_digest(row.secret_hash, hash_secret(client_secret)):
        raise InvalidClient("Sorry, you've supplied an invalid client secret.", detail="oauth.client.invalid_secret")
    number: int = row.auth_client_id
    return number


def hash_secret(client_secret: str) -> bytes:
    """What is kept of a client's secret."""
    return hashlib.sha256(client_secret.encode()).digest()
