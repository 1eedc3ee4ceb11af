"""Tags over HTTP, in Podio's shapes (contract section 6.5)."""

from __future__ import annotations

from typing import Any

from tests.support.answers import bob_in, refused
from tests.support.house import Api
from tests.support.told import told_of


async def make_item(api: Api) -> int:
    return int((await api.post(f"/item/app/{api.people.app_id}/", {"fields": {"title": "Wheel"}})).json()["item_id"])


async def tags_of(api: Api, query: str = "") -> Any:
    return (await api.get(f"/tag/app/{api.people.app_id}/{query}")).json()


async def test_tags_are_added_replaced_and_taken_off(api: Api) -> None:
    item_id = await make_item(api)
    added = await api.post(f"/tag/item/{item_id}/", ["gear", "Größe & co"])
    assert (added.status_code, added.content) == (204, b"")
    assert await tags_of(api) == [{"text": "Größe & co", "count": 1}, {"text": "gear", "count": 1}]
    assert (await api.put(f"/tag/item/{item_id}", ["gear", "axle", "a+b"])).status_code == 204
    assert (await api.delete(f"/tag/item/{item_id}", params={"text": "a+b"})).status_code == 204
    assert (await api.delete(f"/tag/item/{item_id}/?text=gear")).status_code == 204
    assert await tags_of(api) == [{"text": "axle", "count": 1}]
    assert (await api.put(f"/tag/item/{item_id}", [])).status_code == 204
    told = [(type_, parameters) for type_, parameters, _ in await api.house.database.read(told_of, "tag")]
    assert [type_ for type_, _ in told] == ["tag.add"] * 2 + ["tag.delete"] + ["tag.add"] * 2 + ["tag.delete"] * 3
    assert told[0][1] == {"item_id": str(item_id), "tag": "Größe & co"}


async def test_the_tags_of_an_app_are_limited_to_those_used_most_and_filtered(api: Api) -> None:
    for texts in (["gear", "wheel"], ["gear", "axle"]):
        await api.post(f"/tag/item/{await make_item(api)}", texts)
    assert await tags_of(api, "?limit=1") == [{"text": "gear", "count": 2}]
    assert await tags_of(api, "?text=EE") == [{"text": "wheel", "count": 1}]
    assert await tags_of(api, "?limit=&text=") == [{"text": text, "count": n} for text, n in (("axle", 1), ("gear", 2), ("wheel", 1))]
    refused(await api.get(f"/tag/app/{api.people.app_id}?limit=0"), 400, "limit")


async def test_hooks_do_not_hear_of_tags_put_on_without_them(api: Api) -> None:
    item_id = await make_item(api)
    await api.post(f"/tag/item/{item_id}?hook=false", ["a"])
    await api.put(f"/tag/item/{item_id}?hook=0", ["b"])
    await api.delete(f"/tag/item/{item_id}?text=b&hook=False")
    assert [heard for _, _, heard in await api.house.database.read(told_of, "tag")] == [False] * 4


async def test_bodies_that_are_no_tags_are_refused(api: Api) -> None:
    item_id = await make_item(api)
    before = await api.written()
    bodies: list[Any] = [{}, None, "a", 5, {"tags": ["a"]}]
    for body in bodies:
        refused(await api.post(f"/tag/item/{item_id}", body), 400)
    refused(await api.post(f"/tag/item/{item_id}", [5]), 400, "[0]")
    refused(await api.post(f"/tag/item/{item_id}", [" "]), 400, "tags")
    refused(await api.put(f"/tag/item/{item_id}", ["x" * 256]), 400, "tags")
    for query in ("", "?text="):
        refused(await api.delete(f"/tag/item/{item_id}{query}"), 400, "text")
    refused(await api.post(f"/tag/status/{item_id}", ["a"]), 400)
    refused(await api.post("/tag/item/999", ["a"]), 404)
    refused(await api.get("/tag/app/999"), 404)
    assert await api.written() == before


async def test_those_who_may_not_are_told_so(api: Api) -> None:
    item_id = await make_item(api)
    refused(await api.post(f"/tag/item/{item_id}", ["a"], access="bob"), 404)
    refused(await api.get(f"/tag/app/{api.people.app_id}", access="bob"), 404)
    await bob_in(api, "light")
    refused(await api.post(f"/tag/item/{item_id}", ["a"], access="bob"), 403)
    assert (await api.get(f"/tag/app/{api.people.app_id}", access="bob")).json() == []
    assert (await api.post(f"/tag/item/{item_id}", ["a"], access="app")).status_code == 204
