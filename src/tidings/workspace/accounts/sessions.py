"""Who is signed in with a browser. A session's token is 256 random bits, kept as a hash, and made anew at every sign-in.

So a token that somebody else put into a browser before the sign-in is worth nothing after it.
"""

from __future__ import annotations

import secrets

from msgspec import Struct
from sqlalchemy import bindparam, insert, select, update

from tidings.clock import HOUR
from tidings.store.database import Tx
from tidings.store.schema import sessions, users
from tidings.workspace.accounts.tokens import hash_token

SESSION_LIFE = 12 * HOUR  # a working day


class SignedIn(Struct, frozen=True):
    """The user of a browser."""

    user_id: int
    username: str
    name: str


def begin_session(tx: Tx, user_id: int, before: str, *, now: int) -> str:
    """The token of a new session. The one that the browser had `before`, if any, ends."""
    end_session(tx, before, now=now)
    token = secrets.token_hex(32)
    tx.execute(insert(sessions).values(token_hash=hash_token(token), user_id=user_id, created_at=now, expires_at=now + SESSION_LIFE))
    return token


_SIGNED_IN = (
    select(users.c.user_id, users.c.username, users.c.name)
    .join(sessions, users.c.user_id == sessions.c.user_id)
    .where(sessions.c.token_hash == bindparam("token_hash"), sessions.c.ended_at.is_(None), sessions.c.expires_at > bindparam("now"))
)


def find_session(tx: Tx, token: str, *, now: int) -> SignedIn | None:
    """Who is signed in with this token; None when it is unknown, or its session has ended."""
    row = tx.execute(_SIGNED_IN, {"token_hash": hash_token(token), "now": now}).first()
    return None if row is None else SignedIn(row.user_id, row.username, row.name)


def end_session(tx: Tx, token: str, *, now: int) -> None:
    """Sign out. Nothing for a token that is unknown."""
    alive = (sessions.c.token_hash == hash_token(token), sessions.c.ended_at.is_(None))
    tx.execute(update(sessions).where(*alive).values(ended_at=now))
