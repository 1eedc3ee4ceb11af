"""A real S3-compatible server on loopback, from the `moto` wheel: a process of its own, its buckets in memory."""

from __future__ import annotations

import http.client
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.processes import free_port, wait_until


class Bucket:
    """One bucket of it."""

    def __init__(self, port: int) -> None:
        """It is not made yet."""
        self._port = port
        self.endpoint = f"http://127.0.0.1:{port}"

    def ask(self, method: str, path: str) -> tuple[int, str]:
        """One request to the server; moto lets everybody in."""
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=20)
        try:
            connection.request(method, path)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def answers(self) -> bool:
        """Whether the server is up."""
        try:
            return self.ask("GET", "/moto-api/")[0] == 200
        except OSError:
            return False

    def unfinished(self) -> bool:
        """Whether a multipart upload was begun and neither ended nor aborted."""
        return "<UploadId>" in self.ask("GET", "/bucket?uploads")[1]


@contextmanager
def s3_server(folder: Path) -> Iterator[Bucket]:
    """The server, with an empty bucket named `bucket`; what it prints goes to a file in `folder`."""
    port = free_port()
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    with (folder / "moto.log").open("wb") as output:
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
    bucket = Bucket(port)
    try:
        wait_until(bucket.answers, seconds=30, step=0.05)
        assert bucket.ask("PUT", "/bucket")[0] == 200
        yield bucket
    finally:
        child.kill()
        child.wait()
