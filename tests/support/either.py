"""Both clients, as one: a test says once what it does, and does it with the client that blocks and with the one that is awaited."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from tidings.client import AsyncClient, Client


class Either:
    """`await either(lambda client: client.items.get(42))`, whichever client it is. Pauses are noted, not made."""

    def __init__(self, kind: str, url: str, **options: Any) -> None:
        self.pauses: list[float] = []
        made = {"client_id": "my-client", "client_secret": "s3cret&=", "timeout": 5.0, **options}
        self.client: Any = Client(url, **made) if kind == "blocking" else AsyncClient(url, **made)
        self.client._driver.sleep = self._pause if kind == "blocking" else self._pause_async
        self.blocks = kind == "blocking"

    async def __call__(self, do: Callable[[Any], Any]) -> Any:
        if self.blocks:
            return await asyncio.to_thread(do, self.client)
        return await do(self.client)

    async def listed(self, do: Callable[[Any], Any]) -> list[Any]:
        """All that an iterator gives."""
        if self.blocks:
            return await asyncio.to_thread(lambda: list(do(self.client)))
        return [each async for each in do(self.client)]

    async def at_once(self, do: Callable[[Any], Any], times: int) -> list[Any]:
        """Do it so many times at the same time; what each answered or raised."""
        return await asyncio.gather(*(self(do) for _ in range(times)), return_exceptions=True)

    def _pause(self, seconds: float) -> None:
        self.pauses.append(seconds)

    async def _pause_async(self, seconds: float) -> None:
        self.pauses.append(seconds)
