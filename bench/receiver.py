"""A receiver that costs next to nothing: answers 204 to whatever comes, and notes when each event arrived.

A process of its own, on uvloop. It finds the moment of the change in `external_id` (where the benchmark has put it), so
that it can say how long a change took to arrive. Started with `python -m bench.receiver`; prints its port, then, for each
line on its standard input, what it has seen, as JSON; after the line `forget` it begins anew. With `--awake` it never sleeps:
on one machine, who sends to a process that sleeps pays for waking it, which no sender to another machine does.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
import time
from array import array
from typing import cast

import uvloop

_STAMP = re.compile(rb"external_id=(\d+)")
_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_ANSWER = b"HTTP/1.1 204 No Content\r\n\r\n"

_CODE = re.compile(rb"code=([0-9a-f]{32})")

latencies: array[int] = array("q")  # microseconds
seen: set[bytes] = set()
counts = {"requests": 0, "repeats": 0}
codes: list[str] = []


class Connection(asyncio.Protocol):
    """One connection: cuts requests at their content-length."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport
        self._rest = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See asyncio."""
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """See asyncio."""
        data = self._rest + data if self._rest else data
        answers = 0
        while (end := data.find(b"\r\n\r\n")) >= 0:
            length = _LENGTH.search(data, 0, end)
            size = end + 4 + (int(length[1]) if length else 0)
            if len(data) < size:
                break
            note(data[end + 4 : size])
            data = data[size:]
            answers += 1
        self._rest = data
        if answers:
            self._transport.write(_ANSWER * answers)


def note(body: bytes) -> None:
    """Count one request."""
    counts["requests"] += 1
    stamp = _STAMP.search(body)
    if stamp is None:
        if code := _CODE.search(body):
            codes.append(code[1].decode())
        return
    if body in seen:
        counts["repeats"] += 1
        return
    seen.add(body)
    latencies.append(time.time_ns() // 1_000 - int(stamp[1]))


def report() -> dict[str, object]:
    """What came since the last time that it was asked to `forget`. Latencies are in milliseconds."""
    ordered = sorted(latencies)
    said: dict[str, object] = {**counts, "events": len(ordered)}
    if codes:
        said["code"] = codes[-1]
    if ordered:
        said["p50"] = ordered[len(ordered) // 2] / 1_000
        said["p99"] = ordered[len(ordered) * 99 // 100] / 1_000
    return said


def forget() -> None:
    """Begin anew."""
    del latencies[:]
    seen.clear()
    codes.clear()
    counts.update(requests=0, repeats=0)


def stay_awake(loop: asyncio.AbstractEventLoop) -> None:
    """Have `loop` turn for ever, with nothing to do."""
    loop.call_soon(stay_awake, loop)


async def main() -> None:
    """Serve until standard input ends."""
    loop = asyncio.get_running_loop()
    if "--awake" in sys.argv:
        stay_awake(loop)
    server = await loop.create_server(Connection, "127.0.0.1", 0, backlog=1_024)
    print(server.sockets[0].getsockname()[1], flush=True)
    while asked := await loop.run_in_executor(None, sys.stdin.readline):
        print(json.dumps(report()), flush=True)
        if asked.strip() == "forget":
            forget()


if __name__ == "__main__":
    uvloop.run(main())
