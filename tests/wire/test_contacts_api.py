"""Contacts over HTTP, in the shapes that Podio's clients read."""

from __future__ import annotations

from typing import Any

from tests.support.answers import bob_in, refused
from tests.support.house import Api
from tests.support.told import told_of

READ_BY_CLIENTS = {
    *("profile_id", "user_id", "name", "avatar", "birthdate", "department", "vatin", "skype", "about", "address", "zip", "city"),
    *("country", "state", "im", "location", "mail", "phone", "title", "url", "skill", "linkedin", "twitter", "organization"),
    *("type", "space_id", "link", "rights", "last_seen_on", "is_employee", "role", "removable", "image", "external_id"),
}


async def make(api: Api, name: str, **more: Any) -> int:
    return int((await api.post(f"/contact/space/{api.people.space_id}/", {"name": name, **more})).json()["profile_id"])


async def test_a_contact_is_made_read_changed_and_deleted(api: Api) -> None:
    body = {"name": "Grace", "mail": ["g@example.org"], "phone": ["1", "2"], "city": "Arlington", "external_id": "E", "avatar": None}
    made = await api.post(f"/contact/space/{api.people.space_id}/", body)
    contact = made.json()
    assert (made.status_code, READ_BY_CLIENTS - set(contact)) == (200, set())
    path = f"/contact/{contact['profile_id']}"
    assert {name: contact[name] for name in body} == body
    assert (contact["type"], contact["user_id"], contact["space_id"], contact["role"], contact["address"]) == (
        "space",
        None,
        api.people.space_id,
        None,
        [],
    )
    for same in (path, f"{path}/", f"{path}/v2", f"{path}/v2/"):
        assert (await api.get(same)).json() == contact
    changed = (await api.put(path, {**contact, "name": "Grace Hopper", "city": None})).json()
    assert changed == {**contact, "name": "Grace Hopper", "city": None}
    assert (await api.delete(path)).status_code == 204
    refused(await api.get(path), 410)
    parameters = {"space_id": str(api.people.space_id), "profile_id": str(contact["profile_id"])}
    types = ("contact.create", "contact.update", "contact.delete")
    assert await api.house.database.read(told_of, "contact") == [(type_, parameters, True) for type_ in types]


async def test_several_contacts_are_read_and_deleted_at_once(api: Api) -> None:
    first, second = await make(api, "A"), await make(api, "B")
    assert [each["name"] for each in (await api.get(f"/contact/{second},{first}/v2")).json()] == ["A", "B"]
    assert [each["name"] for each in (await api.get(f"/contact/{second},{second}")).json()] == ["B"]
    assert (await api.delete(f"/contact/{first},{second}")).status_code == 204
    refused(await api.get(f"/contact/{first}"), 410)
    for ids in ("x", "1,", "1,x", "0", "99999999999", "-1"):
        refused(await api.get(f"/contact/{ids}"), 400, "profile_ids")


async def test_the_contacts_of_a_space_are_listed_by_pages_and_by_name(api: Api) -> None:
    await bob_in(api, "light")
    for name in ("Grace", "Ada L."):
        await make(api, name, external_id=name[0])

    async def names(query: str = "") -> list[str]:
        return [each["name"] for each in (await api.get(f"/contact/space/{api.people.space_id}{query}")).json()]

    assert await names() == await names("/") == ["Ada L.", "Bob", "Grace"]
    assert await names("?exclude_self=0") == ["Ada", "Ada L.", "Bob", "Grace"]
    assert await names("/?contact_type=space&limit=1&offset=1") == ["Grace"]
    assert await names("?contact_type=user,space&name=o") == ["Bob"]
    assert await names("?external_id=G&order=name&type=full") == ["Grace"]
    for query, field in (("contact_type=friend", "contact_type"), ("limit=0", "limit"), ("exclude_self=x", "exclude_self")):
        refused(await api.get(f"/contact/space/{api.people.space_id}?{query}"), 400, field)


async def test_a_person_s_profile_is_read_by_their_user_id(api: Api) -> None:
    ada = (await api.get("/user/profile")).json()
    for path in (f"/contact/{ada['profile_id']}", f"/contact/user/{ada['user_id']}"):
        profile = (await api.get(path)).json()
        assert {name: profile[name] for name in ("profile_id", "user_id", "type", "name", "mail", "link")} == {
            name: ada[name] for name in ("profile_id", "user_id", "type", "name", "mail", "link")
        }
    refused(await api.get(f"/contact/{ada['profile_id']}", access="bob"), 404)
    refused(await api.put(f"/contact/{ada['profile_id']}", {"name": "Eve"}), 403)


async def test_hooks_do_not_hear_of_contacts_changed_without_them(api: Api) -> None:
    made = (await api.post(f"/contact/space/{api.people.space_id}?hook=0", {"name": "A"})).json()
    await api.put(f"/contact/{made['profile_id']}?hook=false", {"name": "B"})
    await api.delete(f"/contact/{made['profile_id']}?hook=False")
    assert [heard for _, _, heard in await api.house.database.read(told_of, "contact")] == [False] * 3


async def test_bodies_that_make_no_contact_are_refused_by_name(api: Api) -> None:
    before, path = await api.written(), f"/contact/space/{api.people.space_id}"
    wrong: list[tuple[Any, str]] = [
        ({}, "name"),
        ([], "name"),
        (None, "name"),
        ({"name": ""}, "name"),
        ({"name": 5}, "name"),
        ({"name": "x", "mail": {}}, "mail"),
        ({"name": "x", "mail": [5]}, "mail[0]"),
        ({"name": "x", "birthdate": "soon"}, "birthdate"),
        ({"name": "x", "avatar": 5}, "avatar"),
    ]
    for body, field in wrong:
        refused(await api.post(path, body), 400, field)
    refused(await api.post("/contact/space/999", {"name": "x"}), 404)
    refused(await api.put("/contact/999", {"name": "x"}), 404)
    refused(await api.get("/contact/100000999"), 404)
    assert await api.written() == before


async def test_those_who_may_not_are_told_so(api: Api) -> None:
    number, space = await make(api, "Grace"), f"/contact/space/{api.people.space_id}"
    refused(await api.get(space, access="bob"), 404)
    refused(await api.get(f"/contact/{number}", access="bob"), 404)
    refused(await api.get(f"/contact/{number}", access="app"), 403)
    await bob_in(api, "light")
    refused(await api.post(space, {"name": "x"}, access="bob"), 403)
    refused(await api.put(f"/contact/{number}", {"name": "x"}, access="bob"), 403)
    refused(await api.delete(f"/contact/{number}", access="bob"), 403)
    assert (await api.get(f"/contact/{number}", access="bob")).json()["rights"] == ["view"]
