"""Access and refresh tokens: given in pairs, kept as hashes, dead in pairs.

A token is 256 random bits; the database has only its SHA-256, which is enough for what cannot be guessed and useless to
who reads a backup. A refresh makes a new pair and kills the old one, once: of two who refresh with the same token at
the same time, one gets nothing. All pairs that came from one login by refreshing are a family. Whoever shows a refresh
token that was used before (RACE aside) tells us that two hold it, and we cannot know which of them is the thief: the
family dies. When an app, its space or its organization is deleted, a client is, or a user is no more, their tokens are
dead too, without being touched.

What kills must be committed, and an error would roll it back: these functions answer an `Exchange` with no pair in it.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass

from msgspec import Struct
from sqlalchemy import and_, bindparam, delete, insert, or_, select, update
from sqlalchemy.sql.elements import ColumnElement

from tidings.clock import DAY, SECOND
from tidings.errors import Gone, InvalidGrant, NotFound
from tidings.store.database import Tx
from tidings.store.schema import apps, auth_codes, clients, orgs, sessions, spaces, tokens, users
from tidings.store.sealing import Keyring
from tidings.workspace.access import SYSTEM, Caller, reach_app
from tidings.workspace.accounts.scopes import EVERYTHING, narrowed
from tidings.workspace.apps import open_app_token, write_app_token

KEPT_AFTER_DEATH = DAY  # so that a question about yesterday's login can be answered
RACE = 10 * SECOND  # within which a second refresh with the same token is one client's two threads, and no theft


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
    scope: str
    token_id: int

    def __repr__(self) -> str:
        return f"TokenPair({self.caller}, {self.scope!r})"


class Exchange(Struct, frozen=True):
    """What was given for a code or a refresh token (None: nothing), and the hashes of the access tokens that died of it."""

    pair: TokenPair | None
    dead: list[bytes]


class Holder(Struct, frozen=True):
    """Who may act with an access token, until when (microseconds since the epoch), on what, and how often."""

    caller: Caller
    expires_at: int
    scope: str
    calls_per_hour: int | None  # the client's own: None means the server's setting
    limited_calls_per_hour: int | None


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


def issue(tx: Tx, caller: Caller, *, now: int, lives: Lives, scope: str = EVERYTHING, family_id: int = 0) -> TokenPair:
    """A new pair for `caller`, through the client that they came through; of a new family, unless `family_id` names one."""
    access_token, refresh_token = secrets.token_hex(32), secrets.token_hex(32)
    values = {
        "access_hash": hash_token(access_token),
        "refresh_hash": hash_token(refresh_token),
        "auth_client_id": caller.auth_client_id,
        "ref_type": caller.kind,
        "ref_id": caller.id,
        "scope": scope,
        "family_id": family_id,
        "created_at": now,
        "expires_at": now + round(lives.access * SECOND),
        "refresh_expires_at": now + round(lives.refresh * SECOND),
    }
    token_id: int = tx.execute(insert(tokens).values(values).returning(tokens.c.token_id)).scalar_one()
    return TokenPair(access_token, refresh_token, caller, scope, token_id)


# --- who holds one -----------------------------------------------------------------------------------------------------

_ALIVE = and_(
    tokens.c.revoked_at.is_(None),
    clients.c.deleted_at.is_(None),
    or_(
        and_(tokens.c.ref_type == "user", users.c.user_id.is_not(None)),
        and_(apps.c.app_id.is_not(None), apps.c.deleted_at.is_(None), spaces.c.deleted_at.is_(None), orgs.c.deleted_at.is_(None)),
    ),
)
_ALIVE_TOKEN = (
    select(tokens, clients.c.calls_per_hour, clients.c.limited_calls_per_hour)
    .join(clients, clients.c.auth_client_id == tokens.c.auth_client_id)
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
    if row is None:
        return None
    caller = Caller(row.ref_type, row.ref_id, row.auth_client_id)
    return Holder(caller, row.expires_at, row.scope, row.calls_per_hour, row.limited_calls_per_hour)


def find_refresher(tx: Tx, auth_client_id: int, refresh_token: str, *, now: int) -> Caller | None:
    """Who would refresh with this token of this client; None when nobody can."""
    row = tx.execute(_BY_REFRESH, {"hash": hash_token(refresh_token), "now": now}).first()
    return None if row is None or row.auth_client_id != auth_client_id else Caller(row.ref_type, row.ref_id, auth_client_id)


# --- from pair to pair -------------------------------------------------------------------------------------------------


def rotate(tx: Tx, auth_client_id: int, refresh_token: str, *, now: int, lives: Lives, scope: str = "") -> Exchange:
    """A new pair for the holder of `refresh_token`, of the same scope or less.

    No pair when the token is unknown, used, expired, or another client's; one that was used kills its family.
    Raises `InvalidScope` for a scope that is none, or more than was given.
    """
    refresh_hash = hash_token(refresh_token)
    row = tx.execute(_BY_REFRESH, {"hash": refresh_hash, "now": now}).first()
    if row is None or row.auth_client_id != auth_client_id:
        return Exchange(None, _answer_reuse(tx, auth_client_id, refresh_hash, now))
    given = narrowed(row.scope, scope)
    if not _revoke(tx, row.token_id, now):
        return Exchange(None, [])
    caller = Caller(row.ref_type, row.ref_id, auth_client_id)
    pair = issue(tx, caller, now=now, lives=lives, scope=given, family_id=row.family_id or row.token_id)
    return Exchange(pair, [row.access_hash])


def _revoke(tx: Tx, token_id: int, now: int) -> bool:
    """Whether it was us who revoked it: the other of two at once waits here, and then finds it done."""
    alive = (tokens.c.token_id == token_id, tokens.c.revoked_at.is_(None))
    return tx.execute(update(tokens).where(*alive).values(revoked_at=now)).rowcount == 1


def _answer_reuse(tx: Tx, auth_client_id: int, refresh_hash: bytes, now: int) -> list[bytes]:
    used = (tokens.c.refresh_hash == refresh_hash, tokens.c.auth_client_id == auth_client_id, tokens.c.revoked_at <= now - RACE)
    row = tx.execute(select(tokens.c.token_id, tokens.c.family_id).where(*used)).first()
    return [] if row is None else revoke_family(tx, row.family_id or row.token_id, now=now)


# --- the end -----------------------------------------------------------------------------------------------------------


def revoke(tx: Tx, auth_client_id: int, token: str, *, now: int) -> list[bytes]:
    """Kill the family of an access or refresh token; nothing for one that is unknown or another client's.

    Answers the hashes of the access tokens that died of it.
    """
    hashed = hash_token(token)
    either = or_(tokens.c.access_hash == hashed, tokens.c.refresh_hash == hashed)
    row = tx.execute(select(tokens.c.token_id, tokens.c.family_id).where(either, tokens.c.auth_client_id == auth_client_id)).first()
    return [] if row is None else revoke_family(tx, row.family_id or row.token_id, now=now)


def revoke_family(tx: Tx, family_id: int, *, now: int) -> list[bytes]:
    """Kill the pair `family_id` and all that came from it. Answers the hashes of the access tokens that died of it."""
    alive: tuple[ColumnElement[bool], ...] = (
        or_(tokens.c.token_id == family_id, tokens.c.family_id == family_id),
        tokens.c.revoked_at.is_(None),
    )
    dead: list[bytes] = []
    # Again until none is left: a refresh that commits meanwhile leaves a pair that the statement before it did not see.
    while hashes := tx.execute(select(tokens.c.access_hash).where(*alive)).scalars().all():
        tx.execute(update(tokens).where(*alive).values(revoked_at=now))
        dead.extend(hashes)
    return dead


def renew_app_token(tx: Tx, caller: Caller, keyring: Keyring, app_id: int, *, now: int) -> str:
    """Give an app a new token, and answer it: who signed in as the app with the one before must sign in again.

    Raises `NotFound`, `Forbidden` for who is no admin of the app, `Gone`.
    """
    reach_app(tx, caller, app_id, "admin", lock=True)
    mine: tuple[ColumnElement[bool], ...] = (tokens.c.ref_type == "app", tokens.c.ref_id == app_id, tokens.c.revoked_at.is_(None))
    tx.execute(update(tokens).where(*mine).values(revoked_at=now))
    return write_app_token(tx, keyring, app_id)


def prune_tokens(tx: Tx, *, now: int) -> int:
    """Take away the pairs, codes and sessions that were to end more than a day ago. Answers how many.

    A pair that was used or revoked stays until then: it is by it that a second use is known.
    """
    past = now - KEPT_AFTER_DEATH
    old = (
        delete(tokens).where(tokens.c.refresh_expires_at < past),
        delete(auth_codes).where(auth_codes.c.expires_at < past),
        delete(sessions).where(sessions.c.expires_at < past),
    )
    return sum(tx.execute(statement).rowcount for statement in old)
