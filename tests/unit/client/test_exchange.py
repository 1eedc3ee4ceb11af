"""Where a client may go, and what it never shows."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidings.client import Client, MemoryStore, NewHook, Tokens
from tidings.client.calls import Call, nothing
from tidings.client.exchange import Request, Route, address, read_url, write_head
from tidings.errors import Invalid


@pytest.mark.parametrize(
    ("url", "host", "port", "path"),
    [
        ("http://127.0.0.1:8000", "127.0.0.1", 8000, ""),
        ("https://api.podio.com", "api.podio.com", None, ""),
        ("http://[::1]:8000/", "::1", 8000, ""),
        ("https://example.org/tidings/", "example.org", None, "/tidings"),
    ],
)
def test_a_servers_url_is_read(url: str, host: str, port: int | None, path: str) -> None:
    server = read_url(url)

    assert (server.hostname, server.port, server.path) == (host, port, path)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "127.0.0.1:8000",
        "ftp://example.org",
        "http://",
        "http://:8000",
        "http://example.org:http",
        "http://example.org:99999",
        "http://[::1",
        "http://user:hunter2@example.org",
        "http://example.org?x=1",
        "http://example.org#x",
        "http://a..b",
        f"http://{'a' * 64}.org",
    ],
)
def test_what_is_no_servers_url_is_refused_in_words_that_do_not_repeat_it(url: str) -> None:
    with pytest.raises(Invalid) as caught:
        Client(url, "id", "secret")

    assert "hunter2" not in str(caught.value)


@given(st.text() | st.text().map(lambda rest: f"https://{rest}"))
def test_any_text_is_a_servers_url_or_invalid(text: str) -> None:
    try:
        server = read_url(text)
    except Invalid:
        return
    host, port = address(server)
    assert host.isascii()
    assert 0 <= port < 65536
    assert write_head(Route(server), Request("GET", "/app/1")).count(b"\r\n\r\n") == 1


def test_no_secret_is_in_a_repr() -> None:
    store = MemoryStore()
    store.save(Tokens("hunter2", "hunter2"))
    client = Client("http://127.0.0.1:8000", "id", "hunter2", store=store)
    session = client._driver.session
    session.grant = {"app_token": "hunter2"}
    request = Request("POST", "/oauth/token/v2", b"hunter2", authorization="OAuth2 hunter2")
    call = Call("POST", "/", nothing, {"password": "hunter2"}, form={"password": "hunter2"})

    for shown in (client, client.hooks, client.items, session, client.tokens, store, request, call, NewHook(7, "whsec_hunter2")):
        assert "hunter2" not in repr(shown)
