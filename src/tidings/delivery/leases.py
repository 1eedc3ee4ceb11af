"""Leases: what makes a delivery in `sending` somebody's, and free again when that somebody falls silent.

A running engine holds one lease, a row that it renews; its deliveries name the lease. A lease that has run out is never
renewed, not even by the one who held it: whatever it held may have been claimed by another meanwhile, so that one drops
what it holds in memory and takes a new lease (ADR 0003).
"""

from __future__ import annotations

from sqlalchemy import bindparam, delete, insert, select, update

from tidings.delivery.deliveries import NOBODY
from tidings.store.database import Tx
from tidings.store.schema import deliveries, leases
from tidings.store.statements import Statement


def take_lease(tx: Tx, holder: str, *, now: int, duration: int) -> int:
    """A new lease, good for `duration` microseconds. `holder` says for people who it is."""
    new = insert(leases).values(holder=holder, expires_at=now + duration).returning(leases.c.lease_id)
    lease_id: int = tx.execute(new).scalar_one()
    return lease_id


def holds(tx: Tx, lease_id: int) -> bool:
    """Whether the lease is still there, and until this transaction ends, stays. Asked by whoever writes it into deliveries:
    under a lease that is gone they would be nobody's for ever."""
    return _HELD.first(tx, {"lease": lease_id}) is not None


_HELD = Statement(select(leases.c.lease_id).where(leases.c.lease_id == bindparam("lease")).with_for_update(read=True))


def renew_lease(tx: Tx, lease_id: int, *, now: int, duration: int) -> bool:
    """Make the lease good for `duration` from `now` on; False when it has run out."""
    mine = (leases.c.lease_id == lease_id, leases.c.expires_at > now)
    return bool(tx.execute(update(leases).where(*mine).values(expires_at=now + duration)).rowcount)


def somebody_delivers(tx: Tx, *, now: int) -> bool:
    """Whether any engine holds a lease that is good at the moment `now`."""
    return tx.execute(select(leases.c.lease_id).where(leases.c.expires_at > now).limit(1)).first() is not None


def give_up_lease(tx: Tx, lease_id: int, *, now: int) -> int:
    """End a lease: what it still held is pending again, due at once. Answers how many deliveries that were."""
    # The lease goes first: that waits for whoever is just leasing under it (`holds`), and what they wrote is then seen.
    tx.execute(delete(leases).where(leases.c.lease_id == lease_id))
    held = (deliveries.c.lease_id == lease_id, deliveries.c.ended_at.is_(None))
    return tx.execute(update(deliveries).where(*held).values(state="pending", lease_id=NOBODY, due_at=now)).rowcount


def free_expired(tx: Tx, *, now: int, all_but: int | None = None) -> int:
    """End every lease that has run out (with `all_but`: every other one, for an engine that knows it is alone)."""
    over = leases.c.expires_at <= now if all_but is None else leases.c.lease_id != all_but
    expired = tx.execute(select(leases.c.lease_id).where(over).with_for_update(skip_locked=True)).scalars().all()
    return sum(give_up_lease(tx, lease_id, now=now) for lease_id in expired)
