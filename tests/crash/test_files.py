"""Files of 100 MB against a real server: its memory stays small; a full disk and a `kill -9` leave nothing that lasts."""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import resource
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlencode
from urllib.request import urlopen

import pytest

from tests.support.databases import Place, place_on_sqlite
from tests.support.processes import Serving, serving, wait_until
from tests.support.s3 import s3_server
from tests.support.work import QUICK
from tidings.cli.seed import Seed, make_seed
from tidings.settings import Settings

SIZE = 100 * 1024 * 1024  # bytes: just what the limit allows
PIECE = os.urandom(1024 * 1024)
HEAD = b'--b\r\nContent-Disposition: form-data; name="source"; filename="a"\r\n\r\n'
END = b"\r\n--b--\r\n"
GROWTH = 48 * 1024  # kilobytes


class Transfers:
    """Uploads to a server and downloads from it, by one app."""

    def __init__(self, server: Serving, seed: Seed) -> None:
        """Logs in."""
        self._port = server.port
        grant = {"grant_type": "app", "app_id": seed.app_id, "app_token": seed.app_token}
        form = urlencode({**grant, "client_id": seed.client_id, "client_secret": seed.client_secret}).encode()
        with urlopen(f"{server.url}/oauth/token", form, timeout=20) as answer:
            self._headers = {"Authorization": f"OAuth2 {json.load(answer)['access_token']}"}

    def upload(self, pieces: Callable[[], Iterator[bytes]], size: int) -> tuple[int, dict[str, object]]:
        """The status and the answer."""
        headers = {**self._headers, "Content-Type": "multipart/form-data; boundary=b", "Content-Length": str(size + len(HEAD + END))}
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=60)
        try:
            connection.request("POST", "/file/", _framed(pieces()), headers)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            connection.close()

    def download(self, file_id: object) -> str:
        """The hash of what came."""
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=60)
        connection.request("GET", f"/file/{file_id}/raw", headers=self._headers)
        answer, came = connection.getresponse(), hashlib.sha256()
        while piece := answer.read(1_000_000):
            came.update(piece)
        connection.close()
        return came.hexdigest()


def _framed(pieces: Iterator[bytes]) -> Iterator[bytes]:
    yield HEAD
    yield from pieces
    yield END


def hundred_megabytes() -> Iterator[bytes]:
    return (PIECE for _ in range(100))


def peak(pid: int) -> int:
    """The most memory that the process has had, in kilobytes, since `forget_peak`."""
    lines = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return int(lines["VmHWM"].split()[0])


def forget_peak(pid: int) -> int:
    """Let the peak be what it is now, and answer that."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")
    return peak(pid)


def parts(place: Place) -> list[Path]:
    return list((place.data / "files").rglob("*.part"))


def grows_by_little(place: Place, environment: dict[str, str]) -> None:
    seed = make_seed(Settings(data=place.data))
    expected = hashlib.sha256()
    for piece in hundred_megabytes():
        expected.update(piece)
    with serving(place, environment={**QUICK, **environment}) as server:
        transfers = Transfers(server, seed)
        transfers.upload(lambda: iter([b"x"]), 1)
        before = forget_peak(server.pid)
        status, file = transfers.upload(hundred_megabytes, SIZE)
        assert (status, file["size"]) == (200, SIZE)
        assert transfers.download(file["file_id"]) == expected.hexdigest()
        status, answer = transfers.upload(lambda: iter([*hundred_megabytes(), b"x"]), SIZE + 1)
        assert (status, answer["error"]) == (413, "too_large")
        grown = peak(server.pid) - before
        assert grown < GROWTH


def test_a_hundred_megabytes_go_in_and_out_in_little_memory(tmp_path: Path, sqlite_template: Path) -> None:
    grows_by_little(place_on_sqlite(tmp_path, sqlite_template), {})


def test_a_hundred_megabytes_go_to_a_bucket_and_back_in_little_memory(tmp_path: Path, sqlite_template: Path) -> None:
    with s3_server(tmp_path) as bucket:
        store = {"TIDINGS_FILES": "s3://bucket/files", "TIDINGS_FILES_ENDPOINT": bucket.endpoint}
        place = place_on_sqlite(tmp_path / "data", sqlite_template)
        grows_by_little(place, {**store, "TIDINGS_FILES_KEY_ID": "id", "TIDINGS_FILES_KEY": "key"})


def test_on_a_full_disk_an_upload_answers_503_and_leaves_nothing(tmp_path: Path, sqlite_template: Path) -> None:
    place = place_on_sqlite(tmp_path, sqlite_template)
    seed = make_seed(Settings(data=place.data))
    with serving(place, environment=QUICK) as server:
        transfers = Transfers(server, seed)
        # For this process alone: no file may grow beyond this. Python is told so as of a full disk.
        resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (20_000_000, resource.RLIM_INFINITY))
        status, answer = transfers.upload(hundred_megabytes, SIZE)
        assert (status, answer["error"]) == (503, "unavailable")
        assert parts(place) == []
        resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        assert transfers.upload(lambda: iter([b"x"]), 1)[0] == 200


def test_what_a_killed_server_left_unfinished_is_swept_once_it_is_old(tmp_path: Path, sqlite_template: Path) -> None:
    place = place_on_sqlite(tmp_path, sqlite_template)
    seed = make_seed(Settings(data=place.data))
    with serving(place, environment=QUICK) as server:
        transfers = Transfers(server, seed)
        _, file = transfers.upload(lambda: iter([b"x"]), 1)

        def killed_midway() -> Iterator[bytes]:
            for number in range(100):
                if number == 50:
                    wait_until(lambda: parts(place) != [])
                    server.kill()
                yield PIECE

        with pytest.raises((OSError, http.client.HTTPException)):
            transfers.upload(killed_midway, SIZE)
    (part,) = parts(place)
    with serving(place, environment=QUICK) as server:
        assert part.exists()  # it is young: it could be another server's
    old = time.time() - 2 * 86_400
    for path in (place.data / "files").rglob("*"):
        with suppress(OSError):
            os.utime(path, (old, old))
    with serving(place, environment=QUICK) as server:
        wait_until(lambda: not part.exists())
        assert Transfers(server, seed).download(file["file_id"]) == hashlib.sha256(b"x").hexdigest()
