"""The server's own Ed25519 keys, which sign for the hooks that ask for `ed25519`: any receiver can check, and none can sign.

There is none before the first such hook, or before the operator makes one. Rotating makes a new key, which signs at once;
the one before it signs as well until it retires, and is then deleted at the next rotation, with whatever was older: at
most two keys sign. Public keys are for anybody; private ones are kept sealed and opened only to sign.
"""

from __future__ import annotations

from msgspec import Struct
from sqlalchemy import delete, insert, or_, select, update

from tidings.clock import DAY
from tidings.errors import Invalid
from tidings.hooks.reach import hooks_changed
from tidings.store.database import Tx
from tidings.store.schema import signing_keys
from tidings.store.sealing import Keyring
from tidings.wire.ed25519 import PrivateKey
from tidings.workspace.access import alone_on_server

LONGEST_OVERLAP = 90 * DAY

Keys = tuple[tuple[bytes, ...], int]
"""What signs, the newest first, two at most; and until when the second does, in microseconds since the epoch."""


class PublicSigningKey(Struct, frozen=True):
    """What others may know of a key. Moments are microseconds since the epoch."""

    key_id: int
    public: bytes
    created_at: int
    retires_at: int | None  # None: it signs until it is rotated


def rotate_keys(tx: Tx, keyring: Keyring, *, overlap: int, now: int) -> PublicSigningKey:
    """Make a new key, and answer it; the present one signs for `overlap` microseconds more.

    Raises `Invalid` for a longer overlap than `LONGEST_OVERLAP`.
    """
    if not 0 <= overlap <= LONGEST_OVERLAP:
        raise Invalid(f"overlap: must be from 0 to {LONGEST_OVERLAP // DAY} days", parameters={"field": "overlap"})
    alone_on_server(tx)
    tx.execute(delete(signing_keys).where(signing_keys.c.retires_at.is_not(None)))
    tx.execute(update(signing_keys).values(retires_at=now + overlap))
    return _make_key(tx, keyring, now)


def ensure_key(tx: Tx, keyring: Keyring, *, now: int) -> None:
    """Make the first key, if there is none."""
    alone_on_server(tx)
    if tx.execute(select(signing_keys.c.key_id).limit(1)).first() is None:
        _make_key(tx, keyring, now)


def list_keys(tx: Tx, *, now: int) -> list[PublicSigningKey]:
    """The keys that sign at this moment, the newest first."""
    signing = or_(signing_keys.c.retires_at.is_(None), signing_keys.c.retires_at > now)
    return [PublicSigningKey(*row) for row in tx.execute(_PUBLIC.where(signing).order_by(signing_keys.c.key_id.desc()))]


def open_keys(tx: Tx, keyring: Keyring) -> Keys:
    """What to sign with. Raises `Unavailable` when the keyring's key is not the one they were sealed with."""
    rows = tx.execute(select(signing_keys).order_by(signing_keys.c.key_id.desc())).all()
    until = max((row.retires_at for row in rows if row.retires_at is not None), default=0)
    return tuple(keyring.open(row.private_sealed, _purpose(row.public)) for row in rows), until


_PUBLIC = select(signing_keys.c.key_id, signing_keys.c.public, signing_keys.c.created_at, signing_keys.c.retires_at)


def _make_key(tx: Tx, keyring: Keyring, now: int) -> PublicSigningKey:
    private = PrivateKey.new()
    public = private.public
    row = {"public": public, "private_sealed": keyring.seal(private.seed, _purpose(public)), "created_at": now}
    key_id: int = tx.execute(insert(signing_keys).values(**row).returning(signing_keys.c.key_id)).scalar_one()
    hooks_changed(tx)
    return PublicSigningKey(key_id, public, now, None)


def _purpose(public: bytes) -> str:
    return f"signing_key:{public.hex()}"
