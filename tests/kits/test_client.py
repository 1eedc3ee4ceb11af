"""The client against a real socket: what goes over the wire, and what the network may do to it."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

import pytest

from tidings.client import Client, NewHook
from tidings.errors import Invalid, InvalidClient, TidingsError, Unauthorized, Unavailable
from tidings.wire.podio import error_envelope

TOKENS = {"access_token": "T1", "refresh_token": "R1", "expires_in": 28800, "token_type": "bearer", "scope": "global:all", "ref": {}}


@dataclass
class Script:
    """What the server is to answer, in this order, and what it was asked."""

    answers: list[tuple[int, Any]] = field(default_factory=list)
    asked: list[tuple[str, str, dict[str, str], bytes]] = field(default_factory=list)
    url: str = ""

    def answer(self, status: int, body: Any) -> None:
        """Answer this next."""
        self.answers.append((status, body))


class _Server(ThreadingHTTPServer):
    script: Script


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def _reply(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        script = self.server.script
        script.asked.append((self.command, self.path, {name.lower(): value for name, value in self.headers.items()}, body))
        status, answer = script.answers.pop(0)
        content = answer if isinstance(answer, bytes) else b"" if answer is None else json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Location", "http://127.0.0.1:1/elsewhere")
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_PUT = do_DELETE = _reply  # noqa: N815 (the names that http.server calls)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def script() -> Iterator[Script]:
    with _Server(("127.0.0.1", 0), _Handler) as server:
        server.script = Script(url=f"http://127.0.0.1:{server.server_address[1]}")
        thread = threading.Thread(target=server.serve_forever, args=(0.005,))
        thread.start()
        yield server.script
        server.shutdown()
        thread.join()


@pytest.fixture
def client(script: Script) -> Client:
    """A client that has logged in as app 5."""
    made = Client(script.url, "my-client", "s3cret&=", timeout=5.0, retries=0)
    script.answer(200, TOKENS)
    made.authenticate_with_app(5, "t0ken")
    return made


def refusal(error: str, description: str = "why") -> dict[str, object]:
    return error_envelope(error=error, description=description, detail=None, parameters={}, path="/", query_string="", method="GET")


def test_it_logs_in_as_an_app_with_a_form(script: Script, client: Client) -> None:
    method, path, headers, body = script.asked[0]

    assert (method, path) == ("POST", "/oauth/token/v2")
    assert headers["content-type"] == "application/x-www-form-urlencoded"
    assert parse_qs(body.decode()) == {
        "grant_type": ["app"], "app_id": ["5"], "app_token": ["t0ken"], "client_id": ["my-client"], "client_secret": ["s3cret&="],
    }  # fmt: skip
    assert client.access_token == "T1"


def test_it_logs_in_as_a_person(script: Script, client: Client) -> None:
    script.answer(200, TOKENS)

    client.authenticate_with_password("ada@example.org", "pässword")

    sent = parse_qs(script.asked[-1][3].decode())
    assert (sent["grant_type"], sent["username"], sent["password"]) == (["password"], ["ada@example.org"], ["pässword"])


def test_a_login_that_is_refused_says_why(script: Script, client: Client) -> None:
    script.answer(400, refusal("invalid_client", "Sorry, you've supplied an invalid client secret."))

    with pytest.raises(InvalidClient, match="invalid client secret"):
        client.authenticate_with_app(5, "t0ken")


@pytest.mark.parametrize("answer", [None, [], {}, {"access_token": 7}, {"access_token": "T\r\nX-Evil: 1"}, {"access_token": "é"}])
def test_a_login_that_answers_no_usable_token_is_an_error(script: Script, client: Client, answer: object) -> None:
    script.answer(200, answer)

    with pytest.raises(TidingsError):
        client.authenticate_with_app(5, "t0ken")


def test_calls_carry_the_token_and_json(script: Script, client: Client) -> None:
    script.answer(200, {"item_id": 42, "title": "Hello"})

    item = client.items.create(5, {"title": "Hello"}, external_id="ERP-9")

    method, path, headers, body = script.asked[-1]
    assert (method, path, headers["authorization"]) == ("POST", "/item/app/5/", "OAuth2 T1")
    assert headers["content-type"] == "application/json"
    assert json.loads(body) == {"fields": {"title": "Hello"}, "external_id": "ERP-9"}
    assert item["item_id"] == 42


def test_each_call_goes_to_podios_path(script: Script, client: Client) -> None:
    calls: list[tuple[Callable[[], object], object, tuple[str, str, bytes]]] = [
        (lambda: client.items.get(42), {"item_id": 42}, ("GET", "/item/42", b"")),
        (lambda: client.items.update(42, {"status": 2}), {"revision": 1}, ("PUT", "/item/42", b'{"fields": {"status": 2}}')),
        (lambda: client.items.update(42, {}, hook=False), {"revision": 1}, ("PUT", "/item/42?hook=false", b'{"fields": {}}')),
        (lambda: client.items.delete(42), None, ("DELETE", "/item/42", b"")),
        (lambda: client.items.delete(42, hook=False), None, ("DELETE", "/item/42?hook=false", b"")),
        (lambda: client.hooks.list("app", 5), [], ("GET", "/hook/app/5/", b"")),
        (lambda: client.hooks.verify(7), None, ("POST", "/hook/7/verify/request", b"{}")),
        (lambda: client.hooks.validate(7, "b9079247"), None, ("POST", "/hook/7/verify/validate", b'{"code": "b9079247"}')),
        (lambda: client.hooks.delete(7), None, ("DELETE", "/hook/7", b"")),
    ]
    for call, answer, expected in calls:
        script.answer(204 if answer is None else 200, answer)
        assert call() == answer
        method, path, _, body = script.asked[-1]
        assert (method, path, body) == expected


def test_a_new_hook_has_its_id_and_its_secret(script: Script, client: Client) -> None:
    script.answer(200, {"hook_id": 7, "secret": "whsec_x"})
    assert client.hooks.create("app", 5, "https://example.org/in", "item.create") == NewHook(7, "whsec_x")
    assert json.loads(script.asked[-1][3]) == {"url": "https://example.org/in", "type": "item.create"}

    script.answer(200, {"hook_id": 7})  # as Podio answers, and we for a hook that was there already
    assert client.hooks.create("app", 5, "https://example.org/in", "item.create") == NewHook(7, None)


def test_an_expired_token_is_replaced_once_a_call(script: Script, client: Client) -> None:
    script.answer(401, refusal("unauthorized", "expired_token"))
    script.answer(200, TOKENS | {"access_token": "T2"})
    script.answer(200, {"item_id": 42})

    assert client.items.get(42)["item_id"] == 42

    assert script.asked[-1][2]["authorization"] == "OAuth2 T2"


def test_a_fresh_token_that_is_refused_too_is_an_error_and_no_loop(script: Script, client: Client) -> None:
    script.answer(401, refusal("unauthorized", "expired_token"))
    script.answer(200, TOKENS)
    script.answer(401, refusal("unauthorized", "expired_token"))

    with pytest.raises(Unauthorized, match="expired_token"):
        client.items.get(42)
    assert script.answers == []


def test_without_a_login_no_token_is_sent(script: Script) -> None:
    script.answer(401, refusal("unauthorized", "invalid_request"))

    with pytest.raises(Unauthorized, match="invalid_request"):
        Client(script.url, "my-client", "x").items.get(42)
    assert "authorization" not in script.asked[0][2]


def test_a_redirect_is_not_followed(script: Script, client: Client) -> None:
    script.answer(302, None)

    with pytest.raises(TidingsError, match="HTTP 302"):
        client.items.get(42)


def test_a_proxy_of_the_environment_is_not_used(script: Script, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    script.answer(200, {"item_id": 42})

    assert Client(script.url, "my-client", "x").items.get(42)["item_id"] == 42


def test_a_server_behind_a_path_is_called_there(script: Script) -> None:
    script.answer(200, {"item_id": 42})

    Client(f"{script.url}/tidings/", "my-client", "x").items.get(42)

    assert script.asked[0][1] == "/tidings/item/42"


def test_what_no_url_may_hold_is_percent_encoded(script: Script, client: Client) -> None:
    script.answer(200, {"item_id": 42})

    client.request("GET", "/item/app/5/external_id/a b\r\nX-Evil: 1 é")

    assert script.asked[-1][1] == "/item/app/5/external_id/a%20b%0D%0AX-Evil:%201%20%C3%A9"


def test_a_path_begins_with_a_slash(client: Client) -> None:
    with pytest.raises(Invalid):
        client.request("GET", "http://example.org/")


def test_an_answer_that_is_not_what_it_should_be_is_an_error(script: Script, client: Client) -> None:
    answers: list[object] = [[], b"[1]", {"no": "hook_id"}]
    for answer in answers:
        script.answer(200, answer)
        with pytest.raises(TidingsError):
            client.hooks.create("app", 5, "https://example.org/in", "item.create")


def test_a_server_that_is_not_there_is_unavailable() -> None:
    with pytest.raises(Unavailable, match=r"127\.0\.0\.1:1 cannot be reached: Connection refused"):
        Client("http://127.0.0.1:1", "my-client", "x", retries=0).items.get(42)


def test_a_server_that_does_not_answer_is_unavailable() -> None:
    with _Server(("127.0.0.1", 0), _Handler) as silent:  # it listens, and nobody serves
        client = Client(f"http://127.0.0.1:{silent.server_address[1]}", "my-client", "x", timeout=0.05, retries=0)
        with pytest.raises(Unavailable, match=r"did not answer within 0\.05 seconds"):
            client.items.get(42)


def test_an_answer_that_is_no_http_is_unavailable(script: Script) -> None:
    with pytest.raises(Unavailable, match="cannot be reached"):
        Client(script.url.replace("http:", "https:"), "my-client", "x", timeout=5.0, retries=0).items.get(42)
