"""The pictures of `docs/console.md`, made from a running server: `make screenshots` writes them to `docs/images`.

A server with a believable workspace, three receivers (one that works, one whose disk is full, one that is not there), a few
changes, and Debian's Chromium, which signs in and looks.
"""
# ruff: noqa: INP001 (a script; nothing imports it)

from __future__ import annotations

import asyncio
import logging
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from playwright.sync_api import Browser, Page, StorageState, ViewportSize, sync_playwright
from sqlalchemy import insert

from tests.support.databases import Place
from tests.support.processes import serving, wait_until
from tests.support.serving import serving_asgi
from tests.support.windows import Room
from tidings.client import Client
from tidings.clock import DAY, HOUR, MINUTE, system_clock
from tidings.receiver import Event, Receiver, asgi
from tidings.server import open_house
from tidings.settings import Settings
from tidings.store.database import Tx, connect
from tidings.store.schema import hook_slots
from tidings.store.sealing import Keyring
from tidings.workspace.access import Caller
from tidings.workspace.accounts.clients import NewClient, create_client
from tidings.workspace.accounts.passwords import hash_password
from tidings.workspace.accounts.users import create_user
from tidings.workspace.apps import create_app
from tidings.workspace.fields.fields import NewField
from tidings.workspace.items.items import NewItem, create_items
from tidings.workspace.members import add_members
from tidings.workspace.orgs import create_org
from tidings.workspace.spaces import create_space

IMAGES = Path(__file__).with_name("images")
QUARTER = 15 * MINUTE
LARGEST = 150_000  # bytes of a picture
USERNAME, PASSWORD = "ada@example.org", "correct horse battery staple"  # of a server that lives for a minute
DESK, PHONE = ViewportSize(width=1280, height=800), ViewportSize(width=390, height=844)
THINGS = ("Brass gears", "Punched cards", "Mill columns", "Printing apparatus", "Number wheels", "Crank handles", "Carry levers")
FIELDS = [
    NewField("text", {"label": "Title", "required": True}),
    NewField("category", {"label": "Status", "settings": {"options": ["New", "In progress", "Shipped"]}}),
    NewField("money", {"label": "Total", "settings": {"allowed_currencies": ["EUR", "GBP"]}}),
    NewField("date", {"label": "Due"}),
    NewField("progress", {"label": "Done"}),
]


@dataclass(frozen=True)
class Furnished:
    """What is there before the server starts."""

    client: NewClient
    space_id: int
    app_id: int
    items: list[int]


@dataclass(frozen=True)
class Told:
    """The hooks: one that is well, one that fails."""

    well: int
    failing: int


# --- what is there -----------------------------------------------------------------------------------------------------


async def furnish(data: Path) -> Furnished:
    """A workspace."""
    house = open_house(Settings(data=data))
    try:
        return await house.database.write(_furnish, house.keyring)
    finally:
        await house.database.close()


def _furnish(tx: Tx, keyring: Keyring) -> Furnished:
    now = system_clock()
    ada = Caller("user", create_user(tx, USERNAME, hash_password(PASSWORD), "Ada Lovelace", now=now).user_id)
    create_user(tx, "grace@example.org", hash_password(PASSWORD), "Grace Hopper", now=now)
    org_id = create_org(tx, ada, "Analytical Engines", now=now).org_id
    space_id = create_space(tx, ada, org_id, {"name": "Sales"}, now=now).space_id
    create_space(tx, ada, org_id, {"name": "Workshop", "privacy": "open"}, now=now)
    add_members(tx, ada, space_id, "regular", (), ["grace@example.org"], now=now)
    about = {"name": "Orders", "item_name": "Order", "description": "What was ordered, and how far it is."}
    app_id = create_app(tx, ada, space_id, about, FIELDS, keyring=keyring, now=now).app_id
    create_app(tx, ada, space_id, {"name": "Customers", "item_name": "Customer"}, FIELDS[:1], keyring=keyring, now=now)
    items = create_items(tx, ada, app_id, [NewItem(_order(number), f"ERP-{number}") for number in range(101, 125)], now=now - 2 * DAY)
    client = create_client(tx, "The ERP", now=now, url="https://erp.example.org")
    return Furnished(client, space_id, app_id, [item.item_id for item in items])


def _order(number: int) -> dict[str, object]:
    return {
        "title": f"{THINGS[number % 7]}, lot {number}",
        "status": ("New", "In progress", "Shipped")[number % 3],
        "total": {"value": f"{number * 37 % 900}.50", "currency": ("EUR", "GBP")[number % 2]},
        "due": f"2027-0{number % 9 + 1}-1{number % 10}",
        "done": number * 13 % 101,
    }


class Destination:
    """A program that is told: it proves its hook by itself, and then is well or has a full disk."""

    def __init__(self, client: Client) -> None:
        self.receiver = Receiver(client)
        self.heard: list[Event] = []
        self.receiver.on("*")(self._hear)
        self.is_well = True
        self.app = asgi.app(self.receiver)

    def _hear(self, event: Event) -> None:
        if not self.is_well:
            raise OSError(28, "No space left on device")
        self.heard.append(event)


@contextmanager
def told(room: Room, there: Furnished) -> Iterator[Told]:
    """Receivers, their hooks, and some changes that they hear of."""
    client = room.client()
    well, failing = Destination(client), Destination(client)
    with serving_asgi(well.app) as port, serving_asgi(failing.app) as other:
        first = well.receiver.create("app", there.app_id, f"http://127.0.0.1:{port}/warehouse", "item.update", format="json")
        second = failing.receiver.create("app", there.app_id, f"http://127.0.0.1:{other}/billing", "item.update", order="object")
        paused = well.receiver.create("app", there.app_id, f"http://127.0.0.1:{port}/archive", "item.delete")
        for hook in (first, second, paused):
            wait_until(partial(_is_active, client, hook.hook_id))
        client.hooks.pause(paused.hook_id)
        client.hooks.create("app", there.app_id, "http://127.0.0.1:9/crm", "item.create")
        for number, item_id in enumerate(there.items[:8]):
            failing.is_well = number % 2 == 1
            client.items.update(item_id, {"done": 100, "status": "Shipped"})
            wait_until(partial(_has_failed, client, second.hook_id, 0 if failing.is_well else 3))
        failing.is_well = False
        for item_id in there.items[8:12]:
            client.items.update(item_id, {"done": 90})
        wait_until(lambda: len(well.heard) == 12 and client.hooks.get(second.hook_id)["failures_in_row"] >= 5)
        yield Told(first.hook_id, second.hook_id)


def _is_active(client: Client, hook_id: int) -> bool:
    return client.hooks.get(hook_id)["status"] == "active"


def _has_failed(client: Client, hook_id: int, times: int) -> bool:
    """Whether its last attempts have failed, so many in a row."""
    return client.hooks.get(hook_id)["failures_in_row"] == times


def remember(data: Path, hooks: Told) -> None:
    """Write down how the day before was, for which nobody waits here: in a file that the server has open."""
    database = connect("", data, connections=1)
    with database.engine.begin() as tx:
        tx.execute(insert(hook_slots), list(_day(hooks, system_clock())))
    database.dispose()


def _day(hooks: Told, now: int) -> Iterator[dict[str, int]]:
    for back in range(1, 96):
        began_at = (now // QUARTER - back) * QUARTER
        busy = 20 + 15 * (back * 7 % 5) if 12 < began_at % DAY // HOUR < 22 else 6
        yield {"hook_id": hooks.well, "began_at": began_at, "delivered": busy, "failed": 4 if back in {30, 31} else 0}
        is_full = back < 4  # its disk
        yield {"hook_id": hooks.failing, "began_at": began_at, "delivered": 0 if is_full else busy, "failed": busy // 3 if is_full else 0}


# --- the pictures ------------------------------------------------------------------------------------------------------


def shoot(browser: Browser, room: Room, there: Furnished, hooks: Told) -> None:
    """All of them."""
    state = sign_in(browser, room)
    app, well, failing = f"/console/apps/{there.app_id}", f"/console/hooks/{hooks.well}", f"/console/hooks/{hooks.failing}"
    with window(browser, room, state, DESK) as page:
        take(page, "space", f"/console/spaces/{there.space_id}")
        take(page, "app", app)
        take(page, "developer", f"{app}/developer")
        take(page, "item", f"/console/items/{there.items[0]}", at="#ledger")
        take(page, "hook", well)
        take(page, "delivery", f"{failing}/deliveries/2")
        take(page, "replay", f"{failing}/replay?state_exhausted=on&state_cancelled=on&rate=10")
        page.goto(f"{failing}/diagnosis")
        page.get_by_role("button", name="Find out why").click()
        page.locator("#conclusion").wait_for()
        take(page, "diagnosis")
    with window(browser, room, state, DESK, "dark") as page:
        take(page, "hook-dark", failing)
    with window(browser, room, state, PHONE) as page:
        take(page, "hook-phone", well)
        take(page, "delivery-phone", f"{failing}/deliveries/2")


def sign_in(browser: Browser, room: Room) -> StorageState:
    """Ada's cookies; and the picture of where they come from."""
    with window(browser, room, None, DESK) as page:
        page.goto("/sign-in")
        page.get_by_label("Username").fill(room.username)
        page.get_by_label("Password").fill(room.password)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url("**/console")
        return page.context.storage_state()


@contextmanager
def window(browser: Browser, room: Room, state: StorageState | None, size: ViewportSize, scheme: str = "light") -> Iterator[Page]:
    """A window of this size."""
    dark = scheme == "dark"
    with browser.new_context(
        base_url=room.url,
        storage_state=state,
        viewport=size,
        device_scale_factor=1,
        color_scheme="dark" if dark else "light",
        reduced_motion="reduce",
    ) as context:
        yield context.new_page()


def take(page: Page, name: str, path: str = "", at: str = "") -> None:
    """Write the picture of the page at `path`, or of the one that is open; from the element `at` on."""
    if path:
        page.goto(path)
    if page.locator("#live").count():
        page.get_by_text("Live", exact=True).wait_for()
    if at:
        page.locator(at).evaluate("(element) => element.scrollIntoView()")
    page.evaluate("document.activeElement?.blur()")
    picture = page.screenshot(path=IMAGES / f"{name}.png", animations="disabled", caret="hide")
    assert len(picture) < LARGEST, f"{name}.png has {len(picture)} bytes"


def main() -> None:
    """Make them all."""
    IMAGES.mkdir(exist_ok=True)
    logging.getLogger("tidings.receiver").setLevel(logging.CRITICAL)  # its disk is full on purpose
    with tempfile.TemporaryDirectory() as folder:
        place = Place(Path(folder))
        there = asyncio.run(furnish(place.data))
        with serving(place, environment={"TIDINGS_SCHEDULE": "0.2,0.2"}, installed=True) as server:
            client = there.client
            room = Room(server.url, client.client_id, client.client_secret, 1, there.space_id, there.app_id, "", {}, USERNAME, PASSWORD)
            with told(room, there) as hooks, sync_playwright() as playwright:
                remember(place.data, hooks)
                path = shutil.which("chromium-headless-shell")  # `make screenshots` installs it
                chromium = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
                shoot(chromium, room, there, hooks)
                chromium.close()


if __name__ == "__main__":
    main()
