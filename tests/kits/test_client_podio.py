"""Podio itself: what its documentation and those who measured it say that it answers, and what the client makes of it.

The sources are the contract's; a server on loopback plays them back, byte for byte.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.support.either import Either
from tests.support.scripted_server import Peer, ScriptedServer
from tidings import errors
from tidings.client import NewHook, Tokens
from tidings.client.session import RateLimit

BYLINE = {
    "type": "user",
    "id": 6,
    "name": "A",
    "url": "https://x/u/6",
    "avatar": None,
    "avatar_type": None,
    "avatar_id": None,
    "image": None,
}
VIA = {"id": 1, "auth_client_id": 1, "name": "c", "url": None, "display": False}
HOOK = {
    "hook_id": 123, "status": "inactive", "type": "item.create", "url": "https://example.org/in?key=k",
    "created_on": "2026-01-02 03:04:05", "created_by": BYLINE, "created_via": VIA,
}  # fmt: skip
LOGIN = {
    "access_token": "a" * 128, "token_type": "bearer", "expires_in": 28800, "refresh_token": "r" * 128, "scope": "global:all",
    "ref": {"type": "user", "id": 6},
}  # fmt: skip
LIMITS = {"X-Rate-Limit-Limit": "1000", "X-Rate-Limit-Remaining": "997"}


class Podio:
    """Answers each request with what stands under its method and path."""

    def __init__(self) -> None:
        self.answers: dict[str, tuple[int, Any]] = {"POST /oauth/token/v2": (200, LOGIN)}

    async def __call__(self, peer: Peer) -> None:
        while True:
            asked = (await peer.request()).split(b"\r\n")[0].decode().removesuffix(" HTTP/1.1")
            status, body = self.answers[asked]
            content = b"" if body is None else json.dumps(body).replace("/", "\\/").encode()  # as PHP writes it
            headers = {**LIMITS, "Content-Type": "application/json; charset=utf-8", "Content-Length": str(len(content))}
            lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
            await peer.say(f"HTTP/1.1 {status} X\r\n{lines}\r\n".encode() + content)


@pytest.fixture
def podio() -> Podio:
    return Podio()


@pytest.fixture(params=["blocking", "awaiting"])
async def either(request: pytest.FixtureRequest, podio: Podio) -> AsyncIterator[Either]:
    async with ScriptedServer(podio) as server:
        made = Either(request.param, server.url.removesuffix("/hook"))
        yield made
        await asyncio.to_thread(made.client._driver.close)


def envelope(error: str, description: str, **more: object) -> dict[str, object]:
    request = {"url": "/hook/1", "query_string": "", "method": "GET"}
    said: dict[str, object] = {"error": error, "error_detail": None, "error_description": description, "error_parameters": {}}
    return {**said, "error_propagate": False, "request": request, **more}


async def test_logging_in(either: Either) -> None:
    await either(lambda client: client.authenticate_with_password("a@example.org", "secret"))

    assert either.client.tokens == Tokens("a" * 128, "r" * 128, "global:all", "user", 6)
    assert either.client.rate_limit == RateLimit(1000, 997)


async def test_hooks(either: Either, podio: Podio) -> None:
    podio.answers |= {
        "POST /hook/app_field/1234/": (200, {"hook_id": 123}),
        "GET /hook/app/5/": (200, [HOOK]),
        "POST /hook/123/verify/request": (204, None),
        "POST /hook/123/verify/validate": (200, {}),  # one look-alike answers an object: that is well, too
        "DELETE /hook/123": (204, None),
    }

    assert await either(lambda client: client.hooks.create("app_field", 1234, "https://example.org/in", "item.update")) == NewHook(123)
    assert await either(lambda client: client.hooks.list("app", 5)) == [HOOK]
    assert await either(lambda client: client.hooks.verify(123)) is None
    assert await either(lambda client: client.hooks.validate(123, "b9079247")) is None
    assert await either(lambda client: client.hooks.delete(123)) is None


async def test_items(either: Either, podio: Podio) -> None:
    item = {"item_id": 3276908608, "title": "x", "created_by": BYLINE}  # ids have long outgrown 32 bits
    podio.answers |= {
        "POST /item/app/5/?hook=false": (200, {"item_id": 3276908608, "title": "x"}),
        "PUT /item/42": (200, {"revision": 1, "title": "x"}),
        "PUT /item/43": (204, None),  # nothing has changed
        "PUT /item/42/value": (200, {"revision": 2, "title": "x"}),
        "POST /item/app/5/filter/": (200, {"total": 2, "filtered": 1, "items": [item]}),
        "GET /item/app/5/count": (200, {"count": 2}),
        "GET /item/42/revision/": (200, [{"revision": 0, "item_revision_id": 9_000_000_000, "type": "creation"}]),
        "POST /item/42/clone": (200, {"item_id": 44}),
    }

    assert (await either(lambda client: client.items.create(5, {"title": "x"}, hook=False)))["item_id"] == 3276908608
    assert await either(lambda client: client.items.update(42, {"title": "x"})) == {"revision": 1, "title": "x"}
    assert await either(lambda client: client.items.update(43, {"title": "x"})) is None
    assert await either(lambda client: client.items.update_values(42, {"title": "x"})) == {"revision": 2, "title": "x"}
    assert await either(lambda client: client.items.filter(5)) == {"total": 2, "filtered": 1, "items": [item]}
    assert await either.listed(lambda client: client.items.iterate(5)) == [item]
    assert await either(lambda client: client.items.count(5)) == 2
    assert (await either(lambda client: client.items.list_revisions(42)))[0]["revision"] == 0
    assert await either(lambda client: client.items.clone(42)) == 44


async def test_what_hangs_on_items(either: Either, podio: Podio) -> None:
    podio.answers |= {
        "POST /comment/item/42/": (200, {"comment_id": 900}),
        "PUT /comment/900": (204, None),
        "POST /file/": (200, {"file_id": 11, "name": "x.txt", "size": 3}),
        "POST /file/11/attach": (204, None),
        "POST /task/item/42/": (200, {"task_id": 77}),
        "POST /task/77/complete": (200, {"recurring_task_id": None}),
        "PUT /task/77": (204, None),
        "POST /tag/item/42/": (204, None),
        "GET /tag/app/5/": (200, [{"text": "a", "count": 3}]),
        "POST /status/space/2/": (200, {"status_id": 55}),
        "POST /form/app/5/": (200, {"form_id": 3}),
    }

    assert (await either(lambda client: client.comments.create("item", 42, "Hello")))["comment_id"] == 900
    assert await either(lambda client: client.comments.update(900, "Bye")) is None
    assert (await either(lambda client: client.files.upload(b"abc", "x.txt")))["file_id"] == 11
    assert await either(lambda client: client.files.attach(11, "item", 42)) is None
    assert (await either(lambda client: client.tasks.create_on("item", 42, "Do it")))["task_id"] == 77
    assert await either(lambda client: client.tasks.complete(77)) == {"recurring_task_id": None}
    assert await either(lambda client: client.tasks.update(77, text="Do")) is None
    assert await either(lambda client: client.tags.add("item", 42, ["a"])) is None
    assert await either(lambda client: client.tags.list(5)) == [{"text": "a", "count": 3}]
    assert (await either(lambda client: client.statuses.create(2, "Hello")))["status_id"] == 55
    assert (await either(lambda client: client.forms.create(5, {})))["form_id"] == 3


REFUSALS: list[tuple[int, Any, type[errors.TidingsError], str]] = [
    (400, envelope("invalid_value", "Hook type x is not allowed for this object"), errors.Invalid, "invalid_value"),
    (400, envelope("not_found", "Invalid reference x"), errors.NotFound, "not_found"),
    (400, envelope("invalid_grant", "dead"), errors.InvalidGrant, "invalid_grant"),
    (401, envelope("unauthorized", "invalid_request"), errors.Unauthorized, "unauthorized"),
    (402, None, errors.PaymentRequired, "payment_required"),
    (403, envelope("forbidden", "The user with id 1 does not have the right view"), errors.Forbidden, "forbidden"),
    (403, envelope("requestable_forbidden", "Ask for it"), errors.Forbidden, "requestable_forbidden"),
    (404, envelope("not_found", "Object not found"), errors.NotFound, "not_found"),
    (406, None, errors.NotAcceptable, "not_acceptable"),
    (409, envelope("conflict", "changed"), errors.Conflict, "conflict"),
    (410, envelope("gone", "deleted"), errors.Gone, "gone"),
    (420, envelope("rate_limit", "You have hit the rate limit"), errors.RateLimited, "rate_limit"),
    (429, None, errors.RateLimited, "rate_limit"),
    (500, envelope("unexpected", "An unexpected error has occurred"), errors.ServerFailed, "unexpected"),
    (502, None, errors.Unavailable, "unavailable"),
    (503, None, errors.Unavailable, "unavailable"),
    (504, None, errors.Unavailable, "unavailable"),
]


@pytest.mark.parametrize(("status", "body", "kind", "code"), REFUSALS, ids=[f"{status} {code}" for status, _, _, code in REFUSALS])
async def test_every_refusal_is_one_of_ours(
    either: Either, podio: Podio, status: int, body: Any, kind: type[errors.TidingsError], code: str
) -> None:
    podio.answers["GET /item/42"] = (status, body)

    with pytest.raises(errors.TidingsError) as caught:
        await either(lambda client: client.items.get(42))

    assert (type(caught.value), caught.value.status, caught.value.code) == (kind, status, code)
    if body is not None:
        assert caught.value.description == body["error_description"]
