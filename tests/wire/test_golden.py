"""What Podio's clients really send, byte for byte, and what they are answered (contract sections 4.5 and 5.3).

`tests/wire/golden/*.http` holds one file a client: requests as they were captured (some, as the file says, written from
the client's source), each with the answer that is due. How to read and write them stands in `golden/README.md`.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.databases import AnyDatabase
from tests.support.house import PASSWORD, Api, open_api, serving_app, talk

GOLDEN = Path(__file__).parent / "golden"


@dataclass(frozen=True)
class Exchange:
    """One request, and the answer that is due."""

    client: str
    sentence: str
    request: str  # with its placeholders, lines ended by \n
    status: int
    answer: str  # JSON with placeholders and `...`; empty where no body is due


def read_exchanges() -> list[Exchange]:
    """All of them, from all files."""
    return [
        _read(path.stem, text) for path in sorted(GOLDEN.glob("*.http")) for text in path.read_text().split("\n=====\n") if text.strip()
    ]


def _read(client: str, text: str) -> Exchange:
    match = re.fullmatch(r"\n*((?:# [^\n]*\n)+)\n(.*)\n<<< (\d+)\n?(.*)", text, re.DOTALL)
    assert match is not None, f"{client}: cannot be read: {text[:200]}"
    sentence = " ".join(line.removeprefix("# ") for line in match[1].splitlines())
    return Exchange(client, sentence, match[2], int(match[3]), match[4].strip())


@pytest.fixture
async def api(sqlite: AnyDatabase) -> AsyncIterator[Api]:
    """The API. What it is asked has nothing to do with the engine."""
    async with open_api(sqlite) as api:
        yield api


async def what_is_there(api: Api) -> dict[str, str]:
    """What the placeholders mean: an item, a hook that waits for its code, logins."""
    people = api.people
    item = (await api.post(f"/item/app/{people.app_id}", {"fields": {"title": "A"}, "external_id": "ERP-9"})).json()
    hook = (await api.post(f"/hook/app/{people.app_id}", {"url": "http://example.org/", "type": "app.update"}, access="app")).json()
    form = {
        "grant_type": "app", "app_id": people.app_id, "app_token": people.app_token,
        "client_id": people.client.client_id, "client_secret": people.client.client_secret,
    }  # fmt: skip
    login = (await api.post("/oauth/token", form, access=None)).json()
    pair = f"{people.client.client_id}:{people.client.client_secret}"
    return {
        "basic": base64.b64encode(pair.encode()).decode(),
        "client_id": people.client.client_id,
        "client_secret": people.client.client_secret,
        "app_id": str(people.app_id),
        "app_token": people.app_token,
        "space_id": str(people.space_id),
        "org_id": str(people.org_id),
        "username": "ada@example.org",
        "username_in_form": "ada%40example.org",
        "password": PASSWORD,
        "password_in_form": PASSWORD.replace(" ", "+"),
        "access_token": people.ada_access,
        "app_access_token": people.app_access,
        "refresh_token": login["refresh_token"],
        "item_id": str(item["item_id"]),
        "app_item_id": str(item["app_item_id"]),
        "hook_id": str(hook["hook_id"]),
    }


def fill_in(text: str, known: dict[str, str]) -> str:
    """`text` with its placeholders replaced. Raises KeyError for one that means nothing."""
    return re.sub(r"<(\w+)>", lambda match: known[match[1]], text)


def as_bytes(request: str) -> bytes:
    """The request as it goes over the wire. Where it says `Content-Length`, the length is that of the body here."""
    head, _, body = request.partition("\n\n")
    body = body.replace("\n", "\r\n") if "multipart" in head else body
    head = re.sub(r"(?mi)^(content-length): [1-9]\d*$", lambda match: f"{match[1]}: {len(body.encode())}", head)
    return head.replace("\n", "\r\n").encode() + b"\r\nConnection: close\r\n\r\n" + body.encode()


def fits(value: Any, wanted: Any) -> bool:
    """Whether `value` is what is `wanted`: `"..."` is anything, and in an object any further keys."""
    match wanted:
        case "...":
            return True
        case dict():
            more = "..." in wanted
            keys = set(wanted) - {"..."}
            right = isinstance(value, dict) and (keys <= set(value) if more else keys == set(value))
            return right and all(fits(value[key], wanted[key]) for key in keys)
        case list():
            return isinstance(value, list) and len(value) == len(wanted) and all(map(fits, value, wanted))
        case _:
            return type(value) is type(wanted) and bool(value == wanted)


EXCHANGES = read_exchanges()


@pytest.mark.parametrize("exchange", EXCHANGES, ids=lambda each: f"{each.client}: {each.sentence}")
async def test_a_request_as_it_was_captured_is_answered_as_it_was_meant(api: Api, exchange: Exchange) -> None:
    known = await what_is_there(api)
    with serving_app(api) as port:
        answer = await talk(port, as_bytes(fill_in(exchange.request, known)))
    head, _, body = answer.partition(b"\r\n\r\n")
    assert int(head.split()[1]) == exchange.status, answer.decode()
    if not exchange.answer:
        assert body == b""
        return
    wanted = json.loads(fill_in(exchange.answer, known))
    assert fits(json.loads(body), wanted), body.decode()


def test_every_client_of_the_contract_has_its_file() -> None:
    clients = {"pypodio2", "podio_python", "turbopod", "podio_js", "podio_php", "podio_rb", "podio_java", "podio_dotnet"}
    assert clients <= {each.client for each in EXCHANGES}
