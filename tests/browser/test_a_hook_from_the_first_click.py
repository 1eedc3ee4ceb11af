"""A hook as a person has it who only clicks: made, proved, told, broken, explained, repaired, replayed; and all that is done to
one that works. Its receiver is made with the kit, and validates by itself."""

from __future__ import annotations

import re
from typing import Any

from playwright.sync_api import Locator, Page, expect
from starlette.responses import PlainTextResponse

from tests.support.processes import free_port
from tests.support.serving import serving_asgi
from tests.support.windows import Room
from tidings.client import Client
from tidings.receiver import Event, Receiver
from tidings.receiver.asgi import app

TITLE = {"type": "text", "config": {"label": "Title"}}


class Destination:
    """A program of somebody's, with the kit's receiver in it. It can be broken."""

    def __init__(self, client: Client) -> None:
        self.receiver = Receiver(client)
        self.heard: list[Event] = []
        self.paths: list[str] = []
        self.is_broken = False
        self.receiver.on("*")(self.heard.append)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            self.paths.append(scope["path"])
        answer = app(self.receiver)
        if self.is_broken and scope["type"] == "http":
            answer = PlainTextResponse("No space left on device", 500)
        await answer(scope, receive, send)


def row(page: Page, sequence: int) -> Locator:
    """The delivery in the list of its hook's page."""
    return page.locator(f"#delivery-{sequence}")


def edit(page: Page, item_id: int, title: str) -> None:
    """Change the item by its form."""
    page.goto(f"/console/items/{item_id}")
    page.get_by_label("Title").fill(title)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status")).to_have_text("The item has been changed.")


def test_from_the_first_click_to_a_replay(page: Page, room: Room) -> None:
    client = room.client()
    app_id = client.apps.create(room.space_id, {"name": "Orders", "item_name": "Order"}, [TITLE])["app_id"]
    item_id = client.items.create(app_id, {"title": "Ship it"})["item_id"]
    destination, port = Destination(client), free_port()

    page.goto("/console")
    page.get_by_role("link", name="Tidings demo").click()
    page.get_by_role("link", name="Orders").click()
    page.get_by_role("link", name="Developer").click()
    page.get_by_role("textbox", name="URL").fill(f"http://127.0.0.1:{port}/in")
    page.get_by_role("button", name="Add webhook").click()

    expect(page).to_have_url(re.compile(r"/console/hooks/\d+$"))
    hook_url = page.url
    hook_id = int(hook_url.rpartition("/")[2])
    expect(row(page, 1)).to_contain_text("Exhausted")  # nobody listens yet
    expect(page.locator("#standing")).to_contain_text("nobody listens there")
    secret = page.locator("#hook-secret code").inner_text()
    destination.receiver.expects(hook_id, secret=secret)
    with serving_asgi(destination, port=port):
        page.get_by_role("button", name="Send it again").click()
        expect(page.locator("#status")).to_have_text("Active")
        expect(page.get_by_text(secret)).to_have_count(0)

        page.evaluate("window.isTheSamePage = true")
        other = page.context.new_page()
        edit(other, item_id, "Ship it today")
        expect(row(page, 3)).to_contain_text("Delivered")
        destination.is_broken = True
        edit(other, item_id, "Ship it tomorrow")
        expect(row(page, 4)).to_contain_text("Exhausted answered 500")
        expect(page.locator("#standing")).to_contain_text("The last attempt has failed: answered 500.")
        assert page.evaluate("window.isTheSamePage")

        row(page, 4).get_by_role("link").first.click()
        expect(page.get_by_role("heading", name="3 attempts")).to_be_visible()
        expect(page.get_by_label("Answer to attempt 3")).to_contain_text("No space left on device")
        page.goto(f"{hook_url}/diagnosis")
        page.get_by_role("button", name="Find out why").click()
        expect(page.locator("#conclusion")).to_contain_text("500")

        destination.is_broken = False
        page.get_by_role("link", name="Replay").click()
        page.get_by_role("button", name="Show the plan").click()
        expect(page.locator("#plan")).to_contain_text("1 delivery in less than a second")
        page.get_by_role("button", name="Start the replay").click()
        expect(page.locator("#replay h1")).to_contain_text("Finished")
        replay_id = page.url.rpartition("/")[2]
        page.goto(hook_url)
        expect(row(page, 4)).to_contain_text("Delivered")
    assert [(event.item_id, event.item_revision_id, event.redelivery) for event in destination.heard] == [
        (item_id, 1, None),
        (item_id, 2, f"replay-{replay_id}"),
    ]


def test_all_that_is_done_to_a_hook_that_works(page: Page, room: Room) -> None:
    client = room.client()
    item_id = client.items.create(room.app_id, {"title": "Pack it"})["item_id"]
    destination = Destination(client)
    with serving_asgi(destination) as port:
        made = destination.receiver.create("app", room.app_id, f"http://127.0.0.1:{port}/old", "item.update", format="json")
        hook = f"/console/hooks/{made.hook_id}"
        page.goto(hook)
        expect(page.locator("#status")).to_have_text("Active")

        page.get_by_role("button", name="Pause").click()
        client.items.update(item_id, {"title": "Pack it well"})
        expect(row(page, 2)).to_contain_text("Pending")
        page.get_by_role("button", name="Resume").click()
        expect(row(page, 2)).to_contain_text("Delivered")

        page.get_by_role("link", name="Settings").click()
        page.get_by_role("textbox", name="URL").fill(f"http://127.0.0.1:{port}/new")
        page.get_by_role("button", name="Save URL").click()
        expect(page.locator("#standing .about.target")).to_have_text(f"http://127.0.0.1:{port}/new")

        page.goto(f"{hook}/settings")
        page.get_by_role("button", name="Make a new secret").click()
        secret = page.locator("#hook-secret code").inner_text()
        destination.receiver = Receiver(client, secret=secret)
        destination.receiver.on("*")(destination.heard.append)
        page.get_by_role("button", name="Send a test").click()
        expect(row(page, 4)).to_contain_text("Delivered")

        page.goto(f"{hook}/settings")
        page.get_by_text("Delete this webhook").click()
        page.get_by_role("button", name="Delete it").click()
        expect(page.get_by_role("status")).to_have_text("The webhook has been deleted.")
        expect(page.locator(f"#hook-{made.hook_id}")).to_have_count(0)
    assert destination.paths == ["/old", "/old", "/new", "/new"]
    assert [(event.item_id, event.test) for event in destination.heard] == [(item_id, False), (item_id, True)]
    assert made.secret not in (None, secret)
