"""A real browser, Debian's Chromium, on the pages of a real `tidings serve` with the demo's workspace in it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.support.databases import place_on_sqlite
from tests.support.processes import serving

PATIENCE = 10_000  # milliseconds that anything on a page may take to come


@dataclass(frozen=True)
class House:
    """Where the server is, and what `tidings seed` printed."""

    url: str
    client_id: str
    client_secret: str
    org_id: int
    space_id: int
    app_id: int
    app_token: str
    fields: dict[str, int]
    username: str
    password: str


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Iterator[House]:
    """One server for the tests of a file. What it retries, it retries soon."""
    place = place_on_sqlite(tmp_path_factory.mktemp("browser"), sqlite_template)
    with serving(place, environment={"TIDINGS_SCHEDULE": "0.2,0.2,600"}) as server:
        command = [str(Path(sys.executable).with_name("tidings")), "seed", *place.arguments, "--url", server.url, "--json"]
        yield House(**json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout))


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The browser. `make test` installs it where there is none."""
    path = shutil.which("chromium")
    assert path, "these tests need chromium: call `make test`, or apt-get install chromium"
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture
def visitor(browser: Browser, house: House) -> Iterator[Page]:
    """A window of somebody who has not signed in. Whatever a page logs as an error, or throws, fails the test."""
    with browser.new_context(base_url=house.url) as context:
        yield from _watched(context)


@pytest.fixture
def page(visitor: Page, house: House) -> Page:
    """A window of the demo's user, signed in."""
    visitor.goto("/sign-in")
    visitor.get_by_label("Username").fill(house.username)
    visitor.get_by_label("Password").fill(house.password)
    visitor.get_by_role("button", name="Sign in").click()
    return visitor


def _watched(context: BrowserContext) -> Iterator[Page]:
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(f"thrown: {error}"))
    page.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
    page.on("dialog", lambda dialog: dialog.accept())
    yield page
    assert not wrong
