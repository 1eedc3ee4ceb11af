"""Apps and their fields over HTTP, in Podio's shapes (contract section 6.3)."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from tests.support.answers import bob_in, refused
from tests.support.house import Api
from tidings.store.database import Tx
from tidings.store.schema import events


async def make_app(api: Api, name: str = "Orders", **more: Any) -> int:
    answer = await api.post("/app/", {"space_id": api.people.space_id, "config": {"name": name, "item_name": "Order"}, **more})
    assert answer.status_code == 200, answer.text
    app_id = answer.json()["app_id"]
    assert answer.json() == {"app_id": app_id}
    return int(app_id)


async def app_events(api: Api) -> list[tuple[str, int, bool]]:
    """Every app event: its type, its app, whether hooks hear of it."""

    def read(tx: Tx) -> list[tuple[str, int, bool]]:
        rows = tx.execute(select(events).where(events.c.object_type == "app").order_by(events.c.event_id))
        return [(row.type, row.object_id, row.heard) for row in rows]

    return await api.house.database.read(read)


# --- apps ------------------------------------------------------------------------------------------------------------------


async def test_an_app_copied_from_another_system_is_made_as_it_is_sent(api: Api) -> None:
    def field(field_type: str, label: str, delta: int, **settings: Any) -> dict[str, Any]:
        config = {"default_value": None, "description": None, "settings": settings, "required": False, "mapping": None, "label": label}
        return {"type": field_type, "config": {**config, "visible": True, "delta": delta, "hidden": False, "unique": False}}

    options = [
        {"status": "active", "text": "Sent", "id": 1, "color": "DCEBD8"},
        {"status": "active", "text": "Paid", "id": 2, "color": "DCEBD8"},
    ]
    body = {
        "space_id": api.people.space_id,
        "config": {
            "type": "standard", "name": "Invoices", "item_name": "Invoice", "description": None, "usage": None, "external_id": None,
            "icon": "223.png", "icon_id": 223, "default_view": "table", "allow_edit": True, "allow_create": True, "allow_tags": True,
            "allow_attachments": True, "allow_comments": False, "silent_creates": False, "silent_edits": False,
            "disable_notifications": False, "show_app_item_id": True, "app_item_id_prefix": "INV", "app_item_id_padding": 5,
            "fivestar": False, "fivestar_label": None, "approved": False, "thumbs": False, "thumbs_label": None,
            "rsvp": False, "rsvp_label": None, "yesno": False, "yesno_label": None, "tasks": [],
        },
        "fields": [
            field("text", "Number ", 0, format="plain", size="small"),
            field("category", "State", 1, multiple=False, options=options, display="inline"),
            field("date", "Due Date", 2, color="DCEBD8", calendar=True, end="disabled", time="disabled"),
            field("number", "Total", 3, decimals=None),
            field("app", "Order", 4, referenceable_types=[api.people.app_id]),
        ],
    }  # fmt: skip
    app_id = (await api.post("/app/", body)).json()["app_id"]
    app = (await api.get(f"/app/{app_id}")).json()
    assert [(each["external_id"], each["type"], each["config"]["delta"]) for each in app["fields"]] == [
        ("number", "text", 0),
        ("state", "category", 1),
        ("due-date", "date", 2),
        ("total", "number", 3),
        ("order", "app", 4),
    ]
    assert app["fields"][1]["config"]["settings"]["options"] == options
    assert (app["config"]["app_item_id_prefix"], app["config"]["app_item_id_padding"], app["icon_id"]) == ("INV", 5, 223)


async def test_an_app_reads_as_podio_writes_it(api: Api) -> None:
    people = api.people
    app = (await api.get(f"/app/{people.app_id}")).json()
    link = "http://tidings.test/analytical-engines/workshop/apps/parts"
    assert {
        name: app[name] for name in ("app_id", "space_id", "status", "url_label", "original", "mailbox", "current_revision", "token")
    } == {
        "app_id": people.app_id,
        "space_id": people.space_id,
        "status": "active",
        "url_label": "parts",
        "original": None,
        "mailbox": None,
        "current_revision": 0,
        "token": people.app_token,
    }
    assert (app["link"], app["link_add"], app["url_add"]) == (link, f"{link}/items/new", f"{link}/items/new")
    assert (app["config"]["name"], app["config"]["item_name"], app["config"]["allow_edit"]) == ("Parts", "Part", True)
    assert "stamp" not in app["config"]
    assert (app["owner"]["user_id"], app["owner"]["name"]) == (people.ada.id, "Ada")
    assert "add_hook" in app["rights"]
    [title] = app["fields"]
    assert (title["field_id"], title["external_id"], title["type"], title["label"], title["status"]) == (
        people.fields["title"],
        "title",
        "text",
        "Title",
        "active",
    )
    assert title["config"] == {
        "label": "Title",
        "description": None,
        "settings": {"size": "small", "format": "plain"},
        "required": False,
        "delta": 0,
        "mapping": None,
        "hidden_create_view_edit": False,
        "hidden": False,
        "visible": True,
        "default_value": None,
        "unique": False,
    }


async def test_only_admins_and_the_app_itself_see_its_token_and_may_add_hooks(api: Api) -> None:
    path = f"/app/{api.people.app_id}"
    assert (await api.get(path, access="app")).json()["token"] == api.people.app_token
    for role, rights in (("light", ["view"]), ("regular", ["view", "add_item"])):
        await bob_in(api, role)
        app = (await api.get(path, access="bob")).json()
        assert (app["rights"], "token" in app) == (rights, False)
        assert api.people.app_token not in (await api.get(f"/app/space/{api.people.space_id}", access="bob")).text
        await api.delete(f"/space/{api.people.space_id}/member/{api.people.bob.id}")


async def test_a_list_shows_no_token_even_to_admins(api: Api) -> None:
    for path in (f"/app/space/{api.people.space_id}", "/app/v2", f"/app/space/{api.people.space_id}/parts"):
        assert api.people.app_token not in (await api.get(path)).text


async def test_apps_are_listed_and_found_by_label(api: Api) -> None:
    app_id, space_id = await make_app(api, "東京 Orders"), api.people.space_id
    listed = (await api.get(f"/app/space/{space_id}/")).json()
    assert [app["app_id"] for app in listed] == [api.people.app_id, app_id]
    assert (await api.get("/app/v2/")).json() == listed
    assert (await api.get(f"/app/space/{space_id}/東京-orders")).json() == listed[1]
    refused(await api.get(f"/app/space/{space_id}/nothing"), 404)
    assert [app["app_id"] for app in (await api.get("/app/v2", access="app")).json()] == [api.people.app_id]


async def test_an_app_changes_by_its_parts(api: Api) -> None:
    path = f"/app/{api.people.app_id}"
    assert (await api.put(path, {"config": {"description": "Cogs"}})).json() == {"revision": 1}
    title = {"field_id": api.people.fields["title"], "config": {"label": "Name"}}
    body = {"config": None, "fields": [title, {"type": "money", "config": {"label": "Price"}}]}
    assert (await api.put(f"{path}/v2", body)).json() == {"revision": 2}
    assert (await api.put(path, {})).json() == {"revision": 2}
    app = (await api.get(path)).json()
    assert (app["config"]["name"], app["config"]["description"], app["current_revision"]) == ("Parts", "Cogs", 2)
    assert [(field["external_id"], field["label"]) for field in app["fields"]] == [("title", "Name"), ("price", "Price")]


async def test_an_app_sent_back_as_it_was_read_changes_nothing(api: Api) -> None:
    await make_app(api, fields=[{"type": "category", "config": {"label": "State", "settings": {"options": ["A", "B"]}}}])
    for app in (await api.get("/app/v2")).json():
        assert (await api.put(f"/app/{app['app_id']}", app)).json() == {"revision": 0}


async def test_every_change_of_an_app_is_told_once(api: Api) -> None:
    app_id = await make_app(api, fields=[{"type": "text", "config": {"label": "Title"}}])
    path = f"/app/{app_id}"
    await api.put(path, {"config": {"name": "Jobs"}})
    await api.post(f"{path}/field/", {"type": "text", "config": {"label": "New"}})
    await api.put(f"{path}/field/new", {"label": "Newer"})
    await api.delete(f"{path}/field/new", params={"delete_values": "true"})
    assert (await api.post(f"{path}/deactivate")).status_code == 204
    assert (await api.post(f"{path}/activate")).status_code == 204
    assert (await api.delete(path)).status_code == 204
    told = [(event, heard) for event, told_of, heard in await app_events(api) if told_of == app_id]
    assert told == [("app.create", True), *[("app.update", True)] * 6, ("app.delete", True)]


async def test_no_hook_hears_of_what_was_done_with_hook_false(api: Api) -> None:
    before = len(await app_events(api))
    for spelling in ("false", "0", "FALSE"):
        hook = {"hook": spelling, "silent": "1"}
        body = {"space_id": api.people.space_id, "config": {"name": "Quiet"}}
        app_id = (await api.post("/app", body, params=hook)).json()["app_id"]
        await api.put(f"/app/{app_id}", {"config": {"name": "Quieter"}}, params=hook)
        await api.post(f"/app/{app_id}/field", {"type": "text", "config": {"label": "New"}}, params=hook)
        await api.put(f"/app/{app_id}/field/new", {"label": "Newer"}, params=hook)
        await api.delete(f"/app/{app_id}/field/new", params=hook)
        await api.post(f"/app/{app_id}/deactivate", params=hook)
        await api.delete(f"/app/{app_id}", params=hook)
    told = (await app_events(api))[before:]
    assert len(told) == 3 * 7
    assert not any(heard for _, _, heard in told)


async def test_a_deleted_app_is_gone(api: Api) -> None:
    app_id = await make_app(api)
    assert (await api.delete(f"/app/{app_id}")).status_code == 204
    for answer in (await api.get(f"/app/{app_id}"), await api.delete(f"/app/{app_id}"), await api.put(f"/app/{app_id}", {})):
        refused(answer, 410)


async def test_an_app_switched_off_is_listed_when_asked_for(api: Api) -> None:
    path = f"/app/space/{api.people.space_id}"
    await api.post(f"/app/{api.people.app_id}/deactivate")
    assert (await api.get(path)).json() == []
    [app] = (await api.get(path, params={"include_inactive": "1"})).json()
    assert app["status"] == "inactive"


# --- fields ----------------------------------------------------------------------------------------------------------------


async def test_an_app_switched_off_takes_no_new_items(api: Api) -> None:
    path = f"/item/app/{api.people.app_id}"
    await api.post(f"/app/{api.people.app_id}/deactivate")
    for access in ("ada", "app"):
        answer = await api.post(path, {"fields": {"title": "A"}}, access=access)
        refused(answer, 409)
        assert answer.json()["error_description"] == f"The app with id {api.people.app_id} is inactive, and takes no new items"
    await api.post(f"/app/{api.people.app_id}/activate")
    assert (await api.post(path, {"fields": {"title": "A"}})).status_code == 200


async def test_an_app_is_installed_in_a_space_without_its_items(api: Api) -> None:
    await api.post(f"/item/app/{api.people.app_id}", {"fields": {"title": "A"}})
    space_id = (await api.post("/space", {"org_id": api.people.org_id, "name": "Other"})).json()["space_id"]
    path = f"/app/{api.people.app_id}/install"
    for body in ({"space_id": space_id}, {"space_id": api.people.space_id, "features": ["filters", "widgets"]}):
        answer = await api.post(path, body)
        assert answer.status_code == 200, answer.text
        made = (await api.get(f"/app/{answer.json()['app_id']}")).json()
        assert (made["space_id"], made["name"]) == (body["space_id"], "Parts")
        assert [(field["external_id"], field["type"]) for field in made["fields"]] == [("title", "text")]
        assert (await api.get(f"/item/app/{made['app_id']}/count")).json() == {"count": 0}
    wrong: list[tuple[dict[str, Any], int, str]] = [
        ({}, 400, "space_id"), ({"space_id": 0}, 400, "space_id"), ({"space_id": space_id, "features": ["items"]}, 400, "features"),
        ({"space_id": space_id, "features": ["forms"]}, 400, "features"),
    ]  # fmt: skip
    for body, status, field in wrong:
        refused(await api.post(path, body), status, field)
    refused(await api.post(path, {"space_id": 4711}), 404)
    refused(await api.post(path, {"space_id": space_id}, access="app"), 403)
    refused(await api.post(path, {"space_id": space_id}, access="bob"), 404)


async def test_a_field_is_made_read_changed_and_deleted(api: Api) -> None:
    path = f"/app/{api.people.app_id}/field"
    body = {"type": "category", "config": {"label": "State", "required": True, "settings": {"options": [{"text": "Open"}]}}}
    made = (await api.post(f"{path}/", body)).json()
    assert set(made) == {"field_id"}
    one = f"{path}/{made['field_id']}"
    field = (await api.get(one)).json()
    assert field == (await api.get(f"{path}/state")).json()
    assert (field["external_id"], field["config"]["required"]) == ("state", True)
    assert field["config"]["settings"]["options"] == [{"id": 1, "text": "Open", "status": "active", "color": "DCEBD8"}]
    assert (await api.put(one, {"label": "Status", "settings": {"options": ["Open", "Done"]}})).json() == {"revision": 2}
    changed = (await api.get(one)).json()
    assert (changed["label"], changed["external_id"], changed["config"]["required"]) == ("Status", "state", True)
    assert [option["id"] for option in changed["config"]["settings"]["options"]] == [1, 2]
    assert (await api.delete(one, params={"delete_values": "1"})).json() == {"revision": 3}
    refused(await api.get(one), 410)


async def test_a_field_changes_by_a_flat_body_or_by_its_config(api: Api) -> None:
    path = f"/app/{api.people.app_id}/field/title"
    assert (await api.put(path, {"label": "Flat", "type": "text"})).json() == {"revision": 1}
    field = (await api.get(path)).json()
    field["config"]["label"] = "Nested"
    assert (await api.put(path, field)).json() == {"revision": 2}
    assert (await api.get(path)).json()["label"] == "Nested"


async def test_a_field_keeps_its_type(api: Api) -> None:
    path = f"/app/{api.people.app_id}"
    refused(await api.put(f"{path}/field/title", {"type": "number"}), 400, "type")
    change = {"field_id": api.people.fields["title"], "type": "number"}
    refused(await api.put(path, {"fields": [change]}), 400, "fields[0].type")


async def test_calculations_are_refused_in_their_own_words(api: Api) -> None:
    answer = await api.post(f"/app/{api.people.app_id}/field", {"type": "calculation", "config": {"label": "Sum"}})
    refused(answer, 400, "type")
    assert "nothing is computed" in answer.json()["error_description"]


async def test_a_wrong_body_is_refused_by_name_and_nothing_is_written(api: Api) -> None:
    before = await api.written()
    space_id, path = api.people.space_id, f"/app/{api.people.app_id}"
    wrong: list[tuple[str, str, Any, str]] = [
        ("POST", "/app", {}, "space_id"),
        ("POST", "/app", [], "space_id"),
        ("POST", "/app", {"space_id": space_id}, "config"),
        ("POST", "/app", {"space_id": space_id, "config": {}}, "config.name"),
        ("POST", "/app", {"space_id": space_id, "config": "Orders"}, "config"),
        ("POST", "/app", {"space_id": space_id, "config": {"name": " "}}, "config.name"),
        ("POST", "/app", {"space_id": space_id, "config": {"name": "A"}, "fields": {}}, "fields"),
        ("POST", "/app", {"space_id": space_id, "config": {"name": "A"}, "fields": [{}]}, "fields[0].type"),
        ("POST", "/app", {"space_id": space_id, "config": {"name": "A"}, "fields": [{"type": "text"}]}, "fields[0].config"),
        ("PUT", path, {"config": {"allow_edit": 1}}, "config.allow_edit"),
        ("PUT", path, {"config": {"name": None}}, "config.name"),
        ("PUT", path, {"fields": [{"field_id": "x"}]}, "fields[0].field_id"),
        ("POST", f"{path}/field", {"type": "text", "config": {}}, "config.label"),
        ("POST", f"{path}/field", {"type": "text", "config": {"label": "x" * 256}}, "config.label"),
        ("POST", f"{path}/field", {"type": "text", "config": {"label": "a\0b"}}, "config.label"),
        ("POST", f"{path}/field", {"config": {"label": "New"}}, "type"),
        ("PUT", f"{path}/field/title", {"label": ""}, "label"),
        ("PUT", f"{path}/field/title", {"settings": {"size": []}}, "settings.size"),
    ]
    for method, where, body, field in wrong:
        refused(await api.send(method, where, body), 400, field)
    refused(await api.post(f"{path}/field", {"type": "question", "config": {"label": "New"}}), 400)
    refused(await api.post("/app", {"space_id": 999, "config": {"name": "A"}}), 404)
    refused(await api.get(f"{path}/field/nothing"), 404)
    assert await api.written() == before


async def test_an_app_s_token_changes_that_app_alone(api: Api) -> None:
    other = await make_app(api)
    for app_id, status in ((api.people.app_id, 200), (other, 403), (999, 404)):
        assert (await api.get(f"/app/{app_id}", access="app")).status_code == status
        assert (await api.put(f"/app/{app_id}", {"config": {"usage": "x"}}, access="app")).status_code == status
        field = {"type": "text", "config": {"label": "New"}}
        assert (await api.post(f"/app/{app_id}/field", field, access="app")).status_code == status
    refused(await api.post("/app", {"space_id": api.people.space_id, "config": {"name": "A"}}, access="app"), 403)
    refused(await api.get(f"/app/space/{api.people.space_id}", access="app"), 403)


async def test_what_is_elsewhere_is_not_there(api: Api) -> None:
    path = f"/app/{api.people.app_id}"
    for method, where, body in (
        ("GET", path, None),
        ("PUT", path, {"config": {"name": "Mine"}}),
        ("DELETE", path, None),
        ("POST", f"{path}/deactivate", None),
        ("GET", f"{path}/field/title", None),
        ("POST", f"{path}/field", {"type": "text", "config": {"label": "Mine"}}),
        ("DELETE", f"{path}/field/title", None),
        ("GET", f"/app/space/{api.people.space_id}", None),
        ("POST", "/app", {"space_id": api.people.space_id, "config": {"name": "Mine"}}),
    ):
        refused(await api.send(method, where, body, access="bob"), 404)
