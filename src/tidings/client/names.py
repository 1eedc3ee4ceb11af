"""A server's name, and the addresses behind it: looked up with a bound.

Nothing can stop the system's resolver once it has been asked, and it may take minutes to give up. So it is asked in a thread
of its own, for which nobody waits longer than a call may take: not the call, not an event loop that closes, and not the
program when it ends. What is an address already is not looked up.
"""

from __future__ import annotations

import socket
import threading
from concurrent.futures import Future

Found = list[str]
"""Addresses, the best first, each once."""


def look_up(host: str, port: int) -> Future[Found]:
    """The addresses of `host`, some time. The future raises OSError where there are none."""
    found: Future[Found] = Future()
    try:
        found.set_result(_addresses(host, port, socket.AI_NUMERICHOST))
    except OSError:
        threading.Thread(target=_ask, args=(found, host, port), name="tidings-names", daemon=True).start()
    return found


def too_slow(seconds: float) -> OSError:
    """What to raise when nobody waits any longer."""
    return socket.gaierror(socket.EAI_AGAIN, f"its name was not found within {seconds:g} seconds")


def _ask(found: Future[Found], host: str, port: int) -> None:
    if not found.set_running_or_notify_cancel():
        return
    try:
        found.set_result(_addresses(host, port))
    except Exception as error:  # noqa: BLE001  it is raised where it is waited for
        found.set_exception(error)


def _addresses(host: str, port: int, flags: int = 0) -> Found:
    answers = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=flags)
    return list(dict.fromkeys(str(address[0]) for *_, address in answers))
