"""The names behind authors: a row says `user:6@1`, people want to read who that is and through which client.

Deleted apps keep their names, so that the record still reads.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from msgspec import Struct
from sqlalchemy import bindparam, select

from tidings.store.database import Tx
from tidings.store.schema import apps, clients, users
from tidings.store.statements import Statement
from tidings.workspace.access import Caller

ITSELF = "Tidings"


class Author(Struct, frozen=True):
    """Who wrote something, and through which API client."""

    caller: Caller
    name: str
    client_name: str
    client_url: str | None


def find_authors(tx: Tx, authors: Iterable[str]) -> dict[str, Author]:
    """The names behind `authors`, each as a row keeps it (`Caller.author`). Two statements for each that differs: they are
    few, and such a statement costs a tenth of one with a list."""
    return {author: _author(tx, Caller.from_author(author)) for author in set(authors)}


def _author(tx: Tx, caller: Caller) -> Author:
    client = _CLIENT.first(tx, {"id": caller.auth_client_id}) if caller.auth_client_id else None
    client_name, client_url = client or (ITSELF, None)
    return Author(caller, _name(tx, caller), client_name, client_url)


def _name(tx: Tx, caller: Caller) -> str:
    match caller.kind:
        case "user":
            found = _USER.first(tx, {"id": caller.id})
            return ITSELF if found is None else str(found[0])
        case "app":
            found = _APP.first(tx, {"id": caller.id})
            return ITSELF if found is None else _read_config(found[0]).name
        case "system":
            return ITSELF


class _AppConfig(Struct):
    name: str = ITSELF


_read_config = msgspec.json.Decoder(_AppConfig).decode

_USER = Statement(select(users.c.name).where(users.c.user_id == bindparam("id")))
_APP = Statement(select(apps.c.config).where(apps.c.app_id == bindparam("id")))
_CLIENT = Statement(select(clients.c.name, clients.c.url).where(clients.c.auth_client_id == bindparam("id")))
