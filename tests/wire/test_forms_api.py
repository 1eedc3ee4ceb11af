"""Web forms of an app over HTTP, in Podio's shapes (contract section 6.5)."""

from __future__ import annotations

from typing import Any

from tests.support.answers import bob_in, refused
from tests.support.house import Api

# As podio-dotnet sends it.
WHOLE: dict[str, Any] = {
    "settings": {
        "captcha": True,
        "text": {"heading": "Parts", "description": "Which part?", "submit": "Send", "success": "Thanks"},
        "color": "red",
        "theme": "clean",
        "css": "a {}",
    },
    "domains": ["example.org"],
    "fields": [{"field_id": 1, "settings": {"contact_field_types": ["name"]}}],
    "attachments": True,
}


def whole(api: Api) -> dict[str, Any]:
    return {**WHOLE, "fields": [{**WHOLE["fields"][0], "field_id": api.people.fields["title"]}]}


async def make(api: Api, body: Any = None) -> int:
    answer = await api.post(f"/form/app/{api.people.app_id}/", whole(api) if body is None else body)
    assert answer.status_code == 200, answer.text
    assert set(answer.json()) == {"form_id"}
    return int(answer.json()["form_id"])


async def test_a_form_is_made_and_read(api: Api) -> None:
    form_id = await make(api)
    form = (await api.get(f"/form/{form_id}")).json()
    said = whole(api)
    assert form["settings"] == {**said["settings"], "font": None, "colors": {}}
    assert {name: form[name] for name in ("domains", "fields", "attachments")} == {name: said[name] for name in said if name != "settings"}
    assert (form["form_id"], form["app_id"], form["space_id"], form["status"]) == (
        form_id,
        api.people.app_id,
        api.people.space_id,
        "active",
    )
    assert (form["field_ids"], form["embed_code"]) == ([api.people.fields["title"]], None)
    assert (form["link"], form["created_on"]) == (f"http://tidings.test/form/{form_id}", "2026-01-02 03:00:00")
    assert (form["created_by"]["type"], form["created_by"]["name"]) == ("user", "Ada")
    for slash in ("", "/"):
        assert (await api.get(f"/form/app/{api.people.app_id}{slash}")).json() == [form]
        assert (await api.get(f"/form/{form_id}{slash}", access="app")).json() == form


async def test_a_form_of_nothing_has_every_key(api: Api) -> None:
    bodies: tuple[Any, ...] = ({}, [])
    for body in bodies:
        form = (await api.get(f"/form/{await make(api, body)}")).json()
        assert form["settings"]["text"] == {"submit": None, "success": None, "heading": None, "description": None}
        assert (form["domains"], form["fields"], form["field_ids"], form["attachments"]) == ([], [], [], False)


async def test_a_form_is_changed_and_a_form_sent_back_as_it_was_read_is_not(api: Api) -> None:
    form_id = await make(api)
    before = (await api.get(f"/form/{form_id}")).json()
    answer = await api.put(f"/form/{form_id}", before)
    assert (answer.status_code, answer.content) == (204, b"")
    written = await api.written()
    assert (await api.put(f"/form/{form_id}/", {"domains": [], "settings": {"theme": "dark"}})).status_code == 204
    after = (await api.get(f"/form/{form_id}")).json()
    assert after == {**before, "domains": [], "settings": {**before["settings"], "theme": "dark"}}
    assert (await api.written())["events"] == written["events"] + 1


async def test_a_form_is_switched_off_and_on(api: Api) -> None:
    form_id = await make(api)
    for action, status in (("deactivate", "disabled"), ("deactivate", "disabled"), ("activate", "active")):
        answer = await api.post(f"/form/{form_id}/{action}", [])  # as podio-php sends it
        assert (answer.status_code, answer.content) == (204, b"")
        assert (await api.get(f"/form/{form_id}")).json()["status"] == status
    assert [row.type for row in await form_events(api)] == ["form.create", "form.update", "form.update"]


async def test_a_deleted_form_is_gone(api: Api) -> None:
    form_id = await make(api)
    answer = await api.delete(f"/form/{form_id}")
    assert (answer.status_code, answer.content) == (204, b"")
    for method, path in (("GET", ""), ("PUT", ""), ("DELETE", ""), ("POST", "/activate"), ("POST", "/deactivate")):
        refused(await api.send(method, f"/form/{form_id}{path}"), 410)
    assert (await api.get(f"/form/app/{api.people.app_id}")).json() == []


async def test_the_forms_of_a_deleted_app_are_gone_with_it(api: Api) -> None:
    form_id = await make(api)
    await api.delete(f"/app/{api.people.app_id}")
    refused(await api.get(f"/form/{form_id}"), 410)
    refused(await api.get(f"/form/app/{api.people.app_id}"), 410)


async def test_a_part_that_is_wrong_is_refused_by_name_and_nothing_is_written(api: Api) -> None:
    form_id = await make(api)
    before = await api.written()
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"fields": [{"field_id": 999}]}, "fields[0]"),
        ({"fields": [{"external_id": "nothing"}]}, "fields[0]"),
        ({"fields": ["title", {}]}, "fields[1]"),
        ({"field_ids": [999]}, "fields[0]"),
        ({"fields": {"title": {}}}, "fields"),
        ({"settings": []}, "settings"),
        ({"settings": {"captcha": 5}}, "settings.captcha"),
        ({"domains": "example.org"}, "domains"),
        ({"domains": [""]}, "domains[0]"),
        ({"attachments": "yes"}, "attachments"),
    ]
    for body, field in wrong:
        refused(await api.post(f"/form/app/{api.people.app_id}", body), 400, field)
        refused(await api.put(f"/form/{form_id}", body), 400, field)
    assert await api.written() == before


async def test_every_change_takes_hook(api: Api) -> None:
    answer = await api.post(f"/form/app/{api.people.app_id}?hook=false", {})
    path = f"/form/{answer.json()['form_id']}"
    await api.put(f"{path}?hook=0", {"attachments": True})
    await api.post(f"{path}/deactivate?hook=False")
    await api.delete(f"{path}?hook=false")
    rows = await form_events(api)
    assert [row.type for row in rows] == ["form.create", "form.update", "form.update", "form.delete"]
    assert not any(row.heard for row in rows)


async def test_the_admins_of_the_app_and_nobody_else_have_its_forms(api: Api) -> None:
    form_id = await make(api)
    calls: list[tuple[str, str, Any]] = [
        ("POST", f"/form/app/{api.people.app_id}", {}),
        ("GET", f"/form/app/{api.people.app_id}", None),
        ("GET", f"/form/{form_id}", None),
        ("PUT", f"/form/{form_id}", {}),
        ("POST", f"/form/{form_id}/activate", None),
        ("DELETE", f"/form/{form_id}", None),
    ]
    for method, path, body in calls:
        refused(await api.send(method, path, body, access="bob"), 404)
        refused(await api.send(method, path, body, access=None), 401)
    await bob_in(api, "regular")
    for method, path, body in calls:
        refused(await api.send(method, path, body, access="bob"), 403)


async def form_events(api: Api) -> list[Any]:
    statement = "SELECT type, heard FROM events WHERE object_type = 'form' ORDER BY event_id"
    return await api.house.database.read(lambda tx: list(tx.exec_driver_sql(statement).all()))
