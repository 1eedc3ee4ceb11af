"""Uploads and downloads over real connections: whatever the other side does, nothing half is kept."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.databases import place_on_sqlite
from tests.support.house import Api, open_api, serving_app, talk
from tests.support.processes import wait_until
from tidings.api import uploads
from tidings.store.blobs.disk import Disk

LIMIT = 300_000  # bytes: more than one piece of the disk's
HEAD = b'--b\r\nContent-Disposition: form-data; name="source"; filename="a"\r\n\r\n'
END = b"\r\n--b--\r\n"


@pytest.fixture
async def api(tmp_path: Path, sqlite_template: Path) -> AsyncIterator[Api]:
    """One engine will do: nothing here is about rows."""
    database = place_on_sqlite(tmp_path, sqlite_template).open()
    async with open_api(database, settings={"file_limit": LIMIT}) as opened:
        yield opened
    await database.close()


def head(api: Api, *lines: str, access: str | None = None) -> bytes:
    token = f"Authorization: OAuth2 {access or api.people.ada_access}"
    all_lines = ("POST /file/ HTTP/1.1", "Host: x", token, "Content-Type: multipart/form-data; boundary=b", "Connection: close", *lines)
    return "".join(f"{line}\r\n" for line in all_lines).encode() + b"\r\n"


def length(size: int) -> str:
    return f"Content-Length: {size}"


def kept(api: Api) -> list[Path]:
    assert isinstance(api.house.blobs, Disk)
    return [path for path in api.house.blobs._folder.rglob("*") if path.is_file()]


def chunked(*chunks: bytes) -> bytes:
    return b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks)


async def test_a_file_of_just_the_limit_is_taken_and_comes_back(api: Api) -> None:
    content = bytes(range(250)) * (LIMIT // 250)
    body = HEAD + content + END
    with serving_app(api) as port:
        answer = await talk(port, head(api, length(len(body))), body)
        assert answer.startswith(b"HTTP/1.1 200 ")
        asked = f"GET /file/1/raw HTTP/1.1\r\nHost: x\r\nAuthorization: OAuth2 {api.people.ada_access}\r\nConnection: close\r\n\r\n"
        raw = await talk(port, asked.encode())
    assert raw.partition(b"\r\n\r\n")[2] == content
    assert len(kept(api)) == 1


async def test_a_body_that_says_it_is_too_large_is_refused_before_it_comes(api: Api) -> None:
    with serving_app(api) as port:
        answer = await talk(port, head(api, length(LIMIT * 2), "Expect: 100-continue"))
    assert answer.startswith(b"HTTP/1.1 413 ")


@pytest.mark.parametrize("beside", [0, 1], ids=["in the file", "beside the file"])
async def test_a_body_that_turns_out_too_large_is_refused_and_nothing_is_kept(api: Api, beside: int) -> None:
    field = b'--b\r\nContent-Disposition: form-data; name="other"\r\n\r\n'
    pieces = [field if beside else HEAD, *[b"x" * 50_000] * 100]
    with serving_app(api) as port:
        answer = await talk(port, head(api, "Transfer-Encoding: chunked"), *(chunked(piece) for piece in pieces))
        wait_until(lambda: kept(api) == [])
    assert answer.startswith(b"HTTP/1.1 413 ")


@pytest.mark.parametrize("sent", [0, 10, 100_000])
async def test_whoever_goes_away_midway_leaves_nothing(api: Api, sent: int) -> None:
    with serving_app(api) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(head(api, length(200_000)) + HEAD + b"x" * sent)
        await writer.drain()
        if sent:
            await asyncio.to_thread(wait_until, lambda: kept(api) != [])
        writer.close()
        await asyncio.to_thread(wait_until, lambda: kept(api) == [])
        assert await reader.read() == b""
        assert kept(api) == []


async def test_whoever_sends_too_slowly_is_given_up(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "PATIENCE", 0.2)
    with serving_app(api) as port:
        answer = await talk(port, head(api, length(200_000)) + HEAD + b"x")
        wait_until(lambda: kept(api) == [])
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"too slowly" in answer


@pytest.mark.parametrize("said", [5, 60, 1_000_000])
async def test_a_content_length_that_lies_keeps_nothing(api: Api, said: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "PATIENCE", 0.2)
    with serving_app(api) as port:
        answer = await talk(port, head(api, length(said)) + HEAD + b"x" * 1000 + END)
        wait_until(lambda: kept(api) == [])
    assert answer.startswith((b"HTTP/1.1 400 ", b"HTTP/1.1 413 "))


async def test_two_uploads_at_once_do_not_meet(api: Api) -> None:
    bodies = [HEAD + letter * 200_000 + END for letter in (b"a", b"b")]
    with serving_app(api) as port:
        answers = await asyncio.gather(*(talk(port, head(api, length(len(body))), body[:100_000], body[100_000:]) for body in bodies))
    assert [answer.startswith(b"HTTP/1.1 200 ") for answer in answers] == [True, True]
    assert sorted((*{*path.read_bytes()}, path.stat().st_size) for path in kept(api)) == [(97, 200_000), (98, 200_000)]


async def test_nobody_without_a_token_makes_us_read_a_file(api: Api) -> None:
    with serving_app(api) as port:
        answer = await talk(port, head(api, length(200_000), access="wrong") + HEAD)
    assert answer.startswith(b"HTTP/1.1 401 ")
    assert kept(api) == []


async def test_a_download_that_the_store_breaks_off_is_cut_and_not_made_up(api: Api) -> None:
    body = HEAD + b"x" * LIMIT + END
    with serving_app(api) as port:
        await talk(port, head(api, length(len(body))), body)
        (path,) = kept(api)
        path.write_bytes(b"y" * 1000)
        asked = f"GET /file/1/raw HTTP/1.1\r\nHost: x\r\nAuthorization: OAuth2 {api.people.ada_access}\r\n\r\n"
        raw = await talk(port, asked.encode())
    assert raw.partition(b"\r\n\r\n")[2] == b"y" * 1000


async def test_whoever_stops_reading_a_download_keeps_nothing_open(api: Api) -> None:
    body = HEAD + b"x" * LIMIT + END
    with serving_app(api) as port:
        await talk(port, head(api, length(len(body))), body)
        for _ in range(20):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(f"GET /file/1/raw HTTP/1.1\r\nHost: x\r\nAuthorization: OAuth2 {api.people.ada_access}\r\n\r\n".encode())
            await reader.read(10)
            writer.transport.abort()
        await asyncio.to_thread(wait_until, lambda: open_files(kept(api)[0]) == 0)


def open_files(path: Path) -> int:
    """How many descriptors of this process are of that file."""
    found = 0
    for each in Path("/proc/self/fd").iterdir():
        try:
            found += each.readlink() == path
        except OSError:
            continue
    return found
