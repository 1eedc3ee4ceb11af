"""The bytes of a request."""

from __future__ import annotations

import json

import pytest
from msgspec.structs import replace

from tidings.delivery.allow import parse_allow
from tidings.delivery.deliveries import Delivery, Event, Whole
from tidings.delivery.guard import judge_url
from tidings.delivery.requests import Prepared, build, prepare
from tidings.hooks.matching import Format, Hook
from tidings.wire.signing import sign

NOW = 1_767_322_800_000_000
HOOK = Hook(5, "app", 3, "item.update", "http://a.example/in?key=k", True, None, "none", None, False, None, (b"new", b"old"))
EVENT = Event(
    9, "item.update", 3, 2, "item", 42, '{"item_id":"42","item_revision_id":"1","external_id":""}', "[]", None, 0, None, NOW
)  # fmt: skip
WHOLE = Whole("user:6@1", None, '{"title":"B"}', "[]")


def prepared(hook: Hook) -> Prepared:
    return prepare(hook, judge_url(hook.url, parse_allow(["a.example"]), None), "4f1c", "http://tidings.test")


def request(hook: Hook = HOOK, event: Event = EVENT, *, whole: Whole | None = None) -> tuple[list[str], bytes]:
    delivery = Delivery(5, 12, event, hook, 1, whole=whole)
    head, _, body = build(prepared(hook), delivery, now=NOW).partition(b"\r\n\r\n")
    return head.decode("ascii").split("\r\n"), body


def signatures(hook: Hook) -> list[str]:
    [line] = [line for line in request(hook)[0] if line.startswith("webhook-signature: ")]
    return line.removeprefix("webhook-signature: ").split(" ")


def test_podios_form_is_the_same_to_the_byte_as_it_ever_was() -> None:
    lines, body = request()
    assert body == b"item_id=42&item_revision_id=1&external_id=&type=item.update&hook_id=5&key=k"
    assert lines[0] == "POST /in HTTP/1.1"
    assert lines[2].startswith("User-Agent: Tidings/")
    assert lines[1:2] + lines[3:] == [
        "Host: a.example",
        "Accept: */*",
        "Content-Type: application/x-www-form-urlencoded",
        "Content-Length: 75",
        "webhook-id: msg_4f1c_5_12",
        "webhook-timestamp: 1767322800",
        f"webhook-signature: {sign(b'new', 'msg_4f1c_5_12', 1_767_322_800, body)}",
        "Tidings-Sequence: 12",
        "Tidings-Attempt: 1",
        "Tidings-Space: 2",
        "Tidings-App: 3",
    ]


def test_the_former_key_signs_last_and_no_longer_than_it_may() -> None:
    body = request()[1]
    new, old = (sign(key, "msg_4f1c_5_12", 1_767_322_800, body) for key in HOOK.keys)
    assert signatures(replace(HOOK, former_until=NOW + 1)) == [new, old]
    assert signatures(replace(HOOK, former_until=NOW)) == [new]


def test_the_depth_is_said_where_there_is_one() -> None:
    assert "Tidings-Depth: 2" in request(event=replace(EVENT, depth=2))[0]


def test_json_says_what_led_to_it() -> None:
    _, body = request(replace(HOOK, format="json"), replace(EVENT, depth=2), whole=replace(WHOLE, cause="7-3"))
    told = json.loads(body)
    assert (told["cause"], told["depth"], told["item"]) == ({"hook_id": 7, "sequence": 3}, 2, {"title": "B"})


@pytest.mark.parametrize(("app_id", "space_id", "source"), [(3, 2, "/app/3"), (None, 2, "/space/2"), (None, None, "")])
def test_a_cloud_event_comes_from_the_app_or_the_space(app_id: int | None, space_id: int | None, source: str) -> None:
    lines, _ = request(replace(HOOK, format="cloudevents-binary"), replace(EVENT, app_id=app_id, space_id=space_id), whole=WHOLE)
    assert f"ce-source: http://tidings.test{source}" in lines


@pytest.mark.parametrize("format", ["json", "cloudevents", "cloudevents-binary"])
def test_the_query_of_the_url_stays_there_in_the_other_formats(format: Format) -> None:
    lines, body = request(replace(HOOK, format=format), whole=WHOLE)
    assert lines[0] == "POST /in?key=k HTTP/1.1"
    assert b"key" not in body


def test_nothing_of_a_key_is_shown() -> None:
    assert "old" not in repr(prepared(HOOK))
    assert "old" not in repr(HOOK)
