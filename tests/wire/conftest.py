"""The API on each engine; see `tests/support/house.py`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.browsing import Browser, signed_in
from tests.support.databases import AnyDatabase
from tests.support.house import Api, have_people, open_api

ON_BOTH_ENGINES = {"test_errors.py", "test_hooks_api.py", "test_items_api.py", "test_server.py"}
"""Where a request and the engine meet. What operations do in the database is tested on both engines in `tests/store`; that
bodies are refused and answers are written alike needs one."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave PostgreSQL to the files that say so; and let Ada, Bob and what they have be in every database from the start: to
    make them takes longer than many a test."""
    here = [item for item in items if item.path.is_relative_to(Path(__file__).parent)]
    left_out = {item for item in here if item.get_closest_marker("postgresql") and item.path.name not in ON_BOTH_ENGINES}
    for item in here:
        item.add_marker(pytest.mark.furnished(make=have_people))
    config.hook.pytest_deselected(items=list(left_out))
    items[:] = [item for item in items if item not in left_out]


@pytest.fixture
async def api(database: AnyDatabase) -> AsyncIterator[Api]:
    """The whole API, with Ada, Bob, an app and an API client."""
    async with open_api(database) as opened:
        yield opened


@pytest.fixture
async def ada(api: Api) -> AsyncIterator[Browser]:
    """The admin of an organization with a space and an app, signed in."""
    async with signed_in(api) as browser:
        yield browser


@pytest.fixture
async def bob(api: Api) -> AsyncIterator[Browser]:
    """Somebody of no organization, signed in."""
    async with signed_in(api, api.people.bob) as browser:
        yield browser
