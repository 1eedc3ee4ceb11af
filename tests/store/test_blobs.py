"""The bytes of files: every behaviour of the store, in a folder and in an S3-compatible bucket."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Collection, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.support.s3 import Bucket, s3_server
from tidings.errors import Invalid, Unavailable
from tidings.settings import Settings
from tidings.store.blobs.blobs import Blobs
from tidings.store.blobs.disk import Disk
from tidings.store.blobs.opening import open_blobs
from tidings.store.blobs.s3 import open_s3
from tidings.store.blobs.sweep import YOUNG, sweep

MARK = "0a1b2c3d"
MEGABYTE = bytes(range(256)) * 4096
SECRET = "kept-to-ourselves"


@pytest.fixture(scope="module")
def bucket(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bucket]:
    with s3_server(tmp_path_factory.mktemp("s3")) as made:
        yield made


def in_bucket(bucket: Bucket, prefix: str, **more: Any) -> Settings:
    settings: dict[str, Any] = {
        "files": f"s3://bucket/{prefix}",
        "files_endpoint": bucket.endpoint,
        "files_key_id": "id",
        "files_key": SECRET,
    }
    return Settings(**{**settings, **more})


@pytest.fixture(params=["disk", "s3"])
def blobs(request: pytest.FixtureRequest, tmp_path: Path) -> Blobs:
    if request.param == "disk":
        return Disk(tmp_path / "files")
    return open_s3(in_bucket(request.getfixturevalue("bucket"), tmp_path.name))


async def pieces(*chunks: bytes, then: BaseException | None = None) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk
        await asyncio.sleep(0)
    if then is not None:
        raise then


async def read(blobs: Blobs, key: str, start: int, end: int) -> bytes:
    return b"".join([piece async for piece in await blobs.get(key, start, end)])


async def all_keys(blobs: Blobs) -> set[str]:
    return {key async for keys in blobs.older(MARK, far_ahead()) for key in keys}


def far_ahead() -> int:
    return int((time.time() + 3600) * 1_000_000)


def left_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


@pytest.mark.parametrize("chunks", [(), (b"hello",), (b"hel", b"lo"), (MEGABYTE,) * 12], ids=["none", "one", "two", "12 MB"])
async def test_what_was_put_is_read_whole_and_in_part(blobs: Blobs, chunks: tuple[bytes, ...]) -> None:
    whole = b"".join(chunks)
    key = await blobs.put(MARK, pieces(*chunks))
    assert key.startswith(f"{MARK}/")
    assert await read(blobs, key, 0, len(whole)) == whole
    assert await read(blobs, key, len(whole) // 2, len(whole)) == whole[len(whole) // 2 :]
    assert await read(blobs, key, 0, min(3, len(whole))) == whole[:3]
    assert await all_keys(blobs) == {key}


@pytest.mark.parametrize("chunks", [(), (b"hello",), (MEGABYTE,) * 12], ids=["none", "one", "12 MB"])
async def test_what_is_broken_off_leaves_nothing(blobs: Blobs, chunks: tuple[bytes, ...], request: pytest.FixtureRequest) -> None:
    with pytest.raises(Invalid, match="enough"):
        await blobs.put(MARK, pieces(*chunks, then=Invalid("enough")))
    assert await all_keys(blobs) == set()
    if isinstance(blobs, Disk):
        assert left_in(blobs._folder) == []
    else:
        assert not request.getfixturevalue("bucket").unfinished()


async def test_many_are_put_at_once(blobs: Blobs) -> None:
    keys = await asyncio.gather(*(blobs.put(MARK, pieces(b"%d" % number)) for number in range(20)))
    assert len(set(keys)) == 20
    assert [await read(blobs, key, 0, len(str(number))) for number, key in enumerate(keys)] == [b"%d" % number for number in range(20)]


async def test_what_is_deleted_is_gone_and_deleting_again_does_no_harm(blobs: Blobs) -> None:
    kept, key = [await blobs.put(MARK, pieces(b"x")) for _ in range(2)]
    await blobs.delete([key])
    await blobs.delete([key, f"{MARK}/{'0' * 32}"])
    await blobs.delete([])
    with pytest.raises(Unavailable, match="cannot be read"):
        await read(blobs, key, 0, 1)
    assert await all_keys(blobs) == {kept}


async def test_bytes_that_end_too_early_are_unavailable(blobs: Blobs) -> None:
    key = await blobs.put(MARK, pieces(b"short"))
    with pytest.raises(Unavailable, match="its end is missing"):
        await read(blobs, key, 0, 100)


async def test_the_sweep_takes_what_is_old_and_not_needed(blobs: Blobs) -> None:
    needed, orphan = [await blobs.put(MARK, pieces(b"x")) for _ in range(2)]
    foreign = await blobs.put("other", pieces(b"x"))

    async def ask(_keys: list[str]) -> Collection[str]:
        return {needed}

    assert await sweep(blobs, MARK, ask, now=int(time.time() * 1_000_000)) == 0
    assert await sweep(blobs, MARK, ask, now=far_ahead() + YOUNG) == 1
    assert await all_keys(blobs) == {needed}
    assert await read(blobs, foreign, 0, 1) == b"x"
    with pytest.raises(Unavailable):
        await read(blobs, orphan, 0, 1)


# --- in a folder -------------------------------------------------------------------------------------------------------


async def test_the_sweep_takes_what_a_crash_left_unfinished(tmp_path: Path) -> None:
    disk = Disk(tmp_path)
    key = await disk.put(MARK, pieces(b"x"))
    part = disk._path(f"{key[:-4]}ffff").with_name(f"{key.partition('/')[2][:-4]}ffff.part")
    part.write_bytes(b"half of i")
    os.utime(part, (0, 0))

    async def ask(keys: list[str]) -> Collection[str]:
        return set(keys) & {key}

    assert await sweep(disk, MARK, ask, now=int(time.time() * 1_000_000)) == 1
    assert not part.exists()


async def test_an_upload_that_is_cancelled_leaves_nothing(tmp_path: Path) -> None:
    disk, begun = Disk(tmp_path), asyncio.Event()

    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield MEGABYTE
            begun.set()

    task = asyncio.create_task(disk.put(MARK, endless()))
    await begun.wait()
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    assert left_in(tmp_path) == []


async def test_nobody_else_on_the_machine_may_read_the_files(tmp_path: Path) -> None:
    disk = Disk(tmp_path / "files")
    key = await disk.put(MARK, pieces(b"x"))
    assert [oct(path.stat().st_mode & 0o777) for path in (tmp_path / "files", disk._path(key))] == ["0o700", "0o600"]


async def test_a_folder_that_cannot_be_had_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(Unavailable, match="the folder of the files cannot be made: Not a directory"):
        Disk(tmp_path / "file" / "folder")


async def test_a_folder_that_is_taken_away_is_unavailable(tmp_path: Path) -> None:
    disk = Disk(tmp_path / "files")
    (tmp_path / "files").rmdir()
    (tmp_path / "files").touch()
    with pytest.raises(Unavailable, match="cannot be stored"):
        await disk.put(MARK, pieces(b"x"))
    await asyncio.sleep(0)


# --- in a bucket -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("chunks", [(b"x",), (MEGABYTE,) * 6])
async def test_a_bucket_that_is_not_there_is_unavailable_in_a_sentence_without_addresses(bucket: Bucket, chunks: tuple[bytes, ...]) -> None:
    store = open_s3(in_bucket(bucket, "", files="s3://no-such-bucket"))
    with pytest.raises(Unavailable, match="cannot be stored: the store of the files fails") as refused:
        await store.put(MARK, pieces(*chunks))
    assert SECRET not in str(refused.value)
    assert "127.0.0.1" not in str(refused.value)


async def test_the_keys_of_the_settings_are_used_and_no_stray_variable_of_amazon_s(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.setenv(name, "stray")
    heads: list[str] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append((await reader.readuntil(b"\r\n\r\n")).decode())
        writer.write(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        endpoint = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        store = open_s3(Settings(files="s3://bucket", files_endpoint=endpoint, files_key_id="ours", files_key=SECRET))
        with pytest.raises(Unavailable):
            await store.get(f"{MARK}/x", 0, 1)
    assert "Credential=ours/" in heads[0]
    assert "stray" not in heads[0]


@pytest.mark.parametrize(
    ("setting", "values"),
    [
        ("files", {"files": "s3://"}),
        ("files", {"files": "s3://id:key@bucket/x"}),
        ("files", {"files": "gs://bucket"}),
        ("files_endpoint", {"files": "s3://bucket", "files_endpoint": "minio:9000"}),
        ("files_key_id", {"files": "s3://bucket", "files_key": ""}),
    ],
)
def test_a_store_that_cannot_be_meant_is_refused_by_the_name_of_its_setting(setting: str, values: dict[str, Any]) -> None:
    with pytest.raises(Invalid, match=setting) as refused:
        open_blobs(Settings(**({"files_key_id": "id", "files_key": SECRET} | values)))
    assert refused.value.parameters == {"setting": setting}
    assert SECRET not in str(refused.value)


def test_without_a_setting_files_lie_in_the_data_folder(tmp_path: Path) -> None:
    open_blobs(Settings(data=tmp_path / "data"))
    assert (tmp_path / "data" / "files").is_dir()
