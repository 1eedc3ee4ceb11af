"""The console's pages of organizations, spaces and apps, as a browser without scripts has them."""

from __future__ import annotations

import re

import httpx

from tests.support.browsing import UNTICKED, Browser
from tests.support.house import PASSWORD, Api
from tidings.console.pages import console_rows
from tidings.store.database import Tx
from tidings.workspace.accounts.users import create_user
from tidings.workspace.apps import list_apps
from tidings.workspace.members import add_members
from tidings.workspace.orgs import list_orgs
from tidings.workspace.spaces import create_space

# --- coming in ---------------------------------------------------------------------------------------------------------


async def test_who_is_not_signed_in_is_asked_to_and_comes_back_to_where_they_were_going(api: Api) -> None:
    answer = await api.http.get("/console/apps/1?page=2&q=a%20b")
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in?next=/console/apps/1%3Fpage%3D2%26q%3Da%2520b")
    browser = Browser(api.http)
    page = await browser.open("/console/apps/1?page=2")
    back = await browser.send(page, "/sign-in", username="ada@example.org", password=PASSWORD)
    assert back.url == "/console/apps/1?page=2"


async def test_every_page_but_sign_in_and_consent_is_for_those_who_are_signed_in(api: Api) -> None:
    for method, path in console_rows():
        if path.startswith(("/sign-", "/oauth/")):
            continue
        answer = await api.http.request(method, re.sub(r"\{[^}]*\}", "1", path))
        assert (answer.status_code, answer.text) == (303, ""), path
        assert answer.headers["location"].startswith("/sign-in?next=/"), path


async def test_the_root_leads_to_the_console(ada: Browser) -> None:
    assert (await ada.open("/")).url == "/console"


async def test_a_page_runs_our_scripts_alone_and_has_nothing_inline(ada: Browser, api: Api) -> None:
    app = f"/console/apps/{api.people.app_id}"
    for path in ("/console", f"/console/spaces/{api.people.space_id}", app, f"{app}/fields"):
        page = await ada.open(path)
        policy = page.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'")
        assert "script-src 'self'" in policy
        assert "unsafe" not in policy
        assert page.headers["cache-control"] == "no-store"
        assert not re.search(r"<script(?![^>]* src=\"/console/)|<style|\sstyle=|\son[a-z]+=", page.text)


async def test_our_files_may_be_kept_under_the_name_of_their_content(api: Api, ada: Browser) -> None:
    page = await ada.open("/console")
    for name, media_type in (("console.css", "text/css"), ("console.js", "text/javascript"), ("mark.svg", "image/svg+xml")):
        match = re.search(rf'"(/console/{name}\?v=[0-9a-f]+)"', page.text)
        assert match
        answer = await api.http.get(match[1])
        assert answer.headers["content-type"].split(";")[0] == media_type
        assert "immutable" in answer.headers["cache-control"]
        assert "immutable" not in (await api.http.get(f"/console/{name}?v=other")).headers["cache-control"]


async def test_our_files_are_compressed_for_those_who_can_read_that_and_pages_are_not(api: Api, ada: Browser) -> None:
    plain = await api.http.get("/console/console.css", headers={"accept-encoding": "gzip;q=0, identity"})
    zipped = await api.http.get("/console/console.css", headers={"accept-encoding": "br, gzip"})
    assert "content-encoding" not in plain.headers
    assert (zipped.headers["content-encoding"], zipped.headers["vary"]) == ("gzip", "accept-encoding")
    assert zipped.content == plain.content
    assert int(zipped.headers["content-length"]) < len(plain.content) / 2
    assert "content-encoding" not in (await ada.open("/console")).headers


# --- organizations and spaces ------------------------------------------------------------------------------------------


async def test_from_nothing_to_an_app_with_its_first_field(api: Api, bob: Browser) -> None:
    page = await bob.open("/console")
    assert "You are in no organization yet" in page.words
    page = await bob.send(page, "/console/orgs", name="Bob & Sons")
    assert (page.url, "The organization is there." in page.words) == ("/console?done=org-made", True)
    [org] = await api.house.database.read(list_orgs, api.people.bob)
    page = await bob.send(page, f"/console/orgs/{org.org_id}/spaces", name="Yard")
    assert page.words.startswith("Yard · Tidings")
    space = page.url.partition("?")[0]
    page = await bob.send(page, f"{space}/apps", name="Carts", item_name="Cart")
    assert "The app is there." in page.words
    fields = await bob.open(f"{page.url.partition('?')[0]}/fields")
    assert "Title required" in fields.words
    assert page.url.partition("?")[0] in (await bob.open("/console")).links


async def test_what_was_wrong_stands_beside_the_input_and_what_was_typed_is_kept(ada: Browser, api: Api) -> None:
    home = f"/console/orgs/{api.people.org_id}/spaces"
    page = await ada.send(await ada.open("/console"), home, name="   ", open="on")
    assert page.status == 400
    assert "Must not be blank" in page.words
    assert (page.form(home).fields["name"], page.form(home).fields["open"]) == ("   ", "on")
    assert re.search(r'aria-invalid="true"\s+aria-describedby="space-name-\d+-wrong"', page.text)
    assert 'id="space-name-1-wrong"' in page.text
    space = f"/console/spaces/{api.people.space_id}"
    apps = f"{space}/apps"
    page = await ada.send(await ada.open(space), apps, name="x" * 300, item_name="Thing", titled=UNTICKED)
    assert page.status == 400
    assert "at most 255 characters" in page.words
    assert page.form(apps).fields == {**page.form(apps).fields, "name": "x" * 300, "item_name": "Thing", "titled": UNTICKED}


async def test_a_notice_is_one_of_a_closed_list(ada: Browser) -> None:
    assert "The organization is there." in (await ada.open("/console?done=org-made")).words
    page = await ada.open("/console?done=%3Cb%3EYou+have+won")
    assert "won" not in page.text


async def test_members_come_change_and_go(ada: Browser, api: Api) -> None:
    here = f"/console/spaces/{api.people.space_id}"
    page = await ada.send(await ada.open(here), f"{here}/members", username="nobody@example.org", role="light")
    assert page.status == 400
    assert "nobody here is called nobody@example.org" in page.words.lower()
    assert page.form(f"{here}/members").fields["role"] == "light"
    page = await ada.send(page, f"{here}/members", username="bob@example.org")
    assert "They are in the space now." in page.words
    bob_id = api.people.bob.id
    page = await ada.send(page, f"{here}/members/{bob_id}", role="regular")
    assert page.form(f"{here}/members/{bob_id}").fields["role"] == "regular"
    page = await ada.send(page, f"{here}/members/{bob_id}/remove")
    assert "bob@example.org" not in page.words
    page = await ada.send(page, f"{here}/members/{api.people.ada.id}/remove")
    assert (page.status, "A space keeps at least one admin" in page.words) == (409, True)


async def test_many_members_are_shown_a_page_at_a_time(api: Api, ada: Browser) -> None:
    def fill(tx: Tx) -> None:
        made = [create_user(tx, f"u{number}@example.org", "x", f"User {number}", now=api.clock()).user_id for number in range(70)]
        add_members(tx, api.people.ada, api.people.space_id, "light", made, now=api.clock())

    await api.house.database.write(fill)
    page = await ada.open(f"/console/spaces/{api.people.space_id}")
    assert ("71 members" in page.words, "User 48" in page.words, "User 49" in page.words) == (True, True, False)
    page = await ada.open(next(link for link in page.links if "people=2" in link))
    assert ("User 49" in page.words, "User 69" in page.words) == (True, True)


async def test_an_open_space_is_joined_and_left(api: Api, ada: Browser, bob: Browser) -> None:
    people = api.people
    open_space = await api.house.database.write(
        create_space, people.ada, people.org_id, {"name": "Hall", "privacy": "open"}, now=api.clock()
    )
    await api.house.database.write(add_members, people.ada, people.space_id, "light", [people.bob.id], now=api.clock())
    here = f"/console/spaces/{open_space.space_id}"
    page = await bob.open(here)
    assert not page.has_form(f"{here}/leave")
    page = await bob.send(page, f"{here}/join")
    assert ("You are in the space now." in page.words, page.has_form(f"{here}/join")) == (True, False)
    page = await bob.send(page, f"{here}/leave")
    assert (page.url, "You have left the space." in page.words) == ("/console?done=space-left", True)


async def test_a_space_is_renamed_and_deleted(ada: Browser, api: Api) -> None:
    here = f"/console/spaces/{api.people.space_id}"
    page = await ada.send(await ada.open(here), here, name="Shed", open="on")
    assert page.words.startswith("Shed · Tidings")
    assert page.form(here).fields["open"] == "on"
    page = await ada.send(page, f"{here}/delete")
    assert "The space has been deleted" in page.words
    gone = await ada.open(here)
    assert (gone.status, "This is gone" in gone.words) == (410, True)


# --- apps --------------------------------------------------------------------------------------------------------------


async def test_fields_are_added_with_what_their_type_needs(ada: Browser, api: Api) -> None:
    here = f"/console/apps/{api.people.app_id}/fields"
    page = await ada.open(here)
    page = await ada.send(page, here, label="State", type="category", options="")
    assert (page.status, "A category needs at least one" in page.words) == (400, True)
    assert page.form(here).fields["type"] == "category"
    page = await ada.send(page, here, options="New\n\n Done ", multiple="on")
    page = await ada.send(page, here, label="Price", type="money", currencies="eur, dkk")
    page = await ada.send(page, here, label="Part of", type="app", target=str(api.people.app_id), required="on")
    page = await ada.send(page, here, label="Story", type="text", large="on")
    assert page.status == 200
    [app] = await api.house.database.read(list_apps, api.people.ada, api.people.space_id)
    settings = {field.external_id: field.config.settings for field in app.fields}
    assert ([option["text"] for option in settings["state"]["options"]], settings["state"]["multiple"]) == (["New", "Done"], True)
    assert settings["price"]["allowed_currencies"] == ["EUR", "DKK"]
    assert settings["part-of"]["referenceable_types"] == [api.people.app_id]
    assert settings["story"]["size"] == "large"
    assert [field.external_id for field in app.fields if field.config.required] == ["part-of"]
    page = await ada.send(page, here, label="Odd", type="money", currencies="EURO")
    assert page.status == 400
    assert page.form(here).fields["currencies"] == "EURO"


async def test_a_field_is_changed_and_its_options_keep_their_ids(ada: Browser, api: Api) -> None:
    fields = f"/console/apps/{api.people.app_id}/fields"
    page = await ada.send(await ada.open(fields), fields, label="State", type="category", options="New\nDone")
    here = next(link for link in page.links if link.startswith(f"{fields}/") and not link.endswith(f"/{api.people.fields['title']}"))
    page = await ada.open(here)
    assert page.form(here).fields["options"] == "New\nDone"
    page = await ada.send(page, here, label="", options="Done\nLate")
    assert (page.status, page.form(here).fields["options"], "Must not be blank" in page.words) == (400, "Done\nLate", True)
    page = await ada.send(page, here, label="Phase", description="How far it is", required="on")
    assert ("The field has been changed." in page.words, "Phase required How far it is" in page.words) == (True, True)
    [app] = await api.house.database.read(list_apps, api.people.ada, api.people.space_id)
    options = {option["text"]: (option["id"], option["status"]) for option in app.fields[1].config.settings["options"]}
    assert options == {"Done": (2, "active"), "Late": (3, "active"), "New": (1, "deleted")}
    assert (await ada.open(f"{fields}/9999")).status == 404


async def test_a_field_is_taken_away_and_the_app_renamed_and_deleted(ada: Browser, api: Api) -> None:
    here = f"/console/apps/{api.people.app_id}"
    title = f"{here}/fields/{api.people.fields['title']}"
    page = await ada.send(await ada.open(title), f"{title}/delete")
    assert "No field yet" in page.words
    page = await ada.send(page, here, name="Pieces", item_name="Piece")
    assert "Pieces" in page.words
    page = await ada.send(page, f"{here}/delete")
    assert (page.url, "The app has been deleted." in page.words) == (f"/console/spaces/{api.people.space_id}?done=app-deleted", True)
    assert (await ada.open(here)).status == 410


# --- those who may not -------------------------------------------------------------------------------------------------


async def test_who_is_in_another_organization_finds_nothing_there_and_changes_nothing(api: Api, ada: Browser, bob: Browser) -> None:
    numbers = {"space_id": api.people.space_id, "app_id": api.people.app_id, "org_id": api.people.org_id, "user_id": api.people.ada.id}
    csrf = (await bob.open("/console")).forms[0].fields["csrf"]
    before = await api.written()
    for method, path in console_rows():
        if not path.startswith(("/console/orgs/{", "/console/spaces", "/console/apps")):
            continue
        meant = re.sub(r"\{([a-z_]+):int\}", lambda match: str(numbers.get(match[1], 1)), path)
        page = await bob.open(meant) if method == "GET" else await bob.post(meant, {"csrf": csrf, "name": "Mine"})
        assert (page.status, "There is nothing here" in page.words) == (404, True), path
        assert not re.search("Workshop|Analytical|Parts", page.text), path
    assert await api.written() == before


async def test_a_form_without_its_token_is_not_read(api: Api, ada: Browser) -> None:
    before = await api.written()
    for method, path in console_rows():
        if method != "POST" or path.startswith(("/oauth", "/sign-in")):
            continue
        for csrf in ({}, {"csrf": "0" * 64}):
            page = await ada.post(re.sub(r"\{[^}]*\}", "1", path), {"name": "New", **csrf})
            assert (page.status, "too old" in page.words) == (400, True), path
    assert await api.written() == before


async def test_who_may_only_look_is_offered_nothing_else(api: Api, bob: Browser) -> None:
    await api.house.database.write(add_members, api.people.ada, api.people.space_id, "light", [api.people.bob.id], now=api.clock())
    for path in ("spaces/1", "apps/1", "apps/1/fields"):
        page = await bob.open(f"/console/{path}")
        assert page.status == 200
        assert {form.action for form in page.forms if form.method == "post"} <= {"/sign-out", "/console/spaces/1/leave"}
        assert not any(link.endswith(("/items/new", "/developer")) for link in page.links)
    csrf = (await bob.open("/console")).forms[0].fields["csrf"]
    page = await bob.post("/console/spaces/1/apps", {"csrf": csrf, "name": "Mine"})
    assert (page.status, "This is not for you" in page.words) == (403, True)
    field = f"/console/apps/1/fields/{api.people.fields['title']}"
    assert [(await bob.open(field)).status, (await bob.post(field, {"csrf": csrf, "label": "Mine"})).status] == [403, 403]


async def test_what_is_nowhere_is_a_page_that_says_so(ada: Browser, api: Api) -> None:
    for path in ("spaces/0", "spaces/99999999999", "apps/2147483648", "x", "spaces", "apps/1/items", "a/b/c/d/e/f/g", "%25"):
        page = await ada.open(f"/console/{path}")
        assert (page.status, "There is nothing here" in page.words) == (404, True), path
    assert (await api.http.get("/console/x")).status_code == 303


async def test_names_are_text_whatever_they_hold(ada: Browser, api: Api) -> None:
    nasty = '"><script>alert(1)</script>{{ 7*7 }}'
    page = await ada.send(await ada.open("/console"), "/console/orgs", name=nasty)
    assert "<script>alert" not in page.text
    assert nasty in page.words
    page = await ada.send(page, f"/console/orgs/{api.people.org_id}/spaces", name=nasty)
    page = await ada.send(page, f"{page.url.partition('?')[0]}/apps", name=nasty, item_name=nasty)
    for path in ("", "/fields", "/items/new"):
        shown = await ada.open(page.url.partition("?")[0] + path)
        assert shown.status == 200
        assert "<script>alert" not in shown.text


async def test_a_form_too_large_is_refused(ada: Browser, api: Api) -> None:
    csrf = (await ada.open("/console")).forms[0].fields["csrf"]
    answer: httpx.Response = await ada.http.post("/console/orgs", data={"csrf": csrf, "name": "x" * 100_001})
    assert answer.status_code == 400
