"""A real `tidings serve` with the demo's workspace in it, as somebody would have it who tries their integration locally."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.databases import place_on_sqlite
from tests.support.processes import Seeded, seed, serving


@pytest.fixture(scope="module")
def seeded(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Iterator[Seeded]:
    """One server for the tests of one client."""
    place = place_on_sqlite(tmp_path_factory.mktemp("clients"), sqlite_template)
    with serving(place) as server:
        yield Seeded(**seed(place, server.url))
