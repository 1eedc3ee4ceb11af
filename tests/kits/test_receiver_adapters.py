"""The same receiver behind every framework, over real sockets: what comes in, and what an attacker may try."""

from __future__ import annotations

import asyncio
import gzip
import http.client
import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
import werkzeug.serving

from tests.support.processes import wait_until
from tests.support.serving import ASYNC, EVERY, PATH, Serve, serve_asgi, serve_wsgi
from tidings.receiver import Event, Receiver, wsgi
from tidings.receiver.deadlines import Deadlines
from tidings.receiver.inbox import Inbox
from tidings.receiver.testing import SECRET, sample
from tidings.wire.signing import secret_key, sign

PATIENCE = 10.0  # seconds
BEFORE = {name: serve for name, serve in EVERY.items() if name != "django-async"}  # Django reads a body to its end before it looks


@pytest.fixture(params=list(EVERY.values()), ids=list(EVERY))
def serve(request: pytest.FixtureRequest) -> Serve:
    """Every framework."""
    chosen: Serve = request.param
    return chosen


@pytest.fixture
def heard() -> list[Event]:
    return []


@pytest.fixture
def receiver(heard: list[Event]) -> Iterator[Receiver]:
    """Hears everything, in a function of each kind."""
    made = Receiver(secret=SECRET, longest_body=10_000, upload_seconds=0.2)
    made.on("item.*")(heard.append)

    @made.on("task.*")
    async def hear(event: Event) -> None:
        await asyncio.sleep(0)
        heard.append(event)

    yield made
    made.stop()


def post(port: int, headers: dict[str, str], body: bytes, method: str = "POST") -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        connection.request(method, PATH, body, headers)
        response = connection.getresponse()
        return response.status, response.read().decode()
    finally:
        connection.close()


def talk(port: int, request: bytes) -> int:
    """Send these bytes, no more, and answer the status that comes back."""
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as connection:
        connection.sendall(request)
        with connection.makefile("rb") as answer:
            return int(answer.readline().split()[1])


def head(*lines: str) -> bytes:
    return "\r\n".join([f"POST {PATH} HTTP/1.1", "Host: h", *lines, "", ""]).encode()


def test_deliveries_are_taken_and_repeats_dropped(serve: Serve, receiver: Receiver, heard: list[Event]) -> None:
    item, task = sample("item.create", item_id=42, external_id="ä&b", sequence=1), sample("task.create", task_id=7, sequence=2)
    with serve(receiver) as port:
        answers = [post(port, *message) for message in (item, task, item, task)]

    assert answers == [(204, "")] * 4
    assert [(event.type, event.sequence) for event in heard] == [("item.create", 1), ("task.create", 2)]
    assert (heard[0].external_id, heard[0].app_id) == ("ä&b", 5)


def test_what_is_forged_is_refused(serve: Serve, receiver: Receiver, heard: list[Event]) -> None:
    headers, body = sample("item.create")
    with serve(receiver) as port:
        assert post(port, headers, body + b"&x=1") == (401, "no signature matches")
        for unsigned in (body, b""):
            assert post(port, {"content-type": "application/x-www-form-urlencoded"}, unsigned)[0] == 401
        assert post(port, headers | {"content-type": "text/xml"}, body)[0] == 415
    assert heard == []


def test_what_is_signed_but_no_delivery_is_unreadable(serve: Serve, receiver: Receiver) -> None:
    headers, _ = sample("item.create", message_id="m")
    body = b"\xff%ff\x00"
    signature = sign(secret_key(SECRET), "m", int(headers["webhook-timestamp"]), body)
    with serve(receiver) as port:
        assert post(port, headers | {"webhook-signature": signature}, body)[0] == 400


def test_another_method_is_refused(serve: Serve, receiver: Receiver) -> None:
    with serve(receiver) as port:
        assert post(port, {}, b"", "GET")[0] == 405


@pytest.mark.parametrize("serve", BEFORE.values(), ids=BEFORE)
def test_a_length_that_is_too_great_is_refused_before_its_body_comes(serve: Serve, receiver: Receiver) -> None:
    with serve(receiver) as port:
        assert talk(port, head("Content-Length: 10001")) == 413
        assert talk(port, head("Content-Length: 99999999999999999")) == 413


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
def test_a_compressed_body_is_refused_and_never_unpacked(serve: Serve, receiver: Receiver, coding: str) -> None:
    bomb = gzip.compress(b"0" * 5_000_000)
    with serve(receiver) as port:
        assert post(port, {"content-encoding": coding}, bomb[:9_000])[0] == 415


def test_a_function_that_fails_is_a_500_without_a_word_of_why(serve: Serve, receiver: Receiver, caplog: pytest.LogCaptureFixture) -> None:
    @receiver.on("app.update")
    def fail(event: Event) -> None:
        raise RuntimeError("private")

    with serve(receiver) as port:
        status, sentence = post(port, *sample("app.update"))

    assert (status, "private" in sentence, "private" in caplog.text) == (500, False, True)


@pytest.mark.parametrize("serve", ASYNC.values(), ids=ASYNC)
def test_a_body_of_unknown_length_is_refused_as_soon_as_it_is_too_long(serve: Serve, receiver: Receiver) -> None:
    chunk = b"1000\r\n" + b"x" * 0x1000 + b"\r\n"
    with serve(receiver) as port:
        assert talk(port, head("Transfer-Encoding: chunked") + chunk * 3) == 413


@contextmanager
def serve_werkzeug(receiver: Receiver) -> Iterator[int]:
    """WSGI on what `flask run` starts."""
    server = werkzeug.serving.make_server("127.0.0.1", 0, wsgi.app(receiver), threaded=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.005,))
    thread.start()
    try:
        yield server.port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


SLOW = {**BEFORE, "werkzeug": serve_werkzeug}


@pytest.mark.parametrize("serve", SLOW.values(), ids=SLOW)
def test_a_body_that_comes_too_slowly_is_waited_for_only_so_long(serve: Serve, receiver: Receiver, heard: list[Event]) -> None:
    with serve(receiver) as port:
        assert talk(port, head("Content-Length: 100") + b"a=1") == 408
        assert post(port, *sample("item.create"))[0] == 204
    assert len(heard) == 1


@pytest.mark.parametrize("serve", SLOW.values(), ids=SLOW)
def test_a_body_that_comes_byte_by_byte_is_waited_for_no_longer(serve: Serve, receiver: Receiver) -> None:
    began = time.monotonic()
    with serve(receiver) as port, socket.create_connection(("127.0.0.1", port), timeout=0.02) as connection:
        connection.sendall(head("Content-Length: 5000"))
        answer = b""
        while not answer.endswith(b"\r\n"):
            assert time.monotonic() - began < PATIENCE
            with suppress(BrokenPipeError):  # who has answered may have closed as well
                connection.sendall(b"x")
            with suppress(TimeoutError):
                answer += connection.recv(1)
                connection.settimeout(PATIENCE)

    assert answer.split()[1] == b"408"


def test_of_two_that_are_waited_for_the_one_with_less_time_is_shut_first() -> None:
    deadlines, began = Deadlines(), time.monotonic()
    (patient, theirs), (other, other_end) = socket.socketpair(), socket.socketpair()
    with theirs, other_end, deadlines.over(patient, began + 3600), deadlines.over(other, began + 0.05):
        other.settimeout(PATIENCE)
        assert other.recv(1) == b""
        theirs.sendall(b"x")
        assert patient.recv(1) == b"x"

    assert (patient.fileno(), other.fileno()) == (-1, -1)


def test_where_a_server_does_not_show_its_connection_the_time_is_looked_at_between_pieces(receiver: Receiver) -> None:
    class Dripping:
        def read(self, most: int) -> bytes:
            time.sleep(0.03)
            return b"x"[:most]

    environ = {"REQUEST_METHOD": "POST", "CONTENT_LENGTH": "100", "wsgi.input": Dripping()}

    assert wsgi.answer(receiver, environ).status == 408


def test_a_body_that_a_server_has_put_into_a_file_is_read_from_there(receiver: Receiver, heard: list[Event]) -> None:
    headers, body = sample("item.create")
    environ = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()}
    with tempfile.TemporaryFile() as file:
        file.write(body)
        file.seek(0)
        said = wsgi.answer(receiver, {**environ, "REQUEST_METHOD": "POST", "CONTENT_LENGTH": str(len(body)), "wsgi.input": file})

    assert (said.status, len(heard)) == (204, 1)


@pytest.mark.parametrize("serve", ASYNC.values(), ids=ASYNC)
@pytest.mark.parametrize("body", [b"zz\r\n", b"-1\r\n", b"5\r\nab\r\n0\r\n\r\n"])
def test_a_body_that_is_badly_chunked_is_a_400(serve: Serve, receiver: Receiver, body: bytes) -> None:
    with serve(receiver) as port:
        assert talk(port, head("Transfer-Encoding: chunked") + body) in (400, 408)


def test_a_sender_that_hangs_up_in_the_middle_is_no_accident(
    serve: Serve, receiver: Receiver, heard: list[Event], caplog: pytest.LogCaptureFixture
) -> None:
    with serve(receiver) as port:
        with socket.create_connection(("127.0.0.1", port)) as connection:
            connection.sendall(head("Content-Length: 100") + b"item_id=1")
        assert post(port, *sample("item.create"))[0] == 204
    assert len(heard) == 1
    assert "Traceback" not in caplog.text


@pytest.mark.parametrize("serve", EVERY.values(), ids=EVERY)
def test_with_an_inbox_the_sender_is_answered_before_the_work_is_done(serve: Serve, tmp_path: Path) -> None:
    heard: list[Event] = []
    receiver = Receiver(secret=SECRET, inbox=Inbox(tmp_path / "inbox.db", poll=0.01, retries=[0.0]))

    @receiver.on("*")
    async def fail_once(event: Event) -> None:
        heard.append(event)
        if len(heard) == 1:
            raise RuntimeError

    with serve(receiver) as port:
        message = sample("item.create")
        assert [post(port, *message)[0] for _ in range(3)] == [204, 204, 204]
        wait_until(lambda: len(heard) == 2)
    receiver.stop()

    assert Inbox(tmp_path / "inbox.db").counts()["done"] == 1


@pytest.mark.parametrize("serve", [serve_asgi, serve_wsgi], ids=["asgi", "wsgi"])
def test_an_inbox_that_cannot_keep_anything_is_a_503(serve: Serve, tmp_path: Path) -> None:
    receiver = Receiver(secret=SECRET, inbox=Inbox(tmp_path / "no such folder" / "inbox.db"))
    receiver.on("*")(print)
    with serve(receiver) as port:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        headers, body = sample("item.create")
        connection.request("POST", PATH, body, headers)
        response = connection.getresponse()
        sentence = response.read().decode()
        connection.close()
    receiver.stop()

    assert (response.status, response.headers["Retry-After"]) == (503, "10")
    assert "folder" not in sentence
