"""Web applications served for a test: each framework's own server, or the one its users know, on a free port of 127.0.0.1.

A framework is imported when it serves: all of them together take a second, in each of pytest's workers.
"""

# ruff: noqa: PLC0415 (see above)

from __future__ import annotations

import asyncio
import itertools
import sys
import threading
import types
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import uvicorn

from tests.support.processes import wait_until
from tests.support.prompt import PromptServer
from tidings.receiver import Receiver, asgi, wsgi

PATH = "/hooks"
Serve = Callable[[Receiver], AbstractContextManager[int]]
_numbers = itertools.count(1)


@contextmanager
def serving_asgi(application: Any, *, port: int = 0) -> Iterator[int]:
    """An ASGI application on uvicorn, on a loop in a thread; its port, which is a free one unless it is named."""
    server = PromptServer(uvicorn.Config(application, port=port, log_level="error", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        wait_until(lambda: server.started or not thread.is_alive(), step=0.002)
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        thread.join()


@asynccontextmanager
async def serving_on_this_loop(application: Any) -> AsyncIterator[int]:
    """An ASGI application on uvicorn, on the loop of the test; its port."""
    server = PromptServer(uvicorn.Config(application, port=0, log_level="error", timeout_graceful_shutdown=1))
    task = asyncio.create_task(server.serve())
    try:
        await asyncio.to_thread(wait_until, lambda: server.started or task.done(), step=0.002)
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        await task


@contextmanager
def serving_wsgi(application: Any) -> Iterator[int]:
    """A WSGI application on Python's own server, a thread for each connection; its port."""
    with make_server("127.0.0.1", 0, application, _ThreadingServer, _SilentHandler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.005,))
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


class _ThreadingServer(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _SilentHandler(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        pass


def serve_asgi(receiver: Receiver) -> AbstractContextManager[int]:
    return serving_asgi(asgi.app(receiver))


def serve_wsgi(receiver: Receiver) -> AbstractContextManager[int]:
    return serving_wsgi(wsgi.app(receiver))


def serve_starlette(receiver: Receiver) -> AbstractContextManager[int]:
    import starlette.applications

    from tidings.receiver import starlette as for_starlette

    @asynccontextmanager
    async def lifespan(_: Any) -> Any:
        await receiver.start_async()
        yield
        await receiver.stop_async()

    application = starlette.applications.Starlette(lifespan=lifespan)
    application.add_route(PATH, for_starlette.endpoint(receiver), methods=["POST"])
    return serving_asgi(application)


def serve_fastapi(receiver: Receiver) -> AbstractContextManager[int]:
    import fastapi

    from tidings.receiver import starlette as for_starlette

    application = fastapi.FastAPI()
    application.add_route(PATH, for_starlette.endpoint(receiver), methods=["POST"])
    return serving_asgi(application)


def serve_flask(receiver: Receiver) -> AbstractContextManager[int]:
    import flask

    from tidings.receiver import flask as for_flask

    application = flask.Flask("receiving")
    application.add_url_rule(PATH, view_func=for_flask.endpoint(receiver), methods=["POST"])
    return serving_wsgi(application)


def serve_django(receiver: Receiver) -> AbstractContextManager[int]:
    import django.core.handlers.wsgi

    _route_in_django(receiver)
    return serving_wsgi(django.core.handlers.wsgi.WSGIHandler())


def serve_django_async(receiver: Receiver) -> AbstractContextManager[int]:
    import django.core.handlers.asgi

    _route_in_django(receiver)
    return serving_asgi(django.core.handlers.asgi.ASGIHandler())


def _route_in_django(receiver: Receiver) -> None:
    import django
    import django.conf
    import django.urls

    from tidings.receiver import django as for_django

    if not django.conf.settings.configured:
        django.conf.settings.configure(
            SECRET_KEY="x", ALLOWED_HOSTS=["*"], MIDDLEWARE=["django.middleware.csrf.CsrfViewMiddleware"], LOGGING_CONFIG=None
        )
        django.setup(set_prefix=False)
    routes = types.ModuleType(f"routes_{next(_numbers)}")
    routes.urlpatterns = [django.urls.path(PATH[1:], for_django.endpoint(receiver))]  # type: ignore[attr-defined]
    sys.modules[routes.__name__] = routes
    django.conf.settings.ROOT_URLCONF = routes.__name__


@contextmanager
def serve_aiohttp(receiver: Receiver) -> Iterator[int]:
    import aiohttp.web

    from tidings.receiver import aiohttp as for_aiohttp

    application = aiohttp.web.Application()
    application.router.add_post(PATH, for_aiohttp.endpoint(receiver))
    application.on_startup.append(lambda _: receiver.start_async())
    application.on_cleanup.append(lambda _: receiver.stop_async())
    loop, ports, stop = asyncio.new_event_loop(), list[int](), asyncio.Event()

    async def serve() -> None:
        runner = aiohttp.web.AppRunner(application, shutdown_timeout=1)
        await runner.setup()
        site = aiohttp.web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        ports.append(runner.addresses[0][1])
        await stop.wait()
        await runner.cleanup()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    try:
        wait_until(lambda: ports or not thread.is_alive(), step=0.002)
        yield ports[0]
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.close()


ASYNC: dict[str, Serve] = {"asgi": serve_asgi, "starlette": serve_starlette, "fastapi": serve_fastapi, "aiohttp": serve_aiohttp}
EVERY: dict[str, Serve] = {**ASYNC, "wsgi": serve_wsgi, "flask": serve_flask, "django": serve_django, "django-async": serve_django_async}
