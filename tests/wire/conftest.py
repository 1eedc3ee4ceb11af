"""The API on each engine; see `tests/support/house.py`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.databases import AnyDatabase
from tests.support.house import Api, have_people, open_api


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Ada, Bob and what they have are in every database here from the start: to make them takes longer than many a test."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.furnished(make=have_people))


@pytest.fixture
async def api(database: AnyDatabase) -> AsyncIterator[Api]:
    """The whole API, with Ada, Bob, an app and an API client."""
    async with open_api(database) as opened:
        yield opened
