"""Loads the index of hooks, and tells whether one that is held is still true.

Asked inside the transaction that relies on it, after that transaction has read its events: whatever hook was active
before such an event was committed is then seen.
"""

from __future__ import annotations

from sqlalchemy import RowMapping, select

from tidings.hooks.matching import Hook, HookIndex
from tidings.hooks.secrets import open_secret
from tidings.hooks.signing_keys import Keys, open_keys
from tidings.store.database import Tx
from tidings.store.schema import hooks
from tidings.store.sealing import Keyring


def fresh_index(tx: Tx, keyring: Keyring, held: HookIndex) -> HookIndex:
    """`held` if no hook has changed since, else the index as it is now."""
    version = tx.exec_driver_sql("SELECT hooks_version FROM server").scalar_one()
    return held if held.version == version else _load(tx, keyring, version)


def _load(tx: Tx, keyring: Keyring, version: int) -> HookIndex:
    rows = tx.execute(select(hooks).where(hooks.c.deleted_at.is_(None))).mappings().all()
    servers_own = open_keys(tx, keyring) if any(row["signing"] == "ed25519" for row in rows) else ((), 0)
    return HookIndex(version, (_hook(row, servers_own if row["signing"] == "ed25519" else _own_keys(row, keyring)) for row in rows))


def load_hook(tx: Tx, keyring: Keyring, hook_id: int) -> Hook:
    """One hook that is there, as it is now."""
    row = tx.execute(select(hooks).where(hooks.c.hook_id == hook_id)).mappings().one()
    return _hook(row, open_keys(tx, keyring) if row["signing"] == "ed25519" else _own_keys(row, keyring))


def _own_keys(row: RowMapping, keyring: Keyring) -> Keys:
    sealed = [row["secret_sealed"], row["former_secret_sealed"]]
    return tuple(open_secret(keyring, row["hook_id"], each) for each in sealed if each is not None), row["former_secret_until"] or 0


def _hook(row: RowMapping, keys: Keys) -> Hook:
    return Hook(
        hook_id=row["hook_id"],
        ref_type=row["ref_type"],
        ref_id=row["ref_id"],
        type=row["type"],
        url=row["url"],
        active=row["status"] == "active",
        code=row["verify_code"],
        order=row["delivery_order"],
        concurrency=row["concurrency"],
        preserve_query=row["preserve_query"],
        ca=row["ca"],
        keys=keys[0],
        format=row["format"],
        signing=row["signing"],
        former_until=keys[1],
        paused=row["paused_at"] is not None,
        next_url=row["next_url"],
    )
