"""The one place where the parts meet: settings become a house, a house and an engine become an application, and that is
served until somebody asks us to stop.

Stopping, in this order: no new connection, the calls under way are answered, the engine finishes what is in flight
(`settings.grace` seconds at most), the database is closed. On SQLite one server at a time delivers from a data folder, and
a lock says which; on PostgreSQL any number of them share one database.
"""

from __future__ import annotations

import asyncio
import dataclasses
import fcntl
import gc
import math
import signal
import socket
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Literal, cast

import structlog
import uvicorn
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from tidings.api.call import Call, House
from tidings.api.dispatch import Operations
from tidings.api.door import STOPPING, Door
from tidings.api.health import health_rows
from tidings.api.openapi.rows import docs_rows
from tidings.api.operations import Operation
from tidings.api.routes import ROUTES, Row
from tidings.clock import Clock, system_clock
from tidings.console import Desk, Page, Streams, console_pages
from tidings.cores import LOOK_EVERY, OneCore, keep_to_one_core, roam
from tidings.delivery.allow import parse_allow
from tidings.delivery.engine import Engine
from tidings.delivery.guard import Guard
from tidings.errors import Unavailable
from tidings.settings import Settings
from tidings.store.blobs.opening import open_blobs
from tidings.store.blobs.sweep import sweep
from tidings.store.database import open_database
from tidings.store.sealing import Keyring, read_key
from tidings.telemetry.facts import Telemetry
from tidings.telemetry.logs import log_facts, set_up_logs
from tidings.telemetry.metrics import Metrics
from tidings.workspace.files.rows import needed_keys, storage_mark

BACKLOG = 2048  # connections that wait to be accepted
# The loop accepts one connection a turn from each handle on the listening socket, and a turn takes as long as all the calls that
# came for it: with one handle, 64 clients who come at once wait for as many turns, each longer than the last.
LISTENING = 16  # handles
YOUNG = 1_000  # objects that are made before somebody looks for garbage among them: a third of a millisecond
KEEP_ALIVE_SECONDS = 75  # longer than most clients and proxies keep an idle connection, so that they close it and not we

log = structlog.get_logger("tidings.server")


def open_house(settings: Settings, *, clock: Clock = system_clock) -> House:
    """The database, its key and the guard, as `settings` say.

    Raises `Invalid` for a setting that cannot be used, `Unavailable` when the database cannot be opened.
    """
    allow = parse_allow(settings.allow)
    guard = Guard(allow, proxy=settings.proxy)
    keyring = Keyring(read_key(settings.key, settings.data))
    blobs = open_blobs(settings)
    database = open_database(settings.database, settings.data, connections=settings.connections)
    return House(database, keyring, settings, clock, allow, guard, blobs)


def make_engine(house: House, telemetry: Telemetry) -> Engine:
    """What delivers for this house, not started yet."""
    return Engine(house.database, house.keyring, house.settings, house.allow, clock=house.clock, telemetry=telemetry)


def build_app(
    house: House, engine: Engine | None = None, *, metrics: Metrics | None = None, rows: Sequence[Row] = ROUTES, core: OneCore | None = None
) -> Starlette:
    """The whole server as an ASGI application. Its lifespan starts and stops `engine`, and closes the database.

    Without an engine, calls are taken and nothing is delivered. `core` is the one that this process keeps to.
    """
    streams = Streams()

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[dict[str, object]]:
        try:
            async with _running(engine), _meanwhile(_sweep(house)), _meanwhile(_watch(core)):
                log.info("serving", url=house.settings.public_url)
                yield {STOPPING: streams.stop}
        finally:
            await house.database.close()

    app = Starlette(lifespan=lifespan)
    told = [*rows, *health_rows(engine, metrics or Metrics(Telemetry()))]
    operations = Operations(house, [*told, *docs_rows(told), *_page_rows(house, engine, streams)])

    async def served(scope: Scope, receive: Receive, send: Send) -> None:
        await (operations if scope["type"] == "http" else app.router)(scope, receive, send)

    app.middleware_stack = served  # Starlette's own nets and routes would only cost: `Operations` is all of it
    return app


def _page_rows(house: House, engine: Engine | None, streams: Streams) -> list[Row]:
    """The console's pages, on the same road as the calls: found, read and bounded as they are."""
    desk = Desk(
        house.database, house.settings, house.clock, house.logins, house.keyring, house.allow, house.guard, engine=engine, streams=streams
    )
    return [Row(method, path, _as_operation(page), open=True) for method, path, page in console_pages(desk)]


def _as_operation(page: Page) -> Operation:
    async def operation(call: Call) -> Response:
        return await page(call.request, call.raw_body)

    return operation


@asynccontextmanager
async def _running(engine: Engine | None) -> AsyncIterator[None]:
    if engine is None:
        yield
        return
    await engine.start()
    try:
        yield
    finally:
        await engine.stop()


SWEEP_EVERY = 6 * 3600.0  # seconds


@asynccontextmanager
async def _meanwhile(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


async def _sweep(house: House) -> None:
    """Take away bytes that no file names, now and from time to time."""

    async def needed(keys: list[str]) -> set[str]:
        return await house.database.read(needed_keys, keys)

    while True:
        try:
            mark = await house.database.read(storage_mark)
            if taken := await sweep(house.blobs, mark, needed, now=house.clock()):
                log.info("swept", files=taken)
        except Unavailable as error:
            log.warning("unavailable", path="files", why=error.description)
        await asyncio.sleep(SWEEP_EVERY)


async def _watch(core: OneCore | None) -> None:
    """Look from time to time whether our core has become crowded."""
    while core is not None:
        await asyncio.sleep(LOOK_EVERY)
        core.look()


def serve(settings: Settings, *, announce: Callable[[Settings], None]) -> None:
    """Serve until SIGTERM or SIGINT, then stop gracefully. Call it from the main thread.

    `announce` is called when everything that the settings name has been had, with the settings as they are then: the port
    is a real one.

    Raises `Invalid` for a setting that cannot be used, `Unavailable` when the port, the data folder or the database cannot
    be had.
    """
    form = cast(Literal["text", "json"], settings.log_format)
    set_up_logs(form)
    telemetry = Telemetry()
    log_facts(telemetry, form, deliveries=cast(Literal["all", "failures"], settings.log_deliveries))
    metrics = Metrics(telemetry)
    with _listening(settings) as listener, _only_server(settings), _on_one_core(settings) as core:
        settings = dataclasses.replace(settings, port=listener.getsockname()[1])
        house = open_house(settings)
        announce(settings)
        app = build_app(house, make_engine(house, telemetry), metrics=metrics, core=core)
        server = uvicorn.Server(configuration(app, settings))
        gc.freeze()  # all of this stays, so nobody need look through it for garbage: that held up every call for 80 ms
        gc.set_threshold(YOUNG)
        with _stopped_by_signals():
            server.run(sockets=handles(listener))
    if not server.started:
        raise Unavailable("the server could not start; its log says why")


def configuration(app: Starlette, settings: Settings) -> uvicorn.Config:
    """How uvicorn serves `app`."""
    return uvicorn.Config(
        app,
        loop="uvloop",
        http=Door,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=math.ceil(settings.grace),
    )


@contextmanager
def _listening(settings: Settings) -> Iterator[socket.socket]:
    """The listening socket. We open it, because uvicorn would end the whole program when it cannot."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        listener = socket.create_server((settings.host, settings.port), family=family, backlog=BACKLOG)
    except OSError as error:
        raise Unavailable(f"cannot listen on {settings.host} port {settings.port}: {error.strerror or error}") from error
    with listener:
        yield listener


@contextmanager
def _on_one_core(settings: Settings) -> Iterator[OneCore | None]:
    """Keep to one core, if that is wanted and possible: this thread, and those that it starts."""
    try:
        yield keep_to_one_core() if settings.cores == "one" else None
    finally:
        roam()


def handles(listener: socket.socket) -> list[socket.socket]:
    """The listening socket as often as the loop shall accept a connection in one turn, itself first."""
    return [listener, *(listener.dup() for _ in range(1, LISTENING))]


@contextmanager
def _only_server(settings: Settings) -> Iterator[None]:
    """Hold the data folder's lock while we serve from its SQLite database; the kernel lets go of it however we end."""
    if settings.database:
        yield
        return
    settings.data.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (settings.data / "serving").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise Unavailable(f"another server is running on the data folder {settings.data}") from None
        yield


@contextmanager
def _stopped_by_signals() -> Iterator[None]:
    """Uvicorn raises the signal that stopped it once more, when all is done: a graceful stop would end as a killed program."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, lambda *_: None) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, action in before.items():
            signal.signal(number, action)
