"""Users, organizations, spaces and members over HTTP, in Podio's shapes (contract section 6.4)."""

from __future__ import annotations

from typing import Any

from tests.support.answers import bob_in, refused
from tests.support.house import Api
from tests.support.told import told_of

PATHS = ("/user", "/user/status", "/user/profile", "/org", "/space/{space}", "/space/{space}/member", "/org/{org}/space", "/app/v2")


# --- users -----------------------------------------------------------------------------------------------------------------


async def test_a_client_finds_its_user_at_the_start(api: Api) -> None:
    user = (await api.get("/user/")).json()
    assert (user["user_id"], user["mail"], user["status"], user["created_on"]) == (
        api.people.ada.id,
        "ada@example.org",
        "active",
        "2026-01-02 03:00:00",
    )
    profile = (await api.get("/user/profile/")).json()
    assert (profile["profile_id"], profile["user_id"], profile["name"], profile["mail"]) == (
        api.people.ada.id,
        api.people.ada.id,
        "Ada",
        ["ada@example.org"],
    )
    status = (await api.get("/user/status")).json()
    assert (status["user"], status["profile"]) == (user, profile)


async def test_an_app_s_token_has_no_profile_and_is_told_so(api: Api) -> None:
    for path in ("/user", "/user/status", "/user/profile"):
        answer = await api.get(path, access="app")
        refused(answer, 403)
        assert answer.json()["error_description"] == f"The app with id {api.people.app_id} is not a user and has no profile"


async def test_every_list_answers_with_a_final_slash_and_without(api: Api) -> None:
    for pattern in PATHS:
        path = pattern.format(space=api.people.space_id, org=api.people.org_id)
        bare, slashed = await api.get(path), await api.get(f"{path}/")
        assert bare.status_code == slashed.status_code == 200
        assert bare.json() == slashed.json()


async def test_nothing_answers_without_a_token(api: Api) -> None:
    for path in PATHS:
        refused(await api.get(path.format(space=api.people.space_id, org=api.people.org_id), access=None), 401)


# --- organizations ---------------------------------------------------------------------------------------------------------


async def test_the_organizations_are_listed_with_their_spaces(api: Api) -> None:
    [org] = (await api.get("/org")).json()
    [space] = org["spaces"]
    assert (org["org_id"], org["name"], org["role"], org["url"], org["created_on"]) == (
        api.people.org_id,
        "Analytical Engines",
        "admin",
        "http://tidings.test/analytical-engines",
        "2026-01-02 03:00:00",
    )
    assert (space["space_id"], space["org_id"], space["name"], space["url"], space["role"], space["privacy"]) == (
        api.people.space_id,
        api.people.org_id,
        "Workshop",
        "http://tidings.test/analytical-engines/workshop",
        "admin",
        "closed",
    )
    assert "add_hook" in space["rights"]
    assert (await api.get("/org", access="bob")).json() == []


async def test_an_organization_is_made_and_read(api: Api) -> None:
    made = (await api.post("/org/", {"name": "Bob & Søn", "logo": 5}, access="bob")).json()
    assert (made["name"], made["url"]) == ("Bob & Søn", "http://tidings.test/bob-s%C3%B8n")
    org = (await api.get(f"/org/{made['org_id']}", access="bob")).json()
    assert (org["url_label"], org["created_by"]["type"], org["created_by"]["name"]) == ("bob-søn", "user", "Bob")
    refused(await api.get(f"/org/{made['org_id']}"), 404)


async def test_an_organization_is_changed_and_found_by_its_address(api: Api) -> None:
    path = f"/org/{api.people.org_id}"
    assert (await api.put(path, {"name": "Engines", "logo": 5})).status_code == 204
    assert (await api.put(path, {"url_label": "Søn"})).status_code == 204
    org = (await api.get(path)).json()
    assert (org["name"], org["url"]) == ("Engines", "http://tidings.test/s%C3%B8n")
    without_author = {name: value for name, value in org.items() if name != "created_by"}
    for query in ({"url": org["url"]}, {"url": f"{org['url']}/workshop?x=1"}, {"org_slug": "søn"}):
        assert (await api.get("/org/url", params=query)).json() == without_author
    for url in (
        "http://tidings.test/",
        "http://tidings.test/engines",
        "http://elsewhere.test/s%C3%B8n",
        "s%C3%B8n",
        "http://tidings.test/%00",
    ):
        refused(await api.get("/org/url", params={"url": url}), 404)
    refused(await api.get("/org/url"), 400, "url")
    refused(await api.put(path, {"name": " "}), 400, "name")
    refused(await api.put(path, {"url_label": ""}), 400, "url_label")
    refused(await api.put(path, {"name": "Mine"}, access="bob"), 404)
    refused(await api.get("/org/url", params={"org_slug": "søn"}, access="bob"), 404)
    refused(await api.put(path, {"name": "Mine"}, access="app"), 403)


async def test_a_body_that_makes_no_organization_is_refused_by_name(api: Api) -> None:
    wrong: list[dict[str, Any]] = [{}, {"name": ""}, {"name": None}, {"name": "x" * 256}, {"name": {}}]
    for body in wrong:
        refused(await api.post("/org", body), 400, "name")


# --- spaces ----------------------------------------------------------------------------------------------------------------


async def test_one_s_own_spaces_are_listed_newest_first(api: Api) -> None:
    for name in ("Second", "Third"):
        await api.post("/space", {"org_id": api.people.org_id, "name": name})
    assert [space["name"] for space in (await api.get("/space/top/")).json()] == ["Third", "Second", "Workshop"]
    assert [space["name"] for space in (await api.get("/space/top/?limit=1")).json()] == ["Third"]
    assert (await api.get("/space/top", access="bob")).json() == []
    refused(await api.get("/space/top", access="app"), 403)


async def test_a_space_is_made_read_found_changed_and_deleted(api: Api) -> None:
    org_id = api.people.org_id
    made = (await api.post("/space", {"org_id": org_id, "name": "Größe", "privacy": "open", "auto_join": True})).json()
    assert made == {"space_id": made["space_id"], "url": "http://tidings.test/analytical-engines/gr%C3%B6%C3%9Fe"}
    path = f"/space/{made['space_id']}"
    space = (await api.get(path)).json()
    assert (space["privacy"], space["auto_join"], space["post_on_new_app"], space["created_by"]["name"]) == ("open", True, True, "Ada")
    assert (await api.put(path, {"name": "Size", "privacy": "closed"})).status_code == 204
    changed = (await api.get(path)).json()
    assert changed == {**space, "name": "Size", "privacy": "closed"}
    listed = (await api.get(f"/org/{org_id}/space")).json()
    assert [each["name"] for each in listed] == ["Workshop", "Size"]
    assert (await api.get(f"/space/org/{org_id}")).json() == listed
    assert (await api.delete(path)).status_code == 204
    refused(await api.get(path), 410)


async def test_a_space_is_found_by_an_address_that_leads_to_it_or_into_it(api: Api) -> None:
    for query in (
        {"url": "http://tidings.test/analytical-engines/workshop"},
        {"url": "http://tidings.test/analytical-engines/workshop/apps/parts?x=1"},
        {"org_slug": "analytical-engines", "space_slug": "workshop"},
    ):
        answer = await api.get("/space/url", params=query)
        assert answer.json()["space_id"] == api.people.space_id


async def test_an_address_that_leads_nowhere_is_not_found(api: Api) -> None:
    ours = "http://tidings.test/"
    for url in ("http://elsewhere.test/a/b", f"{ours}analytical-engines", f"{ours}a%00b/%FF", f"{ours}//", "workshop", "", "//", "%"):
        refused(await api.get("/space/url", params={"url": url}), 404)
    refused(await api.get("/space/url"), 400, "url")
    refused(await api.get("/space/url", params={"url": "http://tidings.test/analytical-engines/workshop"}, access="bob"), 404)


async def test_a_body_that_makes_no_space_is_refused_by_name_and_nothing_is_written(api: Api) -> None:
    before = await api.written()
    good = {"org_id": api.people.org_id, "name": "New"}
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"org_id": "one"}, "org_id"),
        ({"org_id": 0}, "org_id"),
        ({"org_id": 2**31}, "org_id"),
        ({"name": " "}, "name"),
        ({"privacy": "secret"}, "privacy"),
        ({"post_on_new_app": 1}, "post_on_new_app"),
    ]
    for part, field in wrong:
        refused(await api.post("/space", {**good, **part}), 400, field)
    refused(await api.post("/space", []), 400, "org_id")
    refused(await api.post("/space", {**good, "org_id": 999}), 404)
    assert await api.written() == before


# --- members ---------------------------------------------------------------------------------------------------------------


async def test_a_member_is_added_listed_changed_and_taken_out(api: Api) -> None:
    people, path = api.people, f"/space/{api.people.space_id}/member"
    await bob_in(api, "light")
    listed = (await api.get(path)).json()
    assert [(each["user"]["user_id"], each["profile"]["name"], each["role"]) for each in listed] == [
        (people.ada.id, "Ada", "admin"),
        (people.bob.id, "Bob", "light"),
    ]
    assert (await api.get(f"{path}/v2")).json() == listed
    assert (await api.get(f"{path}/{people.bob.id}")).json() == listed[1]
    assert (await api.put(f"{path}/{people.bob.id}", {"role": "admin"})).status_code == 204
    assert (await api.get(f"{path}/{people.bob.id}")).json()["role"] == "admin"
    assert (await api.delete(f"{path}/{people.bob.id}")).status_code == 204
    refused(await api.get(f"{path}/{people.bob.id}"), 404)


async def test_people_are_added_by_user_id_and_by_profile_id(api: Api) -> None:
    body = {"role": "regular", "users": [api.people.bob.id], "profiles": [api.people.bob.id], "mails": None}
    assert (await api.post(f"/space/{api.people.space_id}/member/", body)).status_code == 204
    assert [each["role"] for each in (await api.get(f"/space/{api.people.space_id}/member")).json()] == ["admin", "regular"]


async def test_who_does_not_exist_is_named(api: Api) -> None:
    path = f"/space/{api.people.space_id}/member"
    answer = await api.post(path, {"role": "light", "mails": ["nobody@example.org"]})
    refused(answer, 400)
    assert answer.json()["error_parameters"] == {"mails": ["nobody@example.org"]}
    answer = await api.post(path, {"role": "light", "users": [999]})
    refused(answer, 400)
    assert answer.json()["error_parameters"] == {"users": [999]}


async def test_ids_that_are_none_are_refused(api: Api) -> None:
    for ids in ("x", "1,", ",", "1,x", "-1", "0", "99999999999", "1,,2", "\N{ARABIC-INDIC DIGIT THREE}"):
        refused(await api.delete(f"/space/{api.people.space_id}/member/{ids}"), 400, "user_ids")


async def test_a_role_that_does_not_exist_is_refused(api: Api) -> None:
    refused(await api.post(f"/space/{api.people.space_id}/member", {"role": "king", "users": [1]}), 400, "role")
    refused(await api.put(f"/space/{api.people.space_id}/member/{api.people.ada.id}", {"role": None}), 400, "role")


async def test_the_last_admin_stays(api: Api) -> None:
    await bob_in(api, "regular")
    refused(await api.post(f"/space/{api.people.space_id}/leave"), 409)
    refused(await api.put(f"/space/{api.people.space_id}/member/{api.people.ada.id}", {"role": "light"}), 409)


async def test_an_open_space_is_joined_and_left(api: Api) -> None:
    await bob_in(api, "regular")
    made = (await api.post("/space", {"org_id": api.people.org_id, "name": "Hall", "privacy": "open"})).json()
    path = f"/space/{made['space_id']}"
    assert (await api.post(f"{path}/join", access="bob")).status_code == 204
    assert (await api.get(path, access="bob")).json()["role"] == "regular"
    assert (await api.post(f"{path}/leave", access="bob")).status_code == 204
    assert (await api.get(path, access="bob")).json()["role"] == "light"
    closed = (await api.post("/space", {"org_id": api.people.org_id, "name": "Vault"})).json()["space_id"]
    refused(await api.post(f"/space/{closed}/join", access="bob"), 403)


async def test_what_is_elsewhere_is_not_there(api: Api) -> None:
    people = api.people
    for method, path, body in (
        ("GET", f"/org/{people.org_id}", None),
        ("GET", f"/space/{people.space_id}", None),
        ("PUT", f"/space/{people.space_id}", {"name": "Mine"}),
        ("DELETE", f"/space/{people.space_id}", None),
        ("GET", f"/space/{people.space_id}/member", None),
        ("POST", f"/space/{people.space_id}/member", {"role": "admin", "users": [people.bob.id]}),
        ("POST", f"/space/{people.space_id}/join", None),
        ("POST", "/space", {"org_id": people.org_id, "name": "Mine"}),
    ):
        refused(await api.send(method, path, body, access="bob"), 404)


async def test_ids_that_no_object_can_have_are_not_found(api: Api) -> None:
    for number in ("0", "2147483648", "99999999999999999999"):
        for path in (f"/org/{number}", f"/space/{number}", f"/app/{number}", f"/space/{number}/member", f"/app/space/{number}"):
            refused(await api.get(path), 404)


async def test_members_who_come_and_go_are_told_of_unless_hooks_are_left_out(api: Api) -> None:
    space, bob = f"/space/{api.people.space_id}", api.people.bob.id
    for query in ("", "?hook=false"):
        assert (await api.post(f"{space}/member/{query}", {"role": "regular", "users": [bob]})).status_code == 204
        assert (await api.delete(f"{space}/member/{bob}{query}")).status_code == 204
        await api.post(f"{space}/member{query}", {"role": "light", "users": [bob]})
        assert (await api.post(f"{space}/leave{query}", access="bob")).status_code == 204
    parameters = {"space_id": str(api.people.space_id), "user_id": str(bob)}
    told = [each for each in await api.house.database.read(told_of, "member") if each[1] == parameters]
    assert told == [(type_, parameters, heard) for heard in (True, False) for type_ in ("member.add", "member.remove") * 2]


async def test_who_joins_an_open_space_is_told_of(api: Api) -> None:
    await bob_in(api, "light")
    space_id = (await api.post("/space", {"org_id": api.people.org_id, "name": "Hall", "privacy": "open"})).json()["space_id"]
    assert (await api.post(f"/space/{space_id}/join", access="bob")).status_code == 204
    told = await api.house.database.read(told_of, "member")
    assert told[-1] == ("member.add", {"space_id": str(space_id), "user_id": str(api.people.bob.id)}, True)
