"""turbopod 0.0.3, unchanged but for its address: an app's login by Bearer token (contract section 4.5)."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import pytest
from turbopod import podio_auth
from turbopod.cache import CachedItemStorage
from turbopod.helpers import iterate_resource
from turbopod.items import Item
from turbopod.session import create_app_auth_session

from tests.support.processes import Seeded, wait_until
from tests.support.receiver import Received, receiving


@pytest.fixture
def podio(seeded: Seeded, monkeypatch: pytest.MonkeyPatch) -> podio_auth.PodioOAuth2Session:
    """A session as the app."""
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")
    monkeypatch.setattr(podio_auth, "APP_AUTH_TOKEN_URL", f"{seeded.url}/oauth/token")
    return create_app_auth_session(seeded.client_id, seeded.client_secret, seeded.app_id, seeded.app_token)


async def test_a_hook_lives_its_whole_life(podio: podio_auth.PodioOAuth2Session, seeded: Seeded) -> None:
    hooks = f"{seeded.url}/hook/app/{seeded.app_id}/"

    async def answer(request: Received) -> int:
        if request.form["type"] == "hook.verify":
            validate = f"{seeded.url}/hook/{request.form['hook_id']}/verify/validate"
            assert (await asyncio.to_thread(podio.post, validate, json={"code": request.form["code"]})).status_code == 204
        return 200

    async with receiving(answer) as receiver:
        made = await asyncio.to_thread(podio.post, hooks, json={"url": receiver.url, "type": "item.update"})
        hook_id = made.json()["hook_id"]
        requested = await asyncio.to_thread(podio.post, f"{seeded.url}/hook/{hook_id}/verify/request")
        assert requested.status_code == 204
        await asyncio.to_thread(wait_until, lambda: [hook["status"] for hook in podio.get(hooks).json()] == ["active"])
        item = (await asyncio.to_thread(podio.post, f"{seeded.url}/item/app/{seeded.app_id}/", json={"fields": {"title": "A"}})).json()
        await asyncio.to_thread(podio.put, f"{seeded.url}/item/{item['item_id']}/value", json={"title": "B", "estimate": "3.5"})
        await receiver.wait_for_count(1, "item.update")
    read = Item(podio.get(f"{seeded.url}/item/{item['item_id']}").json())
    assert (read["title"], read["estimate"]) == ("B", "3.5000")
    assert podio.delete(f"{seeded.url}/hook/{hook_id}").status_code == 204
    assert podio.get(hooks).json() == []
    assert podio.delete(f"{seeded.url}/item/{item['item_id']}").status_code == 204
    assert podio.get(f"{seeded.url}/item/{item['item_id']}").status_code == 410


def test_errors_come_as_answers_with_podios_words(podio: podio_auth.PodioOAuth2Session, seeded: Seeded) -> None:
    wrong = podio.post(f"{seeded.url}/hook/app/{seeded.app_id}/", json={"url": "ftp://example.org/", "type": "item.create"})
    assert (wrong.status_code, wrong.json()["error"]) == (400, "invalid_value")
    absent = podio.get(f"{seeded.url}/item/999999")
    assert (absent.status_code, absent.json()["error"]) == (404, "not_found")


def test_it_pages_through_an_app(podio: podio_auth.PodioOAuth2Session, seeded: Seeded) -> None:
    for number in range(5):
        podio.post(f"{seeded.url}/item/app/{seeded.app_id}/", json={"fields": {"title": f"Item {number}"}}).raise_for_status()
    items = iterate_resource(podio, f"{seeded.url}/item/app/{seeded.app_id}/filter/", limit=2)
    assert {Item(item)["title"] for item in items} >= {f"Item {number}" for number in range(5)}


def test_it_keeps_a_local_copy(podio: podio_auth.PodioOAuth2Session, seeded: Seeded, tmp_path: Path) -> None:
    made = podio.post(f"{seeded.url}/item/app/{seeded.app_id}/", json={"fields": {"title": "Kept", "estimate": 2}}).json()
    with sqlite3.connect(tmp_path / "copy") as connection:
        storage = CachedItemStorage(connection, podio)
        storage.app_configs[seeded.app_id] = podio.get(f"{seeded.url}/app/{seeded.app_id}/").json()  # it would ask at a fixed address
        connection.execute(f"CREATE TABLE podio_app_{seeded.app_id} (item_id INT PRIMARY KEY, item_data TEXT)")
        storage.insert_item_data_into_db(seeded.app_id, made)
        assert storage.get_item(seeded.app_id, made["item_id"])["estimate"] == "2.0000"
    connection.close()
