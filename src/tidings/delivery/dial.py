"""From a destination to an open connection: the guard's addresses, a socket, a proxy's tunnel, TLS.

What is always true: only addresses that the guard judged are dialled, and the socket's peer is compared with the one
that was meant before a byte is written. TLS is told the name, not the address. Whatever fails closes the socket and
comes out as `NoConnection`; a connection that comes out is the caller's to close.
"""

from __future__ import annotations

import asyncio
import errno
import re
import socket
from collections.abc import Callable
from functools import partial
from ipaddress import ip_address
from typing import cast

from tidings.delivery.connections import Connection
from tidings.delivery.destination import Destination
from tidings.delivery.exchange import Exchange
from tidings.delivery.guard import Guard, Route
from tidings.delivery.outcomes import NoConnection, Reason
from tidings.delivery.tls import Trust, explain

ADDRESSES_TRIED = 4  # of one answer, each with its share of the time
PROXY_HEAD_CAP = 8 * 1024  # bytes of a proxy's answer to CONNECT

_PROXY_STATUS = re.compile(rb"HTTP/1\.[01] ([0-9]{3})\b")
_CONNECT_SENTENCES = {
    errno.ECONNREFUSED: "nobody listens on port {port} of {address} (connection refused)",
    errno.ENETUNREACH: "no way leads to {address} from here (network unreachable)",
    errno.EHOSTUNREACH: "no way leads to {address} (host unreachable)",
    errno.EMFILE: "this server has too many files open",
    errno.ENFILE: "this server has too many files open",
    errno.EADDRNOTAVAIL: "this server has no port left to call {address} from",
}


class Dialer:
    """Opens the connections of one event loop."""

    def __init__(self, guard: Guard, timeout: float, monotonic: Callable[[], float], trust: Trust | None = None) -> None:
        """`timeout` is in seconds, for resolving, connecting and securing together. `trust`: its own, unless given."""
        self._guard = guard
        self._timeout = timeout
        self._monotonic = monotonic
        self._trust = trust or Trust()

    async def dial(self, exchange: Exchange, make: Callable[[str], Connection]) -> Connection:
        """An open connection for `exchange`, made by `make` of its address; the moments are noted on the exchange.

        Raises `NoConnection`.
        """
        now = self._monotonic()
        seconds = min(self._timeout, exchange.deadline - now)
        try:
            async with asyncio.timeout(seconds):
                return await self._dial(exchange, make, now + seconds)
        except TimeoutError:
            raise NoConnection(Reason.TIMEOUT_CONNECT, f"{_stage(exchange)} within {seconds:.3g} seconds") from None

    async def _dial(self, exchange: Exchange, make: Callable[[str], Connection], until: float) -> Connection:
        destination = exchange.destination
        route = await self._guard.route(destination)
        exchange.resolved = self._monotonic()
        sock = await self._connect(exchange, route, until - exchange.resolved)
        try:
            exchange.connected = self._monotonic()
            if route.proxied:
                await _open_tunnel(sock, destination)
            connection = await self._take_over(sock, exchange, make)
        except BaseException:
            sock.close()
            raise
        return connection

    async def _connect(self, exchange: Exchange, route: Route, seconds: float) -> socket.socket:
        """A socket to the first address of `route` that takes one, `seconds` for all. Raises `NoConnection`, TimeoutError."""
        last = min(len(route.addresses), ADDRESSES_TRIED) - 1
        for address in route.addresses[:last]:
            try:
                exchange.address = address
                async with asyncio.timeout(seconds / (last + 1)):
                    return await _open_socket(address, route)
            except (TimeoutError, NoConnection) as failure:
                if isinstance(failure, NoConnection) and failure.reason is Reason.REFUSED_ADDRESS:
                    raise
        exchange.address = route.addresses[last]
        return await _open_socket(exchange.address, route)

    async def _take_over(self, sock: socket.socket, exchange: Exchange, make: Callable[[str], Connection]) -> Connection:
        """`sock` as a connection, TLS done. Raises `NoConnection`."""
        loop = asyncio.get_running_loop()
        destination, address = exchange.destination, cast(str, exchange.address)
        if destination.scheme == "http":
            return (await loop.create_connection(partial(make, address), sock=sock))[1]
        context = await self._trust.context(destination.ca)
        try:
            _, connection = await loop.create_connection(partial(make, address), sock=sock, ssl=context, server_hostname=destination.host)
        except OSError as error:
            raise NoConnection(Reason.TLS, explain(error)) from None
        exchange.secured = self._monotonic()
        return connection


async def _open_socket(address: str, route: Route) -> socket.socket:
    """A socket connected to `address` and nothing else. Raises `NoConnection`."""
    whose = "the proxy: " if route.proxied else ""
    try:
        sock = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
    except OSError as error:
        raise NoConnection(Reason.CONNECT, whose + _explain(error, address, route.port)) from None
    try:
        sock.settimeout(0)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await asyncio.get_running_loop().sock_connect(sock, (address, route.port))
        _check_peer(address, sock.getpeername()[0])
    except OSError as error:
        sock.close()
        raise NoConnection(Reason.CONNECT, whose + _explain(error, address, route.port)) from None
    except BaseException:
        sock.close()
        raise
    return sock


def _check_peer(meant: str, reached: str) -> None:
    # The system itself takes some addresses for others (0.0.0.0 for loopback); what was judged is not what answers there.
    if ip_address(meant) != ip_address(reached):
        raise NoConnection(Reason.REFUSED_ADDRESS, f"{meant} was dialled, but {reached} was reached")


async def _open_tunnel(sock: socket.socket, destination: Destination) -> None:
    """Have the proxy behind `sock` connect to `destination`. Raises `NoConnection`."""
    loop = asyncio.get_running_loop()
    goal = f"{destination.host_in_url}:{destination.port}"
    head = b""
    try:
        await loop.sock_sendall(sock, f"CONNECT {goal} HTTP/1.1\r\nHost: {goal}\r\n\r\n".encode("ascii"))
        while b"\r\n\r\n" not in head:
            received = await loop.sock_recv(sock, 1024)
            head += received
            if not received or len(head) > PROXY_HEAD_CAP:
                raise NoConnection(Reason.CONNECT, "the proxy gave no answer to CONNECT")
    except OSError as error:
        raise NoConnection(Reason.CONNECT, f"the proxy broke the connection: {error.strerror}") from None
    status = _PROXY_STATUS.match(head)
    if status is None or not status[1].startswith(b"2") or not head.endswith(b"\r\n\r\n"):
        answered = status[1].decode() if status else "what is not HTTP"
        raise NoConnection(Reason.CONNECT, f"the proxy answered {answered} when asked to connect to {goal}")


def _explain(error: OSError, address: str, port: int) -> str:
    known = _CONNECT_SENTENCES.get(error.errno or 0)
    return known.format(address=address, port=port) if known else f"connecting to {address} failed: {error.strerror or error}"


def _stage(exchange: Exchange) -> str:
    if exchange.resolved is None:
        return "its name did not resolve"
    return "no connection came about" if exchange.connected is None else "the TLS handshake did not end"
