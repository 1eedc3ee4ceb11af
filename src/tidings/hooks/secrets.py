"""A hook's own secret: made with the hook, shown once, kept sealed, opened only to sign.

It can be changed for a new one. For a while, the overlap, deliveries are then signed with both, so that the receiver has
time to learn the new one; the former secret of a hook is one at most.
"""

from __future__ import annotations

from sqlalchemy import select, update

from tidings.clock import DAY
from tidings.errors import Conflict, Invalid
from tidings.hooks.reach import hooks_changed, reach_hook
from tidings.store.database import Tx
from tidings.store.schema import hooks
from tidings.store.sealing import Keyring
from tidings.wire.signing import new_secret, secret_key
from tidings.workspace.access import Caller

LONGEST_OVERLAP = 30 * DAY


def make_secret(keyring: Keyring, hook_id: int) -> tuple[str, bytes]:
    """A fresh `whsec_` secret, and the same sealed for the row of `hook_id`."""
    secret = new_secret()
    return secret, keyring.seal(secret_key(secret), _purpose(hook_id))


def open_secret(keyring: Keyring, hook_id: int, sealed: bytes) -> bytes:
    """The key bytes to sign with. Raises `Unavailable` when the keyring's key is not the one it was sealed with."""
    return keyring.open(sealed, _purpose(hook_id))


def renew_secret(tx: Tx, caller: Caller, keyring: Keyring, hook_id: int, *, overlap: int, now: int) -> str:
    """Give a hook a new secret, and answer it. The one it had signs as well for `overlap` microseconds more.

    Raises `Invalid` for a longer overlap than `LONGEST_OVERLAP`, `Conflict` for a hook that has no secret of its own;
    `NotFound`, `Forbidden`, `Gone`.
    """
    if not 0 <= overlap <= LONGEST_OVERLAP:
        raise Invalid(f"overlap: must be from 0 to {LONGEST_OVERLAP // 1_000_000} seconds", parameters={"field": "overlap"})
    if reach_hook(tx, caller, hook_id)["signing"] != "hmac":
        raise Conflict("This hook is signed for with the server's own key, and has no secret", parameters={"hook_id": hook_id})
    mine = hooks.c.hook_id == hook_id
    held = tx.execute(select(hooks.c.secret_sealed).where(mine).with_for_update()).scalar_one()
    secret, sealed = make_secret(keyring, hook_id)
    former = {"former_secret_sealed": held, "former_secret_until": now + overlap} if overlap else _NO_FORMER
    tx.execute(update(hooks).where(mine).values(secret_sealed=sealed, **former))
    hooks_changed(tx)
    return secret


_NO_FORMER = {"former_secret_sealed": None, "former_secret_until": None}


def _purpose(hook_id: int) -> str:
    return f"hook_secret:{hook_id}"
