"""The console's pages over a thousand hooks and a million deliveries: how long a page takes, how much it sends, by which plan.

A real server on a filled folder (`pages_world.py`), somebody who has signed in, and one connection, on which every page is
asked for in turn, again and again: so that none profits from having been asked for the moment before. A time is from the
request to the last byte of the answer, over loopback. A size is that of the answer, head and body, as it is sent; with
`files`, of the style and the scripts too, which a browser loads once and keeps. The plans are SQLite's own words about the
statements of a page that look at what grows; for that it is asked for once more, without the network in between.

`python -m bench.pages` runs this part alone.
"""

from __future__ import annotations

import asyncio
import base64
import gzip
import http.client
import re
import socket
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.cookies import SimpleCookie
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlencode

import httpx
import psutil
from msgspec import Struct
from sqlalchemy import event

from bench.cores import measured_server
from bench.pages_world import ITEMS, KEY, PASSWORD, USERNAME, PagesWorld, fill
from tests.support.databases import Place
from tests.support.in_process import InProcess
from tidings.clock import DAY, HOUR, system_clock
from tidings.console.asked import moment_text
from tidings.console.desk import SESSION
from tidings.server import build_app, open_house
from tidings.settings import Settings
from tidings.workspace.accounts.sessions import begin_session

ROUNDS = 100  # in each of which every page is asked for once
WARM = 3  # of them are not counted
RETENTION = 365.0  # days: nothing of the month is pruned meanwhile
LOOPBACK_HOOK = 2  # its URL is on this machine, so that its diagnosis has somewhere to connect to
SHOWN_DELIVERY = 297_100  # of the busy hook; it has an attempt
_GROWS = re.compile(r"\b(?:sessions|hooks|hook_slots|events|deliveries|attempts|replays|items)\b")
_HIDDEN = re.compile(r'name="csrf" value="([0-9a-f]+)"')
_FILES = re.compile(r'(?:href|src)="(/console/[a-z.]+\?v=[0-9a-f]+)"')

Figures = dict[str, Any]


class PageAsked(Struct, frozen=True):
    """One page: an address, and whether it is the answer to a form that is there."""

    path: str
    by_form: bool = False


def pages(world: PagesWorld) -> dict[str, PageAsked]:
    """Every main page, by its name."""
    busy, app = f"/console/hooks/{world.busy_id}", f"/console/apps/{world.app_id}"
    weeks_ago = world.now - 14 * DAY
    filters = {
        "given up": {"state": "exhausted"},
        "waiting": {"state": "pending"},
        "another type": {"type": "hook.verify"},
        "an hour": {"since": moment_text(weeks_ago), "until": moment_text(weeks_ago + HOUR)},
        "one item": {"object": f"item {world.item_id + ITEMS}"},
        "given up in a week": {"state": "undelivered", "since": moment_text(weeks_ago), "until": moment_text(weeks_ago + 7 * DAY)},
    }
    plan = {"state_exhausted": "on", "state_cancelled": "on", "rate": "10"}
    return {
        "home": PageAsked("/console"),
        "space": PageAsked("/console/spaces/1"),
        "webhooks of a space": PageAsked("/console/spaces/1/hooks"),
        "app": PageAsked(app),
        "item, its ledger": PageAsked(f"/console/items/{world.item_id}"),
        "developer, 100 hooks": PageAsked(f"{app}/developer"),
        "not arrived": PageAsked(f"{app}/undelivered"),
        "not arrived, a month": PageAsked(f"{app}/undelivered?{urlencode({'since': moment_text(world.now - 30 * DAY)})}"),
        "hook": PageAsked(busy),
        **{f"hook: {name}": PageAsked(f"{busy}?{urlencode(query)}") for name, query in filters.items()},
        "delivery": PageAsked(f"{busy}/deliveries/{SHOWN_DELIVERY}"),
        "settings": PageAsked(f"{busy}/settings"),
        "replay": PageAsked(f"{busy}/replay"),
        "replay: plan": PageAsked(f"{busy}/replay?{urlencode(plan)}"),
        "replay: plan of all": PageAsked(f"{busy}/replay?{urlencode({**plan, 'state_delivered': 'on'})}"),
        "diagnosis": PageAsked(f"/console/hooks/{LOOPBACK_HOOK}/diagnosis", by_form=True),
    }


def measure_console() -> Figures:
    """Fill a folder, ask, explain. Milliseconds, and KB of 1,000 bytes."""
    with TemporaryDirectory(prefix="tidings-pages-") as folder, _listener() as port:
        begun = time.perf_counter()
        place = Place(Path(folder))
        world = fill(place.data, system_clock())
        _furnish(place.data, port)
        filled = time.perf_counter() - begun
        with measured_server(place, TIDINGS_RETENTION=str(RETENTION)) as server:
            seen = _ask_all(server.port, psutil.Process(server.pid), pages(world))
        return {"filled": filled, "seen": seen, "plans": asyncio.run(_explain(place, world))}


@contextmanager
def _listener() -> Iterator[int]:
    """A port on which connections are taken and nothing is said."""
    with socket.create_server(("127.0.0.1", 0), backlog=1_024) as listener:
        yield listener.getsockname()[1]


def _furnish(data: Path, port: int) -> None:
    """The key that the secrets were sealed under, and the hook that is near."""
    (data / "key").write_text(base64.b64encode(KEY).decode())
    driver = sqlite3.connect(data / "tidings.db")
    with driver:
        driver.execute("UPDATE hooks SET url = ? WHERE hook_id = ?", (f"http://127.0.0.1:{port}/in", LOOPBACK_HOOK))
    driver.close()


# --- over the wire -----------------------------------------------------------------------------------------------------


class Answer(Struct, frozen=True):
    """What came, and how many bytes it was."""

    text: str
    bytes: int


class Browser:
    """Somebody's, on one connection."""

    def __init__(self, port: int) -> None:
        """Not signed in yet."""
        self._connection = http.client.HTTPConnection("127.0.0.1", port)
        self._cookies: dict[str, str] = {}

    def sign_in(self) -> None:
        """As the person of the world."""
        form = {"username": USERNAME, "password": PASSWORD, "next": "/console", "csrf": csrf_of(self.ask("/sign-in").text)}
        self.ask("/sign-in", form, status=303)

    def ask(self, path: str, form: dict[str, str] | None = None, *, status: int = 200) -> Answer:
        """A page, or the answer to a form. Raises RuntimeError for another status."""
        cookies = {"Cookie": "; ".join(f"{name}={value}" for name, value in self._cookies.items())} if self._cookies else {}
        method, body, kind = ("GET", None, {}) if form is None else ("POST", urlencode(form), _FORM)
        self._connection.request(method, path, body, {"Accept-Encoding": "gzip", **cookies, **kind})
        answer = self._connection.getresponse()
        content = answer.read()
        if answer.status != status:
            raise RuntimeError(f"{path} answered {answer.status}: {content[:2000]!r}")
        for cookie in answer.headers.get_all("set-cookie") or ():
            self._cookies |= {name: morsel.value for name, morsel in SimpleCookie(cookie).items() if morsel.value}
        head = sum(len(name) + len(value) + 4 for name, value in answer.getheaders())
        text = gzip.decompress(content) if answer.headers.get("content-encoding") == "gzip" else content
        return Answer(text.decode(), head + len(content))


_FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def csrf_of(text: str) -> str:
    """The token of a page's forms."""
    found = _HIDDEN.search(text)
    assert found
    return found[1]


def _ask_all(port: int, process: psutil.Process, asked: dict[str, PageAsked]) -> dict[str, Figures]:
    browser = Browser(port)
    browser.sign_in()
    form = {"csrf": csrf_of(browser.ask("/console").text)}
    took: dict[str, list[float]] = {name: [] for name in asked}
    worked = dict.fromkeys(asked, 0.0)
    answers: dict[str, Answer] = {}
    for number in range(WARM + ROUNDS):
        for name, page in asked.items():
            cpu, begun = _cpu(process), time.perf_counter()
            answers[name] = browser.ask(page.path, form if page.by_form else None)
            if number >= WARM:
                took[name].append(1_000 * (time.perf_counter() - begun))
                worked[name] += 1_000 * (_cpu(process) - cpu)
    files = {path: browser.ask(path).bytes for answer in answers.values() for path in _FILES.findall(answer.text)}
    return {name: _figures(sorted(took[name]), worked[name], answers[name], files) for name in asked}


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def _figures(took: list[float], worked: float, answer: Answer, files: dict[str, int]) -> Figures:
    with_files = answer.bytes + sum(files[path] for path in set(_FILES.findall(answer.text)))
    return {
        "p50": took[ROUNDS // 2],
        "p99": took[ROUNDS * 99 // 100],
        "cpu": worked / ROUNDS,
        "kb": answer.bytes / 1_000,
        "kb_with_files": with_files / 1_000,
    }


# --- by which plan -----------------------------------------------------------------------------------------------------


async def _explain(place: Place, world: PagesWorld) -> dict[str, list[str]]:
    """For each page, how many statements it takes, and plans, in the order in which they are first run."""
    house = open_house(Settings(data=place.data, retention=RETENTION, allow=("127.0.0.1:*",), connections=1))
    ran: list[str] = []
    event.listen(house.database.engine, "connect", lambda driver, _: driver.set_trace_callback(ran.append))  # type: ignore[attr-defined]
    token = await house.database.write(begin_session, world.caller.id, "", now=system_clock())
    transport = InProcess(build_app(house))
    plans = {}
    try:
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1", cookies={SESSION: token}) as client:
            form = {"csrf": csrf_of((await client.get("/console")).text)}
            for name, page in [*pages(world).items()] * 2:  # what a connection remembers of apps, it does from the second time on
                ran.clear()
                answer = await (client.post(page.path, data=form) if page.by_form else client.get(page.path))
                answer.raise_for_status()
                plans[name] = _plans(place.data, [text for text in ran if text.lstrip().startswith("SELECT")])
    finally:
        await house.database.close()
    return plans


def _plans(data: Path, ran: list[str]) -> list[str]:
    """How many statements; and what SQLite says of those that look at what grows, the same words once."""
    driver = sqlite3.connect(data / "tidings.db")
    telling = [text for text in ran if _GROWS.search(text)]
    said = [" | ".join(row[-1].strip() for row in driver.execute(f"EXPLAIN QUERY PLAN {text}")) for text in telling]
    driver.close()
    return [f"{len(ran)} statements", *dict.fromkeys(said)]


# --- told --------------------------------------------------------------------------------------------------------------


def console_rows(figures: Figures) -> list[tuple[str, str, str]]:
    """For the table: what, what was seen, the goal. KB are those of a first visit, with the style and the scripts."""
    return [
        (f"page: {name}, p50 / p99, KB", f"{seen['p50']:.1f} / {seen['p99']:.1f}, {seen['kb_with_files']:.0f}", "- / 50, 100")
        for name, seen in figures["seen"].items()
    ]


def main() -> None:
    """Measure and print."""
    figures = measure_console()
    print(f"filled in {figures['filled']:.0f} s")
    for name, seen in figures["seen"].items():
        print(f"{name:28}", *(f"{figure} {seen[figure]:7.1f}" for figure in seen))
    for name, plans in figures["plans"].items():
        print(f"{name}:", *plans, sep="\n    ")


if __name__ == "__main__":
    main()
