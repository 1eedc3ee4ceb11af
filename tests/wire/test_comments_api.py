"""Comments over HTTP, in Podio's shapes (contract section 6.5)."""

from __future__ import annotations

from typing import Any

from sqlalchemy import insert

from tests.support.answers import bob_in, refused
from tests.support.house import Api
from tests.support.told import told_of
from tidings.store.database import Tx
from tidings.store.schema import files

KEYS = {
    "comment_id",
    "value",
    "rich_value",
    "external_id",
    "space_id",
    "ref",
    "files",
    "embed",
    "embed_file",
    "questions",
    "rights",
    "is_liked",
    "like_count",
    "last_edit_on",
    "created_on",
    "created_by",
    "created_via",
}


async def make_item(api: Api) -> int:
    made = await api.post(f"/item/app/{api.people.app_id}/", {"fields": {"title": "Wheel"}})
    return int(made.json()["item_id"])


async def upload(api: Api) -> int:
    def write(tx: Tx) -> int:
        values = {"name": "a.txt", "mimetype": "text/plain", "size": 1, "storage_key": "k"}
        row = {**values, "created_by": api.people.ada.author, "created_at": api.clock()}
        return int(tx.execute(insert(files).values(row).returning(files.c.file_id)).scalar_one())

    return await api.house.database.write(write)


async def test_a_comment_is_made_read_changed_and_deleted(api: Api) -> None:
    item_id, file_id = await make_item(api), await upload(api)
    body = {"value": "Fine ☂", "external_id": 5, "file_ids": [file_id], "embed_id": None, "embed_url": "http://a.example/x"}
    made = await api.post(f"/comment/item/{item_id}/", body, params={"hook": "true", "silent": "1", "alert_invite": "false"})
    comment = made.json()
    assert (made.status_code, set(comment)) == (200, KEYS)
    path = f"/comment/{comment['comment_id']}"
    assert (await api.get(path)).json() == comment
    assert (comment["value"], comment["rich_value"], comment["external_id"]) == ("Fine ☂", "Fine ☂", "5")
    assert (comment["space_id"], comment["created_on"], comment["rights"]) == (
        api.people.space_id,
        "2026-01-02 03:00:00",
        ["view", "update", "delete"],
    )
    assert (comment["created_by"]["name"], comment["created_via"]["name"]) == ("Ada", "A client")
    assert comment["ref"] == {
        "type": "item",
        "id": item_id,
        "title": "Wheel",
        "link": f"http://tidings.test/item/{item_id}",
        "data": {},
    }
    assert [(file["file_id"], file["name"]) for file in comment["files"]] == [(file_id, "a.txt")]
    assert (comment["embed"]["original_url"], comment["embed"]["embed_id"] > 0) == ("http://a.example/x", True)
    changed = (await api.put(path, {"value": "Better", "embed_url": None})).json()
    assert changed == {**comment, "value": "Better", "rich_value": "Better", "embed": None, "files": changed["files"]}
    assert (await api.delete(f"{path}/")).status_code == 204
    refused(await api.get(path), 410)
    assert [type_ for type_, _, _ in await api.house.database.read(told_of, "comment")] == ["comment.create", "comment.delete"]


async def test_the_comments_of_an_object_are_listed_with_a_slash_and_without(api: Api) -> None:
    item_id = await make_item(api)
    for text in ("one", "two", "three"):
        await api.post(f"/comment/item/{item_id}", {"value": text})

    async def values(path: str) -> list[str]:
        return [comment["value"] for comment in (await api.get(path)).json()]

    assert await values(f"/comment/item/{item_id}") == await values(f"/comment/item/{item_id}/") == ["one", "two", "three"]
    assert await values(f"/comment/item/{item_id}/?limit=1&offset=1") == ["two"]
    for query in ("limit=0", "limit=501", "limit=x", "offset=-1"):
        refused(await api.get(f"/comment/item/{item_id}/?{query}"), 400, query.partition("=")[0])


async def test_hooks_do_not_hear_of_a_comment_made_without_them(api: Api) -> None:
    item_id = await make_item(api)
    made = (await api.post(f"/comment/item/{item_id}?hook=false", {"value": "Fine"})).json()
    await api.delete(f"/comment/{made['comment_id']}?hook=0")
    assert [heard for _, _, heard in await api.house.database.read(told_of, "comment")] == [False, False]


async def test_bodies_that_make_no_comment_are_refused_by_name(api: Api) -> None:
    item_id = await make_item(api)
    before = await api.written()
    wrong: list[tuple[Any, str]] = [
        ({}, "value"),
        ([], "value"),
        (None, "value"),
        ({"value": " "}, "value"),
        ({"value": None}, "value"),
        ({"value": 5}, "value"),
        ({"value": "x", "external_id": {}}, "external_id"),
        ({"value": "x", "file_ids": ["a"]}, "file_ids[0]"),
        ({"value": "x", "file_ids": [0]}, "file_ids[0]"),
        ({"value": "x", "embed_id": 5}, "embed_id"),
        ({"value": "x", "embed_url": "javascript:alert(1)"}, "embed_url"),
    ]
    for body, field in wrong:
        refused(await api.post(f"/comment/item/{item_id}", body), 400, field)
    refused(await api.post(f"/comment/item/{item_id}", {"value": "x", "file_ids": [999]}), 404)
    refused(await api.post(f"/comment/item/{item_id}?hook=perhaps", {"value": "x"}), 400, "hook")
    refused(await api.post(f"/comment/app/{api.people.app_id}", {"value": "x"}), 400)
    refused(await api.post("/comment/item/999", {"value": "x"}), 404)
    refused(await api.get("/comment/999"), 404)
    assert await api.written() == before


async def test_those_who_may_not_are_told_so(api: Api) -> None:
    item_id = await make_item(api)
    comment_id = (await api.post(f"/comment/item/{item_id}", {"value": "Fine"})).json()["comment_id"]
    refused(await api.post(f"/comment/item/{item_id}", {"value": "x"}, access="bob"), 404)
    refused(await api.get(f"/comment/{comment_id}", access="bob"), 404)
    refused(await api.get(f"/comment/{comment_id}", access=None), 401)
    await bob_in(api, "light")
    assert (await api.get(f"/comment/{comment_id}", access="bob")).json()["rights"] == ["view"]
    refused(await api.put(f"/comment/{comment_id}", {"value": "x"}, access="bob"), 403)
    refused(await api.delete(f"/comment/{comment_id}", access="bob"), 403)
    assert (await api.post(f"/comment/item/{item_id}", {"value": "x"}, access="bob")).status_code == 200
    refused(await api.put(f"/comment/{comment_id}", {"value": "x"}, access="app"), 403)
    assert (await api.delete(f"/comment/{comment_id}", access="app")).status_code == 204
