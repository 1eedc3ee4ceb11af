"""What people do in a browser: sign in, let a program act for them, sign out; and what others try meanwhile."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import httpx
import pytest

from tests.support.databases import AnyDatabase
from tests.support.house import PASSWORD, Api, open_api
from tidings.clock import HOUR, SECOND
from tidings.workspace.accounts import logins
from tidings.workspace.accounts.clients import NewClient, create_client
from tidings.workspace.accounts.sessions import begin_session, end_session, find_session

BACK = "https://app.example.com/back"
STATE = "a state & <more>"
SESSION = "tidings_session"


async def new_client(api: Api, name: str = "A program", *, domains: tuple[str, ...] = ("app.example.com", "localhost")) -> NewClient:
    return await api.house.database.write(create_client, name, now=api.clock(), domains=list(domains))


def hidden(page: str) -> dict[str, str]:
    """The hidden fields of the page's first form."""
    form = page[page.index("<form") : page.index("</form>")]
    pairs = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', form)
    return {unescape(name): unescape(value) for name, value in pairs}


async def sign_in(api: Api, page: httpx.Response | None = None, **fields: str) -> httpx.Response:
    """Fill in the sign-in form, as Ada unless told otherwise."""
    page = page or await api.http.get("/sign-in")
    filled = {**hidden(page.text), "username": "ada@example.org", "password": PASSWORD, **fields}
    return await api.http.post("/sign-in", data=filled)


def authorize_query(client: NewClient, **more: str) -> dict[str, str]:
    query = {"client_id": client.client_id, "redirect_uri": BACK, "response_type": "code", "scope": "app:read", "state": STATE, **more}
    return {name: value for name, value in query.items() if value}


async def consent_page(api: Api, client: NewClient, **more: str) -> httpx.Response:
    """The consent page, signed in as Ada."""
    if SESSION not in api.http.cookies:
        await sign_in(api)
    return await api.http.get("/oauth/authorize", params=authorize_query(client, **more))


async def decide(api: Api, page: httpx.Response, decision: str = "allow", **fields: str) -> httpx.Response:
    return await api.http.post("/oauth/authorize", data={**hidden(page.text), "decision": decision, **fields})


def sent_back(answer: httpx.Response) -> dict[str, str]:
    """What the redirect brings to the client."""
    assert answer.status_code == 303, answer.text
    parts = urlsplit(answer.headers["location"])
    assert f"{parts.scheme}://{parts.netloc}{parts.path}" == BACK
    return {name: values[0] for name, values in parse_qs(parts.fragment or parts.query, strict_parsing=True).items()}


# --- signing in --------------------------------------------------------------------------------------------------------


async def test_the_right_password_begins_a_session(api: Api) -> None:
    answer = await sign_in(api)
    assert (answer.status_code, answer.headers["location"]) == (303, "/console")
    page = await api.http.get("/sign-in")
    assert "You are signed in" in page.text
    assert "ada@example.org" in page.text


async def test_a_wrong_password_and_an_unknown_name_are_the_same_answer(api: Api) -> None:
    pages = [await sign_in(api, username=name, password="x") for name in ("ada@example.org", "nobody")]
    assert [page.status_code for page in pages] == [403, 403]
    first, second = (re.sub(r'value="(ada@example.org|nobody)"', "", page.text) for page in pages)
    assert first == second
    assert SESSION not in api.http.cookies


async def test_an_unknown_name_is_compared_with_a_hash_too(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[str | None] = []

    def watched(_password: str, password_hash: str | None) -> bool:
        compared.append(password_hash)
        return False

    monkeypatch.setattr(logins, "is_password", watched)
    await sign_in(api, username="nobody")
    await sign_in(api)
    assert compared[0] is None
    assert compared[1] is not None


async def test_the_cookies_are_for_us_alone(api: Api) -> None:
    page = await api.http.get("/sign-in")
    answer = await sign_in(api, page)
    cookies = [*page.headers.get_list("set-cookie"), *answer.headers.get_list("set-cookie")]
    assert cookies
    for cookie in cookies:
        assert "HttpOnly" in cookie
        assert "SameSite=lax" in cookie
        assert "Path=/" in cookie
        assert "Domain" not in cookie


async def test_over_https_the_cookies_are_secure_and_bound_to_the_host(database: AnyDatabase) -> None:
    async with open_api(database, settings={"url": "https://tidings.test"}) as api:
        page = await api.http.get("/sign-in")
        cookie = page.headers["set-cookie"]
        assert cookie.startswith("__Host-tidings_visit=")
        assert "Secure" in cookie


async def test_a_session_ends_at_the_sign_out_and_after_a_working_day(api: Api) -> None:
    await sign_in(api)
    page = await api.http.get("/sign-in")
    cookie = api.http.cookies[SESSION]
    assert (await api.http.post("/sign-out", data=hidden(page.text))).status_code == 303
    assert SESSION not in api.http.cookies
    again = await api.http.get("/sign-in", headers={"cookie": f"{SESSION}={cookie}"})
    assert "You are signed in" not in again.text
    await sign_in(api)
    api.clock.turn(12 * 3600)
    assert "You are signed in" not in (await api.http.get("/sign-in")).text


async def test_every_sign_in_makes_a_new_session_and_ends_the_one_before(api: Api) -> None:
    await sign_in(api)
    first = api.http.cookies[SESSION]
    page = await api.http.get("/sign-in")
    await sign_in(api, page, next="/sign-in")
    assert api.http.cookies[SESSION] != first
    answer = await api.http.get("/sign-in", headers={"cookie": f"{SESSION}={first}"})
    assert "You are signed in" not in answer.text


async def test_a_cookie_that_somebody_planted_is_worth_nothing_after_the_sign_in(api: Api) -> None:
    planted = "f" * 64
    api.http.cookies.set("tidings_visit", planted)
    api.http.cookies.set(SESSION, planted)
    page = await api.http.get("/sign-in")
    api.http.cookies.delete(SESSION)
    await sign_in(api, page)
    assert api.http.cookies[SESSION] != planted
    assert await api.house.database.read(find_session, planted, now=api.clock()) is None


async def test_after_the_sign_in_nobody_is_sent_elsewhere(api: Api, subtests: pytest.Subtests) -> None:
    cases: list[str] = [
        "//evil.com",
        "/\\evil.com",
        "\\\\evil.com",
        "https://evil.com",
        "/ok\r\nSet-Cookie: a=b",
        "/a\tb",
        "javascript:alert(1)",
        "evil",
        "/ü",
        "/a\\b",
    ]
    for onward in cases:
        with subtests.test(onward=onward):
            api.http.cookies.clear()
            page = await api.http.get("/sign-in", params={"next": onward})
            assert hidden(page.text)["next"] == "/console"
            answer = await sign_in(api, page, next=onward)
            assert (answer.status_code, answer.headers["location"]) == (303, "/console")
            assert "a" not in api.http.cookies


async def test_a_sign_in_without_our_form_is_refused(api: Api) -> None:
    fields = {"username": "ada@example.org", "password": PASSWORD}
    for csrf in ({}, {"csrf": ""}, {"csrf": "0" * 64}, {"csrf": "é"}):
        answer = await api.http.post("/sign-in", data={**fields, **csrf})
        assert answer.status_code == 400
    page = await api.http.get("/sign-in")
    token = hidden(page.text)["csrf"]
    api.http.cookies.clear()
    assert (await api.http.post("/sign-in", data={**fields, "csrf": token})).status_code == 400
    assert SESSION not in api.http.cookies


# --- guessing ----------------------------------------------------------------------------------------------------------


async def test_after_ten_wrong_passwords_nobody_gets_in_for_a_while(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logins, "is_password", lambda password, _hash: password == PASSWORD)
    for _ in range(10):
        assert (await sign_in(api, password="guess")).status_code == 403
    answer = await sign_in(api)
    assert answer.status_code == 429
    assert answer.headers["retry-after"] == "900"
    assert (await sign_in(api, username="bob@example.org")).status_code == 303
    api.clock.turn(900)
    assert (await sign_in(api)).status_code == 303


async def test_the_token_endpoint_counts_with_the_sign_in_page(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logins, "is_password", lambda password, _hash: password == PASSWORD)
    client = {"client_id": api.people.client.client_id, "client_secret": api.people.client.client_secret}
    grant = {"grant_type": "password", "username": "ada@example.org", "password": "guess", **client}
    for _ in range(10):
        assert (await api.http.post("/oauth/token", data=grant)).status_code == 400
    answer = await api.http.post("/oauth/token", data={**grant, "password": PASSWORD})
    assert (answer.status_code, answer.headers["retry-after"]) == (420, "900")
    assert (await sign_in(api)).status_code == 429


async def test_a_right_password_clears_the_count(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logins, "is_password", lambda password, _hash: password == PASSWORD)
    for _ in range(3):
        for _ in range(9):
            await sign_in(api, password="guess")
        assert (await sign_in(api)).status_code == 303
        api.http.cookies.clear()


# --- the code flow -----------------------------------------------------------------------------------------------------


async def test_who_is_not_signed_in_signs_in_and_comes_to_the_consent_page(api: Api) -> None:
    client = await new_client(api)
    page = await api.http.get("/oauth/authorize", params=authorize_query(client))
    assert page.status_code == 200
    assert 'name="password"' in page.text
    answer = await sign_in(api, page)
    onward = answer.headers["location"]
    assert onward.startswith("/oauth/authorize?")
    consent = await api.http.get(onward)
    assert "Let A program act for you?" in consent.text
    assert "see your apps" in consent.text
    assert "https://app.example.com" in consent.text
    assert sent_back(await decide(api, consent))["state"] == STATE


async def test_the_path_answers_with_a_final_slash_too(api: Api) -> None:
    page = await api.http.get("/oauth/authorize/", params=authorize_query(await new_client(api)))
    assert (page.status_code, 'name="password"' in page.text) == (200, True)


async def test_a_code_is_changed_for_tokens_of_the_scope_that_was_shown(api: Api) -> None:
    client = await new_client(api)
    back = sent_back(await decide(api, await consent_page(api, client)))
    assert sorted(back) == ["code", "state"]
    grant = {"grant_type": "authorization_code", "code": back["code"], "redirect_uri": BACK}
    answer = await api.http.post("/oauth/token", data={**grant, "client_id": client.client_id, "client_secret": client.client_secret})
    assert answer.status_code == 200, answer.text
    assert (answer.json()["scope"], answer.json()["ref"]) == ("app:read", {"type": "user", "id": api.people.ada.id})
    access = answer.json()["access_token"]
    assert (await api.get(f"/app/{api.people.app_id}", access=access)).status_code == 200
    assert (await api.put(f"/app/{api.people.app_id}", {}, access=access)).status_code == 403


async def test_who_refuses_sends_the_client_podios_words(api: Api) -> None:
    client = await new_client(api)
    for decision in ("deny", "", "maybe"):
        back = sent_back(await decide(api, await consent_page(api, client), decision))
        assert (back["error"], back["error_reason"], back["state"]) == ("access_denied", "user_denied", STATE)
        assert back["error_description"]


async def test_a_token_comes_back_in_the_fragment(api: Api) -> None:
    client = await new_client(api)
    page = await consent_page(api, client, response_type="token")
    answer = await decide(api, page)
    assert urlsplit(answer.headers["location"]).query == ""
    back = sent_back(answer)
    assert sorted(back) == ["access_token", "expires_in", "refresh_token", "scope", "state", "token_type"]
    assert (back["token_type"], back["expires_in"], back["scope"]) == ("bearer", "28800", "app:read")
    assert (await api.get(f"/app/{api.people.app_id}", access=back["access_token"])).status_code == 200
    denied = await decide(api, page, "deny")
    assert sent_back(denied)["error"] == "access_denied"
    assert "#error=" in denied.headers["location"]


async def test_without_a_scope_everything_is_asked_for_and_said(api: Api) -> None:
    page = await consent_page(api, await new_client(api), scope="", response_type="", state="")
    assert "see, make, change and delete everything you can reach" in page.text
    assert list(sent_back(await decide(api, page))) == ["code"]


async def test_the_clients_own_faults_go_back_to_it(api: Api) -> None:
    client = await new_client(api)
    faults: list[tuple[dict[str, str], str]] = [
        ({"response_type": "id_token"}, "unsupported_response_type"),
        ({"scope": "everything"}, "invalid_scope"),
        ({"code_challenge": "short"}, "invalid_request"),
        ({"code_challenge": "x" * 43, "code_challenge_method": "S512"}, "invalid_request"),
        ({"code_challenge_method": "S256"}, "invalid_request"),
    ]
    for wrong, error in faults:
        back = sent_back(await api.http.get("/oauth/authorize", params=authorize_query(client, **wrong)))
        assert (back["error"], back["state"]) == (error, STATE)


async def test_a_request_that_may_be_somebody_elses_is_a_page_and_no_redirect(api: Api) -> None:
    client = await new_client(api)
    await sign_in(api)
    cases: list[dict[str, str]] = [
        {"client_id": "nobody"},
        {"client_id": ""},
        {"redirect_uri": ""},
        {"redirect_uri": "https://evil.com/"},
        {"redirect_uri": "//app.example.com/"},
        {"redirect_uri": "https://app.example.com@evil.com/"},
        {"redirect_uri": "https://app.example.com.evil.com/"},
        {"redirect_uri": "https://app.example.com\\.evil.com/"},
        {"redirect_uri": "https://app.example.com./"},
        {"redirect_uri": "https://app.example.com/#x"},
        {"redirect_uri": "https://app.example.com/\r\nx: y"},
        {"redirect_uri": "https://app.examplе.com/"},  # noqa: RUF001  a Cyrillic letter is the attack
        {"redirect_uri": "javascript://app.example.com/%0aalert(1)"},
        {"state": "x" * 4001},
    ]
    page = await consent_page(api, client)
    for wrong in cases:
        for answer in (
            await api.http.get("/oauth/authorize", params=authorize_query(client, **wrong)),
            await decide(api, page, **wrong),
        ):
            assert answer.status_code == 400, wrong
            assert "location" not in answer.headers
            assert "This did not work" in answer.text
            assert "form-action 'none'" in answer.headers["content-security-policy"]


async def test_a_parameter_that_comes_twice_is_refused(api: Api) -> None:
    client = await new_client(api)
    query = f"client_id={client.client_id}&redirect_uri={quote(BACK)}&redirect_uri={quote('https://evil.com')}"
    assert (await api.http.get(f"/oauth/authorize?{query}")).status_code == 400


async def test_a_deleted_client_is_not_known(api: Api) -> None:
    made = (await api.post("/client", {"name": "Mine", "domains": ["app.example.com"]})).json()
    client = NewClient(made["auth_client_id"], made["client_id"], made["client_secret"])
    page = await consent_page(api, client)
    assert page.status_code == 200
    assert (await api.delete(f"/client/{client.auth_client_id}")).status_code == 204
    assert (await decide(api, page)).status_code == 400


# --- what others try ---------------------------------------------------------------------------------------------------


async def test_nobody_elses_page_can_consent_for_a_user(api: Api) -> None:
    client = await new_client(api)
    page = await consent_page(api, client)
    for csrf in ("", "0" * 64, hidden(page.text)["csrf"][:-1], "ü"):
        answer = await decide(api, page, csrf=csrf)
        assert answer.status_code == 400
        assert "location" not in answer.headers


async def test_a_form_given_to_one_session_is_of_no_use_in_another(api: Api) -> None:
    client = await new_client(api)
    page = await consent_page(api, client)
    api.http.cookies.clear()
    bobs = await api.http.get("/sign-in")
    await sign_in(api, bobs, username="bob@example.org")
    assert (await decide(api, page)).status_code == 400


async def test_a_consent_after_the_session_ended_begins_with_the_sign_in(api: Api) -> None:
    client = await new_client(api)
    page = await consent_page(api, client)
    api.clock.turn(13 * 3600)
    answer = await decide(api, page)
    assert answer.status_code == 200
    assert 'name="password"' in answer.text


async def test_no_page_can_be_framed_scripted_kept_or_send_a_form_elsewhere(api: Api) -> None:
    client = await new_client(api)
    pages = [
        await api.http.get("/sign-in"),
        await sign_in(api, password="x"),
        await api.http.get("/oauth/authorize", params={"client_id": "nobody"}),
        await sign_in(api),
        await consent_page(api, client),
        await api.http.get("/console/console.css"),
    ]
    for page in pages:
        policy = page.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; style-src 'self'; form-action ")
        assert "frame-ancestors 'none'" in policy
        assert "base-uri 'none'" in policy
        assert "unsafe" not in policy
        assert page.headers["x-content-type-options"] == "nosniff"
        assert page.headers["x-frame-options"] == "DENY"
        assert page.headers["referrer-policy"] == "no-referrer"
        assert "<script" not in page.text
        assert "style=" not in page.text
    assert [page.headers["cache-control"] for page in pages] == ["no-store"] * 5 + ["public, max-age=3600"]
    assert "form-action 'self' https://app.example.com;" in pages[4].headers["content-security-policy"]


async def test_whatever_a_client_is_called_or_sends_is_text_on_the_page(api: Api) -> None:
    nasty = '"><script>alert(1)</script><a href="'
    client = await new_client(api, nasty)
    page = await consent_page(api, client, state=nasty)
    assert "<script>" not in page.text
    assert hidden(page.text)["state"] == nasty
    wrong = await sign_in(api, username=nasty, password="x")
    assert "<script>" not in wrong.text
    refused = await api.http.get("/oauth/authorize", params=authorize_query(client, redirect_uri="https://evil.com"))
    assert "<script>" not in refused.text


async def test_a_state_never_becomes_a_header(api: Api) -> None:
    client = await new_client(api)
    state = "x\r\nSet-Cookie: stolen=1\r\n\r\n<script>"
    answer = await decide(api, await consent_page(api, client, state=state))
    assert sent_back(answer)["state"] == state
    assert "stolen" not in api.http.cookies


async def test_any_bytes_at_all_give_a_page(api: Api, subtests: pytest.Subtests) -> None:
    cases: list[bytes] = [
        b"\xff\xfe",
        b"username=%ff",
        b"a=%00",
        b"&".join(b"a%d=1" % n for n in range(100)),
        b"a=" + b"x" * 40_000,
        b"{}",
        b"a=1&a=2",
    ]
    for body in cases:
        with subtests.test(body=body):
            for path in ("/sign-in", "/sign-out", "/oauth/authorize"):
                answer = await api.http.post(path, content=body, headers={"content-type": "application/x-www-form-urlencoded"})
                assert answer.status_code == 400
                assert "This did not work" in answer.text


async def test_a_database_that_is_away_is_said_on_a_page(api: Api) -> None:
    page = await api.http.get("/sign-in")
    await api.house.database.close()
    answer = await sign_in(api, page)
    assert (answer.status_code, "This did not work" in answer.text) == (503, True)


# --- sessions in the store ---------------------------------------------------------------------------------------------


async def test_a_session_is_kept_as_a_hash_and_ends_once(api: Api) -> None:
    write: Callable[..., Any] = api.house.database.write
    token = await write(begin_session, api.people.ada.id, "", now=0)
    found = await api.house.database.read(find_session, token, now=12 * HOUR - 1)
    assert found is not None
    assert found.username == "ada@example.org"
    assert await api.house.database.read(find_session, token, now=12 * HOUR) is None
    await write(end_session, token, now=SECOND)
    assert await api.house.database.read(find_session, token, now=SECOND) is None
