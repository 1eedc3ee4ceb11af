"""What hooks were told, through the API: the shapes of the answers, what is refused, and who sees nothing."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.house import Api
from tests.support.line import delivered, failed, send_out, settle_all
from tidings.store.database import Tx


async def told(api: Api) -> tuple[int, int]:
    """A hook whose verification failed and echoed its code, and an item; answers their ids."""
    app_id = api.people.app_id
    made = await api.post(f"/hook/app/{app_id}", {"url": "https://example.org/in", "type": "item.create"})
    hook_id: int = made.json()["hook_id"]

    def work(tx: Tx) -> str:
        code: str = tx.exec_driver_sql(f"SELECT verify_code FROM hooks WHERE hook_id = {hook_id}").scalar_one()
        [verification] = [delivery for delivery in send_out(tx, now=api.clock()) if delivery.hook_id == hook_id]
        settle_all(tx, failed(verification, api.clock(), answer=code.encode()), now=api.clock())
        return code

    code = await api.house.database.write(work)
    await api.post(f"/hook/{hook_id}/verify/validate", {"code": code})
    item = await api.post(f"/item/app/{app_id}", {"fields": {"title": "one"}, "external_id": "part-1"})
    await api.house.database.write(
        lambda tx: settle_all(tx, *(delivered(each, api.clock()) for each in send_out(tx, now=api.clock())), now=api.clock())
    )
    return hook_id, item.json()["item_id"]


async def answer(api: Api, path: str, **more: Any) -> Any:
    got = await api.get(path, **more)
    assert got.status_code == 200, got.text
    return got.json()


async def test_the_deliveries_of_a_hook_are_listed(api: Api) -> None:
    hook_id, item_id = await told(api)
    page = await answer(api, f"/hook/{hook_id}/delivery")
    newest, verification = page["deliveries"]
    assert (newest["what"], newest["state"], newest["status"], newest["milliseconds"]) == (
        f"item {item_id} (part-1)",
        "delivered",
        200,
        30.0,
    )
    assert (verification["type"], verification["state"], verification["reason"]) == ("hook.verify", "pending", "status")
    assert (page["next_before"], page["looked_back_to"]) == (None, None)
    for query, sequences in {
        "state=pending,sending": [1],
        "type=item.create": [2],
        f"object=item:{item_id}": [2],
        "since=2026-01-02 03:00:00&until=2026-01-02 03:00:01": [2, 1],
        "until=2026-01-01 00:00:00": [],
        "before=2": [1],
        "limit=1": [2],
    }.items():
        found = (await answer(api, f"/hook/{hook_id}/delivery?{query}"))["deliveries"]
        assert [each["sequence"] for each in found] == sequences, query


@pytest.mark.parametrize(
    "query",
    ["state=lost", "type=item.lost", "since=yesterday", "since=2026-02-30 00:00:00", "object=item", "object=item:9999999999", "before=0",
     "limit=0", "limit=501"],
)  # fmt: skip
async def test_what_cannot_be_asked_is_refused_by_name(api: Api, query: str) -> None:
    hook_id, _ = await told(api)
    refused = await api.get(f"/hook/{hook_id}/delivery?{query}")
    assert refused.status_code == 400
    assert query.partition("=")[0] in str(refused.json())


async def test_one_delivery_is_shown_whole_and_its_code_hidden(api: Api) -> None:
    hook_id, _ = await told(api)
    whole = await answer(api, f"/hook/{hook_id}/delivery/1")
    assert whole["event"]["parameters"] == {"code": "(hidden)"}
    assert whole["attempts"][0]["answer_body"] == "(hidden)"
    assert whole["attempts"][0]["split"] == {"dns": 1.0, "connect": 4.0, "tls": None, "first_byte": 24.0, "rest": 1.0}
    assert whole["next_on"] == "2026-01-02 03:01:00"
    assert (await api.get(f"/hook/{hook_id}/delivery/9")).status_code == 404


async def test_health_ledger_and_what_has_not_arrived(api: Api) -> None:
    hook_id, item_id = await told(api)
    health = await answer(api, f"/hook/{hook_id}/health")
    assert (len(health["quarters"]), health["delivered"], health["waiting"], health["p50"]) == (96, 1, 1, 30.0)
    [entry] = await answer(api, f"/item/{item_id}/ledger")
    assert (entry["type"], entry["created_by"]["name"], entry["why_none"]) == ("item.create", "Ada", None)
    assert [(each["hook_id"], each["state"]) for each in entry["deliveries"]] == [(hook_id, "delivered")]
    late = await answer(api, f"/app/{api.people.app_id}/undelivered")
    assert ([each["type"] for each in late["deliveries"]], late["urls"]) == (["hook.verify"], {str(hook_id): "https://example.org/in"})
    assert (await answer(api, f"/app/{api.people.app_id}/undelivered?since=2026-01-03 00:00:00"))["deliveries"] == []


async def test_who_is_nobody_here_sees_nothing(api: Api) -> None:
    hook_id, item_id = await told(api)
    for path in (f"/hook/{hook_id}/delivery", f"/hook/{hook_id}/delivery/1", f"/hook/{hook_id}/health", f"/item/{item_id}/ledger",
                 f"/app/{api.people.app_id}/undelivered"):  # fmt: skip
        assert (await api.get(path, access="bob")).status_code in (403, 404)
