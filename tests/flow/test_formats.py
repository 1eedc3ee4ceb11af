"""Each payload format, from a call of the API to a real receiver, and what other people's libraries make of it."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest
import standardwebhooks
from cloudevents.core.bindings.http import HTTPMessage, from_http
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from tests.support.databases import AnyDatabase
from tests.support.house import Api, have_people, keep_tokens, open_api
from tests.support.receiver import Answer, Received, Receiver, receiving
from tidings.clock import SECOND, system_clock
from tidings.delivery.engine import Engine
from tidings.hooks.secrets import renew_secret
from tidings.hooks.signing_keys import rotate_keys
from tidings.telemetry.facts import Telemetry

pytestmark = pytest.mark.furnished(make=have_people)

FULL = ("json", "cloudevents", "cloudevents-binary")


def said(came: Received) -> dict[str, Any]:
    """What a delivery says, in whatever format."""
    if came.headers["content-type"] == "application/x-www-form-urlencoded":
        return dict(came.form)
    body: dict[str, Any] = json.loads(came.body)
    return body["data"] if came.headers["content-type"] == "application/cloudevents+json" else body


@dataclass(frozen=True)
class Line:
    """The API with an engine behind it, and a receiver that validates from inside its own handler."""

    api: Api
    receiver: Receiver

    async def hook(self, type: str = "item.update", **more: Any) -> dict[str, Any]:
        """An active hook on the app; what its creation answered."""
        url = more.pop("url", self.receiver.url)
        made = await self.api.post(f"/hook/app/{self.api.people.app_id}", {"url": url, "type": type, **more})
        assert made.status_code == 200, made.text
        async with asyncio.timeout(20):
            while not await self._active(made.json()["hook_id"]):  # noqa: ASYNC110  another loop makes it so
                await asyncio.sleep(0.01)
        told: dict[str, Any] = made.json()
        return told

    async def _active(self, hook_id: int) -> bool:
        hooks = (await self.api.get(f"/hook/app/{self.api.people.app_id}")).json()
        return any(hook["hook_id"] == hook_id and hook["status"] == "active" for hook in hooks)

    async def item(self, title: str = "A") -> int:
        """An item, which is changed from then on."""
        made = await self.api.post(f"/item/app/{self.api.people.app_id}", {"fields": {"title": title}, "external_id": "ERP-9"})
        return int(made.json()["item_id"])

    async def came(self, type: str, count: int = 1) -> list[Received]:
        """The deliveries of a type, once so many have come."""

        def those() -> list[Received]:
            return [each for each in self.receiver.received if said(each)["type"] == type]

        await self.receiver.wait_for(lambda: len(those()) >= count)
        return those()


@asynccontextmanager
async def open_line(database: AnyDatabase, settings: Mapping[str, Any] | None = None) -> AsyncIterator[Line]:
    async def answer(came: Received) -> Answer:
        told = said(came)
        if told["type"] == "hook.verify":
            await api.post(f"/hook/{told['hook_id']}/verify/validate", {"code": told["code"]})
        return 200

    settings = {"retention": 10_000.0, **(settings or {})}
    async with open_api(database, allow=["127.0.0.1:*"], settings=settings) as api, receiving(answer) as receiver:
        engine = Engine(database, api.house.keyring, api.house.settings, api.house.allow, clock=system_clock, telemetry=Telemetry())
        await keep_tokens(database)
        await engine.start()
        yield Line(api, receiver)
        await engine.stop()


@pytest.fixture
async def line(database: AnyDatabase) -> AsyncIterator[Line]:
    async with open_line(database) as opened:
        yield opened


async def test_json_says_the_item_as_it_stood_and_each_change_before_and_after(line: Line) -> None:
    hook = await line.hook(format="json")
    item_id = await line.item()
    await line.api.put(f"/item/{item_id}", {"fields": {"title": "B"}})
    await line.api.put(f"/item/{item_id}", {"fields": {"title": "C"}})
    [came, _] = await line.came("item.update", 2)
    people, title = line.api.people, line.api.people.fields["title"]
    assert came.headers["content-type"] == "application/json"
    assert json.loads(came.body) == {
        "type": "item.update",
        "hook_id": hook["hook_id"],
        "id": came.headers["webhook-id"],
        "created_on": "2026-01-02 03:00:00",
        "created_by": {"type": "user", "id": people.ada.id},
        "app_id": people.app_id,
        "space_id": people.space_id,
        "cause": None,
        "depth": 0,
        "item_id": item_id,
        "item_revision_id": 1,
        "external_id": "ERP-9",
        "item": {
            "item_id": item_id,
            "app_item_id": 1,
            "external_id": "ERP-9",
            "title": "B",
            "revision": 1,
            "fields": [{"field_id": title, "external_id": "title", "type": "text", "label": "Title", "values": [{"value": "B"}]}],
        },
        "changes": [
            {
                "field_id": title,
                "external_id": "title",
                "type": "text",
                "label": "Title",
                "from": [{"value": "A"}],
                "to": [{"value": "B"}],
            }
        ],
    }


async def test_the_values_in_json_are_written_as_podio_writes_them(line: Line) -> None:
    field = {"type": "category", "config": {"label": "State", "settings": {"options": [{"text": "Open"}, {"text": "Done"}]}}}
    assert (await line.api.post(f"/app/{line.api.people.app_id}/field", field)).is_success
    await line.hook("item.create", format="json")
    made = await line.api.post(f"/item/app/{line.api.people.app_id}", {"fields": {"title": "A", "state": 2}})
    [came] = await line.came("item.create")
    answered = (await line.api.get(f"/item/{made.json()['item_id']}")).json()
    told = said(came)["item"]["fields"]
    assert [each["values"] for each in told] == [each["values"] for each in answered["fields"]]


async def test_what_did_not_change_is_told_whole_too_with_what_it_refers_to(line: Line) -> None:
    field = {"type": "app", "config": {"label": "Of", "settings": {"referenceable_types": [line.api.people.app_id]}}}
    assert (await line.api.post(f"/app/{line.api.people.app_id}/field", field)).is_success
    other = await line.item("The other")
    made = await line.api.post(f"/item/app/{line.api.people.app_id}", {"fields": {"title": "A", "of": other}})
    await line.hook(format="json")
    await line.api.put(f"/item/{made.json()['item_id']}", {"fields": {"title": "B"}})
    [came] = await line.came("item.update")
    told = {each["external_id"]: each["values"] for each in said(came)["item"]["fields"]}
    assert told["title"] == [{"value": "B"}]
    assert (told["of"][0]["value"]["item_id"], told["of"][0]["value"]["title"]) == (other, "The other")
    assert [change["external_id"] for change in said(came)["changes"]] == ["title"]


async def test_a_deletion_says_what_was_there(line: Line) -> None:
    await line.hook("item.delete", format="json")
    await line.api.delete(f"/item/{await line.item()}")
    [came] = await line.came("item.delete")
    told = said(came)
    assert [field["values"] for field in told["item"]["fields"]] == [[{"value": "A"}]]
    assert [(change["from"], change["to"]) for change in told["changes"]] == [([{"value": "A"}], [])]


async def test_an_event_of_something_else_than_an_item_says_its_ids_as_numbers(line: Line) -> None:
    await line.hook("file.change", format="json")
    item_id = await line.item()
    made = await line.api.send("POST", "/file", files={"source": ("a.txt", b"bytes", "text/plain")}, data={"filename": "a.txt"})
    file_id = made.json()["file_id"]
    await line.api.post(f"/file/{file_id}/attach", {"ref_type": "item", "ref_id": item_id})
    [came] = await line.came("file.change")
    told = said(came)
    assert (told["item_id"], told["action_type"], told["file_ids"]) == (item_id, "file_created", [file_id])
    assert "item" not in told


async def test_a_change_made_before_anybody_asked_for_the_whole_has_no_item(line: Line) -> None:
    """Its event was written for a hook of another format; the whole one came between the change and its fan-out."""
    app_id = line.api.people.app_id
    made = await line.hook(format="json")
    item_id = await line.item()

    def forget(tx: Any) -> None:
        tx.exec_driver_sql(f"UPDATE apps SET full_hooks = 0 WHERE app_id = {app_id}")

    await line.api.house.database.write(forget)
    await line.api.put(f"/item/{item_id}", {"fields": {"title": "B"}})
    [came] = await line.came("item.update")
    assert said(came)["item"] is None
    assert (said(came)["hook_id"], len(said(came)["changes"])) == (made["hook_id"], 1)


def as_cloud_event(came: Received) -> CloudEvent:
    event = from_http(HTTPMessage(came.headers, came.body), JSONFormat(), CloudEvent)
    assert isinstance(event, CloudEvent)
    return event


@pytest.mark.parametrize("format", ["cloudevents", "cloudevents-binary"])
async def test_the_cloudevents_library_reads_both_of_its_modes(line: Line, format: str) -> None:
    hook = await line.hook(format=format)
    item_id = await line.item()
    await line.api.put(f"/item/{item_id}", {"fields": {"title": "B"}})
    [came] = await line.came("item.update")
    event = as_cloud_event(came)
    assert event.get_specversion() == "1.0"
    assert event.get_id() == came.headers["webhook-id"]
    assert event.get_source() == f"http://tidings.test/app/{line.api.people.app_id}"
    assert event.get_type() == "tidings.item.update"
    assert event.get_subject() == f"item/{item_id}"
    assert (time := event.get_time()) is not None
    assert time.isoformat() == "2026-01-02T03:00:00+00:00"
    assert event.get_datacontenttype() == "application/json"
    data: Any = event.get_data()
    assert (data["type"], data["hook_id"], data["item"]["title"]) == ("item.update", hook["hook_id"], "B")


@pytest.mark.parametrize("format", FULL)
async def test_the_verification_goes_out_in_the_hooks_format_and_says_nothing_but_its_code(line: Line, format: str) -> None:
    hook = await line.hook(format=format)
    [came] = await line.came("hook.verify")
    assert set(said(came)) == {"type", "hook_id", "id", "code"}
    assert said(came)["hook_id"] == hook["hook_id"]
    if format != "json":
        assert as_cloud_event(came).get_type() == "tidings.hook.verify"


@pytest.mark.parametrize("format", FULL)
async def test_the_urls_query_stays_in_the_url(line: Line, format: str) -> None:
    await line.hook(format=format, url=f"{line.receiver.url}/in?key=k&type=mine")
    [came] = await line.came("hook.verify")
    assert came.target == "/in?key=k&type=mine"
    assert "key" not in said(came)


@pytest.mark.parametrize("format", ["podio", *FULL])
async def test_every_format_is_signed_for_whole(line: Line, format: str) -> None:
    hook = await line.hook(format=format)
    [came] = await line.came("hook.verify")
    standardwebhooks.Webhook(hook["secret"]).verify(came.body, came.headers, json_parse=False)


async def test_a_retry_says_the_same_as_the_first_attempt_whatever_happened_meanwhile(database: AnyDatabase) -> None:
    async with open_line(database, {"schedule": (0.05,)}) as line:
        await line.hook(format="json")
        item_id = await line.item()

        async def bad_at_first(came: Received) -> Answer:
            if came.headers["tidings-attempt"] != "1" or said(came)["item_revision_id"] != 1:
                return 200
            await line.api.put(f"/item/{item_id}", {"fields": {"title": "C"}})
            return 500

        line.receiver.answers = bad_at_first
        await line.api.put(f"/item/{item_id}", {"fields": {"title": "B"}})
        came = await line.came("item.update", 3)
        first, again = (each for each in came if said(each)["item_revision_id"] == 1)
        assert (first.headers["tidings-attempt"], again.headers["tidings-attempt"]) == ("1", "2")
        assert first.body == again.body


# --- signatures --------------------------------------------------------------------------------------------------------


async def public_keys(line: Line) -> list[dict[str, Any]]:
    keys: list[dict[str, Any]] = (await line.api.get("/.well-known/tidings-keys", access=None)).json()["keys"]
    return keys


def signed_with(came: Received, key: Mapping[str, str]) -> list[bool]:
    """For each signature of a delivery, whether it is of this key: RFC 8037 and RFC 8032, and nothing of ours."""
    public = Ed25519PublicKey.from_public_bytes(base64.urlsafe_b64decode(key["x"] + "=" * (-len(key["x"]) % 4)))
    message = f"{came.headers['webhook-id']}.{came.headers['webhook-timestamp']}.".encode() + came.body
    found = []
    for entry in came.headers["webhook-signature"].split(" "):
        version, _, signature = entry.partition(",")
        assert version == "v1a"
        try:
            public.verify(base64.b64decode(signature, validate=True), message)
        except InvalidSignature:
            found.append(False)
        else:
            found.append(True)
    return found


async def test_whoever_reads_the_servers_public_key_can_check_an_ed25519_signature(line: Line) -> None:
    hook = await line.hook(signing="ed25519")
    [came] = await line.came("hook.verify")
    [key] = await public_keys(line)
    assert "secret" not in hook
    assert (key["kty"], key["crv"], key["alg"], key["kid"]) == ("OKP", "Ed25519", "EdDSA", "1")
    assert signed_with(came, key) == [True]


async def test_while_keys_are_rotated_both_sign_and_the_former_comes_last(line: Line) -> None:
    await line.hook(signing="ed25519")
    [former] = await public_keys(line)
    house, item_id = line.api.house, await line.item()
    await house.database.write(rotate_keys, house.keyring, overlap=3600 * SECOND, now=system_clock())
    await line.api.put(f"/item/{item_id}", {"fields": {"title": "B"}})
    [came] = await line.came("item.update")
    present = next(key for key in await public_keys(line) if key["kid"] != former["kid"])
    assert signed_with(came, present) == [True, False]
    assert signed_with(came, former) == [False, True]


async def test_a_new_secret_and_the_former_one_both_sign_and_the_former_comes_last(line: Line) -> None:
    hook, house = await line.hook(), line.api.house
    hook_id, item_id = hook["hook_id"], await line.item()
    times = {"overlap": 3600 * SECOND, "now": system_clock()}  # the engine's clock is the real one
    renewed = await house.database.write(renew_secret, line.api.people.ada, house.keyring, hook_id, **times)
    await line.api.put(f"/item/{item_id}", {"fields": {"title": "B"}})
    [came] = await line.came("item.update")
    for secret, entry in zip((renewed, hook["secret"]), came.headers["webhook-signature"].split(" "), strict=True):
        alone = {**came.headers, "webhook-signature": entry}
        standardwebhooks.Webhook(secret).verify(came.body, alone, json_parse=False)
