"""`python -m bench.kits`: how fast the kits are, on this machine, today; `make bench` has it in its table.

How long an import takes, in an interpreter of its own. Check and parse of one delivery beside the `svix` package's check
alone, in turns in one process. And a receiver with a durable inbox on uvicorn, held to one core, under deliveries that were
signed beforehand and come over many connections from another process. Nothing fails here.
"""

from __future__ import annotations

import asyncio
import http.client
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import uvloop
from svix.webhooks import Webhook

from bench.cores import MEASURED, starting_on
from tests.support.processes import free_port, wait_until
from tidings.receiver import Event, Receiver
from tidings.receiver.inbox import Inbox
from tidings.receiver.testing import SECRET, sample

CONNECTIONS = 64
_ROUNDS, _TURN = 200, 200
IMPORTS = ("import tidings", "from tidings import Client", "from tidings.receiver import Receiver")
Figures = dict[str, float]


def measure_kits(count: int = 20_000) -> dict[str, Figures]:
    """All of it; `count` deliveries go into the inbox."""
    return {"imports_ms": measure_imports(), "reading": measure_reading(), "inbox": measure_inbox(count)}


def kits_rows(kits: dict[str, Figures]) -> Iterator[tuple[str, str, str]]:
    """What was seen, and the goals, for the table."""
    for statement, milliseconds in kits["imports_ms"].items():
        yield f"kits: {statement}, ms", f"{milliseconds:.1f}", "50"
    reading, inbox = kits["reading"], kits["inbox"]
    yield (
        f"kits: read {reading['bytes']:.0f} bytes, µs; svix's check alone",
        f"{reading['ours_us']:.1f} / {reading['svix_us']:.1f}",
        "",
    )
    yield "kits: how many times as fast as svix", f"{reading['ratio']:.2f}", "1.50"
    yield "kits: deliveries into the inbox/s, on one core", f"{inbox['answered_per_second']:,.0f}", "3,000"
    yield "kits: deliveries into the inbox and done/s", f"{inbox['done_per_second']:,.0f}", ""
    yield "kits: the same per CPU second", f"{inbox['done_per_cpu_second']:,.0f}", ""
    yield "kits: deliveries refused", f"{inbox['refused']:.0f}", "0"


def measure_imports() -> Figures:
    """Milliseconds that each of `IMPORTS` takes, compiled beforehand as what pip installs is: the best of ten."""
    timed = "import time; begun = time.perf_counter(); {}; print((time.perf_counter() - begun) * 1e3)"
    with tempfile.TemporaryDirectory() as compiled:
        environment = {**os.environ, "PYTHONPYCACHEPREFIX": compiled, "PYTHONDONTWRITEBYTECODE": ""}
        return {
            statement: min(
                float(subprocess.check_output([sys.executable, "-c", timed.format(statement)], env=environment)) for _ in range(10)
            )
            for statement in IMPORTS
        }


def measure_reading() -> Figures:
    """One delivery of about 250 bytes, read by us and checked by svix; the ratio is that of neighbouring turns."""
    headers, body = sample("item.create", external_id="ERP-9", note="x" * 76, second="y" * 76)
    headers |= {"host": "example.org", "user-agent": "Tidings/0.1", "accept": "*/*", "content-length": str(len(body))}
    receiver, webhook = Receiver(secret=SECRET), Webhook(SECRET)
    ours, theirs = [], []
    for _ in range(_ROUNDS):
        begun = time.perf_counter()
        for _ in range(_TURN):
            receiver.read(headers, body)
        between = time.perf_counter()
        for _ in range(_TURN):
            webhook.verify(body, headers)
        theirs.append((time.perf_counter() - between) / _TURN)
        ours.append((between - begun) / _TURN)
    ratios = [their / our for our, their in zip(ours, theirs, strict=True)]
    return {"bytes": len(body), "ours_us": min(ours) * 1e6, "svix_us": min(theirs) * 1e6, "ratio": statistics.median(ratios)}


def measure_inbox(count: int) -> Figures:
    """`count` deliveries into the inbox of a receiver on one core: until the last is answered, and until the last is done."""
    requests = [_request(number) for number in range(count)]
    with tempfile.TemporaryDirectory() as folder:
        port = free_port()
        with starting_on(MEASURED):
            server = subprocess.Popen([sys.executable, "-m", "bench.kits", "serve", folder, str(port)])
        try:
            wait_until(lambda: _is_up(port), seconds=20, step=0.05)
            process = psutil.Process(server.pid)
            begun, cpu = time.perf_counter(), cpu_seconds(process)
            refused = uvloop.run(_send(port, requests))
            answered = time.perf_counter() - begun
            inbox = Inbox(Path(folder) / "inbox.db")
            wait_until(lambda: inbox.counts()["done"] >= count - refused, seconds=60, step=0.05)
            done, cpu = time.perf_counter() - begun, cpu_seconds(process) - cpu
            inbox.close()
        finally:
            server.kill()
            server.wait()
    return {
        "deliveries": count,
        "refused": refused,
        "answered_per_second": count / answered,
        "done_per_second": count / done,
        "done_per_cpu_second": count / cpu,
    }


def serve(folder: str, port: int) -> None:
    """The receiver, on one core."""
    import uvicorn  # noqa: PLC0415 (only this process has it)

    from tidings.receiver.asgi import app  # noqa: PLC0415

    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    hooks = Receiver(secret=SECRET, inbox=Inbox(Path(folder) / "inbox.db"), tolerance=3600)

    @hooks.on("item.create")
    async def work(event: Event) -> None:
        assert event.item_id

    uvicorn.run(app(hooks), port=port, log_level="error", loop="uvloop", http="httptools", access_log=False)


def cpu_seconds(process: psutil.Process) -> float:
    """User and system time of a process so far."""
    times = process.cpu_times()
    return float(times.user + times.system)


def _request(number: int) -> bytes:
    headers, body = sample("item.create", item_id=number + 1)
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"POST /hooks HTTP/1.1\r\nHost: h\r\nContent-Length: {len(body)}\r\n{lines}\r\n".encode() + body


def _is_up(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/")
        return connection.getresponse().status == 405
    except OSError:
        return False
    finally:
        connection.close()


async def _send(port: int, requests: list[bytes]) -> int:
    waiting, refused = iter(requests), 0

    async def send_all() -> None:
        nonlocal refused
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for request in waiting:
            writer.write(request)
            answer = await reader.readuntil(b"\r\n\r\n")
            refused += not answer.startswith(b"HTTP/1.1 204")
        writer.close()

    await asyncio.gather(*(send_all() for _ in range(CONNECTIONS)))
    return refused


def main() -> None:
    """Measure and print."""
    if sys.argv[1:2] == ["serve"]:
        serve(sys.argv[2], int(sys.argv[3]))
        return
    print(json.dumps(measure_kits(), indent=2))


if __name__ == "__main__":
    main()
