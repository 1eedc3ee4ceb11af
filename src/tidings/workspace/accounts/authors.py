"""The names behind authors: a row says `user:6@1`, people want to read who that is and through which client.

Deleted apps keep their names, so that the record still reads.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from msgspec import Struct
from sqlalchemy import Column, bindparam, select

from tidings.store.database import Tx
from tidings.store.schema import apps, clients, server, users
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
    """The names behind `authors`, each as a row keeps it (`Caller.author`). One statement for each that differs: they are few,
    and such a statement costs a tenth of one with a list."""
    return {author: _author(tx, Caller.from_author(author)) for author in set(authors)}


def _author(tx: Tx, caller: Caller) -> Author:
    row = (_APP if caller.kind == "app" else _USER).first(tx, {"id": caller.id, "auth_client_id": caller.auth_client_id})
    assert row is not None  # the server's, with nulls for what is not there
    held, client_name, client_url = row
    return Author(caller, _name(caller, held), client_name or ITSELF, client_url)


def _name(caller: Caller, held: str | None) -> str:
    if held is None:
        return ITSELF
    return _read_config(held).name if caller.kind == "app" else held


class _AppConfig(Struct):
    name: str = ITSELF


_read_config = msgspec.json.Decoder(_AppConfig).decode


def _named(what: Column[str], key: Column[int]) -> Statement:
    """What names a caller, and the client they came through: beside the server's row, so that either may be missing."""
    of_client = clients.c.auth_client_id == bindparam("auth_client_id")
    beside = server.outerjoin(key.table, key == bindparam("id")).outerjoin(clients, of_client)
    return Statement(select(what, clients.c.name, clients.c.url).select_from(beside))


_USER = _named(users.c.name, users.c.user_id)  # Tidings itself is the user 0, whom nobody finds
_APP = _named(apps.c.config, apps.c.app_id)
