"""The API on each engine; see `tests/support/house.py`."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.support.databases import AnyDatabase
from tests.support.house import Api, open_api


@pytest.fixture
async def api(database: AnyDatabase) -> AsyncIterator[Api]:
    """The whole API, with Ada, Bob, an app and an API client."""
    async with open_api(database) as opened:
        yield opened
