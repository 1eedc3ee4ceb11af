"""`tidings keys`: the server's own signing keys, listed and rotated by the operator.

A server may be running meanwhile: it signs with the new key from its next delivery on.
"""

from __future__ import annotations

from collections.abc import Sequence

from tidings.cli.writing import print_rows, write
from tidings.clock import SECOND, system_clock
from tidings.hooks import signing_keys
from tidings.hooks.signing_keys import PublicSigningKey
from tidings.settings import Settings
from tidings.store.sealing import Keyring, read_key
from tidings.wire.ed25519 import public_key_text
from tidings.wire.podio import timestamp


def rotate_keys(settings: Settings, *, overlap: float, as_json: bool) -> None:
    """Make a new key and print it; the one before it signs as well for `overlap` seconds. Raises `Invalid` for too long a time."""
    keyring = Keyring(read_key(settings.key, settings.data))
    made = write(settings, signing_keys.rotate_keys, keyring, overlap=round(overlap * SECOND), now=system_clock())
    _print([made], as_json=as_json)


def print_keys(settings: Settings, *, as_json: bool) -> None:
    """The keys that sign at this moment, the newest first."""
    _print(write(settings, signing_keys.list_keys, now=system_clock()), as_json=as_json)


def _print(keys: Sequence[PublicSigningKey], *, as_json: bool) -> None:
    rows = [
        {
            "kid": str(key.key_id),
            "public_key": public_key_text(key.public),
            "created_on": timestamp(key.created_at),
            "retires_on": None if key.retires_at is None else timestamp(key.retires_at),
        }
        for key in keys
    ]
    print_rows(rows, as_json=as_json)
