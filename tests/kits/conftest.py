"""A real `tidings serve` with the demo's workspace in it, for the kits to talk to, and the app's client."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.databases import place_on_sqlite
from tests.support.processes import Serving, serving
from tidings.cli.seed import Seed, make_seed
from tidings.client import Client
from tidings.settings import Settings


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Iterator[tuple[Serving, Seed]]:
    """One server for all tests: what each makes there, it takes away or it does not matter to the others."""
    place = place_on_sqlite(tmp_path_factory.mktemp("server"), sqlite_template)
    with serving(place) as started:
        yield started, make_seed(Settings(data=place.data))


@pytest.fixture
def url(server: tuple[Serving, Seed]) -> str:
    return server[0].url


@pytest.fixture
def seed(server: tuple[Serving, Seed]) -> Seed:
    return server[1]


@pytest.fixture
def client(url: str, seed: Seed) -> Iterator[Client]:
    """The app's; whatever hooks a test has made are deleted at its end."""
    client = Client(url, seed.client_id, seed.client_secret)
    client.authenticate_with_app(seed.app_id, seed.app_token)
    yield client
    for ref_type, ref_id in ("app", seed.app_id), ("app_field", seed.fields["title"]):
        for hook in client.hooks.list(ref_type, ref_id):
            client.hooks.delete(hook["hook_id"])
