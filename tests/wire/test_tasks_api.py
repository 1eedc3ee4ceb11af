"""Tasks over HTTP, in Podio's shapes (contract section 6.5) and as Podio's clients call them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.answers import bob_in, refused
from tests.support.house import Api
from tidings.clock import DAY
from tidings.store.database import Tx
from tidings.workspace.files.files import Stored, add_file
from tidings.workspace.tasks.tasks import TaskParts, create_tasks, update_task

BYLINE = {"type": "user", "id": 1, "name": "Ada", "url": "http://tidings.test/user/1"}


async def make_item(api: Api) -> int:
    made = await api.post(f"/item/app/{api.people.app_id}", {"fields": {"title": "Valve"}})
    return int(made.json()["item_id"])


async def make_task(api: Api, path: str = "/task/", access: str = "ada", **said: Any) -> dict[str, Any]:
    answer = await api.post(path, {"text": "Fix it", **said}, access=access)
    assert answer.status_code == 200, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def read(api: Api, task_id: int) -> dict[str, Any]:
    return dict((await api.get(f"/task/{task_id}")).json())


async def listed(api: Api, access: str = "ada", **query: Any) -> list[int]:
    answer = await api.get("/task/", params=query, access=access)
    assert answer.status_code == 200, answer.text
    return [task["task_id"] for task in answer.json()]


# --- making and reading ---


async def test_a_task_is_answered_whole_when_it_is_made_and_when_it_is_read(api: Api) -> None:
    item_id = await make_item(api)
    said: dict[str, Any] = {
        "description": "soon",
        "private": False,
        "due_date": "2026-01-05",
        "due_time": "10:00",
        "responsible": {"type": "user", "id": api.people.ada.id},
        "labels": ["urgent"],
        "reminder": {"remind_delta": 15},
        "external_id": "ERP-9",
        "ref_type": "item",
        "ref_id": item_id,
    }
    made = await make_task(api, **said)
    assert made == await read(api, made["task_id"])
    shown = ("text", "description", "private", "status", "due_on", "due_date", "due_time", "external_id", "space_id", "completed_on")
    assert [made[name] for name in shown] == [
        "Fix it", "soon", False, "active", "2026-01-05 10:00:00", "2026-01-05", "10:00:00", "ERP-9", api.people.space_id, None,
    ]  # fmt: skip
    assert made["link"] == f"http://tidings.test/task/{made['task_id']}"
    assert made["created_on"] == "2026-01-02 03:00:00"
    assert BYLINE.items() <= made["created_by"].items()
    assert made["created_via"]["name"] == "A client"
    assert (made["completed_by"], made["completed_via"], made["recurrence"], made["group"]) == (None, None, None, None)
    assert (made["responsible"]["user_id"], made["responsible"]["name"]) == (api.people.ada.id, "Ada")
    assert [label["text"] for label in made["labels"]] == ["urgent"]
    assert made["reminder"]["remind_delta"] == 15
    link = f"http://tidings.test/item/{item_id}"
    assert {"type": "item", "id": item_id, "title": "Valve", "link": link}.items() <= made["ref"].items()
    assert (made["ref_type"], made["ref_id"], made["ref_title"], made["ref_link"]) == ("item", item_id, "Valve", link)
    assert (made["files"], made["comments"]) == ([], [])


@pytest.mark.parametrize("slash", ["", "/"])
async def test_a_task_is_made_on_each_kind_of_object_that_has_tasks(api: Api, slash: str) -> None:
    places = {"item": await make_item(api), "app": api.people.app_id, "space": api.people.space_id}
    for ref_type, ref_id in places.items():
        made = await make_task(api, f"/task/{ref_type}/{ref_id}{slash}")
        assert (made["ref"]["type"], made["ref"]["id"], made["space_id"]) == (ref_type, ref_id, api.people.space_id)
        assert [task["task_id"] for task in (await api.get(f"/task/{ref_type}/{ref_id}{slash}")).json()] == [made["task_id"]]
        assert (await api.get(f"/task/{ref_type}/{ref_id}/count{slash}")).json() == {"count": 1}


async def test_what_has_no_tasks_is_refused_naming_what_has(api: Api) -> None:
    for answer in (
        await api.post("/task/conversation/1/", {"text": "Fix it"}),
        await api.get("/task/conversation/1/"),
        await api.post("/task/", {"text": "Fix it", "ref_type": "conversation", "ref_id": 1}),
    ):
        refused(answer, 400)
        assert answer.json()["error_parameters"] == {"ref_type": ["item", "status", "app", "space"]}


async def test_the_path_says_where_even_when_the_body_says_it_again(api: Api) -> None:
    made = await make_task(api, f"/task/space/{api.people.space_id}", ref_type="app", ref_id=api.people.app_id, task_id=None, link=None)
    assert made["ref"]["type"] == "space"


async def test_a_task_on_nothing_is_for_its_people_alone(api: Api) -> None:
    await bob_in(api, "admin")
    made = await make_task(api)
    assert (made["ref"], made["space_id"], made["responsible"]["name"]) == (None, None, "Ada")
    refused(await api.get(f"/task/{made['task_id']}", access="bob"), 404)
    refused(await api.get(f"/task/{made['task_id']}", access="app"), 404)
    assert await listed(api, "bob") == []


async def test_one_task_is_an_object_and_several_are_a_list(api: Api) -> None:
    await bob_in(api, "light")
    path, ada, bob = f"/task/space/{api.people.space_id}/", api.people.ada.id, api.people.bob.id
    one: list[Any] = [bob, str(bob), [bob], {"type": "mail", "value": "bob@example.org"}, [{"type": "profile", "id": bob}]]
    for responsible in one:
        assert (await make_task(api, path, responsible=responsible))["responsible"]["user_id"] == bob
    several = (await api.post(path, {"text": "Fix it", "responsible": [ada, {"type": "user", "id": bob}]})).json()
    assert [task["responsible"]["user_id"] for task in several] == [ada, bob]
    assert (await make_task(api, path, responsible=None))["responsible"] is None


async def test_who_cannot_see_the_object_cannot_be_responsible(api: Api) -> None:
    path = f"/task/space/{api.people.space_id}"
    for whom in (api.people.bob.id, 999, "bob@example.org", {"type": "space", "id": 1}):
        refused(await api.post(path, {"text": "Fix it", "responsible": whom}), 400, "responsible")


async def test_a_body_that_makes_no_task_is_refused_by_name_and_nothing_is_written(api: Api) -> None:
    before = await api.written()
    wrong: list[tuple[Any, str]] = [
        ({}, "text"),
        ([], "text"),
        ({"text": None}, "text"),
        ({"text": " "}, "text"),
        ({"text": 5}, "text"),
        ({"text": "a", "private": "yes"}, "private"),
        ({"text": "a", "due_date": "soon"}, "due_date"),
        ({"text": "a", "due_date": 20260102}, "due_date"),
        ({"text": "a", "due_time": "10:00"}, "due_time"),
        ({"text": "a", "responsible": True}, "responsible"),
        ({"text": "a", "ref_type": "item"}, "ref_id"),
        ({"text": "a", "ref_id": 1}, "ref_type"),
        ({"text": "a", "ref_id": 0}, "ref_id"),
        ({"text": "a", "labels": "b"}, "labels"),
        ({"text": "a", "labels": [5]}, "labels[0]"),
        ({"text": "a", "reminder": {"remind_delta": -1}}, "reminder.remind_delta"),
        ({"text": "a", "reminder": 15}, "reminder"),
        ({"text": "a", "external_id": "x" * 256}, "external_id"),
        ({"text": "a", "file_ids": ["x"]}, "file_ids[0]"),
        ({"text": "a", "label_ids": [1]}, "label_ids"),
        ({"text": "a", "recurrence": {"name": "weekly"}}, "recurrence"),
    ]
    for body, field in wrong:
        refused(await api.post("/task", body), 400, field)
    assert await api.written() == before


# --- changing ---


async def test_a_task_is_changed_and_answered_whole(api: Api) -> None:
    task_id = (await make_task(api))["task_id"]
    for slash in ("", "/"):
        answer = await api.put(f"/task/{task_id}{slash}", {"text": f"New{slash}", "due_on": "2026-02-03 04:05:06", "completed": True})
        assert answer.json() == await read(api, task_id)
        assert (answer.json()["text"], answer.json()["due_time"], answer.json()["status"]) == (f"New{slash}", "04:05:06", "completed")


async def test_a_task_sent_back_as_it_was_read_changes_nothing(api: Api) -> None:
    item_id = await make_item(api)
    made = await make_task(api, f"/task/item/{item_id}", due_date="2026-01-05", labels=["a"], reminder={"remind_delta": 5}, external_id="x")
    before = await api.written()
    answer = await api.put(f"/task/{made['task_id']}", made)
    assert (answer.status_code, answer.json()) == (200, made)
    assert await api.written() == before


async def test_a_task_is_completed_and_taken_up_again(api: Api) -> None:
    task_id, before = (await make_task(api))["task_id"], await api.written()
    api.clock.turn(60)
    bodies: tuple[Any, ...] = (None, {}, [])
    for body in bodies:  # as pypodio2, podio-java and podio-php send it
        answer = await api.post(f"/task/{task_id}/complete", body)
        assert (answer.status_code, answer.json()) == (200, {"recurring_task_id": None})
    done = await read(api, task_id)
    assert (done["status"], done["completed_on"]) == ("completed", "2026-01-02 03:01:00")
    assert BYLINE.items() <= done["completed_by"].items()
    assert done["completed_via"]["name"] == "A client"
    for _ in range(2):
        answer = await api.post(f"/task/{task_id}/incomplete")
        assert (answer.status_code, answer.content) == (204, b"")
    again = await read(api, task_id)
    assert (again["status"], again["completed_on"], again["completed_by"]) == ("active", None, None)
    assert (await api.written())["events"] == before["events"] + 2


async def test_the_labels_of_one_s_own_tasks_are_listed(api: Api) -> None:
    await make_task(api, labels=["red", "blue"])
    await make_task(api, f"/task/space/{api.people.space_id}", labels=["red"])
    labels = (await api.get("/task/label/")).json()
    assert labels == [{"label_id": 0, "text": text, "color": "E9E9E9"} for text in ("blue", "red")]
    assert (await api.get("/task/label", access="bob")).json() == []


async def test_a_task_is_given_to_another_and_to_nobody(api: Api) -> None:
    await bob_in(api, "light")
    task_id = (await make_task(api, f"/task/space/{api.people.space_id}"))["task_id"]
    assert (await api.post(f"/task/{task_id}/assign", {"responsible": api.people.bob.id})).status_code == 204
    assert (await read(api, task_id))["responsible"]["name"] == "Bob"
    assert (await api.post(f"/task/{task_id}/assign", {"responsible": None})).status_code == 204
    assert (await read(api, task_id))["responsible"] is None
    refused(await api.post(f"/task/{task_id}/assign", {}), 400, "responsible")
    refused(await api.post(f"/task/{task_id}/assign", {"responsible": 999}), 400, "responsible")
    refused(await api.post(f"/task/{task_id}/assign", {"responsible": [1, 2]}), 400, "responsible")


async def test_each_attribute_has_a_path_of_its_own(api: Api) -> None:
    item_id, task_id = await make_item(api), (await make_task(api))["task_id"]
    changes: list[tuple[str, Any, dict[str, Any]]] = [
        ("text", {"text": "New"}, {"text": "New"}),
        ("description", {"description": "More"}, {"description": "More"}),
        ("description", {"description": None}, {"description": None}),
        ("private", {"private": True}, {"private": True}),
        ("due_date", {"due_date": "2026-01-05"}, {"due_on": "2026-01-05 00:00:00", "due_time": None}),
        ("due_on", {"due_on": "2026-01-05 10:00:00"}, {"due_on": "2026-01-05 10:00:00", "due_time": "10:00:00"}),
        ("due", {"due_on": "2026-01-06T10:00:00Z", "due_date": "2026-01-06T00:00:00", "due_time": "10:00:00"}, {"due_date": "2026-01-06"}),
        ("due_date", {"due_date": None}, {"due_on": None, "due_date": None, "due_time": None}),
        ("ref", {"ref_type": "item", "ref_id": item_id}, {"ref_type": "item", "ref_title": "Valve"}),
    ]
    for part, body, expected in changes:
        answer = await api.put(f"/task/{task_id}/{part}", body)
        assert (answer.status_code, answer.content) == (204, b""), part
        assert expected.items() <= (await read(api, task_id)).items()
    assert (await api.put(f"/task/{task_id}/label/", ["a", "b"])).status_code == 204
    assert [label["text"] for label in (await read(api, task_id))["labels"]] == ["a", "b"]
    assert (await api.delete(f"/task/{task_id}/ref")).status_code == 204
    assert (await read(api, task_id))["ref"] is None


async def test_an_attribute_that_is_wrong_is_refused_by_name(api: Api) -> None:
    task_id = (await make_task(api))["task_id"]
    wrong: list[tuple[str, Any, str | None]] = [
        ("text", {}, "text"),
        ("text", {"text": ""}, "text"),
        ("description", {}, "description"),
        ("private", {"private": None}, "private"),
        ("due_date", {"due_date": "soon"}, "due_date"),
        ("ref", {"ref_type": "item"}, "ref_id"),
        ("label", [1], None),
        ("label", {}, None),
    ]
    for part, body, field in wrong:
        refused(await api.put(f"/task/{task_id}/{part}", body), 400, field)


async def test_a_deleted_task_is_gone(api: Api) -> None:
    task_id = (await make_task(api))["task_id"]
    answer = await api.delete(f"/task/{task_id}")
    assert (answer.status_code, answer.content) == (204, b"")
    for method, path in (("GET", ""), ("PUT", ""), ("DELETE", ""), ("POST", "/complete"), ("POST", "/incomplete"), ("DELETE", "/ref")):
        refused(await api.send(method, f"/task/{task_id}{path}"), 410)


@pytest.mark.parametrize(("query", "heard"), [("", True), ("?hook=false&silent=true", False), ("?hook=0", False), ("?silent=1", True)])
async def test_every_change_takes_hook_and_silent(api: Api, query: str, heard: bool) -> None:
    task_id = (await make_task(api, f"/task/{query}"))["task_id"]
    await make_task(api, f"/task/space/{api.people.space_id}{query}")
    await api.put(f"/task/{task_id}{query}", {"description": "New"})
    await api.put(f"/task/{task_id}/text{query}", {"text": "New"})
    await api.post(f"/task/{task_id}/complete{query}")
    await api.post(f"/task/{task_id}/incomplete{query}")
    await api.post(f"/task/{task_id}/assign{query}", {"responsible": None})
    await api.delete(f"/task/{task_id}{query}")
    rows = await api.house.database.read(lambda tx: tx.exec_driver_sql("SELECT type, heard FROM events ORDER BY event_id").all())
    assert [row.type for row in rows if row.type.startswith("task.")] == [
        *["task.create"] * 2, *["task.update"] * 5, "task.delete",
    ]  # fmt: skip
    assert {bool(row.heard) for row in rows if row.type.startswith("task.")} == {heard}


# --- who may ---


async def test_what_is_out_of_reach_is_not_there(api: Api) -> None:
    item_id = await make_item(api)
    task_id = (await make_task(api, f"/task/item/{item_id}"))["task_id"]
    for method, path, body in (
        ("POST", f"/task/item/{item_id}", {"text": "Mine"}),
        ("GET", f"/task/item/{item_id}", None),
        ("GET", f"/task/item/{item_id}/count", None),
        ("GET", f"/task/{task_id}", None),
        ("PUT", f"/task/{task_id}", {"text": "Mine"}),
        ("PUT", f"/task/{task_id}/text", {"text": "Mine"}),
        ("POST", f"/task/{task_id}/complete", None),
        ("POST", f"/task/{task_id}/assign", {"responsible": 2}),
        ("DELETE", f"/task/{task_id}", None),
    ):
        refused(await api.send(method, path, body, access="bob"), 404)
        refused(await api.send(method, path, body, access=None), 401)


async def test_a_light_member_makes_tasks_and_changes_their_own(api: Api) -> None:
    await bob_in(api, "light")
    theirs = await make_task(api, f"/task/space/{api.people.space_id}")
    mine = await make_task(api, f"/task/space/{api.people.space_id}", access="bob")
    refused(await api.put(f"/task/{theirs['task_id']}", {"text": "Mine"}, access="bob"), 403)
    refused(await api.delete(f"/task/{theirs['task_id']}", access="bob"), 403)
    assert (await api.put(f"/task/{mine['task_id']}", {"text": "Mine"}, access="bob")).status_code == 200
    assert (await api.delete(f"/task/{mine['task_id']}", access="bob")).status_code == 204


async def test_an_app_s_token_has_the_tasks_of_its_app(api: Api) -> None:
    item_id = await make_item(api)
    on_space, on_item = await make_task(api, f"/task/space/{api.people.space_id}"), await make_task(api, f"/task/item/{item_id}")
    mine = await make_task(api, f"/task/app/{api.people.app_id}", access="app")
    assert (mine["created_by"]["type"], mine["responsible"]) == ("app", None)
    assert await listed(api, "app") == [on_item["task_id"], mine["task_id"]]
    refused(await api.get(f"/task/{on_space['task_id']}", access="app"), 403)
    assert (await api.post(f"/task/{on_item['task_id']}/complete", access="app")).status_code == 200


async def test_ids_that_no_task_can_have_are_not_found(api: Api) -> None:
    for number in ("0", "2147483648", "99999999999999999999"):
        refused(await api.get(f"/task/{number}"), 404)
        refused(await api.get(f"/task/item/{number}"), 404)


# --- finding ---


async def test_tasks_are_found_by_podios_filters(api: Api) -> None:
    people, item_id = api.people, await make_item(api)
    one = (await make_task(api, f"/task/item/{item_id}", due_date="2026-01-05"))["task_id"]
    two = (await make_task(api, f"/task/space/{people.space_id}", external_id="x", responsible=None))["task_id"]
    tomorrow = api.clock() + DAY  # no token lives so long
    await api.house.database.write(update_task, people.ada, two, TaskParts(completed=True), now=tomorrow)
    three = (await api.house.database.write(create_tasks, people.ada, TaskParts(text="Fix it"), now=tomorrow))[0].task_id
    cases: list[tuple[dict[str, Any], list[int]]] = [
        ({}, [one, two, three]),
        ({"completed": "True"}, [two]),
        ({"completed": 0}, [one, three]),
        ({"responsible": people.ada.id, "completed": "false"}, [one, three]),
        ({"created_by": f"user:{people.ada.id};app:1"}, [one, two, three]),
        ({"created_by": "app:1"}, []),
        ({"completed_by": people.ada.id}, [two]),
        ({"created_via": people.ada.auth_client_id}, [one, two, three]),
        ({"created_via": 0}, []),
        ({"reassigned": 1}, []),
        ({"external_id": "x"}, [two]),
        ({"org": people.org_id}, [one, two]),
        ({"space": f"{people.space_id};999"}, [one, two]),
        ({"app": f"{people.app_id}, 999"}, [one]),
        ({"reference": f"space:{people.space_id};item:{item_id}"}, [one, two]),
        ({"created_on": "2026-01-02"}, [one, two]),
        ({"created_on": "2026-01-03-"}, [three]),
        ({"completed_on": "2026-01-03-2026-01-04"}, [two]),
        ({"completed_on": "-2026-01-02"}, []),
        ({"due_date": "2026-01-01-2026-01-05"}, [one]),
        ({"sort_by": "created_on", "sort_desc": "true", "limit": 2}, [three, two]),
        ({"sort_by": "due_date", "offset": 1}, [two, three]),
        ({"grouping": "due_date", "view": "full", "unheard_of": 1}, [one, two, three]),
    ]
    for query, expected in cases:
        assert await listed(api, **query) == expected, query
    on_item = await api.get(f"/task/item/{item_id}", params={"completed": 1})
    assert on_item.json() == []


async def test_a_filter_that_makes_no_sense_here_is_refused_by_name(api: Api) -> None:
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"completed": "maybe"}, "completed"),
        ({"responsible": "ada"}, "responsible"),
        ({"responsible": "1;"}, "responsible"),
        ({"space": "0"}, "space"),
        ({"space": "2147483648"}, "space"),
        ({"app": ";".join(["1"] * 501)}, "app"),
        ({"created_by": "hook:1"}, "created_by"),
        ({"completed_by": "user:"}, "completed_by"),
        ({"reference": "conversation:1"}, "reference"),
        ({"reference": "item"}, "reference"),
        ({"created_on": "yesterday"}, "created_on"),
        ({"created_on": "2026-02-30"}, "created_on"),
        ({"due_date": "2026-01-01 - 2026-01-05"}, "due_date"),
        ({"due_date": "2026-01-012026-01-05"}, "due_date"),
        ({"due_date": "-"}, "due_date"),
        ({"sort_by": "color"}, "sort_by"),
        ({"limit": 0}, "limit"),
        ({"limit": 501}, "limit"),
        ({"offset": -1}, "offset"),
        ({"label": "urgent"}, "label"),
        ({"files": "1"}, "files"),
    ]
    for query, field in wrong:
        refused(await api.get("/task/", params=query), 400, field)


# --- files and comments ---


async def test_a_task_is_read_with_what_was_said_of_it(api: Api) -> None:
    task_id = (await make_task(api))["task_id"]
    assert (await api.post(f"/comment/task/{task_id}/", {"value": "Done soon"})).status_code == 200
    assert [comment["value"] for comment in (await read(api, task_id))["comments"]] == ["Done soon"]


async def test_files_that_were_uploaded_are_attached(api: Api) -> None:
    def add(tx: Tx) -> int:
        return add_file(tx, api.people.ada, Stored("key", 3, "a.txt", "text/plain"), now=api.clock()).file_id

    file_id = await api.house.database.write(add)
    made = await make_task(api, file_ids=[file_id])
    assert [(file["file_id"], file["name"], file["size"]) for file in made["files"]] == [(file_id, "a.txt", 3)]
    refused(await api.post("/task/", {"text": "Fix it", "file_ids": [999]}), 404)
