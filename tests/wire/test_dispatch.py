"""The road of every call: paths, methods, bodies and their limits, and the connection itself."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from typing import Annotated, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Meta
from starlette.requests import Request
from starlette.responses import PlainTextResponse

from tests.support.house import Api, open_api, serving_app, talk
from tidings.api import dispatch, door
from tidings.api.bodies import read_query
from tidings.api.call import NOBODY, Call, ChangeQuery
from tidings.api.callers import MOST, REMEMBERED, Callers, Known
from tidings.api.paths import Paths, split_path
from tidings.api.routes import ROUTES, Row
from tidings.errors import Invalid, NotFound
from tidings.store.sqlite import SQLite
from tidings.workspace.access import Caller

LIMIT = 1_048_576


async def nothing(_call: Call) -> object:
    return None


async def echo(call: Call) -> object:
    """Everything that an operation is handed."""
    return {
        "method": call.request.method,
        "parts": call.request.path_params,
        "query": dict(call.request.query_params),
        "size": len(call.raw_body),
        "caller": call.caller.author,
    }


async def as_bytes(_call: Call) -> object:
    return b'{"already":"json"}'


async def large(_call: Call) -> object:
    return b"[%b]" % (b" " * 500_000)


async def as_response(_call: Call) -> object:
    return PlainTextResponse("plain", status_code=202)


ROWS = [
    Row("GET", "/nothing", nothing),
    Row("GET", "/bytes", as_bytes),
    Row("GET", "/response", as_response),
    Row("GET", "/echo/{number:int}/{text}", echo),
    Row("POST", "/echo", echo),
    Row("DELETE", "/echo", nothing),
    Row("POST", "/open", echo, open=True),
    Row("GET", "/nothing/open", nothing, open=True),
    Row("GET", "/large", large, open=True),
]


@pytest.fixture
async def api(sqlite: SQLite) -> AsyncIterator[Api]:
    async with open_api(sqlite, rows=ROWS) as opened:
        yield opened


# --- finding the row ---------------------------------------------------------------------------------------------------


def found(paths: Paths, method: str, path: str) -> tuple[str, dict[str, str]] | None:
    row = paths.find(method, split_path(path.encode()))
    return None if row is None else (row[0].path, row[1])


def test_a_literal_wins_over_digits_and_digits_over_text() -> None:
    rows = [Row("GET", path, nothing) for path in ("/app/v2", "/app/{id:int}", "/app/{label}", "/app/{label}/x", "/app/{id:int}/{n:int}")]
    paths = Paths(rows)
    assert found(paths, "GET", "/app/v2") == ("/app/v2", {})
    assert found(paths, "GET", "/app/7") == ("/app/{id:int}", {"id": "7"})
    assert found(paths, "GET", "/app/7a") == ("/app/{label}", {"label": "7a"})
    assert found(paths, "GET", "/app/v2/x") == ("/app/{label}/x", {"label": "v2"})
    assert found(paths, "GET", "/app/7/x") == ("/app/{label}/x", {"label": "7"})
    assert found(paths, "GET", "/app/7/8") == ("/app/{id:int}/{n:int}", {"id": "7", "n": "8"})


def test_a_row_of_another_method_does_not_hide_one_further_on() -> None:
    paths = Paths([Row("POST", "/app/v2", nothing), Row("GET", "/app/{label}", nothing)])
    assert found(paths, "GET", "/app/v2") == ("/app/{label}", {"label": "v2"})


@pytest.mark.parametrize("path", ["", "/", "//", "/app", "/app//", "/app//7", "/app/7/", "/app/7/8/9", "/app/٣"])
def test_a_path_that_is_not_there_is_not_found(path: str) -> None:
    paths = Paths([Row("GET", "/app/{id:int}/{n:int}", nothing), Row("GET", "/app/{id:int}/{n:int}/{m:int}/x", nothing)])
    assert found(paths, "GET", path) is None


def test_one_final_slash_means_nothing() -> None:
    assert split_path(b"/a/b/") == split_path(b"/a/b") == ["a", "b"]
    assert split_path(b"/a/b//") == ["a", "b", ""]


def test_an_encoded_slash_stays_inside_its_part() -> None:
    assert split_path(b"/external_id/ERP%2F9%20%C3%9F/") == ["external_id", "ERP/9 ß"]


@pytest.mark.parametrize("raw", [b"/a/%00", b"/a/%ff", b"/a/%ED%A0%80", b"/a/\xff", b"/a/\x00"])
def test_a_path_that_is_no_text_is_refused(raw: bytes) -> None:
    with pytest.raises(Invalid):
        split_path(raw)


@given(st.binary())
def test_any_path_at_all_is_split_or_refused(raw: bytes) -> None:
    try:
        parts = split_path(raw)
    except Invalid:
        return
    assert not any("\0" in part for part in parts)
    Paths(ROWS).find("GET", parts)


def test_the_same_operation_twice_is_refused_at_the_start() -> None:
    with pytest.raises(ValueError, match="two rows"):
        Paths([Row("GET", "/a/{x:int}", nothing), Row("GET", "/a/{y:int}", nothing)])


def test_the_table_has_every_path_without_a_final_slash_and_every_operation_once() -> None:
    Paths(ROUTES)
    for row in ROUTES:
        assert row.path.startswith("/"), row
        assert not row.path.endswith("/"), row
        assert row.method in ("GET", "POST", "PUT", "DELETE"), row


def test_only_the_endpoints_that_a_client_names_itself_at_are_open_and_the_public_keys() -> None:
    named = {"/oauth/token", "/oauth/token/v2", "/oauth/access_token", "/oauth/revoke"}
    assert {row.path for row in ROUTES if row.open} == {*named, "/.well-known/tidings-keys"}


# --- paths and methods over HTTP ---------------------------------------------------------------------------------------


async def test_paths_answer_with_and_without_a_final_slash_and_never_redirect(api: Api) -> None:
    for path in ("/nothing", "/nothing/"):
        assert (await api.get(path)).status_code == 204


async def test_unknown_paths_and_wrong_methods_are_the_same_404(api: Api, subtests: pytest.Subtests) -> None:
    asked = "GET /nope, GET /nothing/more, GET /echo, PATCH /echo, POST /nothing, OPTIONS /nope, HEAD /open"
    for method, path in (each.split() for each in asked.split(", ")):
        with subtests.test(method=method, path=path):
            answer = await api.send(method, path)
            assert answer.status_code == 404
            if method != "HEAD":
                assert answer.json()["error"] == "not_found"
                sentence = f"No matching operation could be found. The path '{path}' was not found."
                assert answer.json()["error_description"] == sentence


async def test_variable_parts_come_decoded(api: Api) -> None:
    answer = await api.get("/echo/007/a%2Fb%20%C3%9F")
    assert answer.json()["parts"] == {"number": "007", "text": "a/b ß"}


async def test_head_is_get_without_the_body(api: Api) -> None:
    got, head = await api.get("/bytes"), await api.send("HEAD", "/bytes")
    assert (head.status_code, head.content, head.headers["content-type"]) == (200, b"", "application/json")
    assert int(head.headers["content-length"]) == len(got.content)


async def test_options_names_the_methods_of_a_path(api: Api) -> None:
    assert (await api.send("OPTIONS", "/echo", access=None)).headers["allow"] == "OPTIONS, POST, DELETE"
    assert (await api.send("OPTIONS", "/nothing/", access=None)).headers["allow"] == "OPTIONS, HEAD, GET"


async def test_answers_are_json_bytes_nothing_or_a_response(api: Api) -> None:
    nothing_, bytes_, response = await api.get("/nothing"), await api.get("/bytes"), await api.get("/response")
    assert (nothing_.status_code, nothing_.content, "content-type" in nothing_.headers) == (204, b"", False)
    assert (bytes_.status_code, bytes_.json(), bytes_.headers["content-type"]) == (200, {"already": "json"}, "application/json")
    assert (response.status_code, response.text) == (202, "plain")


@pytest.mark.parametrize("query", ["a=%00", "a%00=1", "a=%ff", "%C3=1", "a=%ED%A0%80", "&".join(["a"] * 2000)])
async def test_a_query_that_is_no_text_is_a_clear_error(api: Api, query: str) -> None:
    answer = await api.get(f"/echo/1/x?{query}")
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_value")


async def test_an_open_operation_is_called_by_nobody(api: Api) -> None:
    assert (await api.post("/open", access=None)).json()["caller"] == NOBODY.author
    assert (await api.post("/open", access="ada")).json()["caller"] == NOBODY.author


def call_with(query: str = "", **parts: str) -> Call:
    """A call whose operation is about to read its path and query."""
    scope = {"type": "http", "method": "GET", "path": "/", "headers": [], "query_string": query.encode(), "path_params": parts}
    return Call(None, Request(scope), NOBODY, b"", 0)  # type: ignore[arg-type]  # what is read here needs no house


@pytest.mark.parametrize("text", ["0", "2147483648", "9" * 5000, "-1", "x", "1.0", "٣"])
def test_an_id_that_none_can_have_is_not_found(text: str) -> None:
    with pytest.raises(NotFound):
        call_with(item_id=text).id("item_id")


class OddQuery(ChangeQuery):
    """A query of every kind."""

    limit: Annotated[int, Meta(ge=1, le=500)] = 30
    name: str | None = None


def test_flags_and_numbers_of_the_query_are_read_strictly() -> None:
    assert read_query(b"", OddQuery) == OddQuery()
    assert read_query(b"hook=FALSE&silent=1&limit=7", OddQuery) == OddQuery(hook=False, silent=True, limit=7)
    for query in (b"limit=0", b"limit=501", b"limit=99999999999999999999", b"limit=x", b"hook=yes", b"silent=2"):
        with pytest.raises(Invalid, match=f"^{query.partition(b'=')[0].decode()}: must be "):
            read_query(query, OddQuery)


def test_a_parameter_without_a_value_counts_as_not_given_unless_it_takes_text() -> None:
    assert read_query(b"hook=&limit=&name=&other=", OddQuery) == OddQuery(name="")


def test_of_a_repeated_parameter_the_last_stands() -> None:
    assert read_query(b"limit=1&limit=2", OddQuery) == OddQuery(limit=2)


# --- bodies ------------------------------------------------------------------------------------------------------------


async def receive_at(api: Api, messages: Sequence[dict[str, Any]], headers: Sequence[tuple[bytes, bytes]] = ()) -> tuple[int, int]:
    """Post to `/echo` with a body in these messages; answers the status, and how many of the messages were taken."""
    waiting, sent = list(messages), []

    async def receive() -> dict[str, Any]:
        return waiting.pop(0) if waiting else {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    named = [*headers, (b"authorization", f"OAuth2 {api.people.ada_access}".encode())]
    scope = {"type": "http", "method": "POST", "path": "/echo", "raw_path": b"/echo", "query_string": b"", "headers": named}
    await api.app(scope, receive, send)
    return (sent[0]["status"] if sent else 0), len(messages) - len(waiting)


def piece(body: bytes, *, more: bool = True) -> dict[str, Any]:
    return {"type": "http.request", "body": body, "more_body": more}


async def test_a_body_of_the_limit_passes_and_one_byte_more_does_not(api: Api) -> None:
    answer = await api.send("POST", "/echo", content=b" " * LIMIT)
    assert (answer.status_code, answer.json()["size"]) == (200, LIMIT)
    answer = await api.send("POST", "/echo", content=b" " * (LIMIT + 1))
    assert (answer.status_code, answer.json()["error"]) == (413, "too_large")
    assert answer.headers["connection"] == "close"


async def test_a_body_without_a_length_is_refused_as_soon_as_it_is_too_large(api: Api) -> None:
    pieces = [piece(b"x" * 400_000) for _ in range(10)]
    assert await receive_at(api, pieces) == (413, 3)


async def test_a_declared_length_beyond_the_limit_is_refused_unread(api: Api) -> None:
    for length in (b"1048577", b"9" * 400):
        assert await receive_at(api, [piece(b"", more=False)], [(b"content-length", length)]) == (413, 0)


async def test_a_length_that_lies_is_not_believed(api: Api) -> None:
    for length in (b"5", b"-5", b"abc", b""):
        assert await receive_at(api, [piece(b"x" * (LIMIT + 1), more=False)], [(b"content-length", length)]) == (413, 1)


async def test_who_leaves_in_the_midst_of_a_body_gets_no_answer_and_does_nothing(api: Api) -> None:
    assert await receive_at(api, [piece(b"{")]) == (0, 1)


async def test_a_body_that_stops_coming_is_not_waited_for_for_ever(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatch, "BODY_SECONDS", 0.05)
    with_port = [(b"authorization", f"OAuth2 {api.people.ada_access}".encode())]
    statuses: list[int] = []

    async def receive() -> dict[str, Any]:
        if not statuses:
            statuses.append(0)
            return piece(b"{")
        await asyncio.sleep(60)
        raise AssertionError

    async def send(message: Any) -> None:
        statuses.append(message.get("status", 0))

    scope = {"type": "http", "method": "POST", "path": "/echo", "query_string": b"", "headers": with_port}
    await api.app(scope, receive, send)
    assert statuses[1] == 400


async def test_nobody_without_a_token_makes_us_read_a_body(api: Api) -> None:
    taken = 0

    async def body() -> AsyncIterator[bytes]:
        nonlocal taken
        taken += 1
        yield b"x"

    answer = await api.send("POST", "/echo", access=None, content=body())
    assert (answer.status_code, taken) == (401, 0)


# --- who is remembered -------------------------------------------------------------------------------------------------


def test_a_caller_is_remembered_for_a_second_and_never_beyond_the_tokens_life() -> None:
    callers, ada = Callers(), Known(Caller("user", 1))
    callers.remember(b"long", ada, expires_at=10 * REMEMBERED, now=0)
    callers.remember(b"short", ada, expires_at=5, now=0)
    assert callers.recall(b"long", REMEMBERED - 1) == ada
    assert callers.recall(b"long", REMEMBERED) is None
    assert callers.recall(b"short", 4) == ada
    assert callers.recall(b"short", 5) is None
    callers.forget([b"long"])
    assert callers.recall(b"long", 0) is None


def test_the_memory_of_callers_is_bounded() -> None:
    callers = Callers()
    for number in range(MOST + 5):
        callers.remember(b"%d" % number, Known(Caller("user", 1)), expires_at=10, now=0)
    assert len(callers._entries) <= MOST


async def test_a_busy_client_costs_one_look_up_a_second(api: Api, sqlite: SQLite) -> None:
    await api.get("/nothing")
    before = sqlite.statements
    for _ in range(10):
        await api.get("/nothing")
    assert sqlite.statements == before
    api.clock.turn(1)
    await api.get("/nothing")
    assert sqlite.statements > before


# --- the connection ----------------------------------------------------------------------------------------------------


def parsed(answer: bytes) -> tuple[int, dict[str, str], Any]:
    head, _, body = answer.partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
    return int(lines[0].split()[1]), headers, json.loads(body) if body else None


GET = b"GET /nothing HTTP/1.1\r\nHost: x\r\n"


async def test_what_is_no_http_gets_podios_envelope(api: Api, subtests: pytest.Subtests) -> None:
    hostile = [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GARBAGE\r\n\r\n",
        b"\x00" * 100,
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /\xff\xfe HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /\x00 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"CONNECT a:80 HTTP/1.1\r\nHost: x\r\n\r\n",
        GET + b"Content-Length: -1\r\n\r\n",
        GET + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n",
        GET + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        GET + b"Transfer-Encoding: chunked, identity\r\n\r\n",
        GET + b"Na me: x\r\n\r\n",
        GET + b"X: a\x00b\r\n\r\n",
        GET + b" folded\r\n\r\n",
        b"POST /open HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n",
    ]
    with serving_app(api) as port:
        for sent in hostile:
            with subtests.test(sent=sent):
                status, headers, body = parsed(await talk(port, sent))
                assert 400 <= status < 500
                assert body["error"] in ("invalid_value", "not_found")
                assert headers["connection"] == "close"


async def test_any_host_header_is_only_text(api: Api) -> None:
    with serving_app(api) as port:
        for host in (b"[", b"[::1", b"a@b:c", b"\xff", b""):
            answer = await talk(port, b"GET /nope HTTP/1.1\r\nConnection: close\r\nHost: " + host + b"\r\n\r\n")
            assert parsed(answer)[0] in (400, 404)


async def test_a_head_without_an_end_is_refused(api: Api) -> None:
    with serving_app(api) as port:
        for start, more in ((GET + b"X-Padding: ", b"y"), (GET, b"Cookie: a=b\r\n"), (b"GET /", b"y"), (b"", b"\r\n")):
            status, _, body = parsed(await talk(port, start, *[more * (10_000 // len(more))] * 8))
            assert (status, body["error"]) == (431, "invalid_value")


async def test_a_head_that_stops_coming_is_not_waited_for_for_ever(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "HEAD_SECONDS", 0.1)
    with serving_app(api) as port:
        for sent in (b"", GET):
            assert parsed(await talk(port, sent))[0] == 408
        after_another = await talk(port, GET + b"\r\n", b"GET /nope HTTP/1.1\r\n")
        assert after_another.count(b"HTTP/1.1 ") == 2
        assert b"HTTP/1.1 408 " in after_another


async def test_a_body_that_comes_after_its_answer_is_passed_over(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "HEAD_SECONDS", 0.2)
    with serving_app(api) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 500000\r\n\r\n")
        assert (await reader.readuntil(b"\r\n")).startswith(b"HTTP/1.1 401 ")
        writer.write(b"x" * 500_000 + GET + b"Connection: close\r\n\r\n")
        await writer.drain()
        rest = await asyncio.wait_for(reader.read(), 10)
        writer.close()
    assert rest.count(b"HTTP/1.1 401 ") == 1
    assert rest.count(b"HTTP/1.1 408 ") <= 1


async def test_a_connection_that_stays_silent_after_a_late_body_is_closed(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "HEAD_SECONDS", 0.1)
    with serving_app(api) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n")
        assert (await reader.readuntil(b"\r\n")).startswith(b"HTTP/1.1 401 ")
        writer.write(b"{}")
        assert b"HTTP/1.1 408 " in await asyncio.wait_for(reader.read(), 10)
        writer.close()


async def test_an_answer_that_goes_out_whole_says_its_length_and_whether_the_connection_ends(api: Api) -> None:
    with serving_app(api) as port:
        lasting = await talk(
            port, b"HEAD /large HTTP/1.1\r\nHost: x\r\n\r\n" + b"GET /nothing/open HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        )
        ended = await talk(port, b"GET /large HTTP/1.0\r\n\r\n")
    without_body, nothing_at_all, rest = lasting.split(b"\r\n\r\n")
    assert without_body.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"\r\ncontent-length: 500002" in without_body
    assert b"\r\ncache-control: no-store\r\ncontent-type: application/json\r\n" in without_body
    assert b"\r\nconnection: " not in without_body
    assert nothing_at_all.startswith(b"HTTP/1.1 204 No Content\r\n")
    assert b"\r\ncontent-length: " not in nothing_at_all
    assert b"\r\nconnection: close" in nothing_at_all
    assert rest == b""
    head, _, body = ended.partition(b"\r\n\r\n")
    assert b"\r\nconnection: close" in head
    assert len(body) == 500_002


async def test_who_reads_slowly_is_waited_for_and_gets_every_answer(api: Api) -> None:
    request = b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n"
    with serving_app(api) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1_000)
        writer.write(request * 39 + request.replace(b"Host: x", b"Host: x\r\nConnection: close"))
        length = 0
        async with asyncio.timeout(20):
            while more := await reader.read(10_000):
                length += len(more)
        writer.close()
    assert length > 40 * 500_002


async def test_requests_in_a_row_on_one_connection_are_all_answered(api: Api) -> None:
    one = b"POST /open HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}"
    last = one.replace(b"Host: x", b"Host: x\r\nConnection: close")
    with serving_app(api) as port:
        answer = await talk(port, one * 20, one[:30], one[30:] + last)
    assert answer.count(b"HTTP/1.1 200 OK") == 22


async def test_a_body_that_is_longer_than_it_says_is_not_the_next_request(api: Api) -> None:
    with serving_app(api) as port:
        answer = await talk(port, b"POST /open HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}{}{}\r\n\r\n")
    assert answer.count(b"HTTP/1.1 200") <= 1
    assert answer.count(b"HTTP/1.1 400") == 1


async def test_too_large_a_body_is_told_so_while_it_is_still_being_sent(api: Api) -> None:
    chunk = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
    head = b"POST /open HTTP/1.1\r\nHost: x\r\n"
    with serving_app(api) as port:
        declared = await talk(port, head + b"Content-Length: 99999999\r\n\r\n" + b"x" * 10_000)
        chunked = await talk(port, head + b"Transfer-Encoding: chunked\r\n\r\n", *[chunk] * 17)
    for answer in (declared, chunked):
        status, headers, body = parsed(answer)
        assert (status, body["error"], headers["connection"]) == (413, "too_large", "close")


async def test_the_server_says_nothing_of_what_it_is_made_of(api: Api) -> None:
    with serving_app(api) as port:
        _, headers, _ = parsed(await talk(port, b"GET /nope HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"))
    assert "server" not in headers
    assert not any("uvicorn" in value for value in headers.values())
