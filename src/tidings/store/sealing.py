"""Secrets at rest: sealed with AES-256-GCM under a key that lives outside the database.

Each seal is bound to the place that it belongs to (`purpose`), so that a sealed secret moved to another row or column
does not open there. A form of one leading byte leaves room for other ciphers later.
"""

from __future__ import annotations

import base64
import os
import secrets
import tempfile
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from tidings.errors import Invalid, Unavailable

KEY_BYTES = 32
NONCE_BYTES = 12
_FORM = b"\x01"  # AES-256-GCM, 12-byte nonce in front


class Keyring:
    """Seals and opens. Its `repr` says nothing of the key."""

    def __init__(self, key: bytes) -> None:
        """`key` is 32 bytes. Raises `Invalid` otherwise."""
        if len(key) != KEY_BYTES:
            raise Invalid("the sealing key is 32 bytes in base64", parameters={"setting": "key"})
        self._cipher = AESGCM(key)

    def seal(self, secret: bytes, purpose: str) -> bytes:
        """`secret`, to be opened only for the same `purpose`."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        return _FORM + nonce + self._cipher.encrypt(nonce, secret, purpose.encode())

    def open(self, sealed: bytes, purpose: str) -> bytes:
        """What was sealed. Raises `Unavailable` when this is not the key (or the row was tampered with)."""
        try:
            if sealed[:1] != _FORM:
                raise InvalidTag
            return self._cipher.decrypt(sealed[1 : 1 + NONCE_BYTES], sealed[1 + NONCE_BYTES :], purpose.encode())
        except (InvalidTag, ValueError):
            raise Unavailable("a stored secret cannot be opened: is this the key that the database was used with?") from None


def read_key(text: str, data: Path) -> bytes:
    """The sealing key: `text` in base64, or else the file `key` in the folder `data`, made when it is missing.

    Raises `Invalid` when either is not 32 bytes in base64, `Unavailable` when the file can be neither read nor made.
    """
    try:
        key = base64.b64decode(text or _key_file(data), validate=True)
    except OSError as error:
        raise Unavailable(f"the key file can be neither read nor made: {error.strerror}") from error
    except ValueError:  # not base64, or not text
        key = b""
    if len(key) != KEY_BYTES:
        raise Invalid("the sealing key is 32 bytes in base64", parameters={"setting": "key"})
    return key


def _key_file(data: Path) -> str:
    path = data / "key"
    data.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        return path.read_text().strip()
    except FileNotFoundError:
        pass
    # Written whole under another name first, then linked: two processes that start at once agree on one key, and a
    # crash leaves either no key or a whole one. The folder is flushed too: rows sealed under a key that a power cut took
    # away would never open again.
    number, draft = tempfile.mkstemp(prefix="key.", dir=data)
    with os.fdopen(number, "w") as file:
        file.write(base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode() + "\n")
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        Path(draft).unlink()
    _flush_folder(data)
    return path.read_text().strip()


def _flush_folder(folder: Path) -> None:
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
