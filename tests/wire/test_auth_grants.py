"""The rest of the token endpoint: codes, scopes, revocation and a second use, and tokens in forms (contract section 4)."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.support.house import PASSWORD, Api
from tidings.workspace.access import Caller
from tidings.workspace.accounts.auth_codes import Challenge, give_code
from tidings.workspace.accounts.clients import create_client, delete_client
from tidings.workspace.accounts.tokens import Lives, issue

BACK = "https://app.example.com/back"
FORM = {"content-type": "application/x-www-form-urlencoded"}


def client_of(api: Api) -> dict[str, str]:
    return {"client_id": api.people.client.client_id, "client_secret": api.people.client.client_secret}


async def token_endpoint(api: Api, **parameters: str) -> httpx.Response:
    return await api.http.post("/oauth/token", data={**client_of(api), **parameters})


async def password_pair(api: Api, **more: str) -> dict[str, Any]:
    answer = await token_endpoint(api, grant_type="password", username="ada@example.org", password=PASSWORD, **more)
    assert answer.status_code == 200, answer.text
    pair: dict[str, Any] = answer.json()
    return pair


async def pair_for(api: Api, scope: str) -> str:
    """An access token of Ada's with this scope."""
    pair = await api.house.database.write(issue, api.people.ada, now=api.clock(), lives=Lives(28_800, 28_800), scope=scope)
    return pair.access_token


async def status_with(api: Api, access: str) -> int:
    return (await api.get(f"/app/{api.people.app_id}", access=access)).status_code


async def code_of(api: Api, challenge: Challenge | None = None, scope: str = "global:all") -> str:
    return await api.house.database.write(give_code, api.people.ada, BACK, scope, challenge, now=api.clock())


# --- codes -------------------------------------------------------------------------------------------------------------


async def test_a_code_is_changed_as_a_form_as_json_and_with_http_basic(api: Api) -> None:
    grant = {"grant_type": "authorization_code", "redirect_uri": BACK}
    basic = base64.b64encode(":".join(client_of(api).values()).encode()).decode()
    ask: list[Callable[[str], Any]] = [
        lambda code: api.http.post("/oauth/token", data={**grant, **client_of(api), "code": code}),
        lambda code: api.http.post("/oauth/token/v2", json={**grant, **client_of(api), "code": code}),
        lambda code: api.http.post("/oauth/token", params={**grant, **client_of(api), "code": code}),
        lambda code: api.http.post("/oauth/token", data={**grant, "code": code}, headers={"authorization": f"Basic {basic}"}),
    ]
    for asked in ask:
        answer = await asked(await code_of(api, scope="app:read"))
        assert answer.status_code == 200, answer.text
        assert (answer.json()["ref"], answer.json()["scope"]) == ({"type": "user", "id": api.people.ada.id}, "app:read")


async def test_a_code_that_is_shown_again_kills_the_tokens_it_gave_at_once(api: Api) -> None:
    code = await code_of(api)
    grant = {"grant_type": "authorization_code", "code": code, "redirect_uri": BACK}
    access = (await token_endpoint(api, **grant)).json()["access_token"]
    assert await status_with(api, access) == 200  # and is remembered for a moment
    again = await token_endpoint(api, **grant)
    assert (again.status_code, again.json()["error"], again.json()["error_detail"]) == (400, "invalid_grant", "oauth.code.invalid")
    assert await status_with(api, access) == 401
    assert code not in again.text


async def test_a_code_is_of_no_use_to_another_client_or_another_redirect_uri(api: Api) -> None:
    other = await api.house.database.write(create_client, "Other", now=api.clock())
    grant = {"grant_type": "authorization_code", "code": await code_of(api), "redirect_uri": BACK}
    stolen = await token_endpoint(api, **grant, client_id=other.client_id, client_secret=other.client_secret)
    elsewhere = await token_endpoint(api, **{**grant, "redirect_uri": "https://evil.com"})
    without = await token_endpoint(api, **{**grant, "client_secret": "x"})
    assert [answer.json()["error"] for answer in (stolen, elsewhere, without)] == ["invalid_grant", "invalid_grant", "invalid_client"]
    assert (await token_endpoint(api, **grant)).status_code == 200


async def test_a_challenge_cannot_be_talked_away(api: Api) -> None:
    verifier = "v" * 50
    grant = {"grant_type": "authorization_code", "redirect_uri": BACK}
    bound, free = await code_of(api, Challenge(verifier, "plain")), await code_of(api)
    assert (await token_endpoint(api, **grant, code=bound)).json()["error"] == "invalid_grant"
    assert (await token_endpoint(api, **grant, code=bound, code_verifier="w" * 50)).json()["error"] == "invalid_grant"
    assert (await token_endpoint(api, **grant, code=free, code_verifier=verifier)).json()["error"] == "invalid_grant"
    assert (await token_endpoint(api, **grant, code=bound, code_verifier=verifier)).status_code == 200


async def test_no_error_repeats_a_code_of_its_query(api: Api) -> None:
    secrets = {"code": "my-secret-code", "code_verifier": "my-secret-verifier", "token": "my-secret-token"}
    for path in ("/oauth/token", "/oauth/revoke"):
        answer = await api.http.post(path, params={"grant_type": "authorization_code", "redirect_uri": BACK, **client_of(api), **secrets})
        assert "my-secret" not in answer.text


# --- refreshing --------------------------------------------------------------------------------------------------------


async def test_a_refresh_token_that_is_used_again_later_ends_the_login_at_once(api: Api) -> None:
    first = await password_pair(api)
    second = (await token_endpoint(api, grant_type="refresh_token", refresh_token=first["refresh_token"])).json()
    assert await status_with(api, second["access_token"]) == 200
    api.clock.turn(9)
    racing = await token_endpoint(api, grant_type="refresh_token", refresh_token=first["refresh_token"])
    assert racing.json()["error"] == "invalid_grant"
    assert await status_with(api, second["access_token"]) == 200
    api.clock.turn(1)
    stolen = await token_endpoint(api, grant_type="refresh_token", refresh_token=first["refresh_token"])
    assert stolen.json()["error"] == "invalid_grant"
    assert await status_with(api, second["access_token"]) == 401
    assert (await token_endpoint(api, grant_type="refresh_token", refresh_token=second["refresh_token"])).status_code == 400


# --- revoking ----------------------------------------------------------------------------------------------------------


async def test_a_revoked_pair_is_dead_at_once(api: Api) -> None:
    for which in ("access_token", "refresh_token"):
        pair = await password_pair(api)
        assert await status_with(api, pair["access_token"]) == 200  # and is remembered for a moment
        answer = await api.http.post("/oauth/revoke", data={**client_of(api), "token": pair[which], "token_type_hint": which})
        assert (answer.status_code, answer.json()) == (200, {})
        refused = await api.get("/user", access=pair["access_token"])
        assert (refused.status_code, refused.json()["error_description"]) == (401, "expired_token")
        assert (await token_endpoint(api, grant_type="refresh_token", refresh_token=pair["refresh_token"])).status_code == 400


async def test_to_revoke_what_is_unknown_or_dead_is_no_error_but_a_client_must_name_itself(api: Api) -> None:
    pair = await password_pair(api)
    other = await api.house.database.write(create_client, "Other", now=api.clock())
    for token in ("unknown", pair["access_token"], pair["access_token"]):
        assert (await api.http.post("/oauth/revoke", data={**client_of(api), "token": token})).status_code == 200
    pair = await password_pair(api)
    others = {"client_id": other.client_id, "client_secret": other.client_secret, "token": pair["access_token"]}
    assert (await api.http.post("/oauth/revoke", data=others)).status_code == 200
    assert await status_with(api, pair["access_token"]) == 200
    wrong = await api.http.post("/oauth/revoke", data={**client_of(api), "client_secret": "x", "token": pair["access_token"]})
    assert (wrong.status_code, wrong.json()["error"]) == (400, "invalid_client")
    without = await api.http.post("/oauth/revoke", data=client_of(api))
    assert (without.status_code, without.json()["error"]) == (400, "invalid_value")


# --- scopes ------------------------------------------------------------------------------------------------------------


async def test_a_scope_is_asked_for_with_any_grant_and_answered(api: Api) -> None:
    assert (await password_pair(api, scope="user:read,app:all"))["scope"] == "user:read app:all"
    app = {"grant_type": "app", "app_id": str(api.people.app_id), "app_token": api.people.app_token}
    assert (await token_endpoint(api, **app, scope="app:read")).json()["scope"] == "app:read"
    pair = await password_pair(api, scope="app:all")
    refresh = {"grant_type": "refresh_token", "refresh_token": pair["refresh_token"]}
    more = await token_endpoint(api, **refresh, scope="app:all user:all")
    assert (more.status_code, more.json()["error"]) == (400, "invalid_scope")
    assert (await token_endpoint(api, **refresh, scope="app:read")).json()["scope"] == "app:read"


async def test_a_text_that_is_no_scope_is_refused_by_name(api: Api) -> None:
    answer = await token_endpoint(api, grant_type="password", username="ada@example.org", password=PASSWORD, scope="everything")
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_scope")
    assert "'everything'" in answer.json()["error_description"]


async def test_a_token_opens_what_its_scope_says(api: Api, subtests: pytest.Subtests) -> None:
    cases: list[tuple[str, str, str, Any, int]] = [
        ("app:read", "GET", "/app/{app}", None, 200),
        ("app:read", "HEAD", "/app/{app}", None, 200),
        ("app:read", "GET", "/item/app/{app}/count", None, 200),
        ("app:read", "POST", "/item/app/{app}/filter", {}, 200),
        ("app:read", "POST", "/item/app/{app}", {}, 403),
        ("app:write", "POST", "/item/app/{app}", {"fields": {"title": "x"}}, 200),
        ("app:write", "GET", "/app/{app}", None, 403),
        ("app:write", "DELETE", "/app/{app}", None, 403),
        ("app:write", "POST", "/item/app/{app}/delete", {"item_ids": [1]}, 403),
        ("app:all", "GET", "/space/{space}", None, 403),
        ("app:all", "GET", "/user", None, 403),
        ("app:all", "GET", "/hook/app/{app}", None, 200),
        ("app:all", "GET", "/hook/space/{space}", None, 403),
        ("space:all", "GET", "/hook/space/{space}", None, 200),
        ("space:all", "GET", "/hook/app/{app}", None, 403),
        ("space:all", "GET", "/space/{space}", None, 200),
        ("user:read", "GET", "/user", None, 200),
        ("user:read", "POST", "/client", {"name": "x"}, 403),
        ("org:read", "GET", "/org", None, 200),
        ("global:read", "GET", "/app/{app}", None, 200),
        ("global:read", "POST", "/client", {"name": "x"}, 403),
        ("user:read space:read app:read", "GET", "/app/{app}", None, 200),
        ("global:all", "POST", "/client", {"name": "x"}, 200),
    ]
    for scope, method, path, body, status in cases:
        with subtests.test(scope=scope, method=method, path=path, body=body, status=status):
            access = await pair_for(api, scope)
            answer = await api.send(method, path.format(app=api.people.app_id, space=api.people.space_id), body, access=access)
            assert answer.status_code == status, answer.text
            if status == 403:
                assert answer.json()["error"] == "forbidden"
                assert f"The token's scope is '{scope}'; this needs " in answer.json()["error_description"]


async def test_a_scope_gives_nobody_a_right(api: Api) -> None:
    bob = await api.house.database.write(issue, api.people.bob, now=api.clock(), lives=Lives(60, 60), scope="global:all app:all")
    assert await status_with(api, bob.access_token) == 404


# --- a token in a form -------------------------------------------------------------------------------------------------


async def test_a_token_may_come_in_a_form(api: Api) -> None:
    path = f"/item/app/{api.people.app_id}/filter"
    answer = await api.http.post(path, data={"oauth_token": api.people.ada_access})
    assert answer.status_code == 200, answer.text
    mixed = await api.http.post(path, data={"oauth_token": api.people.ada_access, "limit": "1"})
    assert (mixed.status_code, "The body is a form" in mixed.json()["error_description"]) == (400, True)


async def test_a_form_without_a_good_token_names_nobody(api: Api) -> None:
    path = f"/item/app/{api.people.app_id}/filter"
    cases: list[tuple[bytes, str]] = [
        (b"a=1", "invalid_request"),
        (b"oauth_token=", "invalid_request"),
        (b"oauth_token=x", "expired_token"),
        (b"oauth_token=%ff", "invalid_request"),
        (b"oauth_token=" + b"x" * 20_000, "invalid_request"),
    ]
    for content, description in cases:
        answer = await api.http.post(path, content=content, headers=FORM)
        assert (answer.status_code, answer.json()["error_description"]) == (401, description)


# --- clients that are gone ---------------------------------------------------------------------------------------------


async def test_a_client_that_is_deleted_over_http_loses_its_tokens_at_once(api: Api) -> None:
    made = (await api.post("/client", {"name": "Mine", "domains": ["app.example.com"]})).json()
    pair = await password_pair(api, client_id=made["client_id"], client_secret=made["client_secret"])
    assert await status_with(api, pair["access_token"]) == 200  # and is remembered for a moment
    assert (await api.delete(f"/client/{made['auth_client_id']}")).status_code == 204
    assert await status_with(api, pair["access_token"]) == 401
    answer = await token_endpoint(api, grant_type="password", client_id=made["client_id"], client_secret=made["client_secret"])
    assert answer.status_code == 400
    again = await api.delete(f"/client/{made['auth_client_id']}")
    assert (again.status_code, again.json()["error"]) == (410, "gone")


async def test_what_a_deleted_client_changed_still_names_it(api: Api) -> None:
    client = await api.house.database.write(create_client, "Old", now=api.clock(), user_id=api.people.ada.id)
    caller = Caller("user", api.people.ada.id, client.auth_client_id)
    access = (await api.house.database.write(issue, caller, now=api.clock(), lives=Lives(60, 60))).access_token
    item_id = (await api.post(f"/item/app/{api.people.app_id}", {"fields": {"title": "x"}}, access=access)).json()["item_id"]
    await api.house.database.write(delete_client, api.people.ada, client.auth_client_id, now=api.clock())
    assert (await api.get(f"/item/{item_id}")).json()["created_via"]["name"] == "Old"


# --- the clients of a user over HTTP -----------------------------------------------------------------------------------


async def test_a_user_makes_sees_changes_and_renews_a_client(api: Api) -> None:
    before = (await api.get("/client")).json()
    body = {"name": "Mine", "url": "https://mine.example", "domains": ["Mine.example", "localhost:3000"], "calls_per_hour": 100}
    made = (await api.post("/client/", body)).json()
    assert sorted(made) == ["auth_client_id", "client_id", "client_secret"]
    path = f"/client/{made['auth_client_id']}"
    seen = (await api.get(path)).json()
    assert seen == {
        "auth_client_id": made["auth_client_id"],
        "client_id": made["client_id"],
        "name": "Mine",
        "url": "https://mine.example",
        "domains": ["mine.example", "localhost:3000"],
        "calls_per_hour": 100,
        "limited_calls_per_hour": None,
        "created_on": "2026-01-02 03:00:00",
    }
    assert (await api.get("/client/")).json() == [*before, seen]
    assert (await api.put(path, {"name": "Ours", "calls_per_hour": None})).status_code == 204
    assert (await api.get(path)).json() == {**seen, "name": "Ours", "calls_per_hour": None}
    renewed = (await api.post(f"{path}/secret")).json()
    assert renewed["client_id"] == made["client_id"]
    assert (await token_endpoint(api, grant_type="refresh_token", refresh_token="x", **made)).json()["error"] == "invalid_client"
    assert (await token_endpoint(api, grant_type="refresh_token", refresh_token="x", **renewed)).json()["error"] == "invalid_grant"
    assert all(made["client_secret"] not in answer.text for answer in (await api.get(path), await api.get("/client")))


async def test_a_client_is_nobody_elses_and_no_apps(api: Api) -> None:
    made = (await api.post("/client", {"name": "Mine"})).json()
    path = f"/client/{made['auth_client_id']}"
    calls = [("GET", path), ("PUT", path), ("DELETE", path), ("POST", f"{path}/secret")]
    assert [(await api.send(*call, access="bob")).status_code for call in calls] == [404] * 4
    assert [(await api.send(*call, access="app")).status_code for call in [*calls, ("GET", "/client")]] == [403] * 5
    assert (await api.post("/client", {"name": "x"}, access="app")).status_code == 403


async def test_a_client_that_makes_no_sense_is_refused_by_name(api: Api, subtests: pytest.Subtests) -> None:
    cases: list[tuple[dict[str, Any], str]] = [
        ({}, "name"),
        ({"name": ""}, "name"),
        ({"name": 1}, "name"),
        ({"name": "x", "domains": "a.example"}, "domains"),
        ({"name": "x", "domains": ["https://a.example"]}, "domains"),
        ({"name": "x", "url": "javascript:1"}, "url"),
        ({"name": "x", "calls_per_hour": 0}, "calls_per_hour"),
        ({"name": "x", "limited_calls_per_hour": -1}, "limited_calls_per_hour"),
    ]
    for body, named in cases:
        with subtests.test(body=body, named=named):
            before = await api.written()
            answer = await api.post("/client", body)
            assert (answer.status_code, answer.json()["error"]) == (400, "invalid_value")
            assert named in answer.json()["error_description"]
            assert await api.written() == before
