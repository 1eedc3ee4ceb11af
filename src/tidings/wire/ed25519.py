"""Ed25519 for `v1a` signatures: public keys as the Standard Webhooks specification writes them, `whpk_` and base64.

Signing is the server's, checking the receiver's. The one file of the kits that needs a package, `cryptography`: it is
imported when somebody has a public key, and not before. Whatever is offered as a signature, the answer is yes or no.
"""

from __future__ import annotations

import base64
import binascii
import secrets

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

PUBLIC_KEY_PREFIX = "whpk_"


class SignersPublicKey:
    """Who has it can check what its owner signed."""

    __slots__ = ("_key",)

    def __init__(self, text: str) -> None:
        """`text` is `whpk_` (which may be missing) and 32 bytes in base64. Raises ValueError for anything else."""
        self._key = Ed25519PublicKey.from_public_bytes(_key_bytes(text))

    def verifies(self, signature: bytes, signed: bytes) -> bool:
        """Whether `signature` is one of `signed` by the key's owner."""
        try:
            self._key.verify(signature, signed)
        except InvalidSignature:
            return False
        return True


class PrivateKey:
    """Signs. Its `repr` says nothing of the key."""

    __slots__ = ("_key", "seed")

    def __init__(self, seed: bytes) -> None:
        """`seed` is any 32 bytes (RFC 8032, section 5.1.5). Raises ValueError otherwise."""
        self.seed = seed
        self._key = Ed25519PrivateKey.from_private_bytes(seed)

    @classmethod
    def new(cls) -> PrivateKey:
        """A fresh one."""
        return cls(secrets.token_bytes(32))

    @property
    def public(self) -> bytes:
        """The 32 bytes that others check with."""
        return self._key.public_key().public_bytes_raw()

    def sign(self, message_id: str, timestamp: int, body: bytes) -> str:
        """The value of one `webhook-signature` entry: `v1a,<base64>`. `timestamp` is in whole seconds."""
        signature = self._key.sign(f"{message_id}.{timestamp}.".encode() + body)
        return "v1a," + base64.b64encode(signature).decode()


def public_key_text(key: bytes) -> str:
    """A public key as `SignersPublicKey` reads it."""
    return PUBLIC_KEY_PREFIX + base64.b64encode(key).decode()


def _key_bytes(text: str) -> bytes:
    written = text.removeprefix(PUBLIC_KEY_PREFIX)
    try:
        key = base64.b64decode(written + "=" * (-len(written) % 4), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != 32:
        raise ValueError("a webhook public key is `whpk_` followed by 32 bytes in base64")
    return key
