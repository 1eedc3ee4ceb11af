"""Fixtures that any test may ask for. A test that is `async def` runs on asyncio by itself (anyio's pytest plugin).

What databases need is imported by those fixtures that make them: pytest imports this before it does anything else, also where
it only hands out the tests.
"""

# ruff: noqa: PLC0415 (see above)

from __future__ import annotations

import gc
import os
import secrets
import shutil
import signal
from collections.abc import Generator, Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hypothesis
import pytest

from tests.support.memory import folder_in_memory
from tests.support.sharing import WORTH_IT, share_tests

if TYPE_CHECKING:
    from tests.support.databases import AnyDatabase, Engine, Make, Place, Templates
    from tests.support.postgres import Postgres

# No deadline for one example: the machine may be busy. The blob lets a failure seen elsewhere be run again here. Few
# examples keep the unit tests within seconds; `make test ARGS=--hypothesis-profile=thorough` tries many.
hypothesis.settings.register_profile("tidings", deadline=None, print_blob=True, max_examples=20)
hypothesis.settings.register_profile("thorough", deadline=None, print_blob=True, max_examples=2000)
hypothesis.settings.load_profile("tidings")


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """How many work at once (`-n auto`): half as many again as there are cores, since a third of the time is waiting.

    None beside pytest itself for unit tests: see `support/sharing.py`.
    """
    return 0 if _only_units(config) else (os.cpu_count() or 1) * 3 // 2


def pytest_runtestloop(session: pytest.Session) -> bool | None:
    """Share unit tests among the cores, unless somebody watches them one by one."""
    options, cores = session.config.option, os.cpu_count() or 1
    watched = options.collectonly or options.usepdb or options.maxfail or options.capture == "no" or options.stepwise
    if watched or options.numprocesses or session.testsfailed or not _only_units(session.config):
        return None
    if cores == 1 or len(session.items) < WORTH_IT or not hasattr(os, "fork"):
        return None
    share_tests(session, cores)
    return True


def _only_units(config: pytest.Config) -> bool:
    return all("unit" in Path(word).parts for word in config.args)


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Let every temporary folder (`tmp_path`) be in memory, unless the command line says where; and let SIGINT be heard."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # so is it in the background, and what tests start would inherit it
        signal.signal(signal.SIGINT, signal.default_int_handler)
    memory = folder_in_memory()
    if config.option.basetemp is None and memory is not None:
        config.option.basetemp = memory / f"tidings-tests-{secrets.token_hex(4)}"  # pytest makes it when it is needed
        config.add_cleanup(lambda: shutil.rmtree(config.option.basetemp, ignore_errors=True))


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Look for no garbage among what is imported and collected, then or ever after: that was a tenth of every worker's time."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out, for the engine that does not have it, a behaviour of `only` one engine."""
    left_out = [item for item in items if not _fits(item)]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if _fits(item)]


def _fits(item: pytest.Item) -> bool:
    only = item.get_closest_marker("only")
    params = item.callspec.params if isinstance(item, pytest.Function) and hasattr(item, "callspec") else {}
    engine = params.get("place", params.get("empty_place"))
    return only is None or engine is None or engine in only.args


ENGINES = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)]


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """What `async def` tests run on."""
    return "asyncio"


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """The session's PostgreSQL server, started for the first test that needs it."""
    from tests.support.databases import make_postgres_template
    from tests.support.postgres import Postgres

    server = Postgres()
    try:
        make_postgres_template(server)
        yield server
    finally:
        server.close()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with the tables."""
    from tests.support.databases import make_sqlite_template

    return make_sqlite_template(tmp_path_factory.mktemp("template"))


@pytest.fixture(scope="session")
def templates(tmp_path_factory: pytest.TempPathFactory) -> Templates:
    """Databases with more in them than the tables, for `furnished` tests."""
    from tests.support.databases import Templates

    return Templates(tmp_path_factory.mktemp("templates"))


@pytest.fixture(params=ENGINES)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """Where this test's own database is: once on each engine, not opened yet."""
    with _place(request, tmp_path) as made:
        yield made


@pytest.fixture
def furniture(request: pytest.FixtureRequest, place: Place) -> Any:
    """What the `make` of a test that is `furnished` answered, when it made what is in the database of every such test."""
    return _furnished(request, place.engine)[1]


@pytest.fixture(params=ENGINES)
def empty_place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """As `place`, but nobody has made the tables."""
    with _place(request, tmp_path, empty=True) as made:
        yield made


def _place(request: pytest.FixtureRequest, data: Path, *, empty: bool = False) -> AbstractContextManager[Place]:
    from tests.support.databases import empty_place_on_postgres, place_on_postgres, place_on_sqlite

    template = None if empty else _furnished(request, request.param)[0]
    if request.param == "sqlite":
        return nullcontext(place_on_sqlite(data, template))
    postgres: Postgres = request.getfixturevalue("postgres")
    return empty_place_on_postgres(postgres, data) if template is None else place_on_postgres(postgres, data, template=template)


def _furnished(request: pytest.FixtureRequest, engine: Engine) -> tuple[Any, Any]:
    """The template of a test's database, and what is in it beside the tables."""
    from tests.support.databases import TABLES

    marker = request.node.get_closest_marker("furnished")
    make: Make | None = marker and marker.kwargs["make"]
    templates: Templates = request.getfixturevalue("templates")
    if engine == "sqlite":
        tables: Path = request.getfixturevalue("sqlite_template")
        return templates.on_sqlite(make, tables) if make else (tables, None)
    return templates.on_postgres(make, request.getfixturevalue("postgres")) if make else (TABLES, None)


@pytest.fixture
def database(place: Place) -> Iterator[AnyDatabase]:
    """The test's own database, open: once on each engine."""
    opened = place.open()
    yield opened
    opened.dispose()


@pytest.fixture
def sqlite(tmp_path: Path, sqlite_template: Path) -> Iterator[AnyDatabase]:
    """A database of the test's own, open, on one engine: enough where the claim is not about what a database does."""
    from tests.support.databases import place_on_sqlite

    opened = place_on_sqlite(tmp_path, sqlite_template).open()
    yield opened
    opened.dispose()
