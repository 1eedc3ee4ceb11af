"""`tidings listen`: what a person sees of deliveries, with a real receiver on loopback."""

from __future__ import annotations

import asyncio
import http.client
import io
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace

import pytest
from rich.console import Console

from tests.support.databases import AnyDatabase
from tests.support.house import KEYRING, keep_tokens, open_api, serving_app
from tests.support.processes import wait_until
from tidings.cli.listen import Asked, listening, run_listen
from tidings.clock import system_clock
from tidings.delivery.allow import parse_allow
from tidings.delivery.engine import Engine
from tidings.errors import Invalid, Unavailable
from tidings.receiver.testing import SECRET, sample
from tidings.settings import Settings
from tidings.telemetry.facts import Telemetry

HERE = Asked("127.0.0.1", 0)


class Screen:
    """What is printed."""

    def __init__(self) -> None:
        self._file = io.StringIO()
        self.console = Console(file=self._file, width=200, highlight=False)

    @property
    def text(self) -> str:
        return self._file.getvalue()


@contextmanager
def listener(asked: Asked, screen: Screen) -> Iterator[int]:
    """The receiver, served in a thread; its port."""
    with listening(asked, screen.console) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


def post(port: int, body: bytes, headers: dict[str, str] | None = None, method: str = "POST") -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    form = {"content-type": "application/x-www-form-urlencoded"}
    connection.request(method, "/any/path", body, {**form, **(headers or {})})
    answer = connection.getresponse()
    said = answer.read().decode()
    connection.close()
    return answer.status, said


def test_a_delivery_is_printed_as_it_came() -> None:
    screen = Screen()
    with listener(HERE, screen) as port:
        body = b"item_id=42&item_revision_id=0&external_id=&type=item.create&hook_id=7"
        assert post(port, body, {"Tidings-Attempt": "2", "Cookie": "hunter2"}) == (204, "")
    assert f"Listening at http://127.0.0.1:{port}/" in screen.text
    assert f"--allow 127.0.0.1:{port}" in screen.text
    assert "item.create to hook 7, signature not checked (--secret does)" in screen.text
    assert "    tidings-attempt: 2\n" in screen.text
    assert f"    {body.decode()}\n" in screen.text
    assert "hunter2" not in screen.text


def test_a_signature_is_checked_where_the_secret_is_given() -> None:
    screen = Screen()
    headers, body = sample("item.create")
    with listener(replace(HERE, secret=SECRET), screen) as port:
        assert post(port, body, headers)[0] == 204
        assert post(port, body, {**headers, "webhook-signature": "v1,AAAA"})[0] == 401
        assert post(port, body)[0] == 401
    assert "item.create to hook 7, signature checked" in screen.text
    assert "answered 401: no signature matches" in screen.text
    assert "answered 401: a signed delivery has the headers" in screen.text


def test_a_code_is_printed_with_what_to_do_with_it() -> None:
    screen = Screen()
    with listener(HERE, screen) as port:
        assert post(port, b"code=c0de&type=hook.verify&hook_id=7")[0] == 204
    assert 'POST /hook/7/verify/validate {"code": "c0de"}' in screen.text


def test_whatever_comes_is_shown_as_text_and_ends_nothing() -> None:
    screen = Screen()
    with listener(HERE, screen) as port:
        assert post(port, b"\x00\xff[bold]\x1b[31m")[0] == 400
        assert post(port, b"type=item.create&hook_id=7&external_id=%1b[bold]x\x1b[31m")[0] == 204
        assert post(port, b"", method="GET")[0] == 405
        assert post(port, b"type=item.delete&hook_id=7&item_id=1")[0] == 204
    assert "\x1b" not in screen.text
    assert "[bold]x [31m" in screen.text
    assert "item.delete to hook 7" in screen.text


async def test_a_hook_is_validated_through_the_api_and_its_code_is_not_shown(sqlite: AnyDatabase) -> None:
    screen = Screen()
    async with open_api(sqlite, allow=["127.0.0.1:*"]) as api:
        await keep_tokens(sqlite)
        app_id, client = api.people.app_id, api.people.client
        with serving_app(api) as server:
            asked = Asked(
                "127.0.0.1", 0, None, f"http://127.0.0.1:{server}", app_id, api.people.app_token, client.client_id, client.client_secret
            )
            async with delivering(sqlite):  # which ends before the server does, and the database with that
                with listener(asked, screen) as port:
                    made = (await api.post(f"/hook/app/{app_id}", {"url": f"http://127.0.0.1:{port}/", "type": "item.create"})).json()
                    await asyncio.to_thread(wait_until, lambda: "is verified" in screen.text)
                    [hook] = (await api.get(f"/hook/app/{app_id}")).json()
                    await api.post(f"/item/app/{app_id}", {"fields": {"title": "T"}})
                    await asyncio.to_thread(wait_until, lambda: "item.create to hook" in screen.text)
    assert hook["status"] == "active"
    assert f"Hook {made['hook_id']} is verified: its code was sent back." in screen.text
    assert "code=(hidden)&type=hook.verify" in screen.text


@asynccontextmanager
async def delivering(database: AnyDatabase) -> AsyncIterator[None]:
    settings = Settings(retention=10_000)
    engine = Engine(database, KEYRING, settings, parse_allow(["127.0.0.1:*"]), clock=system_clock, telemetry=Telemetry())
    await engine.start()
    try:
        yield
    finally:
        await engine.stop()


def test_what_is_asked_wrongly_is_a_sentence() -> None:
    console = Screen().console
    with pytest.raises(Invalid, match="--secret: a webhook secret is"), listening(replace(HERE, secret="!"), console):
        pass
    with pytest.raises(Invalid, match="together"), listening(replace(HERE, app_id=1), console):
        pass
    with listening(HERE, console) as server, pytest.raises(Unavailable, match="cannot listen on"):
        run_listen(replace(HERE, port=server.server_port))
