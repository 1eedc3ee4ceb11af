"""The one place where the parts meet: settings become a house, a house and an engine become an application, and that is
served until somebody asks us to stop.

Stopping, in this order: no new connection, the calls under way are answered, the engine finishes what is in flight
(`settings.grace` seconds at most), the database is closed. On SQLite one server at a time delivers from a data folder, and
a lock says which; on PostgreSQL any number of them share one database.
"""

from __future__ import annotations

import dataclasses
import fcntl
import math
import signal
import socket
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Literal, cast

import structlog
import uvicorn
from starlette.applications import Starlette

from tidings.api.call import House
from tidings.api.dispatch import Operations
from tidings.api.door import Door
from tidings.api.health import health_rows
from tidings.api.routes import ROUTES, Row
from tidings.clock import Clock, system_clock
from tidings.delivery.allow import parse_allow
from tidings.delivery.engine import Engine
from tidings.delivery.guard import Guard
from tidings.errors import Unavailable
from tidings.settings import Settings
from tidings.store.database import open_database
from tidings.store.sealing import Keyring, read_key
from tidings.telemetry.facts import Telemetry
from tidings.telemetry.logs import log_facts, set_up_logs
from tidings.telemetry.metrics import Metrics

BACKLOG = 2048  # connections that wait to be accepted
KEEP_ALIVE_SECONDS = 75  # longer than most clients and proxies keep an idle connection, so that they close it and not we

log = structlog.get_logger("tidings.server")


def open_house(settings: Settings, *, clock: Clock = system_clock) -> House:
    """The database, its key and the guard, as `settings` say.

    Raises `Invalid` for a setting that cannot be used, `Unavailable` when the database cannot be opened.
    """
    allow = parse_allow(settings.allow)
    guard = Guard(allow, proxy=settings.proxy)
    keyring = Keyring(read_key(settings.key, settings.data))
    database = open_database(settings.database, settings.data, connections=settings.connections)
    return House(database, keyring, settings, clock, allow, guard)


def make_engine(house: House, telemetry: Telemetry) -> Engine:
    """What delivers for this house, not started yet."""
    return Engine(house.database, house.keyring, house.settings, house.allow, clock=house.clock, telemetry=telemetry)


def build_app(house: House, engine: Engine | None = None, *, metrics: Metrics | None = None, rows: Sequence[Row] = ROUTES) -> Starlette:
    """The whole server as an ASGI application. Its lifespan starts and stops `engine`, and closes the database.

    Without an engine, calls are taken and nothing is delivered.
    """

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        try:
            async with _running(engine):
                log.info("serving", url=house.settings.public_url)
                yield
        finally:
            await house.database.close()

    app = Starlette(lifespan=lifespan)
    app.router.redirect_slashes = False
    app.router.default = Operations(house, [*rows, *health_rows(engine, metrics or Metrics(Telemetry()))])
    return app


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
    with _listening(settings) as listener, _only_server(settings):
        settings = dataclasses.replace(settings, port=listener.getsockname()[1])
        house = open_house(settings)
        announce(settings)
        app = build_app(house, make_engine(house, telemetry), metrics=metrics)
        server = uvicorn.Server(configuration(app, settings))
        with _stopped_by_signals():
            server.run(sockets=[listener])
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
