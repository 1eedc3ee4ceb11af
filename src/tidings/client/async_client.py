"""The client that is awaited."""

from __future__ import annotations

import ssl
from types import TracebackType
from typing import Self

from tidings.client.awaiting import Awaiting
from tidings.client.exchange import read_url
from tidings.client.login import TIMEOUT, Login, open_session
from tidings.client.tokens import TokenStore


class AsyncClient(Login[Awaiting]):
    """Talks to one server, and may be shared by tasks. `async with AsyncClient(...)` closes its connections at the end."""

    def __init__(
        self,
        url: str | None = None,
        client_id: str = "",
        client_secret: str = "",
        *,
        timeout: float = TIMEOUT,
        store: TokenStore | None = None,
        retries: int = 2,
        wait_for_rate_limit: bool = False,
        longest_wait: float = 3600.0,
        tls: ssl.SSLContext | None = None,
        proxy: str | None = None,
    ) -> None:
        """As for `Client`."""
        session = open_session(
            url,
            client_id,
            client_secret,
            store=store,
            retries=retries,
            wait_for_rate_limit=wait_for_rate_limit,
            longest_wait=longest_wait,
        )
        super().__init__(Awaiting(session, timeout=timeout, tls=tls, proxy=None if proxy is None else read_url(proxy)))

    async def close(self) -> None:
        """Close the connections that are kept for the next call; that would make a new one."""
        self._driver.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.close()
