"""axe-core finds no serious fault on any of the main pages: in light and in dark, on a desk and on a phone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, StorageState, ViewportSize

from tests.support.processes import wait_until
from tests.support.serving import serve_wsgi
from tests.support.windows import Room, window
from tidings.receiver import Event, Receiver

AXE = Path(__file__).with_name("axe") / "node_modules" / "axe-core" / "axe.min.js"
DESK, PHONE = ViewportSize(width=1280, height=800), ViewportSize(width=390, height=844)
FLOATING = ".menu, .sure, .fold"
GRAVE = ("serious", "critical")
BY_LOOKS = ["color-contrast", "target-size", "scrollable-region-focusable", "meta-viewport"]  # rules that a colour or a width can break


@contextmanager
def window_for_axe(browser: Browser, room: Room, **context: Any) -> Iterator[Page]:
    """A window in which axe-core may run, which our policy would not let it. It comes with each page: a script tag costs more."""
    with window(browser, room, bypass_csp=True, **context) as page:
        page.add_init_script(path=AXE)
        yield page


@pytest.fixture
def looked_at(browser: Browser, room: Room, signed_in: StorageState) -> Iterator[Page]:
    """Such a window of the demo's user."""
    with window_for_axe(browser, room, storage_state=signed_in) as page:
        yield page


def fill_pages(room: Room) -> int:
    """A hook that works, one whose URL has not been proved, and an item of which they were told; answers the first hook."""
    client = room.client()
    heard: list[Event] = []
    receiver = Receiver(client)
    receiver.on("item.update")(heard.append)
    item_id = client.items.create(room.app_id, {"title": "Look at it", "status": "New"})["item_id"]
    client.hooks.create("app", room.app_id, "http://127.0.0.1:1/in", "item.create")
    with serve_wsgi(receiver) as port:
        made = receiver.create("app", room.app_id, f"http://127.0.0.1:{port}/in", "item.update")
        wait_until(lambda: client.hooks.get(made.hook_id)["status"] == "active")
        client.items.update(item_id, {"status": "Done"})
        wait_until(lambda: heard)
    client.items.update(item_id, {"status": "New"})
    wait_until(lambda: client.hooks.get(made.hook_id)["failures_in_row"] == 3)  # given up
    return made.hook_id


@pytest.mark.timeout(180)  # axe-core works through a dozen pages, three times each, on a machine that may be busy
def test_no_page_has_a_serious_fault(looked_at: Page, room: Room, subtests: pytest.Subtests) -> None:
    hook = f"/console/hooks/{fill_pages(room)}"
    paths = [
        "/console",
        f"/console/spaces/{room.space_id}",
        room.app,
        f"{room.app}/fields",
        f"{room.app}/items/new",
        "/console/items/1",
        f"{room.app}/developer",
        f"{room.app}/undelivered",
        hook,
        f"{hook}/deliveries/3",
        f"{hook}/settings",
        f"{hook}/replay?state_exhausted=on&rate=10",
        f"{hook}/diagnosis",
    ]
    for path in paths:
        with subtests.test(path=path):
            looked_at.emulate_media(color_scheme="light")
            looked_at.set_viewport_size(DESK)
            looked_at.goto(path)
            assert faults(looked_at) == []
    looked_at.get_by_role("button", name="Find out why").click()
    looked_at.locator("#conclusion").wait_for()
    assert faults(looked_at) == []


def test_nor_has_the_page_to_sign_in(browser: Browser, room: Room) -> None:
    with window_for_axe(browser, room) as page:
        page.set_viewport_size(DESK)
        page.goto("/sign-in")
        assert faults(page) == []


def faults(page: Page) -> list[str]:
    """What is serious on the page, as it is and as a phone has it in the dark."""
    _open(page, f"details:not({FLOATING})")
    at_the_desk = _serious(page)
    page.emulate_media(color_scheme="dark")
    page.set_viewport_size(PHONE)
    on_the_phone = _serious(page, BY_LOOKS)
    _open(page, FLOATING)  # at last: they lie over the page, and of what they hide axe cannot tell
    return at_the_desk + on_the_phone + (_serious(page, within=FLOATING) if page.locator(FLOATING).count() else [])


def _open(page: Page, which: str) -> None:
    page.evaluate("(which) => { for (const each of document.querySelectorAll(which)) each.open = true; }", which)


def _serious(page: Page, rules: list[str] | None = None, within: str = "html") -> list[str]:
    options: dict[str, Any] = {"resultTypes": ["violations"], "preload": False}  # no style sheets: no rule of those asks for them
    if rules:
        options["runOnly"] = rules
    found = page.evaluate("([within, options]) => axe.run(within, options)", [within, options])["violations"]
    return [f"{each['id']}: {node['html'][:200]}" for each in found if each["impact"] in GRAVE for node in each["nodes"]]
