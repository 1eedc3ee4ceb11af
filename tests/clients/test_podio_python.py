"""podio-python 0.1.9, unchanged but for its address (contract sections 4.5 and 5.3)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator

import pytest
import requests
from podio.client import Client
from podio.exceptions import UnauthorizedError, WrongFormatInputError

from tests.support.processes import Seeded, wait_until
from tests.support.receiver import Received, receiving


@pytest.fixture(scope="module")
def login(seeded: Seeded) -> dict[str, str]:
    """A pair of tokens of the demo's person. The client itself knows no login but the browser's."""
    fields = {
        "grant_type": "password", "username": seeded.username, "password": seeded.password,
        "client_id": seeded.client_id, "client_secret": seeded.client_secret,
    }  # fmt: skip
    answer = requests.post(f"{seeded.url}/oauth/token", data=fields, timeout=10)
    tokens: dict[str, str] = answer.json()
    return tokens


@pytest.fixture
def client(seeded: Seeded, login: dict[str, str]) -> Iterator[Client]:
    """A client that is logged in. Its headers belong to the class, so they are put back as they were."""
    before, headers = Client.URL, dict(Client.headers)
    Client.URL = f"{seeded.url}/"
    yield Client(login["access_token"], seeded.client_id, seeded.client_secret, "http://127.0.0.1/back")
    Client.URL, Client.headers = before, headers


async def test_a_hook_lives_its_whole_life(client: Client, seeded: Seeded) -> None:
    async def answer(request: Received) -> int:
        if request.form["type"] == "hook.verify":  # from inside the handler, before it answers
            await asyncio.to_thread(client.validate_hook_verification, int(request.form["hook_id"]), request.form["code"])
        return 200

    async with receiving(answer) as receiver:
        made = await asyncio.to_thread(client.create_webhook, "app", seeded.app_id, receiver.url, "item.create")
        assert await asyncio.to_thread(client.post, f"hook/{made['hook_id']}/verify/request") is None
        await asyncio.to_thread(wait_until, lambda: client.list_webhooks("app", seeded.app_id)[0]["status"] == "active")
        [hook] = await asyncio.to_thread(client.list_webhooks, "app", seeded.app_id)
        assert (hook["hook_id"], hook["url"], hook["type"]) == (made["hook_id"], receiver.url, "item.create")
        item = await asyncio.to_thread(client.create_item, seeded.app_id, {"external_id": "py-1", "fields": {"title": "From Python"}})
        await receiver.wait_for_count(1, "item.create")
        [form] = receiver.forms("item.create")
        assert (form["item_id"], form["item_revision_id"], form["external_id"]) == (str(item["item_id"]), "0", "py-1")
    item_id = item["item_id"]
    assert client.get_item(item_id)["title"] == "From Python"
    assert client.put(f"item/{item_id}", data=json.dumps({"fields": {"title": "Changed"}})) == {"revision": 1, "title": "Changed"}
    assert client.delete(f"item/{item_id}") is None
    assert client.get_item(item_id)["error"] == "gone"
    assert client.delete_webhook(made["hook_id"]) is None
    assert client.list_webhooks("app", seeded.app_id) == []


def test_its_readings_work(client: Client, seeded: Seeded) -> None:
    assert client.get_user_status()["user"]["mail"] == seeded.username
    assert [org["org_id"] for org in client.list_organizations()] == [seeded.org_id]
    assert [space["space_id"] for space in client.get_organization_spaces(seeded.org_id)] == [seeded.space_id]
    assert client.get_space(seeded.space_id)["org_id"] == seeded.org_id
    assert [member["profile"]["user_id"] for member in client.get_space_members(seeded.space_id)] == [1]
    assert [app["app_id"] for app in client.list_applications()] == [seeded.app_id]
    assert client.get_application(seeded.app_id)["config"]["name"] == "Tasks"


def test_a_task_is_made_and_read(client: Client, seeded: Seeded) -> None:
    made = client.create_task({"text": "Call them", "ref_type": "space", "ref_id": seeded.space_id})
    assert client.get_task(made["task_id"])["text"] == "Call them"
    assert client.get_task_labels() == []


def test_errors_are_of_its_own_classes(client: Client, seeded: Seeded) -> None:
    with pytest.raises(WrongFormatInputError):
        client.create_webhook("app", seeded.app_id, "http://127.0.0.1:9/", "no.such.event")
    assert client.get_item(999_999)["error"] == "not_found"  # of these it answers the body
    client.set_token("unknown")
    with pytest.raises(UnauthorizedError):
        client.get_user_status()


def test_tokens_are_refreshed(client: Client, login: dict[str, str]) -> None:
    fresh = client.refresh_token(login["refresh_token"])
    client.set_token(fresh["access_token"])
    assert client.get_user_status()["user"]["user_id"] == 1
