"""A real browser, Debian's Chromium, on the pages of a real `tidings serve` with the demo's workspace in it."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, StorageState, sync_playwright

from tests.support.databases import place_on_sqlite
from tests.support.processes import seed, serving
from tests.support.windows import Room, window

# Root may not use its sandbox; and what is done ahead, for pages that nobody may ever want, is a fifth of what a page costs.
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-features=SpareRendererForSitePerProcess,BackForwardCache"]


@pytest.fixture(scope="package")
def room(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Iterator[Room]:
    """One server for all tests. It tries three times, and soon."""
    place = place_on_sqlite(tmp_path_factory.mktemp("browser"), sqlite_template)
    with serving(place, environment={"TIDINGS_SCHEDULE": "0.2,0.2"}) as server:
        yield Room(**seed(place, server.url))


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Debian's Chromium, its build without a window (which costs half as much), or the whole of it. `make test` installs it."""
    path = shutil.which("chromium-headless-shell") or shutil.which("chromium")
    assert path, "these tests need Chromium: call `make test`, or apt-get install chromium-headless-shell"
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="package")
def signed_in(browser: Browser, room: Room) -> StorageState:
    """The cookies of the demo's user, who has signed in once for all tests, and without a window."""
    with browser.new_context(base_url=room.url) as context:
        found = re.search(r'name="csrf" value="(\w+)"', context.request.get("/sign-in").text())
        assert found
        answer = context.request.post("/sign-in", form={"csrf": found[1], "username": room.username, "password": room.password})
        assert answer.url == f"{room.url}/console"
        return context.storage_state()


@pytest.fixture
def visitor(browser: Browser, room: Room) -> Iterator[Page]:
    """A window of somebody who has not signed in."""
    with window(browser, room) as page:
        yield page


@pytest.fixture
def page(browser: Browser, room: Room, signed_in: StorageState) -> Iterator[Page]:
    """A window of the demo's user, signed in."""
    with window(browser, room, storage_state=signed_in) as page:
        yield page
