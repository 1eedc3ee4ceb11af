"""What the tests of the sender share: a request, a guard that lets loopback through, and one exchange awaited."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.support.scripted_server import ScriptedServer
from tidings.delivery.allow import AllowList, parse_allow
from tidings.delivery.destination import Destination
from tidings.delivery.guard import Guard, judge_url
from tidings.delivery.outcomes import Outcome
from tidings.delivery.sender import Sender

REQUEST = b"POST /hook HTTP/1.1\r\nHost: receiver\r\nContent-Length: 11\r\n\r\ntype=a.test"
LOOPBACK = parse_allow(["127.0.0.0/8:*", "[::1]:*"])
BOTH_LOOPS = [
    pytest.param(("asyncio", {"use_uvloop": False}), id="asyncio"),
    pytest.param(("asyncio", {"use_uvloop": True}), id="uvloop"),
]
NOTHING_OPEN = "<Sender 0 dialling, 0 busy, 0 idle, 0 connections>"


class TurnedClock:
    """A monotonic clock in seconds that runs by itself and can be turned forward."""

    def __init__(self) -> None:
        self.turned = 0.0

    def __call__(self) -> float:
        return time.monotonic() + self.turned


def loopback_guard(names: dict[str, list[str]] | None = None, *, proxy: str = "") -> Guard:
    """A guard that lets every port of loopback through, and resolves `names` and nothing else."""
    return Guard(LOOPBACK, resolver=resolving(names or {}), proxy=proxy)


class resolving:  # noqa: N801 (reads as what it does)
    """A resolver of a fixed table, which counts its calls; a name of several answers gives them in turn."""

    def __init__(self, names: dict[str, list[str]]) -> None:
        self.names = names
        self.asked: list[str] = []

    def __call__(self, host: str) -> Iterable[str]:
        self.asked.append(host)
        if host not in self.names:
            raise OSError(-2, "Name or service not known")
        return self.names[host]


def to(server: ScriptedServer, host: str | None = None, allow: AllowList = LOOPBACK, ca: str | None = None) -> Destination:
    """The destination that `server` is, by its own address or another name for it."""
    url = server.url if host is None else server.url.replace(server.host, host, 1)
    return judge_url(url, allow, ca)


async def exchange(sender: Sender, destination: Destination, request: bytes = REQUEST) -> Outcome:
    """Send `request` and wait for its outcome, at most ten seconds. An outcome that comes twice fails the test."""
    outcome: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
    sender.send(destination, request, outcome.set_result)
    async with asyncio.timeout(10):
        return await outcome


async def until_sockets_are(count: int) -> None:
    """Wait until this program has at most `count` sockets open, at most five seconds."""
    async with asyncio.timeout(5):
        while open_sockets() > count:  # noqa: ASYNC110 (the system tells nobody)
            await asyncio.sleep(0.005)


def open_sockets() -> int:
    """The number of sockets that this program has open."""
    return sum(link.is_symlink() and str(link.readlink()).startswith("socket:") for link in Path("/proc/self/fd").iterdir())
