"""Every page there is, as somebody of another organization, without the form's token, and with what it says to the browser.

`ROWS` names each row of the console's table, with a form that would do something: a page that is not in it fails the walk.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import select, update

from tests.support.browsing import Browser, Page
from tests.support.house import NOON, Api
from tests.support.past import make_past
from tests.support.world import World
from tidings.console.pages import console_rows
from tidings.delivery.replay import Wanted, start_replay
from tidings.hooks.registry import create_hook
from tidings.store import schema
from tidings.store.database import Tx
from tidings.workspace.apps import create_app
from tidings.workspace.comments import NewComment, create_comment
from tidings.workspace.fields.fields import NewField, create_field
from tidings.workspace.items.items import NewItem, create_item
from tidings.workspace.orgs import create_org
from tidings.workspace.spaces import create_space
from tidings.workspace.tags import add_tags

OPEN = ("/sign-in", "/sign-out", "/oauth/authorize")  # tests/wire/test_console_sign_in.py
OWN = ("/", "/console", "/console/orgs")  # these begin with the visitor
URL = "https://hush.example/hooks"
HUSH = "Hush"  # in whatever Ada has and names

ROWS: dict[tuple[str, str], dict[str, str]] = {
    ("GET", "/"): {},
    ("GET", "/console"): {},
    ("POST", "/console/orgs"): {"name": "Mine"},
    ("POST", "/console/orgs/{org_id:int}/spaces"): {"name": "Mine"},
    ("GET", "/console/spaces/{space_id:int}"): {},
    ("POST", "/console/spaces/{space_id:int}"): {"name": "Mine"},
    ("POST", "/console/spaces/{space_id:int}/delete"): {},
    ("POST", "/console/spaces/{space_id:int}/apps"): {"name": "Mine", "titled": "on"},
    ("POST", "/console/spaces/{space_id:int}/join"): {},
    ("POST", "/console/spaces/{space_id:int}/leave"): {},
    ("POST", "/console/spaces/{space_id:int}/members"): {"username": "bob@example.org", "role": "admin"},
    ("POST", "/console/spaces/{space_id:int}/members/{user_id:int}"): {"role": "light"},
    ("POST", "/console/spaces/{space_id:int}/members/{user_id:int}/remove"): {},
    ("GET", "/console/apps/{app_id:int}"): {},
    ("POST", "/console/apps/{app_id:int}"): {"name": "Mine", "item_name": "Mine"},
    ("POST", "/console/apps/{app_id:int}/delete"): {},
    ("GET", "/console/apps/{app_id:int}/fields"): {},
    ("POST", "/console/apps/{app_id:int}/fields"): {"label": "Mine", "type": "text"},
    ("GET", "/console/apps/{app_id:int}/fields/{field_id:int}"): {},
    ("POST", "/console/apps/{app_id:int}/fields/{field_id:int}"): {"label": "Mine"},
    ("POST", "/console/apps/{app_id:int}/fields/{field_id:int}/delete"): {},
    ("GET", "/console/apps/{app_id:int}/items/new"): {},
    ("POST", "/console/apps/{app_id:int}/items"): {"external_id": "mine"},
    ("GET", "/console/items/{item_id:int}"): {},
    ("POST", "/console/items/{item_id:int}"): {"revision": "0", "external_id": "mine"},
    ("POST", "/console/items/{item_id:int}/delete"): {},
    ("POST", "/console/items/{item_id:int}/tags"): {"tag": "mine"},
    ("POST", "/console/items/{item_id:int}/tags/remove"): {"tag": HUSH},
    ("POST", "/console/items/{item_id:int}/comments"): {"value": "mine"},
    ("POST", "/console/items/{item_id:int}/comments/{comment_id:int}/delete"): {},
    ("GET", "/console/apps/{app_id:int}/developer"): {},
    ("POST", "/console/apps/{app_id:int}/token/reveal"): {},
    ("POST", "/console/apps/{app_id:int}/token/renew"): {},
    ("POST", "/console/apps/{app_id:int}/hooks"): {"url": "https://example.org/", "type": "item.create", "on": "app"},
    ("GET", "/console/apps/{app_id:int}/undelivered"): {},
    ("GET", "/console/spaces/{space_id:int}/hooks"): {},
    ("POST", "/console/spaces/{space_id:int}/hooks"): {"url": "https://example.org/", "type": "task.create"},
    ("GET", "/console/hooks/{hook_id:int}"): {},
    ("GET", "/console/hooks/{hook_id:int}/live"): {},
    ("POST", "/console/hooks/{hook_id:int}/verify"): {},
    ("POST", "/console/hooks/{hook_id:int}/validate"): {"code": "0" * 32},
    ("POST", "/console/hooks/{hook_id:int}/pause"): {},
    ("POST", "/console/hooks/{hook_id:int}/resume"): {},
    ("POST", "/console/hooks/{hook_id:int}/test"): {},
    ("GET", "/console/hooks/{hook_id:int}/settings"): {},
    ("POST", "/console/hooks/{hook_id:int}/settings"): {"format": "json", "order": "object"},
    ("POST", "/console/hooks/{hook_id:int}/url"): {"url": "https://example.org/mine"},
    ("POST", "/console/hooks/{hook_id:int}/secret"): {"overlap": "0"},
    ("POST", "/console/hooks/{hook_id:int}/delete"): {},
    ("GET", "/console/hooks/{hook_id:int}/diagnosis"): {},
    ("POST", "/console/hooks/{hook_id:int}/diagnosis"): {},
    ("GET", "/console/hooks/{hook_id:int}/deliveries/{sequence:int}"): {},
    ("GET", "/console/hooks/{hook_id:int}/deliveries/{sequence:int}/live"): {},
    ("POST", "/console/hooks/{hook_id:int}/deliveries/{sequence:int}/redeliver"): {},
    ("GET", "/console/hooks/{hook_id:int}/replay"): {},
    ("POST", "/console/hooks/{hook_id:int}/replay"): {"state_delivered": "on", "rate": "10"},
    ("GET", "/console/replays/{replay_id:int}"): {},
    ("GET", "/console/replays/{replay_id:int}/live"): {},
    ("POST", "/console/replays/{replay_id:int}/stop"): {},
}


@dataclass(frozen=True)
class Ids:
    """What Ada has of everything that a path can name."""

    org_id: int
    space_id: int
    user_id: int
    app_id: int
    field_id: int
    item_id: int
    comment_id: int
    hook_id: int
    sequence: int
    replay_id: int

    def fill(self, path: str, **others: int) -> str:
        """The path, with these ids in it."""
        return path.replace(":int", "").format(**{**vars(self), **others})


@pytest.fixture
async def ids(api: Api) -> Ids:
    """One of everything, told of once with success and once without, and a replay that runs."""
    return await api.house.database.write(_have_all, api)


def _have_all(tx: Tx, api: Api) -> Ids:
    ada, keyring, now = api.people.ada, api.house.keyring, api.clock()
    org_id = create_org(tx, ada, f"{HUSH} org", now=now).org_id
    space_id = create_space(tx, ada, org_id, {"name": f"{HUSH} space", "privacy": "closed"}, now=now).space_id
    config = {"name": f"{HUSH} app", "item_name": HUSH}
    app_id = create_app(tx, ada, space_id, config, [NewField("text", {"label": "Title"})], keyring=keyring, now=now).app_id
    field_id = create_field(tx, ada, app_id, NewField("text", {"label": f"{HUSH} field"}), now=now).field_id
    item_id = create_item(tx, ada, app_id, NewItem({"title": f"{HUSH} item"}, HUSH), now=now).item_id
    comment_id = create_comment(tx, ada, "item", item_id, NewComment(f"{HUSH} comment"), now=now).comment.comment_id
    add_tags(tx, ada, "item", item_id, [HUSH], now=now)
    hook_id = create_hook(tx, ada, keyring, "app", app_id, URL, "item.update", now=now, limit=10).hook_id
    tx.execute(update(schema.hooks).values(status="active", reason=None))
    make_past(tx, World(ada, org_id, space_id, app_id, field_id), hook_id, "delivered", "exhausted", at=now)
    replay_id = start_replay(tx, ada, hook_id, Wanted(), 1, now=now).replay_id
    return Ids(org_id, space_id, ada.id, app_id, field_id, item_id, comment_id, hook_id, 2, replay_id)


async def everything(api: Api) -> dict[str, list[Any]]:
    """All rows of all tables."""

    def read(tx: Tx) -> dict[str, list[Any]]:
        return {table.name: sorted(map(repr, tx.execute(select(table)))) for table in schema.metadata.sorted_tables}

    return await api.house.database.read(read)


async def token_of(browser: Browser) -> str:
    """What the forms of their pages carry."""
    return (await browser.open("/console")).forms[0].fields["csrf"]


async def go(browser: Browser, method: str, path: str, form: dict[str, str]) -> Page:
    return await (browser.post(path, form) if method == "POST" else browser.open(path))


def test_every_page_is_walked() -> None:
    nowhere = re.compile(r"/console(/\{part_\d\})+")
    assert set(ROWS) == {(method, path) for method, path in console_rows() if path not in OPEN and not nowhere.fullmatch(path)}


async def test_somebody_of_another_organization_finds_nothing_and_does_nothing(api: Api, ids: Ids, bob: Browser) -> None:
    csrf, before = await token_of(bob), await everything(api)
    for (method, path), form in ROWS.items():
        if path in OWN:
            continue
        page = await go(bob, method, ids.fill(path), {**form, "csrf": csrf})
        assert page.status == 404, (method, path)
        assert HUSH not in page.text, (method, path)
        assert URL not in page.text, (method, path)
    assert HUSH not in (await bob.open("/console")).text
    assert await everything(api) == before


async def test_an_app_or_a_space_of_ones_own_opens_nobody_elses(api: Api, ids: Ids, bob: Browser) -> None:
    def have_own(tx: Tx) -> dict[str, int]:
        people = api.people
        org_id = create_org(tx, people.bob, "Bob's", now=NOON).org_id
        space_id = create_space(tx, people.bob, org_id, {"name": "Bob's"}, now=NOON).space_id
        app_id = create_app(tx, people.bob, space_id, {"name": "Bob's", "item_name": "x"}, [], keyring=api.house.keyring, now=NOON).app_id
        item_id = create_item(tx, people.bob, app_id, NewItem({}), now=NOON).item_id
        hook_id = create_hook(tx, people.bob, api.house.keyring, "app", app_id, URL, "item.update", now=NOON, limit=10).hook_id
        return {"space_id": space_id, "app_id": app_id, "item_id": item_id, "hook_id": hook_id}

    own = await api.house.database.write(have_own)
    csrf, before = await token_of(bob), await everything(api)
    for (method, path), form in ROWS.items():
        if path.count("{") == 2:
            page = await go(bob, method, ids.fill(path, **own), {**form, "csrf": csrf})
            assert page.status in (400, 404), (method, path)
            assert HUSH not in page.text, (method, path)
    assert await everything(api) == before


async def test_without_its_token_no_form_is_read(api: Api, ids: Ids, ada: Browser, bob: Browser) -> None:
    theirs = await token_of(bob)
    before = await everything(api)
    for (method, path), form in ROWS.items():
        if method == "POST":
            for token in ({}, {"csrf": ""}, {"csrf": theirs}):
                page = await ada.post(ids.fill(path), {**form, **token})
                assert (page.status, "This form is too old" in page.words) == (400, True), path
    assert await everything(api) == before


async def test_every_page_says_to_the_browser_what_it_may_do(api: Api, ids: Ids, ada: Browser) -> None:
    csrf = await token_of(ada)
    pages = [await ada.open(ids.fill(path)) for method, path in ROWS if method == "GET" and not path.endswith("/live")]
    assert {page.status for page in pages} == {200}
    wrong = await ada.post(ids.fill("/console/hooks/{hook_id}/url"), {"url": "x", "csrf": csrf})
    for page in (*pages, wrong, await ada.open("/console/nowhere"), await ada.open("/console/apps/99")):
        policy = dict(each.strip().split(" ", 1) for each in page.headers["content-security-policy"].split(";"))
        assert policy == {
            "default-src": "'none'",
            "style-src": "'self'",
            "form-action": "'self'",
            "frame-ancestors": "'none'",
            "base-uri": "'none'",
            "img-src": "'self'",
            "script-src": "'self'",
            "connect-src": "'self'",
        }, page.url
        assert page.headers["cache-control"] == "no-store", page.url
        assert page.headers["x-content-type-options"] == "nosniff", page.url
        assert page.headers["referrer-policy"] == "no-referrer", page.url
        assert page.headers["x-frame-options"] == "DENY", page.url
