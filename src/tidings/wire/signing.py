"""Signatures as the Standard Webhooks specification has them, over `id.timestamp.body`: `v1` is HMAC-SHA256, `v1a` is Ed25519.

Signing and checking are here together because they must agree to the byte. A check takes raw bytes and the headers as
they came and raises only `SignatureError`, whatever the bytes are: a header that is not text, a list with no comma or
a hundred commas, base64 that is none. Ed25519 itself is in `wire/ed25519.py`, which needs a package.

Source: the Standard Webhooks specification 1.0, "Signature scheme", "Symmetric" and "Asymmetric".
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
from collections.abc import Sequence
from typing import Protocol

SECRET_PREFIX = "whsec_"
SECRET_BYTES = 32  # the specification asks for 24 to 64
TOLERANCE_SECONDS = 300
SIGNATURES_READ = 8  # a longer list is an attack on our time, not a rotation


class SignatureError(Exception):
    """The signature does not prove that the sender knew the secret."""


class StaleSignature(SignatureError):
    """The time that was signed is too far from now."""


class UnreadableSignature(SignatureError):
    """The headers are not those of a signature."""


class PublicKey(Protocol):
    """What checks a `v1a` signature."""

    def verifies(self, signature: bytes, signed: bytes) -> bool:
        """Whether `signature` is one of `signed` by the key's owner. Raises nothing."""


def new_secret() -> str:
    """A fresh secret in the form users see: `whsec_` and 32 random bytes in base64."""
    return SECRET_PREFIX + base64.b64encode(os.urandom(SECRET_BYTES)).decode()


def secret_key(secret: str) -> bytes:
    """The key bytes of a `whsec_...` secret (the prefix and the padding may be missing). Raises ValueError if it is not base64."""
    text = secret.removeprefix(SECRET_PREFIX)
    try:
        key = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("a webhook secret is `whsec_` followed by base64") from None
    if not key:
        raise ValueError("a webhook secret holds at least one byte")
    return key


class Signer:
    """Signs with one key, many times. Its `repr` says nothing of the key.

    HMAC's two paddings are hashed once and copied for each message (RFC 2104, section 4). That is more than twice as fast
    as `hmac.digest`, which also lets go of the interpreter's lock for every message, however short.
    """

    __slots__ = ("_inner", "_outer")

    def __init__(self, key: bytes) -> None:
        if len(key) > _BLOCK:
            key = hashlib.sha256(key).digest()
        key = key.ljust(_BLOCK, b"\0")
        self._inner = hashlib.sha256(key.translate(_INNER))
        self._outer = hashlib.sha256(key.translate(_OUTER))

    def sign(self, message_id: str, timestamp: int, body: bytes) -> str:
        """The value of one `webhook-signature` entry: `v1,<base64>`. `timestamp` is in whole seconds."""
        return self.entry(f"{message_id}.{timestamp}.".encode() + body).decode()

    def entry(self, signed: bytes) -> bytes:
        """The same, of the bytes that are signed."""
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(signed)
        outer.update(inner.digest())
        return b"v1," + binascii.b2a_base64(outer.digest(), newline=False)


_BLOCK = 64  # bytes that SHA-256 takes at a time
_INNER = bytes(byte ^ 0x36 for byte in range(256))
_OUTER = bytes(byte ^ 0x5C for byte in range(256))


def sign(key: bytes, message_id: str, timestamp: int, body: bytes) -> str:
    """One signature: see `Signer.sign`."""
    return Signer(key).sign(message_id, timestamp, body)


class Checker:
    """Checks against the same keys, many times. Its `repr` says nothing of them."""

    __slots__ = ("_public_keys", "_signers")

    def __init__(self, keys: Sequence[bytes], public_keys: Sequence[PublicKey] = ()) -> None:
        """`keys` prove `v1` signatures, `public_keys` those of `v1a`: which of them counts is never read from the request."""
        self._signers = [Signer(key) for key in keys]
        self._public_keys = list(public_keys)

    def check(self, message_id: str, timestamp: str, signatures: str, body: bytes, now: float, tolerance: float = TOLERANCE_SECONDS) -> int:
        """Prove that `body` was signed with one of the keys within `tolerance` seconds of `now`, either way.

        The three texts are the header values as received. Answers the signature's time in seconds; raises
        `SignatureError`, and nothing else.
        """
        if not (timestamp.isdigit() and timestamp.isascii() and len(timestamp) <= 12):
            raise UnreadableSignature("the timestamp is not a whole number of seconds")
        seconds = int(timestamp)
        if abs(now - seconds) > tolerance:
            raise StaleSignature("the timestamp is too far from now")
        try:
            signed = f"{message_id}.{timestamp}.".encode() + body
            offered = signatures.encode("ascii").split(b" ", SIGNATURES_READ)[:SIGNATURES_READ]
        except UnicodeEncodeError:
            raise UnreadableSignature("a signature header is not plain text") from None
        for signer in self._signers:
            expected = signer.entry(signed)
            for entry in offered:
                if hmac.compare_digest(expected, entry):
                    return seconds
        if self._public_keys and self._is_of_a_public_key(signed, offered):
            return seconds
        raise SignatureError("no signature matches")

    def _is_of_a_public_key(self, signed: bytes, offered: list[bytes]) -> bool:
        signatures = [entry.removeprefix(_ASYMMETRIC) for entry in offered if entry.startswith(_ASYMMETRIC)]
        return any(key.verifies(_bytes_of(signature), signed) for signature in signatures for key in self._public_keys)


_ASYMMETRIC = b"v1a,"


def check(
    keys: list[bytes],
    *,
    message_id: str,
    timestamp: str,
    signatures: str,
    body: bytes,
    now: float,
    tolerance: float = TOLERANCE_SECONDS,
) -> None:
    """Prove one signature: see `Checker.check`."""
    Checker(keys).check(message_id, timestamp, signatures, body, now, tolerance)


def _bytes_of(text: bytes) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""
