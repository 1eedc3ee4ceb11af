"""Why did it not arrive? Reads what is on record of a hook, looks at the network, and says what comes of both.

The record (`on_record.py`) is read in one transaction, which is over before a stranger is talked to (`probes.py`); what the
two mean is said in `findings.py`.
"""

from __future__ import annotations

from tidings.clock import Clock
from tidings.delivery.allow import AllowList
from tidings.delivery.findings import Diagnosis, find
from tidings.delivery.guard import Guard
from tidings.delivery.on_record import read_evidence
from tidings.delivery.probes import probe
from tidings.settings import Settings
from tidings.store.database import Database
from tidings.workspace.access import Caller


async def diagnose(
    database: Database, settings: Settings, allow: AllowList, guard: Guard, hook_id: int, caller: Caller, *, clock: Clock
) -> Diagnosis:
    """Look at everything, in order. Takes up to `settings.connect_timeout` seconds, three times over where a certificate is bad.

    `guard` belongs to the running loop. Raises `NotFound`, `Forbidden`, `Gone` as `reach_hook` does.
    """
    now = clock()
    evidence = await database.read(read_evidence, caller, hook_id, now=now)
    found = await probe(evidence.url, evidence.ca, guard, allow, seconds=settings.connect_timeout)
    return find(evidence, found, now=now, patience=settings.exchange_timeout)
