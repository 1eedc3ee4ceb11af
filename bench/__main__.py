"""`make bench`: how fast the line is, on this machine, today. Prints a table, and writes `bench/out/latest.json`.

Absolute numbers differ from machine to machine and from minute to minute; the ratios to wrk, made in the same run against
the same receiver, are what can be compared. Goals are printed beside what was seen; nothing fails here.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import psutil
from rich.console import Console
from rich.table import Table

from bench.cores import ALL, LOAD, MEASURED, measured_server, starting_on
from bench.finding import measure_finding
from bench.kits import kits_rows, measure_kits
from bench.pages import console_rows, measure_console
from bench.wrk import run_wrk
from tests.support.databases import Place
from tests.support.postgres import Postgres
from tidings.cli.seed import Seed, make_seed
from tidings.client import Client
from tidings.settings import Settings

OUT = Path(__file__).parent / "out"
CONNECTIONS = 10  # one hook's default concurrency, for wrk and for us
API_CONNECTIONS = 64
RUNS = 5  # of the batches, since one run differs from the next by a tenth and more

Figures = dict[str, Any]


class Receiver:
    """The cheap receiver, in a process of its own."""

    def __init__(self, *, awake: bool = False) -> None:
        """Start it. `awake`: it never sleeps, and needs a core to itself."""
        words = [sys.executable, "-m", "bench.receiver", *(["--awake"] if awake else [])]
        self._child = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.url = f"http://127.0.0.1:{self._line()}/in"

    def report(self, say: str = "") -> Figures:
        """What it has seen."""
        assert self._child.stdin is not None
        self._child.stdin.write(say + "\n")
        self._child.stdin.flush()
        seen: Figures = json.loads(self._line())
        return seen

    def forget(self) -> None:
        """Have it begin anew."""
        self.report("forget")

    def close(self) -> None:
        """Stop it."""
        self._child.kill()
        self._child.wait()

    def _line(self) -> str:
        assert self._child.stdout is not None
        return self._child.stdout.readline().strip()


def measure_limit(receiver: Receiver, seconds: int) -> Figures:
    """How many such requests wrk, written in C, gets through to the same receiver over as many connections."""
    with starting_on(MEASURED):
        load = run_wrk(receiver.url, connections=CONNECTIONS, seconds=seconds, script="deliver.lua")
    receiver.forget()
    return asdict(load)


def measure_batches(receiver: Receiver, url: str, events: int, *, rate: int = 0) -> Figures:
    """Events committed in batches by the process that delivers them; `rate` a second, or as many as it can."""
    with tempfile.TemporaryDirectory() as data:
        words = [sys.executable, "-m", "bench.batches", data, url or "-", str(events), receiver.url, str(rate)]
        with starting_on(MEASURED):
            ended = subprocess.run(words, capture_output=True, text=True, check=False, timeout=600)
    if ended.returncode:
        raise RuntimeError(ended.stderr)
    figures: Figures = json.loads(ended.stdout.splitlines()[-1])
    seen = receiver.report("forget")
    count = figures["deliveries"]
    return {
        **figures,
        "per_wall_second": count / figures["wall"],
        "per_cpu_second": count / figures["cpu"],
        "per_cpu_second_with_writing": count / figures["cpu_with_writing"],
        "transactions_a_delivery": figures["transactions"] / count,
        "statements_a_delivery": figures["statements"] / count,
        "p50": seen.get("p50"),
        "p99": seen.get("p99"),
        "received": seen["events"],
        "repeats": seen["repeats"],
    }


def measure_often(receiver: Receiver, urls: Sequence[str], events: int) -> Figures:
    """The same on one empty database after the other: the run in the middle, with what all of them came to."""
    runs = sorted((measure_batches(receiver, url, events) for url in urls), key=lambda run: run["per_cpu_second"])
    return {**runs[len(runs) // 2], "runs": [run["per_cpu_second"] for run in runs]}


def measure_api(receiver: Receiver, seconds: int) -> Figures:
    """Items created through the API of a real server, one a request, with one hook that matches; and items read."""
    with tempfile.TemporaryDirectory() as data:
        place = Place(Path(data))
        with measured_server(place) as server:
            seed = make_seed(Settings(data=place.data))
            client = verified_client(server.url, seed, receiver)
            receiver.forget()
            headers = {"Authorization": f"OAuth2 {client.access_token}", "Content-Type": "application/json"}
            process = psutil.Process(server.pid)
            cpu, begun = cpu_seconds(process), time.perf_counter()
            creates = run_wrk(
                f"{server.url}/item/app/{seed.app_id}/", connections=API_CONNECTIONS, seconds=seconds, script="create.lua", headers=headers
            )
            time.sleep(0.5)  # what was under way when wrk hung up is still being made
            made = client.request("GET", f"/item/app/{seed.app_id}/count")["count"]
            seen = wait_for_all(receiver, made)
            wall, cpu = time.perf_counter() - begun, cpu_seconds(process) - cpu
            memory = process.memory_info().rss / 2**20
            reads = run_wrk(f"{server.url}/item/1", connections=API_CONNECTIONS, seconds=seconds, headers=headers)
    return {
        "creates": asdict(creates),
        "made": made,
        "received": seen["events"],
        "repeats": seen["repeats"],
        "delivered_per_wall_second": made / wall,
        "delivered_per_cpu_second": made / cpu,
        "p50": seen["p50"],
        "p99": seen["p99"],
        "memory": memory,
        "reads": asdict(reads),
    }


def measure_filters(url: str) -> Figures:
    """Filters over many items, on the engine that `url` says: see `bench/finding.py`."""
    with tempfile.TemporaryDirectory() as data:
        return measure_finding(Place(Path(data), url))


def verified_client(url: str, seed: Seed, receiver: Receiver) -> Client:
    """A client logged in as the app, and a hook made active. (The receiver hears its verification, and says nothing.)"""
    client = Client(url, seed.client_id, seed.client_secret)
    client.authenticate_with_app(seed.app_id, seed.app_token)
    hook = client.hooks.create("app", seed.app_id, receiver.url, "item.create")
    deadline = time.monotonic() + 10
    while not (code := receiver.report().get("code")):
        if time.monotonic() > deadline:
            raise RuntimeError("no verification came")
        time.sleep(0.05)
    client.hooks.validate(hook.hook_id, str(code))
    return client


def wait_for_all(receiver: Receiver, count: int) -> Figures:
    """Wait until `count` events have arrived; answer the report on them."""
    deadline = time.monotonic() + 60
    seen = receiver.report()
    while seen["events"] < count and time.monotonic() < deadline:
        time.sleep(0.02)
        seen = receiver.report()
    return seen


def cpu_seconds(process: psutil.Process) -> float:
    """User and system time of a process so far."""
    times = process.cpu_times()
    return float(times.user + times.system)


@contextmanager
def step(console: Console, what: str) -> Iterator[None]:
    """Say what is being measured while it is."""
    with console.status(what):
        begun = time.perf_counter()
        yield
    console.print(f"  {what}: {time.perf_counter() - begun:.0f} s", style="dim")


def measure(console: Console, *, events: int, seconds: int) -> Figures:
    """All of it, one after the other."""
    figures: Figures = {"cores": os.cpu_count(), "events": events}
    with closing(Receiver(awake=True)) as receiver:
        with step(console, "wrk, to the same receiver"):
            figures["wrk"] = measure_limit(receiver, seconds)
        with step(console, "batches, on SQLite"):
            figures["sqlite"] = measure_often(receiver, [""] * RUNS, events)
    receiver = Receiver()  # one that sleeps: from here on others need its core too
    postgres: Postgres | None = None
    try:
        with step(console, "1,000 events a second, on SQLite"):
            figures["sqlite_paced"] = measure_batches(receiver, "", 1_000 * seconds, rate=1_000)
        with step(console, "batches, on PostgreSQL"):
            with starting_on(ALL):
                postgres = Postgres()
            names = [f"bench_{run}" for run in range(RUNS)]
            for name in names:
                postgres.create(name)
            figures["postgresql"] = measure_often(receiver, [postgres.url(name) for name in names], events)
        with step(console, "the API, on SQLite"):
            figures["api"] = measure_api(receiver, seconds)
        with step(console, "filters, on SQLite"):
            figures["sqlite_finding"] = measure_filters("")
        with step(console, "filters, on PostgreSQL"):
            postgres.create("finding")
            figures["postgresql_finding"] = measure_filters(postgres.url("finding"))
        with step(console, "the console's pages, a thousand hooks and a million deliveries"):
            figures["pages"] = measure_console()
        with step(console, "the kits"):
            figures["kits"] = measure_kits()
    finally:
        receiver.close()
        if postgres is not None:
            postgres.close()
    return figures


def table(figures: Figures) -> Table:
    """What was seen, beside the goals."""
    shown = Table(title="Tidings, durable (synchronous=FULL)", caption=f"{figures['cores']} cores; latencies in ms", title_justify="left")
    for column in ("figure", "seen", "goal"):
        shown.add_column(column, justify="left" if column == "figure" else "right")
    wrk, api = figures["wrk"], figures["api"]
    shown.add_row("wrk to the same receiver, requests/s", f"{wrk['rate']:,.0f}", "")
    for name in ("sqlite", "postgresql"):
        batch = figures[name]
        goal = name == "sqlite"
        shown.add_section()
        shown.add_row(f"{name}: deliveries per wall second", f"{batch['per_wall_second']:,.0f}", "")
        shown.add_row(f"{name}: deliveries per CPU second", f"{batch['per_cpu_second']:,.0f}", "15,000" if goal else "")
        shown.add_row(f"{name}: the same, in {RUNS} runs", f"{batch['runs'][0]:,.0f} to {batch['runs'][-1]:,.0f}", "")
        shown.add_row(f"{name}: the same, with writing the events", f"{batch['per_cpu_second_with_writing']:,.0f}", "")
        shown.add_row(f"{name}: rate against wrk's", f"{batch['per_wall_second'] / wrk['rate']:.3f}", "0.12" if goal else "")
        shown.add_row(f"{name}: transactions a delivery", f"{batch['transactions_a_delivery']:.4f}", "0.05" if goal else "")
        shown.add_row(f"{name}: statements a delivery", f"{batch['statements_a_delivery']:.4f}", "")
        shown.add_row(f"{name}: memory, MB", f"{batch['memory']:.0f}", "150" if goal else "")
    paced = figures["sqlite_paced"]
    shown.add_section()
    shown.add_row("1,000 events/s: commit to receipt, p50 / p99", f"{paced['p50']:.1f} / {paced['p99']:.1f}", "")
    shown.add_section()
    shown.add_row("API: creates/s, 64 connections", f"{api['creates']['rate']:,.0f}", "1,500")
    shown.add_row("API: answer, p50 / p99", f"{api['creates']['p50']:.1f} / {api['creates']['p99']:.1f}", "")
    shown.add_row("API: created, delivered, repeated", f"{api['made']:,} / {api['received']:,} / {api['repeats']}", "")
    shown.add_row("API: request to receipt, p50 / p99", f"{api['p50']:.1f} / {api['p99']:.1f}", "")
    shown.add_row("API: created and delivered per CPU second", f"{api['delivered_per_cpu_second']:,.0f}", "")
    shown.add_row("API: reads of one item/s, 64 connections", f"{api['reads']['rate']:,.0f}", "3,000")
    shown.add_row("API: memory of the server, MB", f"{api['memory']:.0f}", "150")
    for name in ("sqlite", "postgresql"):
        shown.add_section()
        for kind, seen in figures[f"{name}_finding"]["seen"].items():
            bound = "- / 50" if name == "sqlite" else ""
            shown.add_row(f"{name}: {kind}, p50 / p99", f"{seen['p50']:.1f} / {seen['p99']:.1f}", bound)
    shown.add_section()
    for row in console_rows(figures["pages"]):
        shown.add_row(*row)
    shown.add_section()
    for row in kits_rows(figures["kits"]):
        shown.add_row(*row)
    return shown


def main() -> None:
    """Measure, print, write."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--events", type=int, default=60_000, help="events of the batch runs")
    options.add_argument("--seconds", type=int, default=8, help="of each run of wrk")
    chosen = options.parse_args()
    console = Console()
    os.sched_setaffinity(0, LOAD)
    figures = measure(console, events=chosen.events, seconds=chosen.seconds)
    console.print(table(figures))
    for kind, plan in [*figures["sqlite_finding"]["plans"].items(), *figures["pages"]["plans"].items()]:
        console.print(f"{kind}:", *plan, sep="\n    ", style="dim", markup=False, highlight=False, soft_wrap=True)
    OUT.mkdir(exist_ok=True)
    (OUT / "latest.json").write_text(json.dumps(figures, indent=2) + "\n")
    console.print(f"written to {OUT / 'latest.json'}", style="dim")


if __name__ == "__main__":
    main()
