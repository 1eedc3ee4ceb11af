"""Windows of a real browser: what they look at, and what must never happen in one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Browser, Dialog, Page, expect

from tests.support.processes import Seeded
from tidings.client import Client

PATIENCE = 15_000  # milliseconds that anything on a page may take to come: the machine may be busy
expect.set_options(timeout=PATIENCE)


@dataclass(frozen=True)
class Room(Seeded):
    """A server with the demo's workspace in it."""

    @property
    def app(self) -> str:
        """The path of the app's pages."""
        return f"/console/apps/{self.app_id}"

    def client(self) -> Client:
        """The kit's client, signed in as the demo's user."""
        client = Client(self.url, self.client_id, self.client_secret)
        client.authenticate_with_password(self.username, self.password)
        return client


@contextmanager
def window(browser: Browser, room: Room, **context: Any) -> Iterator[Page]:
    """A window with cookies of its own. What any page in it throws or logs as an error, a dialog, and a request to anywhere but
    the room's server fail the test."""
    wrong: list[str] = []
    with browser.new_context(base_url=room.url, reduced_motion="reduce", **context) as opened:
        opened.set_default_timeout(PATIENCE)
        opened.on("page", lambda page: _watch(page, room, wrong))
        yield opened.new_page()
    assert not wrong, wrong


def _watch(page: Page, room: Room, wrong: list[str]) -> None:
    def refuse(dialog: Dialog) -> None:
        wrong.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    page.on("dialog", refuse)
    page.on("pageerror", lambda error: wrong.append(f"thrown: {error}"))
    page.on("console", lambda message: wrong.append(f"logged: {message.text} {message.location}") if message.type == "error" else None)
    page.on("request", lambda request: None if request.url.startswith(f"{room.url}/") else wrong.append(f"asked for: {request.url}"))


def sign_in(page: Page, room: Room) -> None:
    """Fill in the form of the sign-in page, which is open, and be where it leads."""
    page.get_by_label("Username").fill(room.username)
    page.get_by_label("Password").fill(room.password)
    with page.expect_navigation():
        page.get_by_role("button", name="Sign in").click()
