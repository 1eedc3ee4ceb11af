"""The token endpoint, and how a token is used (contract section 4)."""

from __future__ import annotations

import asyncio
import base64
import threading
import time
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from tests.support.house import PASSWORD, Api
from tidings.clock import DAY, SECOND
from tidings.store import schema
from tidings.store.database import Tx
from tidings.workspace.access import Caller
from tidings.workspace.accounts import logins
from tidings.workspace.accounts.clients import create_client
from tidings.workspace.accounts.passwords import hash_password, is_password
from tidings.workspace.accounts.tokens import Lives, hash_token, issue, prune_tokens, rotate
from tidings.workspace.apps import create_app, delete_app
from tidings.workspace.spaces import delete_space

FORM = {"content-type": "application/x-www-form-urlencoded"}
EIGHT_HOURS, FOUR_WEEKS = 28_800, 2_419_200


def client_of(api: Api) -> dict[str, str]:
    return {"client_id": api.people.client.client_id, "client_secret": api.people.client.client_secret}


def app_grant(api: Api) -> dict[str, str]:
    return {"grant_type": "app", "app_id": str(api.people.app_id), "app_token": api.people.app_token, **client_of(api)}


def password_grant(api: Api) -> dict[str, str]:
    return {"grant_type": "password", "username": "ada@example.org", "password": PASSWORD, **client_of(api)}


def refresh_grant(api: Api, refresh_token: str) -> dict[str, str]:
    return {"grant_type": "refresh_token", "refresh_token": refresh_token, **client_of(api)}


async def ask(api: Api, parameters: dict[str, Any], path: str = "/oauth/token") -> httpx.Response:
    return await api.http.post(path, data=parameters)


async def pair_of(api: Api, parameters: dict[str, Any]) -> dict[str, Any]:
    answer = await ask(api, parameters)
    assert answer.status_code == 200, answer.text
    pair: dict[str, Any] = answer.json()
    return pair


def authorization(value: str) -> list[tuple[bytes, bytes]]:
    """The header, byte by byte: also what is not ASCII."""
    return [(b"authorization", value.encode("latin-1"))]


async def status_with(api: Api, access: str) -> int:
    return (await api.get(f"/hook/app/{api.people.app_id}", access=access)).status_code


# --- getting a token ---------------------------------------------------------------------------------------------------


async def test_an_app_gets_a_pair_of_tokens_with_all_six_fields(api: Api, subtests: pytest.Subtests) -> None:
    cases: list[str] = ["/oauth/token", "/oauth/token/", "/oauth/token/v2", "/oauth/token/v2/", "/oauth/access_token"]
    for path in cases:
        with subtests.test(path=path):
            answer = await ask(api, app_grant(api), path)
            assert answer.status_code == 200
            assert answer.headers["cache-control"] == "no-store"
            pair = answer.json()
            assert sorted(pair) == ["access_token", "expires_in", "ref", "refresh_token", "scope", "token_type"]
            assert (pair["token_type"], pair["expires_in"], pair["scope"]) == ("bearer", EIGHT_HOURS, "global:all")
            assert pair["ref"] == {"type": "app", "id": api.people.app_id}
            assert await status_with(api, pair["access_token"]) == 200


async def test_a_user_gets_tokens_for_their_password(api: Api) -> None:
    pair = await pair_of(api, password_grant(api))
    assert pair["ref"] == {"type": "user", "id": api.people.ada.id}
    assert await status_with(api, pair["access_token"]) == 200


async def test_parameters_come_as_a_form_as_json_in_the_query_or_as_a_mix(api: Api) -> None:
    everything = app_grant(api)
    client = client_of(api)
    grant = {name: value for name, value in everything.items() if name not in client}
    as_number = {**everything, "app_id": api.people.app_id}
    asked = [
        api.http.post("/oauth/token", data=everything),
        api.http.post("/oauth/token", json=everything),
        api.http.post("/oauth/token/v2", json=as_number),
        api.http.post("/oauth/token", params=everything),
        api.http.post("/oauth/token", params=everything, headers={**FORM, "content-length": "0"}),
        api.http.post("/oauth/token", params=client, data=grant),
        api.http.post("/oauth/token", params=grant, json=client),
        api.http.post("/oauth/token", data={**everything, "redirect_uri": "http://x", "scope": "", "unknown": "1"}),
        api.http.post("/oauth/token", content=httpx.Request("POST", "http://x", data=everything).content),
        api.http.post("/oauth/token", content=httpx.Request("POST", "http://x", json=everything).content, headers=FORM),
    ]
    for answer in [await each for each in asked]:
        assert answer.status_code == 200, answer.text


async def test_the_client_may_name_itself_by_http_basic(api: Api) -> None:
    grant = {name: value for name, value in app_grant(api).items() if not name.startswith("client_")}
    name = f"{api.people.client.client_id}:{api.people.client.client_secret}"
    answer = await api.http.post("/oauth/token", data=grant, headers={"authorization": f"bAsIc {base64.b64encode(name.encode()).decode()}"})
    assert answer.status_code == 200, answer.text


async def test_fields_win_over_http_basic(api: Api) -> None:
    header = {"authorization": "Basic " + base64.b64encode(b"someone:else").decode()}
    answer = await api.http.post("/oauth/token", data=app_grant(api), headers=header)
    assert answer.status_code == 200, answer.text


async def test_http_basic_that_cannot_be_read_is_a_clear_error(api: Api, subtests: pytest.Subtests) -> None:
    cases: list[str] = ["%%%", "", "bm9jb2xvbg==", "/////w==", "\xff"]
    for credentials in cases:
        with subtests.test(credentials=credentials):
            grant = {name: value for name, value in app_grant(api).items() if not name.startswith("client_")}
            answer = await api.http.post("/oauth/token", data=grant, headers=authorization(f"Basic {credentials}"))
            assert answer.status_code == 400
            assert answer.json()["error"] in ("invalid_value", "invalid_client")


# --- what is refused ---------------------------------------------------------------------------------------------------


async def test_a_grant_is_refused_in_podios_words(api: Api, subtests: pytest.Subtests) -> None:
    cases: list[tuple[dict[str, str], str, str]] = [
        ({"client_id": "nobody"}, "invalid_client", "oauth.client.invalid_id"),
        ({"client_id": ""}, "invalid_client", "oauth.client.invalid_id"),
        ({"client_secret": "wrong"}, "invalid_client", "oauth.client.invalid_secret"),
        ({"client_secret": ""}, "invalid_client", "oauth.client.invalid_secret"),
        ({"username": "nobody"}, "invalid_grant", "user.invalid.username"),
        ({"password": "wrong"}, "invalid_grant", "user.invalid.password"),
        ({"password": PASSWORD + " "}, "invalid_grant", "user.invalid.password"),
        ({"password": "x" * 4000}, "invalid_grant", "user.invalid.password"),
        ({"grant_type": "app", "app_id": "999", "app_token": "x"}, "invalid_grant", "app.invalid.token"),
        ({"grant_type": "app", "app_id": "1", "app_token": "x"}, "invalid_grant", "app.invalid.token"),
        ({"grant_type": "app", "app_id": "1", "app_token": "ß"}, "invalid_grant", "app.invalid.token"),
        ({"grant_type": "app", "app_id": "2147483648", "app_token": "x"}, "invalid_grant", "app.invalid.token"),
        ({"grant_type": "app", "app_id": "9" * 4000, "app_token": "x"}, "invalid_grant", "app.invalid.token"),
        ({"grant_type": "refresh_token", "refresh_token": "x"}, "invalid_grant", "oauth.refresh_token.invalid"),
    ]
    for wrong, error, detail in cases:
        with subtests.test(wrong=wrong):
            before = await api.written()
            answer = await ask(api, {**password_grant(api), **wrong})
            assert answer.status_code == 400
            assert (answer.json()["error"], answer.json()["error_detail"]) == (error, detail)
            assert await api.written() == before


async def test_a_parameter_that_is_missing_or_wrong_is_named(api: Api, subtests: pytest.Subtests) -> None:
    cases: list[tuple[dict[str, Any], str]] = [
        ({"grant_type": None}, "grant_type"),
        ({"grant_type": "client_credentials"}, "grant_type"),
        ({"grant_type": "authorization_code"}, "code"),
        ({"grant_type": "authorization_code", "code": "x"}, "redirect_uri"),
        ({"grant_type": ""}, "grant_type"),
        ({"username": None}, "username"),
        ({"password": None}, "password"),
        ({"password": ["a"]}, "password"),
        ({"password": {"$gt": ""}}, "password"),
        ({"username": True}, "username"),
        ({"username": 1.5}, "username"),
        ({"username": "a\0b"}, "username"),
        ({"password": "x" * 5000}, "password"),
        ({"grant_type": "app"}, "app_id"),
        ({"grant_type": "app", "app_id": "abc"}, "app_id"),
        ({"grant_type": "app", "app_id": "-1"}, "app_id"),
        ({"grant_type": "app", "app_id": "1"}, "app_token"),
        ({"grant_type": "refresh_token"}, "refresh_token"),
    ]
    for wrong, named in cases:
        with subtests.test(wrong=wrong):
            answer = await api.http.post("/oauth/token", json={**password_grant(api), **wrong})
            assert answer.status_code == 400
            assert answer.json()["error"] == "invalid_value"
            assert named in answer.json()["error_description"]


async def test_a_body_that_is_no_form_and_no_object_is_refused(api: Api, subtests: pytest.Subtests) -> None:
    cases: list[tuple[bytes, str]] = [
        (b"grant_type=app&x=%00", FORM["content-type"]),
        (b"grant_type=%ff", FORM["content-type"]),
        (b"\xff=\xfe", FORM["content-type"]),
        (b"&".join(b"a=%d" % n for n in range(2000)), FORM["content-type"]),
        (b"[1]", "application/json"),
        (b"7", "application/json"),
        (b'{"grant_type"', "application/json"),
        (b'{"grant_type": "\\ud800"}', "application/json"),
        (b"--x\r\n", "multipart/form-data; boundary=x"),
        (b"grant_type", "text/plain"),
    ]
    for content, content_type in cases:
        with subtests.test(content=content):
            answer = await api.http.post("/oauth/token", content=content, headers={"content-type": content_type})
            assert answer.status_code == 400
            assert answer.json()["error"] == "invalid_value"


async def test_no_answer_repeats_a_secret_of_its_query(api: Api) -> None:
    wrong = {**password_grant(api), "password": "my-secret-guess", "refresh_token": "my-secret-token"}
    answer = await api.http.post("/oauth/token", params=wrong)
    assert answer.status_code == 400
    assert "my-secret" not in answer.text
    assert api.people.client.client_secret not in answer.text


# --- passwords ---------------------------------------------------------------------------------------------------------


async def test_a_password_check_holds_up_neither_the_event_loop_nor_the_writer(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    checking, may_go_on = threading.Event(), threading.Event()

    def slow(password: str, password_hash: str | None) -> bool:
        checking.set()
        assert may_go_on.wait(10)
        return is_password(password, password_hash)

    monkeypatch.setattr(logins, "is_password", slow)
    login = asyncio.ensure_future(ask(api, password_grant(api)))
    assert await asyncio.to_thread(checking.wait, 10)
    await asyncio.wait_for(api.house.database.write(create_client, "Another", now=1), 5)
    may_go_on.set()
    assert (await login).status_code == 200


def test_an_unknown_user_takes_as_long_as_a_wrong_password() -> None:
    def seconds(password_hash: str | None) -> float:
        before = time.thread_time()
        assert not is_password("a guess", password_hash)
        return time.thread_time() - before

    some_hash = hash_password("something")
    known, unknown = (min(seconds(each) for _ in range(3)) for each in (some_hash, None))
    assert known / 3 < unknown < known * 3


def test_a_hash_that_is_none_lets_nobody_in() -> None:
    assert not is_password("", "")
    assert not is_password("x", "not a hash")


# --- using a token -----------------------------------------------------------------------------------------------------


async def test_a_token_comes_as_oauth2_or_bearer_in_any_case(api: Api, subtests: pytest.Subtests) -> None:
    cases: list[str] = ["OAuth2", "Bearer", "oauth2", "BEARER", "oAUTH2 "]
    for scheme in cases:
        with subtests.test(scheme=scheme):
            header = {"authorization": f"{scheme} {api.people.ada_access}"}
            assert (await api.get(f"/hook/app/{api.people.app_id}", access=None, headers=header)).status_code == 200


async def test_a_token_may_come_in_the_query(api: Api) -> None:
    answer = await api.get(f"/hook/app/{api.people.app_id}", access=None, params={"oauth_token": api.people.ada_access})
    assert answer.status_code == 200
    header = {"authorization": "Basic YTpi"}
    answer = await api.get(f"/hook/app/{api.people.app_id}", access=None, params={"oauth_token": api.people.ada_access}, headers=header)
    assert answer.status_code == 200


async def test_a_call_without_a_token_is_an_invalid_request(api: Api, subtests: pytest.Subtests) -> None:
    cases: list[str | None] = [None, "", "Basic YTpi", "Digest x", "OAuth2x y", "token"]
    for header in cases:
        with subtests.test(header=header):
            headers = {} if header is None else {"authorization": header}
            answer = await api.get(f"/hook/app/{api.people.app_id}", access=None, headers=headers)
            assert answer.status_code == 401
            assert (answer.json()["error"], answer.json()["error_description"]) == ("unauthorized", "invalid_request")


async def test_a_header_with_no_token_in_it_is_refused_as_such(api: Api, subtests: pytest.Subtests) -> None:
    cases: list[str] = ["OAuth2 ", "OAuth2", "bearer  "]
    for header in cases:
        with subtests.test(header=header):
            answer = await api.get(f"/hook/app/{api.people.app_id}", access=None, headers={"authorization": header})
            assert answer.status_code == 400
            assert answer.json()["error_description"] == "Invalid authorization header"


async def test_an_unknown_token_has_expired(api: Api, subtests: pytest.Subtests) -> None:
    cases: list[str] = ["nonsense", "x" * 10_000, "a b", "\xff\xfe"]
    for token in cases:
        with subtests.test(token=token):
            answer = await api.http.get(f"/hook/app/{api.people.app_id}", headers=authorization(f"OAuth2 {token}"))
            assert answer.status_code == 401
            assert (answer.json()["error"], answer.json()["error_description"]) == ("unauthorized", "expired_token")


async def test_an_access_token_is_good_for_eight_hours(api: Api) -> None:
    pair = await pair_of(api, app_grant(api))
    api.clock.turn(EIGHT_HOURS - 0.5)
    assert await status_with(api, pair["access_token"]) == 200
    api.clock.turn(0.5)
    answer = await api.get(f"/hook/app/{api.people.app_id}", access=pair["access_token"])
    assert (answer.status_code, answer.json()["error_description"]) == (401, "expired_token")


async def test_a_refresh_token_is_not_an_access_token(api: Api) -> None:
    pair = await pair_of(api, app_grant(api))
    assert await status_with(api, pair["refresh_token"]) == 401


async def test_an_apps_token_sees_only_its_app(api: Api) -> None:
    people = api.people
    other = await api.house.database.write(
        create_app, people.ada, people.space_id, {"name": "Other"}, keyring=api.house.keyring, now=api.clock()
    )
    assert (await api.get(f"/hook/app/{people.app_id}", access="app")).status_code == 200
    assert (await api.get(f"/hook/app/{other.app_id}", access="app")).status_code == 403


# --- refreshing --------------------------------------------------------------------------------------------------------


async def test_a_refresh_gives_a_new_pair_and_kills_the_old_one_at_once(api: Api) -> None:
    old = await pair_of(api, app_grant(api))
    assert await status_with(api, old["access_token"]) == 200  # and is remembered for a moment
    new = await pair_of(api, refresh_grant(api, old["refresh_token"]))
    assert new["ref"] == old["ref"]
    assert await status_with(api, new["access_token"]) == 200
    assert await status_with(api, old["access_token"]) == 401
    again = await ask(api, refresh_grant(api, old["refresh_token"]))
    assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")


async def test_of_two_who_refresh_at_once_one_gets_a_pair(api: Api) -> None:
    old = await pair_of(api, app_grant(api))
    answers = await asyncio.gather(*(ask(api, refresh_grant(api, old["refresh_token"])) for _ in range(5)))
    assert sorted(answer.status_code for answer in answers) == [200, 400, 400, 400, 400]


async def test_a_refresh_token_outlives_its_access_token_by_far_but_not_for_ever(api: Api) -> None:
    old = await pair_of(api, app_grant(api))
    api.clock.turn(FOUR_WEEKS - 1)
    new = await pair_of(api, refresh_grant(api, old["refresh_token"]))
    api.clock.turn(FOUR_WEEKS)
    assert (await ask(api, refresh_grant(api, new["refresh_token"]))).json()["error"] == "invalid_grant"


async def test_a_refresh_token_is_of_no_use_to_another_client(api: Api) -> None:
    pair = await pair_of(api, app_grant(api))
    other = await api.house.database.write(create_client, "Another", now=api.clock())
    stolen = {**refresh_grant(api, pair["refresh_token"]), "client_id": other.client_id, "client_secret": other.client_secret}
    assert (await ask(api, stolen)).json()["error"] == "invalid_grant"
    assert await status_with(api, pair["access_token"]) == 200


async def test_how_long_tokens_live_is_a_setting(api: Api) -> None:
    short = Lives(access=2.0, refresh=3.0)
    caller = Caller("user", api.people.ada.id, api.people.client.auth_client_id)
    pair = await api.house.database.write(issue, caller, now=api.clock(), lives=short)
    assert await status_with(api, pair.access_token) == 200
    api.clock.turn(2)
    assert await status_with(api, pair.access_token) == 401
    api.clock.turn(1)
    assert (await ask(api, refresh_grant(api, pair.refresh_token))).status_code == 400


# --- what dies, and what is kept ---------------------------------------------------------------------------------------


async def test_a_deleted_apps_tokens_die_with_it(api: Api) -> None:
    pair = await pair_of(api, app_grant(api))
    assert await status_with(api, pair["access_token"]) == 200
    await api.house.database.write(delete_app, api.people.ada, api.people.app_id, now=api.clock())
    assert await status_with(api, pair["access_token"]) == 410  # remembered a moment longer, and of no use
    api.clock.turn(1)
    assert await status_with(api, pair["access_token"]) == 401
    assert (await ask(api, refresh_grant(api, pair["refresh_token"]))).json()["error"] == "invalid_grant"
    assert (await ask(api, app_grant(api))).json()["error"] == "invalid_grant"


async def test_the_tokens_of_a_deleted_spaces_apps_die_with_it(api: Api) -> None:
    pair = await pair_of(api, app_grant(api))
    await api.house.database.write(delete_space, api.people.ada, api.people.space_id, now=api.clock())
    assert await status_with(api, pair["access_token"]) == 401


async def test_a_token_that_another_process_revoked_is_good_for_a_second_at_most(api: Api) -> None:
    pair = await pair_of(api, app_grant(api))
    assert await status_with(api, pair["access_token"]) == 200
    client_id, lives = api.people.client.auth_client_id, Lives(1, 1)
    await api.house.database.write(rotate, client_id, pair["refresh_token"], now=api.clock(), lives=lives)
    api.clock.turn(1)
    assert await status_with(api, pair["access_token"]) == 401


async def test_only_hashes_of_tokens_and_secrets_are_stored(api: Api) -> None:
    pair = await pair_of(api, password_grant(api))
    secrets = [pair["access_token"], pair["refresh_token"], api.people.client.client_secret, api.people.app_token, PASSWORD]

    def dump(tx: Tx) -> bytes:
        return b"".join(repr(row).encode() for table in schema.metadata.sorted_tables for row in tx.execute(select(table)))

    everything = await api.house.database.read(dump)
    for secret in secrets:
        assert secret.encode() not in everything
        assert repr(bytes.fromhex(secret) if len(secret) == 64 else secret.encode()).encode() not in everything
    assert repr(hash_token(pair["access_token"])).encode() in everything


async def test_a_token_has_256_random_bits(api: Api) -> None:
    pairs = [await pair_of(api, app_grant(api)) for _ in range(3)]
    tokens = [pair[name] for pair in pairs for name in ("access_token", "refresh_token")]
    assert len(set(tokens)) == 6
    assert all(len(bytes.fromhex(token)) == 32 for token in tokens)


async def test_no_repr_says_a_secret(api: Api) -> None:
    pair = await api.house.database.write(issue, api.people.ada, now=api.clock(), lives=Lives(1, 1))
    said = repr(pair) + repr(api.people.client)
    assert not any(secret in said for secret in (pair.access_token, pair.refresh_token, api.people.client.client_secret))


async def test_pairs_are_pruned_a_day_after_they_would_have_ended(api: Api) -> None:
    old = await pair_of(api, app_grant(api))
    await pair_of(api, refresh_grant(api, old["refresh_token"]))
    ends = api.clock() + FOUR_WEEKS * SECOND
    before = (await api.written())["tokens"]
    assert await api.house.database.write(prune_tokens, now=ends + DAY) == 0  # a second use is known until then
    assert await api.house.database.write(prune_tokens, now=ends + DAY + 1) == before
