"""Items over HTTP, in Podio's shapes (contract section 6.2)."""

from __future__ import annotations

from typing import Any

import httpx
import msgspec
import pytest
from sqlalchemy import select

from tests.support.answers import ENVELOPE, bob_in
from tests.support.house import Api
from tidings.store.database import Tx
from tidings.store.schema import events
from tidings.workspace.fields import fields
from tidings.workspace.fields.fields import NewField

BYLINE = {
    "type": "user", "id": 1, "name": "Ada", "url": "http://tidings.test/user/1",
    "avatar": None, "avatar_type": None, "avatar_id": None, "image": None,
}  # fmt: skip
VIA = {"id": 1, "auth_client_id": 1, "name": "A client", "url": "http://client.test", "display": False}

# What SDKs read of an item (contract section 6.2), but for `revisions`, which has an operation of its own.
KEYS = {
    "item_id", "app_item_id", "app_item_id_formatted", "external_id", "title", "link", "rights", "app", "fields", "created_on",
    "created_by", "created_via", "initial_revision", "current_revision", "last_event_on", "tags", "files", "comments", "tasks", "refs",
    "references", "comment_count", "file_count", "task_count", "subscribed", "like_count", "is_liked", "ratings", "user_ratings",
    "participants", "invite", "reminder", "recurrence", "linked_account_id", "linked_account_data", "ref", "shares", "votes",
}  # fmt: skip


@pytest.fixture
async def field_ids(api: Api) -> dict[str, int]:
    """The app gets a few fields more; the ids of all of them."""

    def add(tx: Tx) -> dict[str, int]:
        for new in (
            NewField("category", {"label": "Status", "settings": {"options": ["Open", "Done"]}}),
            NewField("number", {"label": "Estimate"}),
            NewField("date", {"label": "Due"}),
        ):
            fields.create_field(tx, api.people.ada, api.people.app_id, new, now=api.clock())
        return {each.external_id: each.field_id for each in fields.load_fields(tx, api.people.app_id)}

    return await api.house.database.write(add)


def refused(answer: httpx.Response, status: int, error: str) -> dict[str, Any]:
    """Podio's envelope, asserted to be this one."""
    body: dict[str, Any] = answer.json()
    assert (answer.status_code, body["error"], set(body)) == (status, error, ENVELOPE), answer.text
    return body


async def make(api: Api, values: dict[str, Any] | None = None, **more: Any) -> int:
    answer = await api.post(f"/item/app/{api.people.app_id}/", {"fields": values or {"title": "A"}, **more})
    assert answer.status_code == 200, answer.text
    return int(answer.json()["item_id"])


async def item_events(api: Api) -> list[tuple[str, dict[str, str], bool]]:
    """Every item event: its type, its parameters, whether hooks hear of it."""

    def read(tx: Tx) -> list[tuple[str, dict[str, str], bool]]:
        rows = tx.execute(select(events).where(events.c.object_type == "item").order_by(events.c.event_id))
        return [(row.type, msgspec.json.decode(row.parameters), bool(row.heard)) for row in rows]

    return await api.house.database.read(read)


# --- one item ----------------------------------------------------------------------------------------------------------


async def test_a_creation_answers_the_whole_item(api: Api, field_ids: dict[str, int]) -> None:
    body = {"external_id": "ERP-9", "fields": {"title": "Fix it", "status": 2, "due": {"start": "2026-02-01"}}}
    answer = await api.post(f"/item/app/{api.people.app_id}/", body)
    assert answer.status_code == 200
    item = answer.json()
    assert set(item) >= KEYS
    assert (item["app_item_id"], item["external_id"], item["title"], item["revision"]) == (1, "ERP-9", "Fix it", 0)
    assert (item["created_on"], item["last_event_on"]) == ("2026-01-02 03:00:00", "2026-01-02 03:00:00")
    assert (item["created_by"], item["created_via"]) == (BYLINE, VIA)
    assert item["link"] == f"http://tidings.test/item/{item['item_id']}"
    assert item["rights"] == ["view", "update", "delete"]
    assert (
        item["app"].items() >= {"app_id": api.people.app_id, "space_id": api.people.space_id, "name": "Parts", "item_name": "Part"}.items()
    )
    assert [(each["field_id"], each["external_id"], each["type"], each["label"], each["status"]) for each in item["fields"]] == [
        (field_ids["title"], "title", "text", "Title", "active"),
        (field_ids["status"], "status", "category", "Status", "active"),
        (field_ids["due"], "due", "date", "Due", "active"),
    ]
    assert item["fields"][0]["values"] == [{"value": "Fix it"}]
    assert item["fields"][0]["config"]["settings"] == {"size": "small", "format": "plain"}
    assert item["fields"][1]["values"] == [{"value": {"id": 2, "text": "Done", "status": "active", "color": "DCEBD8"}}]
    assert item["fields"][2]["values"][0].items() >= {"start": "2026-02-01 00:00:00", "start_time": None, "end": None}.items()
    first = item["initial_revision"]
    assert first.items() >= {"revision": 0, "type": "creation", "created_by": BYLINE, "created_via": VIA, "app_revision": 3}.items()
    assert item["current_revision"] == first
    assert (item["tags"], item["comment_count"], item["is_liked"], item["ratings"]) == ([], 0, False, {})
    assert (await api.get(f"/item/{item['item_id']}")).json() == item


async def test_an_item_is_the_same_however_it_is_asked_for(api: Api) -> None:
    item_id = await make(api, external_id="a/b c")
    app_id = api.people.app_id
    whole = (await api.get(f"/item/{item_id}?mark_as_viewed=0")).json()
    for path in (f"/item/{item_id}/", f"/app/{app_id}/item/1", f"/item/app/{app_id}/external_id/a%2Fb%20c"):
        assert (await api.get(path)).json() == whole, path
    listed = {name: value for name, value in whole.items() if name not in ("comments", "tasks")}
    for query in ("external_id=a/b%20c", "external_id='a/b%20c'", "external_id=%22a/b%20c%22"):
        found = (await api.get(f"/item/app/{app_id}/v2/?{query}")).json()
        assert found == {"total": 1, "filtered": 1, "items": [listed]}
    basic = {name: value for name, value in listed.items() if name not in ("tags", "files")}
    assert (await api.get(f"/item/{item_id}/basic?mark_as_viewed=false")).json() == basic
    refused(await api.get(f"/item/app/{app_id}/external_id/none"), 404, "not_found")


async def test_an_external_id_with_quotes_is_meant_before_the_one_without(api: Api) -> None:
    quoted, bare = await make(api, external_id="'x'"), await make(api, external_id="x")
    path = f"/item/app/{api.people.app_id}/v2/?external_id="
    found = {name: [item["item_id"] for item in (await api.get(path + name)).json()["items"]] for name in ("'x'", "x", "'y'", "'x", "''")}
    assert found == {"'x'": [quoted], "x": [bare], "'y'": [], "'x": [], "''": []}
    await api.delete(f"/item/{quoted}")
    assert [item["item_id"] for item in (await api.get(path + "'x'")).json()["items"]] == [bare]


async def test_fields_may_come_as_a_list_and_as_nothing(api: Api, field_ids: dict[str, int]) -> None:
    dotnet = [{"external_id": "title", "field_id": None, "values": [{"value": "A"}]}, {"field_id": field_ids["estimate"], "values": [5]}]
    item_id = await make(api, dotnet)  # type: ignore[arg-type]
    shown = (await api.get(f"/item/{item_id}")).json()
    assert [each["values"] for each in shown["fields"]] == [[{"value": "A"}], [{"value": "5.0000"}]]
    nothings = (b"", b"{}", b"[]", b'{"fields": []}', b'{"fields": null, "tags": [], "file_ids": [], "reminder": null}')
    for number, nothing in enumerate(nothings, 2):
        answer = await api.post(f"/item/app/{api.people.app_id}", content=nothing)
        assert (answer.status_code, answer.json()["fields"], answer.json()["title"]) == (200, [], f"Part {number}")


async def test_an_update_answers_the_revision_and_the_title(api: Api, field_ids: dict[str, int]) -> None:
    item_id = await make(api, {"title": "A", "estimate": 5}, external_id="E")
    api.clock.turn(60)
    answer = await api.put(f"/item/{item_id}", {"revision": 0, "external_id": None, "fields": {str(field_ids["title"]): ["B"]}})
    assert (answer.status_code, answer.json()) == (200, {"revision": 1, "title": "B"})
    item = (await api.get(f"/item/{item_id}")).json()
    assert (item["title"], item["external_id"], item["last_event_on"]) == ("B", None, "2026-01-02 03:01:00")
    assert (item["initial_revision"]["revision"], item["current_revision"]["revision"]) == (0, 1)
    assert (await api.put(f"/item/{item_id}", {"fields": {"title": "B"}})).json() == {"revision": 1, "title": "B"}
    stale = await api.put(f"/item/{item_id}", {"revision": 0, "fields": {"title": "C"}})
    assert refused(stale, 409, "conflict")["error_parameters"] == {"revision": 1}
    assert await item_events(api) == [
        ("item.create", {"item_id": str(item_id), "item_revision_id": "0", "external_id": "E"}, True),
        ("item.update", {"item_id": str(item_id), "item_revision_id": "1", "external_id": ""}, True),
    ]


async def test_an_external_id_that_is_not_named_stays(api: Api) -> None:
    item_id = await make(api, external_id=17)
    await api.put(f"/item/{item_id}", {"fields": {"title": "B"}})
    assert (await api.get(f"/item/{item_id}")).json()["external_id"] == "17"


async def test_hook_false_makes_changes_that_no_hook_hears(api: Api) -> None:
    app_id = api.people.app_id
    item_id = (await api.post(f"/item/app/{app_id}/?hook=false&silent=true", {"fields": {"title": "A"}})).json()["item_id"]
    await api.put(f"/item/{item_id}?hook=0", {"fields": {"title": "B"}})
    await api.put(f"/item/{item_id}/value?hook=False", {"title": "C"})
    await api.put(f"/item/{item_id}/value/title?hook=FALSE", "D")
    await api.delete(f"/item/{item_id}?hook=false")
    assert [heard for _, _, heard in await item_events(api)] == [False] * 5
    await api.post(f"/item/app/{app_id}?hook=1&silent=0", {})
    assert (await item_events(api))[-1][2] is True
    refused(await api.post(f"/item/app/{app_id}?hook=perhaps", {}), 400, "invalid_value")


async def test_what_an_item_cannot_have_yet_is_refused_and_not_dropped(api: Api) -> None:
    item_id = await make(api)
    before = await api.written()
    refused_here = {
        "reminder": {"remind_delta": 5},
        "recurrence": {"name": "weekly"},
        "linked_account_id": 3,
        "ref": {"type": "item", "id": 1},
    }
    for name, value in refused_here.items():
        for answer in (await api.post(f"/item/app/{api.people.app_id}", {name: value}), await api.put(f"/item/{item_id}", {name: value})):
            assert refused(answer, 400, "invalid_value")["error_parameters"] == {"field": name}
    assert await api.written() == before


async def test_a_wrong_value_is_refused_in_podios_words(api: Api, field_ids: dict[str, int]) -> None:
    before = await api.written()
    answer = await api.post(f"/item/app/{api.people.app_id}/", {"fields": {"status": "Lost"}})
    error = refused(answer, 400, "invalid_value")
    assert error["error_description"] == "Invalid value 'Lost' (string): must be one of {'Open','Done'}, or the id of one (field 'status')"
    assert error["error_parameters"] == {"field": "status", "options": ["Open", "Done"]}
    unknown = await api.post(f"/item/app/{api.people.app_id}/", {"fields": {"colour": "red"}})
    assert refused(unknown, 400, "invalid_value")["error_parameters"] == {"field": "colour"}
    assert await api.written() == before


async def test_a_deleted_item_is_gone_and_its_revisions_are_not(api: Api) -> None:
    item_id = await make(api)
    answer = await api.delete(f"/item/{item_id}", content=b"")
    assert (answer.status_code, answer.content) == (204, b"")
    refused(await api.get(f"/item/{item_id}"), 410, "gone")
    refused(await api.put(f"/item/{item_id}/value", {"title": "B"}), 410, "gone")
    refused(await api.delete(f"/item/{item_id}"), 410, "gone")
    assert [each["type"] for each in (await api.get(f"/item/{item_id}/revision/")).json()] == ["creation", "delete"]


async def test_who_may_not_is_told_as_little_as_befits(api: Api) -> None:
    item_id = await make(api)
    refused(await api.get(f"/item/{item_id}", access="bob"), 404, "not_found")
    await bob_in(api, "light")
    assert (await api.get(f"/item/{item_id}", access="bob")).json()["rights"] == ["view"]
    refused(await api.put(f"/item/{item_id}", {"fields": {"title": "B"}}, access="bob"), 403, "forbidden")
    refused(await api.get(f"/item/{item_id}", access=None), 401, "unauthorized")
    refused(await api.get("/item/4711"), 404, "not_found")
    refused(await api.get(f"/item/{2**31}"), 404, "not_found")


async def test_an_apps_own_token_works_on_its_items(api: Api) -> None:
    answer = await api.post(f"/item/app/{api.people.app_id}", {"fields": {"title": "A"}}, access="app")
    item = answer.json()
    assert (item["created_by"]["type"], item["created_by"]["id"], item["created_by"]["name"]) == ("app", api.people.app_id, "Parts")
    assert (await api.put(f"/item/{item['item_id']}/value/title", "B", access="app")).json() == {"revision": 1, "title": "B"}
    assert (await api.delete(f"/item/{item['item_id']}", access="app")).status_code == 204


# --- its values --------------------------------------------------------------------------------------------------------


async def test_values_are_read_alone(api: Api, field_ids: dict[str, int]) -> None:
    item_id = await make(api, {"title": "A", "estimate": 5})
    whole = (await api.get(f"/item/{item_id}")).json()["fields"]
    for path in (f"/item/{item_id}/value", f"/item/{item_id}/value/", f"/item/{item_id}/value/v2"):
        assert (await api.get(path)).json() == whole
    for name in ("estimate", field_ids["estimate"]):
        assert (await api.get(f"/item/{item_id}/value/{name}")).json() == [{"value": "5.0000"}]
    assert (await api.get(f"/item/{item_id}/value/due")).json() == []
    refused(await api.get(f"/item/{item_id}/value/colour"), 404, "not_found")


async def test_values_are_changed_alone(api: Api, field_ids: dict[str, int]) -> None:
    item_id = await make(api, {"title": "A", "estimate": 5})
    assert (await api.put(f"/item/{item_id}/value", {"title": "B", "estimate": []})).json() == {"revision": 1, "title": "B"}
    listed = [{"field_id": field_ids["title"], "external_id": "title", "values": [{"value": "C"}]}]
    assert (await api.put(f"/item/{item_id}/value/", listed)).json() == {"revision": 2, "title": "C"}
    for revision, given in enumerate(([{"value": "D"}], ["E"], {"value": "F"}, "G"), 3):
        changed = await api.put(f"/item/{item_id}/value/{field_ids['title']}", given)
        assert changed.json()["revision"] == revision, given
    assert (await api.put(f"/item/{item_id}/value/title", [])).json() == {"revision": 7, "title": "Part 1"}
    for nothing in (b"", b"[]", b"{}", b"null"):
        assert (await api.put(f"/item/{item_id}/value", content=nothing)).json()["revision"] == 7
    refused(await api.put(f"/item/{item_id}/value", content=b'"text"'), 400, "invalid_value")
    refused(await api.put(f"/item/{item_id}/value/colour", "red"), 400, "invalid_value")


# --- many --------------------------------------------------------------------------------------------------------------


async def test_items_are_filtered_sorted_and_paged(api: Api, field_ids: dict[str, int]) -> None:
    app_id = api.people.app_id
    made = [await make(api, {"title": f"T{number}", "estimate": number, "status": 1 + number % 2}) for number in range(5)]
    body = {
        "filters": {"status": [1], str(field_ids["estimate"]): {"from": 1, "to": None}},
        "sort_by": "estimate",
        "sort_desc": False,
        "remember": False,
    }
    page = (await api.post(f"/item/app/{app_id}/filter/", body)).json()
    assert (page["total"], page["filtered"], [item["item_id"] for item in page["items"]]) == (5, 2, [made[2], made[4]])
    whole = (await api.get(f"/item/{made[2]}")).json()
    assert page["items"][0] == {name: value for name, value in whole.items() if name not in ("comments", "tasks")}
    for nothing in (b"", b"{}", b"[]", b'{"filters": [], "limit": null}'):
        page = (await api.post(f"/item/app/{app_id}/filter", content=nothing)).json()
        assert [item["item_id"] for item in page["items"]] == made[::-1]
    page = (await api.get(f"/item/app/{app_id}/?limit=2&offset=1&sort_by=title&sort_desc=0")).json()
    assert (page["filtered"], [item["title"] for item in page["items"]]) == (5, ["T1", "T2"])
    assert (await api.get(f"/item/app/{app_id}/count")).json() == {"count": 5}


async def test_a_filter_that_cannot_be_is_refused(api: Api) -> None:
    bodies: list[dict[str, Any]] = [
        {"limit": 0}, {"limit": 501}, {"offset": -1}, {"filters": "x"}, {"filters": {"x": 1}}, {"sort_by": []}, {"sort_by": "x"},
    ]  # fmt: skip
    for body in bodies:
        error = refused(await api.post(f"/item/app/{api.people.app_id}/filter", body), 400, "invalid_value")
        assert str(error["error_parameters"]["field"]).startswith(next(iter(body)))


async def test_there_are_no_views_to_filter_by(api: Api) -> None:
    answer = await api.post(f"/item/app/{api.people.app_id}/filter/7/", {})
    assert "No matching operation could be found" in refused(answer, 404, "not_found")["error_description"]


async def test_many_items_are_deleted_at_once(api: Api) -> None:
    made = [await make(api) for _ in range(3)]
    answer = await api.post(f"/item/app/{api.people.app_id}/delete?silent=true", {"item_ids": [made[2], made[0], 4711]})
    assert (answer.status_code, answer.json()) == (200, {"deleted": [made[0], made[2]], "pending": []})
    assert [kind for kind, _, _ in await item_events(api)][3:] == ["item.delete"] * 2
    wrong: list[dict[str, Any]] = [
        {}, {"filters": {}}, {"filters": []}, {"filters": {"colour": "red"}}, {"view_id": 3}, {"item_ids": [0]}, {"item_ids": ["x"]},
        {"item_ids": list(range(1, 1002))}, {"filters": {"title": "A"}, "limit": 0}, {"filters": {"title": "A"}, "limit": 1001},
    ]  # fmt: skip
    for body in wrong:
        refused(await api.post(f"/item/app/{api.people.app_id}/delete", body), 400, "invalid_value")
    nothing = await api.post(f"/item/app/{api.people.app_id}/delete", {"item_ids": [], "filters": {"title": "A"}, "view_id": 3})
    assert nothing.json() == {"deleted": [], "pending": []}
    assert (await api.get(f"/item/app/{api.people.app_id}/count")).json() == {"count": 1}


async def test_what_a_filter_finds_is_deleted_a_part_at_a_time(api: Api, field_ids: dict[str, int]) -> None:
    made = [await make(api, {"title": "A", "status": 1 + number % 2}) for number in range(6)]
    body = {"filters": {str(field_ids["status"]): [1]}, "limit": 2}
    path = f"/item/app/{api.people.app_id}/delete"
    assert (await api.post(path, body)).json() == {"deleted": [made[0], made[2]], "pending": [made[4]]}
    assert (await api.post(f"{path}?hook=false", body)).json() == {"deleted": [made[4]], "pending": []}
    assert (await api.post(path, body)).json() == {"deleted": [], "pending": []}
    deletions = [(params["item_id"], heard) for kind, params, heard in await item_events(api) if kind == "item.delete"]
    assert deletions == [(str(made[0]), True), (str(made[2]), True), (str(made[4]), False)]
    assert (await api.get(f"/item/app/{api.people.app_id}/count")).json() == {"count": 3}


# --- revisions ---------------------------------------------------------------------------------------------------------


async def test_revisions_are_read_and_compared(api: Api) -> None:
    item_id = await make(api)
    await api.put(f"/item/{item_id}/value", {"title": "B"})
    first, second = (await api.get(f"/item/{item_id}/revision/")).json()
    assert (first["revision"], first["type"], second["revision"], second["type"]) == (0, "creation", 1, "update")
    assert set(first) == {"revision", "item_revision_id", "app_revision", "type", "created_on", "created_by", "created_via"}
    assert (await api.get(f"/item/{item_id}/revision/0")).json() == first
    assert (await api.get(f"/item/{item_id}/revision/1/")).json() == second
    assert (await api.get(f"/item/{item_id}/revision/0/1")).json() == [
        {
            "field_id": api.people.fields["title"],
            "external_id": "title",
            "type": "text",
            "label": "Title",
            "from": [{"value": "A"}],
            "to": [{"value": "B"}],
        }
    ]
    assert (await api.get(f"/item/{item_id}/revision/1/1")).json() == []
    for missing in ("2", "0/2", str(2**31), "x"):
        refused(await api.get(f"/item/{item_id}/revision/{missing}"), 404, "not_found")
