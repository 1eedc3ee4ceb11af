"""Access and refresh tokens: given in pairs, kept as hashes, dead in pairs.

A token is 256 random bits; the database has only its SHA-256, which is enough for what cannot be guessed and useless to
who reads a backup. A refresh makes a new pair and kills the old one, once: of two who refresh with the same token at
the same time, one gets `InvalidGrant`. When an app, its space or its organization is deleted, or a user is no more,
their tokens are dead too, without being touched.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass

from msgspec import Struct
from sqlalchemy import and_, bindparam, delete, insert, or_, select, update

from tidings.clock import DAY, SECOND
from tidings.errors import Gone, InvalidGrant, NotFound
from tidings.store.database import Tx
from tidings.store.schema import apps, orgs, spaces, tokens, users
from tidings.store.sealing import Keyring
from tidings.workspace.access import SYSTEM, Caller
from tidings.workspace.apps import open_app_token

KEPT_AFTER_DEATH = DAY  # so that a question about yesterday's login can be answered


@dataclass(frozen=True, slots=True)
class Lives:
    """How long the two tokens of a pair are good for, in seconds."""

    access: float
    refresh: float


class TokenPair(Struct, frozen=True):
    """A new pair, shown this once."""

    access_token: str
    refresh_token: str
    caller: Caller

    def __repr__(self) -> str:
        return f"TokenPair({self.caller})"


class Holder(Struct, frozen=True):
    """Who may act with an access token, and until when (microseconds since the epoch)."""

    caller: Caller
    expires_at: int


def hash_token(token: str) -> bytes:
    """What is kept of a token."""
    return hashlib.sha256(token.encode()).digest()


def check_app_token(tx: Tx, keyring: Keyring, app_id: int, token: str) -> None:
    """Pass when `token` is the app's own. Raises `InvalidGrant`, with one sentence for a wrong token and for no app."""
    try:
        right = open_app_token(tx, SYSTEM, app_id, keyring=keyring)
    except (NotFound, Gone):
        right = None
    if not hmac.compare_digest((right or "").encode(), token.encode()) or right is None:
        raise InvalidGrant("Sorry, you've supplied an invalid app id or token.", detail="app.invalid.token")


def issue(tx: Tx, caller: Caller, *, now: int, lives: Lives) -> TokenPair:
    """A new pair for `caller`, through the client that they came through."""
    pair = TokenPair(secrets.token_hex(32), secrets.token_hex(32), caller)
    tx.execute(
        insert(tokens),
        {
            "access_hash": hash_token(pair.access_token),
            "refresh_hash": hash_token(pair.refresh_token),
            "auth_client_id": caller.auth_client_id,
            "ref_type": caller.kind,
            "ref_id": caller.id,
            "created_at": now,
            "expires_at": now + round(lives.access * SECOND),
            "refresh_expires_at": now + round(lives.refresh * SECOND),
        },
    )
    return pair


_ALIVE = and_(
    tokens.c.revoked_at.is_(None),
    or_(
        and_(tokens.c.ref_type == "user", users.c.user_id.is_not(None)),
        and_(apps.c.app_id.is_not(None), apps.c.deleted_at.is_(None), spaces.c.deleted_at.is_(None), orgs.c.deleted_at.is_(None)),
    ),
)
_ALIVE_TOKEN = (
    select(tokens)
    .outerjoin(users, and_(tokens.c.ref_type == "user", users.c.user_id == tokens.c.ref_id))
    .outerjoin(apps, and_(tokens.c.ref_type == "app", apps.c.app_id == tokens.c.ref_id))
    .outerjoin(spaces, spaces.c.space_id == apps.c.space_id)
    .outerjoin(orgs, orgs.c.org_id == spaces.c.org_id)
    .where(_ALIVE)
)
_BY_ACCESS = _ALIVE_TOKEN.where(tokens.c.access_hash == bindparam("hash"), tokens.c.expires_at > bindparam("now"))
_BY_REFRESH = _ALIVE_TOKEN.where(tokens.c.refresh_hash == bindparam("hash"), tokens.c.refresh_expires_at > bindparam("now"))


def find_holder(tx: Tx, access_hash: bytes, *, now: int) -> Holder | None:
    """Who may act with the access token of this hash; None when it is unknown, revoked or expired, or its holder is no more."""
    row = tx.execute(_BY_ACCESS, {"hash": access_hash, "now": now}).first()
    return None if row is None else Holder(Caller(row.ref_type, row.ref_id, row.auth_client_id), row.expires_at)


def rotate(tx: Tx, auth_client_id: int, refresh_token: str, *, now: int, lives: Lives) -> tuple[TokenPair, bytes]:
    """A new pair for the holder of `refresh_token`, and the hash of the access token that died with it.

    Raises `InvalidGrant` when the token is unknown, used, expired, or another client's.
    """
    row = tx.execute(_BY_REFRESH, {"hash": hash_token(refresh_token), "now": now}).first()
    if row is None or row.auth_client_id != auth_client_id or not _revoke(tx, row.token_id, now):
        raise InvalidGrant("The refresh token is unknown, used, expired or another client's.", detail="oauth.refresh_token.invalid")
    return issue(tx, Caller(row.ref_type, row.ref_id, auth_client_id), now=now, lives=lives), row.access_hash


def _revoke(tx: Tx, token_id: int, now: int) -> bool:
    """Whether it was us who revoked it: the other of two at once waits here, and then finds it done."""
    alive = (tokens.c.token_id == token_id, tokens.c.revoked_at.is_(None))
    return tx.execute(update(tokens).where(*alive).values(revoked_at=now)).rowcount == 1


def prune_tokens(tx: Tx, *, now: int) -> int:
    """Take away the pairs that have been dead for a day. Answers how many."""
    past = now - KEPT_AFTER_DEATH
    return tx.execute(delete(tokens).where(or_(tokens.c.refresh_expires_at < past, tokens.c.revoked_at < past))).rowcount
