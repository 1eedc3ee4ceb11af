"""Round after round, whatever happens: a database that is away is waited for, and a defect is told and not the end of all.

For the loops of the engine (`engine.py`), which are everybody's deliveries.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from tidings.errors import Unavailable
from tidings.telemetry import facts
from tidings.telemetry.facts import Telemetry

FIRST_BACKOFF, LONGEST_BACKOFF = 0.1, 5.0  # seconds

T = TypeVar("T")


class Patience:
    """Tries again, and tells `telemetry` why."""

    def __init__(self, telemetry: Telemetry) -> None:
        self._telemetry = telemetry

    async def forever(self, name: str, run: Callable[[], Awaitable[None]]) -> None:
        """`run()`, round after round, until cancelled; after a defect, not at once."""
        backoff = FIRST_BACKOFF
        while True:
            try:
                await self.persist(name, run)
                backoff = FIRST_BACKOFF
            except Exception as error:  # noqa: BLE001  a defect: told, and not the end of everybody's deliveries
                self._telemetry.tell(facts.StationFailed(name, error, backoff))
                await asyncio.sleep(backoff)
                backoff = min(2 * backoff, LONGEST_BACKOFF)

    async def persist(self, where: str, run: Callable[[], Awaitable[T]]) -> T:
        """`run()`, again and again until the database is there. Raises whatever else it raises."""
        backoff = FIRST_BACKOFF
        while True:
            try:
                return await run()
            except Unavailable as error:
                self._telemetry.tell(facts.DatabaseUnavailable(where, str(error), backoff))
            await asyncio.sleep(backoff)
            backoff = min(2 * backoff, LONGEST_BACKOFF)
