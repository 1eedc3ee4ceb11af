"""A connection that blocks, from a server's name to the first byte of a request: through a proxy, through TLS.

All of it ends at one deadline, in seconds of `time.monotonic`: the name, each of its addresses in turn, the proxy, TLS.
This is what needs `socket` and `ssl`, and it is imported when the first connection is made.
"""

from __future__ import annotations

import socket
import ssl

from tidings.client.exchange import AT_ONCE, Route, address, check_tunnel, left
from tidings.client.http1 import AnswerReader
from tidings.client.names import look_up, too_slow


def dial(route: Route, *, deadline: float, timeout: float) -> socket.socket:
    """Connect to what `route` says. `timeout` is what the deadline was made of, for who reads the error. Raises OSError."""
    host, port = route.first
    try:
        addresses = look_up(host, port).result(left(deadline))
    except TimeoutError:
        raise too_slow(timeout) from None
    for index, there in enumerate(addresses):
        last = index == len(addresses) - 1
        try:
            sock = socket.create_connection((there, port), left(deadline) / (len(addresses) - index))
        except OSError:
            if last:
                raise
        else:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return sock
    raise OSError("the name has no address")


def trusting() -> ssl.SSLContext:
    """TLS as the system's authorities have it."""
    return ssl.create_default_context()


def secure(sock: socket.socket, route: Route, tls: ssl.SSLContext, *, deadline: float) -> ssl.SSLSocket:
    """TLS with the server, through the proxy if there is one. Raises OSError, ValueError, `Garbled`."""
    sock.settimeout(left(deadline))
    if route.tunnel is not None:
        sock.sendall(route.tunnel)
        reader = AnswerReader("CONNECT")
        while not reader.done:
            sock.settimeout(left(deadline))
            received = sock.recv(AT_ONCE)
            reader.feed(received) if received else reader.end()
        check_tunnel(reader.status)
    host, _ = address(route.server)
    sock.settimeout(left(deadline))
    return tls.wrap_socket(sock, server_hostname=host)
