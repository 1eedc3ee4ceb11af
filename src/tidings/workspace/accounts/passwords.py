"""Passwords: kept as Argon2id hashes, compared slowly on purpose.

To hash and to compare takes about 20 milliseconds of a core and 19 MiB, so they run on a thread of their own, outside of
any transaction. The parameters are the least that OWASP's password storage advice gives for Argon2id; a hash names its own,
so they can grow later.
"""

from __future__ import annotations

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import select

from tidings.store.database import Tx
from tidings.store.schema import users

LONGEST = 1024  # characters

_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)

# What the password of a user who does not exist is compared with, so that it takes as long: the hash of random bytes.
_NOBODYS = "$argon2id$v=19$m=19456,t=2,p=1$mqe6DARKj8vu7Nw5v/pKKQ$DWEaOHsM7GoAx8QphzmuKIziPZNGX94rzKqfsb+ClPU"


def hash_password(password: str) -> str:
    """What is kept of a password."""
    return _HASHER.hash(password)


def is_password(password: str, password_hash: str | None) -> bool:
    """Whether `password` is the one that was hashed. None, for a user who does not exist, takes as long and is False."""
    try:
        _HASHER.verify(password_hash or _NOBODYS, password[:LONGEST])
    except (VerificationError, InvalidHashError):
        return False
    return password_hash is not None and len(password) <= LONGEST


def find_password(tx: Tx, username: str) -> tuple[int, str] | None:
    """The id and the password's hash of the user with this name, if there is one."""
    row = tx.execute(select(users.c.user_id, users.c.password_hash).where(users.c.username == username)).first()
    return None if row is None else (row.user_id, row.password_hash)
