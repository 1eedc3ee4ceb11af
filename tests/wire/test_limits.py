"""Rate limits: 420, its headers, and for whom (contract section 5.4)."""

from __future__ import annotations

from typing import Any

import httpx

from tests.support.databases import AnyDatabase
from tests.support.house import PASSWORD, Api, open_api
from tidings.api.limits import MOST, Limits, Rates
from tidings.workspace.access import Caller
from tidings.workspace.accounts.clients import ClientChange, create_client, update_client
from tidings.workspace.accounts.tokens import Lives, issue

HOUR = 3600
LIMIT, LEFT = "x-rate-limit-limit", "x-rate-limit-remaining"


def limited(calls: int, low: int = 0) -> dict[str, Any]:
    return {"rate_limit": calls, "rate_limit_low": low}


def allowance(answer: httpx.Response) -> tuple[str | None, str | None]:
    return answer.headers.get(LIMIT), answer.headers.get(LEFT)


async def login(api: Api, **wrong: str) -> httpx.Response:
    client = {"client_id": api.people.client.client_id, "client_secret": api.people.client.client_secret}
    grant = {"grant_type": "password", "username": "ada@example.org", "password": PASSWORD, **client}
    return await api.http.post("/oauth/token", data={**grant, **wrong})


async def set_limits(api: Api, calls: int | None, low: int | None = None) -> None:
    change = ClientChange(calls_per_hour=calls, limited_calls_per_hour=low)
    client_id = api.people.client.auth_client_id
    await api.house.database.write(update_client, Caller("system", 0), client_id, change)
    api.house.callers.forget_client(client_id)


async def test_without_a_limit_nothing_is_counted_or_said(api: Api) -> None:
    for _ in range(3):
        assert allowance(await api.get("/user")) == (None, None)
    assert len(api.house.limits._windows) == 0


async def test_every_answer_says_the_limit_and_what_is_left(database: AnyDatabase) -> None:
    async with open_api(database, settings=limited(6)) as api:
        answers = [
            await api.get("/user"),
            await api.get("/item/999"),
            await api.post("/org", {"name": 1}),
            await api.put(f"/app/{api.people.app_id}", {}),
            await api.delete("/hook/999"),
            await api.send("HEAD", "/user"),
        ]
        assert [allowance(answer) for answer in answers] == [("6", str(left)) for left in (5, 4, 3, 2, 1, 0)]
        assert [answer.status_code for answer in answers][:3] == [200, 404, 400]


async def test_beyond_the_limit_all_calls_are_refused_until_the_hour_is_over(database: AnyDatabase) -> None:
    async with open_api(database, settings=limited(2)) as api:
        await api.get("/user")
        api.clock.turn(600)
        await api.get("/user")
        before = await api.written()
        for path, body in (("/user", None), (f"/item/app/{api.people.app_id}", {"fields": {"title": "x"}})):
            answer = await api.send("POST" if body else "GET", path, body)
            assert answer.status_code == 420
            assert answer.json()["error"] == "rate_limit"
            assert answer.json()["error_description"].startswith("You have hit the rate limit")
            assert (allowance(answer), answer.headers["retry-after"]) == (("2", "0"), "3000")
        assert await api.written() == before
        api.clock.turn(2999)
        assert (await api.get("/user")).headers["retry-after"] == "1"
        api.clock.turn(1)
        assert allowance(await api.get("/user")) == ("2", "1")


async def test_costly_calls_have_a_lower_limit_and_beyond_it_all_calls_are_refused(database: AnyDatabase) -> None:
    async with open_api(database, settings=limited(10, 2)) as api:
        path = f"/item/app/{api.people.app_id}/filter"
        assert [allowance(await api.post(path, {})) for _ in range(2)] == [("2", "1"), ("2", "0")]
        assert allowance(await api.get("/user")) == ("10", "7")
        refused = await api.post(path, {})
        assert (refused.status_code, allowance(refused)) == (420, ("2", "0"))
        assert (await api.get("/user")).status_code == 420
        api.clock.turn(HOUR)
        assert (await api.post(path, {})).status_code == 200


async def test_a_lower_limit_alone_leaves_the_other_calls_uncounted(database: AnyDatabase) -> None:
    async with open_api(database, settings=limited(0, 1)) as api:
        assert [allowance(await api.get("/user")) for _ in range(3)] == [(None, None)] * 3
        assert allowance(await api.get(f"/item/app/{api.people.app_id}/count")) == ("1", "0")
        assert (await api.get(f"/item/app/{api.people.app_id}")).status_code == 420


async def test_each_caller_and_each_client_counts_alone(database: AnyDatabase) -> None:
    async with open_api(database, settings=limited(1)) as api:
        other = await api.house.database.write(create_client, "Other", now=api.clock())
        caller = Caller("user", api.people.ada.id, other.auth_client_id)
        through_other = await api.house.database.write(issue, caller, now=api.clock(), lives=Lives(60, 60))
        another_token = await api.house.database.write(issue, api.people.ada, now=api.clock(), lives=Lives(60, 60))
        path = f"/hook/app/{api.people.app_id}"
        assert [(await api.get(path, access=who)).status_code for who in ("ada", "app", through_other.access_token)] == [200] * 3
        assert [(await api.get(path, access=who)).status_code for who in ("ada", "app", another_token.access_token)] == [420] * 3


async def test_a_clients_own_limits_stand_over_the_settings(database: AnyDatabase) -> None:
    async with open_api(database, settings=limited(3, 2)) as api:
        await set_limits(api, 100, 50)
        assert allowance(await api.get("/user")) == ("100", "99")
        assert allowance(await api.get(f"/item/app/{api.people.app_id}/count")) == ("50", "49")
        await set_limits(api, 0, 0)
        assert allowance(await api.get("/user")) == (None, None)
        await set_limits(api, None)
        assert (await api.get("/user")).headers[LIMIT] == "3"


async def test_a_client_may_be_limited_where_the_server_has_no_limit(api: Api) -> None:
    await set_limits(api, 1)
    assert allowance(await api.get("/user")) == ("1", "0")
    assert (await api.get("/user")).status_code == 420


async def test_a_user_cannot_loosen_their_own_limits(database: AnyDatabase) -> None:
    async with open_api(database, settings=limited(1000, 250)) as api:
        wrong = [{"calls_per_hour": 1001}, {"limited_calls_per_hour": 251}, {"calls_per_hour": 0}]
        for each in wrong:
            answer = await api.post("/client", {"name": "Mine", **each})
            assert (answer.status_code, next(iter(each)) in answer.json()["error_description"]) == (400, True)
        made = await api.post("/client", {"name": "Mine", "calls_per_hour": 1000, "limited_calls_per_hour": 1})
        assert made.status_code == 200
        path = f"/client/{made.json()['auth_client_id']}"
        assert (await api.put(path, {"calls_per_hour": 5000})).status_code == 400
        assert (await api.put(path, {"limited_calls_per_hour": 2})).status_code == 204


async def test_logins_count_too(database: AnyDatabase) -> None:
    async with open_api(database, settings=limited(3)) as api:
        assert [allowance(await login(api)) for _ in range(2)] == [("3", "2"), ("3", "1")]
        assert allowance(await login(api, password="wrong")) == ("3", "0")
        refused = await login(api)
        assert (refused.status_code, refused.headers["retry-after"], allowance(refused)) == (420, "3600", ("3", "0"))
        assert (await api.get("/user")).status_code == 420
        assert (await login(api, username="bob@example.org")).status_code == 200


async def test_a_refresh_and_an_apps_login_count_too(database: AnyDatabase) -> None:
    async with open_api(database, settings=limited(2)) as api:
        client = {"client_id": api.people.client.client_id, "client_secret": api.people.client.client_secret}
        app = {"grant_type": "app", "app_id": str(api.people.app_id), "app_token": api.people.app_token, **client}
        pair = (await api.http.post("/oauth/token", data=app)).json()
        refresh = {"grant_type": "refresh_token", "refresh_token": pair["refresh_token"], **client}
        refreshed = await api.http.post("/oauth/token", data=refresh)
        assert (refreshed.status_code, allowance(refreshed)) == (200, ("2", "0"))
        again = {**refresh, "refresh_token": refreshed.json()["refresh_token"]}
        assert (await api.http.post("/oauth/token", data=again)).status_code == 420
        assert (await api.http.post("/oauth/token", data=app)).status_code == 420
        api.clock.turn(HOUR)
        assert (await api.http.post("/oauth/token", data=again)).status_code == 200


async def test_who_has_no_token_has_no_limit_either(database: AnyDatabase) -> None:
    async with open_api(database, settings=limited(1)) as api:
        for path in ("/health/live", "/user", "/sign-in"):
            assert allowance(await api.get(path, access=None)) == (None, None)
        assert len(api.house.limits._windows) == 0


def test_the_memory_of_callers_is_bounded() -> None:
    limits = Limits()
    for number in range(MOST + 10):
        limits.count(Caller("user", number), Rates(5, 5), 0, limited=True)
    assert len(limits._windows) == MOST
