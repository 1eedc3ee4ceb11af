"""The client that blocks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from tidings.client.blocking import Blocking
from tidings.client.exchange import read_url
from tidings.client.login import TIMEOUT, Login, open_session
from tidings.client.tokens import TokenStore

if TYPE_CHECKING:
    import ssl
    from types import TracebackType


class Client(Login[Blocking]):
    """Talks to one server, and may be shared by threads. `with Client(...)` closes its connections at the end."""

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
        """`url`: the server's, `TIDINGS_URL` where it is left out; `https://api.podio.com` is one.

        `timeout`: seconds that a call may take for one exchange; where a file is streamed, that any wait may take.
        `store`: where tokens are kept, in memory by default. `retries`: times that one call is sent again where that is
        safe. `wait_for_rate_limit`: whether a call waits until the server takes it, `longest_wait` seconds at most.
        `tls`: what to trust, the system's authorities by default. `proxy`: an http proxy to go through, `http://host:port`;
        those of the environment are not used. Raises `Invalid` for a URL that is none.
        """
        session = open_session(
            url,
            client_id,
            client_secret,
            store=store,
            retries=retries,
            wait_for_rate_limit=wait_for_rate_limit,
            longest_wait=longest_wait,
        )
        super().__init__(Blocking(session, timeout=timeout, tls=tls, proxy=None if proxy is None else read_url(proxy)))

    def close(self) -> None:
        """Close the connections that are kept for the next call; that would make a new one."""
        self._driver.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()
