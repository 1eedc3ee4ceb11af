"""Deliveries sent again, over the API: who may, what is answered, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.house import Api
from tests.support.past import make_past
from tests.support.world import World
from tidings.delivery.release import release
from tidings.store.database import Tx


@pytest.fixture
async def hook_id(api: Api) -> int:
    """An active hook with a past: a verification, one delivery that arrived, and three that did not."""
    made = await api.post(f"/hook/app/{api.people.app_id}", {"url": "https://example.org/", "type": "item.update"})
    number: int = made.json()["hook_id"]

    def past(tx: Tx) -> str:
        people = api.people
        world = World(people.ada, people.org_id, people.space_id, people.app_id, 0)
        make_past(tx, world, number, "delivered", "delivered", "exhausted", "exhausted", "cancelled", first=1, at=api.clock())
        return str(tx.exec_driver_sql(f"SELECT verify_code FROM hooks WHERE hook_id = {number}").scalar_one())

    code = await api.house.database.write(past)
    assert (await api.post(f"/hook/{number}/verify/validate", {"code": code})).status_code == 204
    return number


async def state(api: Api, hook_id: int, sequence: int) -> str:
    wanted = f"SELECT state FROM deliveries WHERE hook_id = {hook_id} AND sequence = {sequence}"
    return str(await api.house.database.read(lambda tx: tx.exec_driver_sql(wanted).scalar_one()))


async def begin(api: Api, hook_id: int, **body: Any) -> dict[str, Any]:
    answer = await api.post(f"/hook/{hook_id}/replay", body)
    assert answer.status_code == 200, answer.text
    replay: dict[str, Any] = answer.json()["replay"]
    return replay


async def test_one_delivery_is_sent_again(api: Api, hook_id: int) -> None:
    answer = await api.post(f"/hook/{hook_id}/delivery/3/redeliver")
    assert (answer.status_code, answer.content) == (204, b"")
    assert await state(api, hook_id, 3) == "pending"


async def test_a_delivery_that_cannot_be_sent_again_is_refused_with_the_reason(api: Api, hook_id: int) -> None:
    verification = await api.post(f"/hook/{hook_id}/delivery/1/redeliver")
    assert (verification.status_code, verification.json()["error"]) == (400, "invalid_value")
    assert (await api.post(f"/hook/{hook_id}/delivery/99/redeliver")).status_code == 404
    await api.house.database.write(lambda tx: tx.exec_driver_sql("UPDATE deliveries SET state = 'sending', ended_at = NULL"))
    sending = await api.post(f"/hook/{hook_id}/delivery/3/redeliver")
    assert (sending.status_code, sending.json()["error_description"]) == (409, "It is being sent at this moment")


async def test_a_plan_says_how_many_and_how_long_and_begins_nothing(api: Api, hook_id: int) -> None:
    answer = await api.post(f"/hook/{hook_id}/replay", {"plan": True, "rate": 2})
    assert answer.json() == {
        "plan": {
            "total": 3,
            "first_on": "2026-01-02 03:00:03",
            "last_on": "2026-01-02 03:00:05",
            "seconds": 1.5,
            "rate": 2,
            "states": {"exhausted": 2, "cancelled": 1},
            "types": {"item.update": 3},
        },
        "replay": None,
    }
    assert (await api.get(f"/hook/{hook_id}/replay")).json() == []


async def test_a_replay_goes_by_state_type_and_time(api: Api, hook_id: int) -> None:
    asked = {"states": ["delivered", "exhausted"], "types": ["item.update"], "since": "2026-01-02 03:00:02", "until": "2026-01-02 03:00:04"}
    replay = await begin(api, hook_id, **asked)
    assert {name: replay[name] for name in asked} == asked
    assert (replay["total"], replay["rate"], replay["state"], replay["released"]) == (2, 10, "running", 0)
    assert replay["created_by"]["id"] == api.people.ada.id


async def test_a_replay_says_how_far_it_has_come(api: Api, hook_id: int) -> None:
    replay_id = (await begin(api, hook_id))["replay_id"]
    await api.house.database.write(release, now=api.clock())
    shown = (await api.get(f"/replay/{replay_id}")).json()
    assert (shown["state"], shown["released"], shown["waiting"], shown["delivered"]) == ("finished", 3, 3, 0)
    assert shown["ended_on"] == "2026-01-02 03:00:00"
    assert (await api.get(f"/hook/{hook_id}/replay")).json() == [shown]


async def test_a_replay_is_stopped(api: Api, hook_id: int) -> None:
    replay_id = (await begin(api, hook_id, rate=1))["replay_id"]
    answer = await api.post(f"/replay/{replay_id}/stop")
    assert (answer.status_code, answer.json()["state"]) == (200, "stopped")
    assert await state(api, hook_id, 3) == "exhausted"


async def test_a_second_replay_of_a_hook_waits_for_the_first(api: Api, hook_id: int) -> None:
    replay_id = (await begin(api, hook_id))["replay_id"]
    again = await api.post(f"/hook/{hook_id}/replay", {})
    assert (again.status_code, again.json()["error_parameters"]) == (409, {"replay_id": replay_id})


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({"states": []}, "states"),
        ({"states": ["pending"]}, "states"),
        ({"types": ["item.eat"]}, "types"),
        ({"since": "yesterday"}, "since"),
        ({"since": "2026-02-30 00:00:00"}, "since"),
        ({"since": "2026-01-02 00:00:00", "until": "2026-01-02 00:00:00"}, "until"),
        ({"until": "2026-01-01 00:00:00"}, "hook_id"),  # nothing is meant
        ({"rate": 0}, "rate"),
        ({"rate": 1_001}, "rate"),
    ],
)
async def test_what_cannot_be_replayed_is_refused_by_name(api: Api, hook_id: int, body: dict[str, object], named: str) -> None:
    answer = await api.post(f"/hook/{hook_id}/replay", body)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_value")
    assert named in str(answer.json()["error_parameters"])


async def test_only_those_who_may_change_the_hook_send_anything_again(api: Api, hook_id: int) -> None:
    replay_id = (await begin(api, hook_id))["replay_id"]
    for method, path in (
        ("POST", f"/hook/{hook_id}/delivery/3/redeliver"),
        ("POST", f"/hook/{hook_id}/replay"),
        ("GET", f"/hook/{hook_id}/replay"),
        ("GET", f"/replay/{replay_id}"),
        ("POST", f"/replay/{replay_id}/stop"),
    ):
        body: dict[str, object] | None = {} if path.endswith("/replay") and method == "POST" else None
        assert (await api.send(method, path, body, access="bob")).status_code == 404, path
        assert (await api.send(method, path, body, access=None)).status_code == 401, path
    assert (await api.get(f"/replay/{replay_id}", access="app")).status_code == 200
    missing = await api.get(f"/replay/{replay_id}", access="bob")
    assert missing.json()["error_parameters"] == {"replay_id": replay_id}  # and not whose it is
