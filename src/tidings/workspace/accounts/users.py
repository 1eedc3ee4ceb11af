"""People: who they are. What they may do is in `access.py`; how they prove who they are is the token endpoint's."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct
from sqlalchemy import RowMapping, bindparam, insert, select

from tidings.errors import Conflict, Forbidden, NotFound
from tidings.store.database import Tx
from tidings.store.schema import users
from tidings.workspace.access import Caller, alone_on_server
from tidings.workspace.names import checked_name


class User(Struct, frozen=True):
    """A person with an account. Their password's hash is not here."""

    user_id: int
    username: str  # as in Podio, commonly a mail address
    name: str
    created_at: int


_USER = select(users.c.user_id, users.c.username, users.c.name, users.c.created_at)
_USER_BY_ID = _USER.where(users.c.user_id == bindparam("user_id"))


def create_user(tx: Tx, username: str, password_hash: str, name: str, *, now: int) -> User:
    """A new account. Raises `Invalid` for a blank or over-long name, `Conflict` when the username is taken."""
    username, name = checked_name(username, "username"), checked_name(name, "name")
    alone_on_server(tx)
    if find_user(tx, username) is not None:
        raise Conflict(f"the username {username} is taken", parameters={"username": username})
    values = {"username": username, "password_hash": password_hash, "name": name, "created_at": now}
    user_id: int = tx.execute(insert(users).values(values).returning(users.c.user_id)).scalar_one()
    return User(user_id, username, name, now)


def get_user(tx: Tx, user_id: int) -> User:
    """The person with this id. Raises `NotFound`."""
    row = tx.execute(_USER_BY_ID, {"user_id": user_id}).mappings().first()
    if row is None:
        raise NotFound(parameters={"user_id": user_id})
    return _user(row)


def find_user(tx: Tx, username: str) -> User | None:
    """The person with this username, if there is one."""
    row = tx.execute(_USER.where(users.c.username == username)).mappings().first()
    return None if row is None else _user(row)


def find_users(tx: Tx, user_ids: Iterable[int]) -> dict[int, User]:
    """Those of the people with these ids that exist, by id."""
    rows = tx.execute(_USER.where(users.c.user_id.in_(sorted(set(user_ids))))).mappings()
    return {row["user_id"]: _user(row) for row in rows}


def list_users(tx: Tx) -> list[User]:
    """Everybody, in the order in which they were made: for the operator, who alone may see them all."""
    return [_user(row) for row in tx.execute(_USER.order_by(users.c.user_id)).mappings()]


def get_myself(tx: Tx, caller: Caller) -> User:
    """The person who calls. Raises `Forbidden` for a caller that is no person."""
    if caller.kind != "user":
        raise Forbidden(f"The {caller.kind} with id {caller.id} is not a user and has no profile")
    return get_user(tx, caller.id)


def _user(row: RowMapping) -> User:
    return User(row["user_id"], row["username"], row["name"], row["created_at"])
