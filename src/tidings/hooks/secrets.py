"""A hook's own secret: made with the hook, shown once, kept sealed, opened only to sign."""

from __future__ import annotations

from tidings.store.sealing import Keyring
from tidings.wire.signing import new_secret, secret_key


def make_secret(keyring: Keyring, hook_id: int) -> tuple[str, bytes]:
    """A fresh `whsec_` secret, and the same sealed for the row of `hook_id`."""
    secret = new_secret()
    return secret, keyring.seal(secret_key(secret), _purpose(hook_id))


def open_secret(keyring: Keyring, hook_id: int, sealed: bytes) -> bytes:
    """The key bytes to sign with. Raises `Unavailable` when the keyring's key is not the one it was sealed with."""
    return keyring.open(sealed, _purpose(hook_id))


def _purpose(hook_id: int) -> str:
    return f"hook_secret:{hook_id}"
