"""One hook through the API: read, changed in place, paused, tried (what of a hook Podio has not)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.house import Api
from tidings.store.database import Tx

URL, NEXT = "https://example.org/in?key=k", "https://example.org/next"


async def make(api: Api, *, active: bool = True, **more: Any) -> int:
    answer = await api.post(f"/hook/app/{api.people.app_id}", {"url": URL, "type": "item.create", **more})
    assert answer.status_code == 200, answer.text
    hook_id: int = answer.json()["hook_id"]
    if active:
        await validate(api, hook_id)
    return hook_id


async def validate(api: Api, hook_id: int) -> None:
    def read(tx: Tx) -> str:
        return str(tx.exec_driver_sql(f"SELECT verify_code FROM hooks WHERE hook_id = {hook_id}").scalar_one())

    answer = await api.post(f"/hook/{hook_id}/verify/validate", {"code": await api.house.database.read(read)})
    assert answer.status_code == 204


async def get(api: Api, hook_id: int) -> dict[str, Any]:
    answer = await api.get(f"/hook/{hook_id}")
    assert answer.status_code == 200, answer.text
    hook: dict[str, Any] = answer.json()
    return hook


async def test_one_hook_is_answered_as_it_is_listed(api: Api) -> None:
    hook_id = await make(api, concurrency=3, preserve_query=True)
    hook = await get(api, hook_id)
    assert [hook] == (await api.get(f"/hook/app/{api.people.app_id}")).json()
    assert (hook["url"], hook["next_url"], hook["concurrency"], hook["preserve_query"]) == (URL, None, 3, True)
    assert "key" not in str({name: value for name, value in hook.items() if name != "url"})


async def test_what_is_named_is_changed_and_answered(api: Api) -> None:
    hook_id = await make(api)
    before = await get(api, hook_id)
    changes: list[dict[str, Any]] = [
        {},
        {"order": "object"},
        {"format": "cloudevents", "preserve_query": True},
        {"concurrency": 7},
        {"concurrency": None},
        {"url": URL},
    ]
    for change in changes:
        answer = await api.put(f"/hook/{hook_id}", change)
        before |= change
        assert (answer.status_code, answer.json()) == (200, before)


async def test_a_hook_moves_to_another_url_once_that_is_verified(api: Api) -> None:
    hook_id = await make(api)
    answer = await api.put(f"/hook/{hook_id}", {"url": NEXT, "order": "object"}, access="app")
    assert (answer.json()["url"], answer.json()["next_url"], answer.json()["order"]) == (URL, NEXT, "object")
    wrong = await api.post(f"/hook/{hook_id}/verify/validate", {"code": "wrong"})
    assert wrong.status_code == 400
    await validate(api, hook_id)
    hook = await get(api, hook_id)
    assert (hook["status"], hook["url"], hook["next_url"]) == ("active", NEXT, None)


async def test_what_may_not_be_is_told_and_changes_nothing(api: Api, subtests: pytest.Subtests) -> None:
    hook_id = await make(api)
    await make(api, url=NEXT)
    api.names.known["inside.example"] = ["10.0.0.7"]
    before = await get(api, hook_id)
    cases: list[tuple[object, int, str]] = [
        ({"url": None}, 400, "url: must be text, not null"),
        ({"url": "ftp://example.org/"}, 400, "scheme"),
        ({"url": "http://127.0.0.1/"}, 400, "127.0.0.1"),
        ({"url": "https://inside.example/in"}, 400, "10.0.0.7"),
        ({"url": NEXT}, 409, "tells this URL of the same already"),
        ({"order": "app"}, 400, "order"),
        ({"order": None}, 400, "order"),
        ({"format": "xml"}, 400, "format"),
        ({"concurrency": 0}, 400, "concurrency: must be a whole number >= 1"),
        ({"concurrency": 1001}, 400, "concurrency: must be a whole number <= 1000"),
        ({"preserve_query": 1}, 400, "preserve_query: must be true or false"),
        ({"order": "object", "url": NEXT}, 409, "tells this URL"),
    ]
    for body, status, said in cases:
        with subtests.test(body=str(body)):
            answer = await api.put(f"/hook/{hook_id}", body)
            assert answer.status_code == status
            assert said in answer.json()["error_description"]
            assert await get(api, hook_id) == before


async def test_a_hook_is_paused_tried_and_resumed(api: Api) -> None:
    hook_id = await make(api)
    for _ in range(2):
        answer = await api.post(f"/hook/{hook_id}/pause")
        assert (answer.status_code, answer.content) == (204, b"")
    paused = await get(api, hook_id)
    assert (paused["status"], paused["paused_on"]) == ("active", "2026-01-02 03:00:00")
    for refused in (
        await api.post(f"/hook/{hook_id}/test"),
        await api.post(f"/hook/{hook_id}/verify/request"),
        await api.put(f"/hook/{hook_id}", {"url": NEXT}),
    ):
        assert (refused.status_code, refused.json()["error"]) == (409, "conflict")
        assert "resume it first" in refused.json()["error_description"]
    assert (await api.post(f"/hook/{hook_id}/resume")).status_code == 204
    assert (await get(api, hook_id))["paused_on"] is None
    answer = await api.post(f"/hook/{hook_id}/test")
    assert (answer.status_code, answer.content) == (204, b"")


async def test_an_inactive_hook_is_neither_paused_nor_tried(api: Api) -> None:
    hook_id = await make(api, active=False)
    for what in ("pause", "test"):
        answer = await api.post(f"/hook/{hook_id}/{what}")
        assert (answer.status_code, answer.json()["error"]) == (409, "conflict")


async def test_who_has_no_part_in_it_finds_no_hook_and_asks_for_no_name(api: Api) -> None:
    hook_id = await make(api)
    api.names.asked.clear()
    for method, path, body in (
        ("GET", "", None),
        ("PUT", "", {"url": "https://inside.example/"}),
        ("POST", "/pause", None),
        ("POST", "/resume", None),
        ("POST", "/test", None),
    ):
        assert (await api.send(method, f"/hook/{hook_id}{path}", body, access="bob")).status_code == 404
        assert (await api.send(method, f"/hook/999{path}", body)).status_code == 404
        assert (await api.send(method, f"/hook/{hook_id}{path}", body, access=None)).status_code == 401
    assert api.names.asked == []
