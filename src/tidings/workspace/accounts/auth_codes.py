"""Authorization codes: what a browser carries from the consent page to the client, which changes it for tokens, once.

A code is 256 random bits, kept as a hash, good for `CODE_LIFE`. It is bound to the client, to the very redirect URI and,
where the client asked so, to a challenge (PKCE, RFC 7636): whoever has only the code has nothing. A code that is shown
again after it was used kills what the first use gave (RFC 6749, section 4.1.2).

PKCE cannot be talked away: with a challenge the verifier must come, and without one it must not.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets

from msgspec import Struct
from sqlalchemy import Row, insert, select, update

from tidings.clock import MINUTE
from tidings.errors import Invalid
from tidings.store.database import Tx
from tidings.store.schema import auth_codes, tokens
from tidings.workspace.access import Caller
from tidings.workspace.accounts.tokens import Exchange, Lives, hash_token, issue, revoke_family

CODE_LIFE = 10 * MINUTE

_VERIFIER = re.compile(r"[A-Za-z0-9\-._~]{43,128}", re.ASCII)
_S256 = re.compile(r"[A-Za-z0-9\-_]{43}", re.ASCII)


class Challenge(Struct, frozen=True):
    """What the one who changes the code must know the answer to."""

    text: str
    method: str  # S256 | plain


def read_challenge(text: str, method: str) -> Challenge | None:
    """The challenge that a client asks for, None where it asks for none. Raises `Invalid` for one that is none."""
    if not text and not method:
        return None
    if method not in ("", "plain", "S256"):
        raise Invalid("code_challenge_method: must be S256 or plain", parameters={"field": "code_challenge_method"})
    if not (_S256 if method == "S256" else _VERIFIER).fullmatch(text):
        raise Invalid("code_challenge: must have 43 to 128 letters, digits, '-', '.', '_' or '~'", parameters={"field": "code_challenge"})
    return Challenge(text, method or "plain")


def is_answer(verifier: str, challenge: Challenge | None) -> bool:
    """Whether `verifier` answers `challenge`; to no challenge, only nothing does."""
    if challenge is None:
        return not verifier
    if not _VERIFIER.fullmatch(verifier):
        return False
    answer = verifier if challenge.method == "plain" else _hashed(verifier)
    return hmac.compare_digest(answer, challenge.text)


def _hashed(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def give_code(tx: Tx, caller: Caller, redirect_uri: str, scope: str, challenge: Challenge | None, *, now: int) -> str:
    """A code by which the client of `caller` may act as the user."""
    code = secrets.token_hex(32)
    tx.execute(
        insert(auth_codes).values(
            code_hash=hash_token(code),
            auth_client_id=caller.auth_client_id,
            user_id=caller.user_id,
            redirect_uri=redirect_uri,
            scope=scope,
            challenge=challenge and challenge.text,
            challenge_method=challenge and challenge.method,
            created_at=now,
            expires_at=now + CODE_LIFE,
        )
    )
    return code


def exchange_code(tx: Tx, auth_client_id: int, code: str, redirect_uri: str, verifier: str, *, now: int, lives: Lives) -> Exchange:
    """The pair for a code. None when it is unknown, used, expired, another client's, or does not go with what was asked for."""
    row = tx.execute(select(auth_codes).where(auth_codes.c.code_hash == hash_token(code))).first()
    if row is None or row.auth_client_id != auth_client_id:
        return Exchange(None, [])
    if row.used_at is not None:
        return Exchange(None, _answer_reuse(tx, row, now))
    challenge = Challenge(row.challenge, row.challenge_method) if row.challenge else None
    if now >= row.expires_at or redirect_uri != row.redirect_uri or not is_answer(verifier, challenge):
        return Exchange(None, [])
    if not _use(tx, row.auth_code_id, now):
        return Exchange(None, _answer_reuse(tx, _again(tx, row.auth_code_id), now))
    pair = issue(tx, Caller("user", row.user_id, auth_client_id), now=now, lives=lives, scope=row.scope)
    tx.execute(update(auth_codes).where(auth_codes.c.auth_code_id == row.auth_code_id).values(token_id=pair.token_id))
    return Exchange(pair, [])


def find_code_user(tx: Tx, auth_client_id: int, code: str) -> Caller | None:
    """Who gave this client this code, whether or not it is good still."""
    mine = (auth_codes.c.code_hash == hash_token(code), auth_codes.c.auth_client_id == auth_client_id)
    user_id = tx.execute(select(auth_codes.c.user_id).where(*mine)).scalar()
    return None if user_id is None else Caller("user", user_id, auth_client_id)


def _use(tx: Tx, auth_code_id: int, now: int) -> bool:
    """Whether it was us who used it: the other of two at once waits here, and then finds it done."""
    unused = (auth_codes.c.auth_code_id == auth_code_id, auth_codes.c.used_at.is_(None))
    return tx.execute(update(auth_codes).where(*unused).values(used_at=now)).rowcount == 1


def _again(tx: Tx, auth_code_id: int) -> Row[tuple[object, ...]]:
    return tx.execute(select(auth_codes).where(auth_codes.c.auth_code_id == auth_code_id)).one()


def _answer_reuse(tx: Tx, code: Row[tuple[object, ...]], now: int) -> list[bytes]:
    pair = tx.execute(select(tokens.c.token_id, tokens.c.family_id).where(tokens.c.token_id == code.token_id)).first()
    return [] if pair is None else revoke_family(tx, pair.family_id or pair.token_id, now=now)
