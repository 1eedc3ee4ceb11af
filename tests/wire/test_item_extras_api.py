"""What hangs on items, clones, reverts and neighbours over HTTP, in Podio's shapes (contract section 6.2)."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import select

from tests.support.answers import bob_in, refused
from tests.support.house import Api
from tidings.store.database import Tx
from tidings.store.schema import events


async def make(api: Api, **body: Any) -> dict[str, Any]:
    answer = await api.post(f"/item/app/{api.people.app_id}/", {"fields": {"title": "A"}, **body})
    assert answer.status_code == 200, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def upload(api: Api, name: str = "a.txt", **more: Any) -> int:
    answer = await api.post("/file", files={"source": ("x", b"bytes")}, data={"filename": name}, **more)
    assert answer.status_code == 200, answer.text
    return int(answer.json()["file_id"])


async def told(api: Api, item_id: int) -> list[tuple[str, str, bool]]:
    """The events of an item: the type, what it says last, whether hooks hear of it."""

    def read(tx: Tx) -> list[tuple[str, str, bool]]:
        of_item = (events.c.object_type == "item") & (events.c.object_id == item_id)
        rows = tx.execute(select(events).where(of_item).order_by(events.c.event_id))
        return [(row.type, list(json.loads(row.parameters).values())[-1], bool(row.heard)) for row in rows]

    return await api.house.database.read(read)


async def test_an_item_is_answered_with_its_tags_and_files_at_once(api: Api) -> None:
    file_id = await upload(api)
    made = await make(api, tags=["red", "blue"], file_ids=[file_id])
    assert (made["tags"], made["file_count"], [file["file_id"] for file in made["files"]]) == (["blue", "red"], 1, [file_id])
    assert made["files"][0]["context"] == {
        "type": "item", "id": made["item_id"], "title": "A", "link": f"http://tidings.test/item/{made['item_id']}", "data": {},
    }  # fmt: skip
    assert (await api.get(f"/item/{made['item_id']}")).json() == made
    assert [kind for kind, _, _ in await told(api, made["item_id"])] == ["item.create", "file.change", "tag.add", "tag.add"]


async def test_an_update_sets_the_tags_adds_the_files_and_makes_no_revision_for_them(api: Api) -> None:
    first, second = await upload(api), await upload(api, "b.txt")
    item_id = (await make(api, tags=["red"], file_ids=[first]))["item_id"]
    nothings: list[dict[str, Any]] = [{}, {"tags": None, "file_ids": None}, {"file_ids": []}, {"tags": ["red"], "file_ids": [first]}]
    for nothing in nothings:
        assert (await api.put(f"/item/{item_id}", nothing)).json() == {"revision": 0, "title": "A"}
    assert len(await told(api, item_id)) == 3
    answer = await api.put(f"/item/{item_id}?hook=false", {"tags": ["blue"], "file_ids": [first, second]})
    assert answer.json() == {"revision": 0, "title": "A"}
    item = (await api.get(f"/item/{item_id}")).json()
    assert (item["tags"], [file["file_id"] for file in item["files"]]) == (["blue"], [first, second])
    assert (await told(api, item_id))[3:] == [("file.change", str(second), False), ("tag.delete", "red", False), ("tag.add", "blue", False)]


async def test_what_cannot_come_along_is_refused_by_name(api: Api) -> None:
    item_id, foreign = (await make(api))["item_id"], await upload(api, access="bob")
    before = await api.written()
    wrong: list[tuple[dict[str, Any], int]] = [
        ({"tags": "red"}, 400), ({"tags": [1]}, 400), ({"tags": [""]}, 400), ({"tags": ["x" * 300]}, 400), ({"file_ids": 7}, 400),
        ({"file_ids": ["7"]}, 400), ({"file_ids": [0]}, 400), ({"file_ids": [4711]}, 404), ({"file_ids": [foreign]}, 404),
    ]  # fmt: skip
    for body, status in wrong:
        for answer in (await api.post(f"/item/app/{api.people.app_id}", body), await api.put(f"/item/{item_id}", body)):
            refused(answer, status)
            if status == 400:
                assert str(answer.json()["error_parameters"]["field"]).startswith(next(iter(body)))
    assert await api.written() == before


async def test_an_item_is_answered_with_what_was_said_and_is_to_be_done(api: Api) -> None:
    item_id = (await make(api, tags=["red"]))["item_id"]
    comment = (await api.post(f"/comment/item/{item_id}", {"value": "Hm"})).json()
    task = (await api.post(f"/task/item/{item_id}", {"text": "Do it"})).json()
    await api.post(f"/task/item/{item_id}", {"text": "Mine alone", "private": True})
    item = (await api.get(f"/item/{item_id}")).json()
    assert item["comments"] == [comment]
    assert item["tasks"][0] == task
    assert (item["comment_count"], item["task_count"], len(item["tasks"])) == (1, 2, 2)
    await bob_in(api, "light")
    seen = (await api.get(f"/item/{item_id}", access="bob")).json()
    assert [each["text"] for each in seen["tasks"]] == ["Do it"]
    [listed] = (await api.get(f"/item/app/{api.people.app_id}")).json()["items"]
    assert (listed["comment_count"], listed["task_count"], listed["tags"]) == (1, 2, ["red"])
    assert not {"comments", "tasks"} & set(listed)
    basic = (await api.get(f"/item/{item_id}/basic")).json()
    assert not {"comments", "tasks", "tags", "files"} & set(basic)
    assert (basic["comment_count"], basic["task_count"], basic["file_count"]) == (1, 2, 0)


async def test_a_clone_is_another_item_like_it(api: Api) -> None:
    item = await make(api, external_id="ERP-9", tags=["red"], file_ids=[await upload(api)])
    for path in ("clone", "clone/?silent=1"):
        answer = await api.post(f"/item/{item['item_id']}/{path}")
        clone = (await api.get(f"/item/{answer.json()['item_id']}")).json()
        assert answer.json() == {"item_id": clone["item_id"]}
        assert (clone["fields"], clone["tags"], clone["external_id"], clone["revision"]) == (item["fields"], ["red"], None, 0)
        [copy] = clone["files"]
        assert copy["file_id"] != item["files"][0]["file_id"]
        assert (await api.get(f"/file/{copy['file_id']}/raw")).content == b"bytes"
    unheard = (await api.post(f"/item/{item['item_id']}/clone?hook=false")).json()["item_id"]
    assert {heard for _, _, heard in await told(api, unheard)} == {False}
    refused(await api.post("/item/4711/clone"), 404)
    refused(await api.post(f"/item/{item['item_id']}/clone", access="bob"), 404)


async def test_an_item_goes_back_to_a_revision(api: Api) -> None:
    item_id = (await make(api))["item_id"]
    for title in ("B", "C"):
        await api.put(f"/item/{item_id}/value/title", title)
    path = f"/item/{item_id}/revision"
    assert (await api.post(f"{path}/0/revert_to", content=b"[]")).json() == {"revision": 3}
    assert (await api.get(f"/item/{item_id}")).json()["title"] == "A"
    assert (await api.post(f"{path}/1/revert_to/?hook=false")).json() == {"revision": 4}
    assert (await told(api, item_id))[-1] == ("item.update", "", False)
    assert (await api.delete(f"{path}/2")).json() == {"revision": 4}  # the title was B before it, and is
    assert (await api.delete(f"{path}/1")).json() == {"revision": 5}
    assert (await api.get(f"/item/{item_id}")).json()["title"] == "A"
    refused(await api.delete(f"{path}/0"), 400, "revision")
    for missing in ("77", str(2**31)):
        refused(await api.post(f"{path}/{missing}/revert_to"), 404)
        refused(await api.delete(f"{path}/{missing}"), 404)
    await api.delete(f"/item/{item_id}")
    refused(await api.post(f"{path}/0/revert_to"), 410)


async def test_a_revision_whose_values_no_longer_fit_is_refused_by_its_field(api: Api) -> None:
    body = {"type": "category", "config": {"label": "Status", "settings": {"options": ["Open", "Done"]}}}
    field_id = (await api.post(f"/app/{api.people.app_id}/field/", body)).json()["field_id"]
    item_id = (await make(api, fields={"title": "A", "status": "Open"}))["item_id"]
    await api.put(f"/item/{item_id}", {"fields": {"status": "Done"}})
    await api.put(f"/app/{api.people.app_id}/field/{field_id}", {"settings": {"options": [{"id": 2, "text": "Done"}]}})
    answer = await api.post(f"/item/{item_id}/revision/0/revert_to")
    refused(answer, 400)
    assert answer.json()["error_parameters"]["field"] == "status"
    assert answer.json()["error_description"].endswith("(field 'status')")


async def test_the_items_around_an_item_are_found(api: Api) -> None:
    first, second = (await make(api))["item_id"], (await make(api, tags=["red"]))["item_id"]
    following = (await api.get(f"/item/{first}/next?time=2026-01-02%2003:04:05")).json()
    assert following == (await api.get(f"/item/{second}")).json()
    assert (await api.get(f"/item/{second}/previous")).json()["item_id"] == first
    for path in (f"/item/{first}/previous", f"/item/{second}/next", "/item/4711/next"):
        refused(await api.get(path), 404)


async def test_what_refers_to_an_item_is_listed_by_app(api: Api) -> None:
    await api.post(f"/app/{api.people.app_id}/field/", {"type": "app", "config": {"label": "Parts"}})
    part = (await make(api))["item_id"]
    whole = await make(api, fields={"title": "Whole", "parts": [part]})
    for path in (f"/item/{part}/reference/", f"/item/{part}/reference"):
        [referring] = (await api.get(path)).json()
        assert referring["app"] == whole["app"]
        link = f"http://tidings.test/item/{whole['item_id']}"
        assert referring["items"] == [{"item_id": whole["item_id"], "app_item_id": 2, "title": "Whole", "link": link}]
    assert (await api.get(f"/item/{whole['item_id']}/reference/")).json() == []
    refused(await api.get("/item/4711/reference"), 404)
    refused(await api.get(f"/item/{part}/reference", access="bob"), 404)
