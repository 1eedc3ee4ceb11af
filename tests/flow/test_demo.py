"""`tidings demo`, for real: the server is a process, the receiver a socket, and nothing is left behind."""

from __future__ import annotations

import http.client
import re
import signal
import socket
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import psutil
import pytest

from tests.support.forking import Forked, fork_tidings
from tests.support.processes import free_port, start_installed, wait_until
from tidings.cli.inbox import Inbox
from tidings.client import Client, NewHook
from tidings.wire.signing import secret_key, sign

# Were any of these read, the demo would come near somebody's own server; and none of it may make the demo fail.
ENVIRONMENT = {"TIDINGS_DATABASE": "postgresql://nobody@127.0.0.1:1/not-the-demos", "COLUMNS": "80", "NO_COLOR": "1"}


class Demo:
    """One `tidings demo`, its output in a file and its own folder for what is temporary. It is forked, or the installed program."""

    def __init__(self, folder: Path, *arguments: str, installed: bool = False) -> None:
        self.temporary = folder / "tmp"
        self.temporary.mkdir()
        self._printed = folder / "printed"
        start = start_installed if installed else fork_tidings
        environment = {**ENVIRONMENT, "TMPDIR": str(self.temporary)}
        self.child: Forked | subprocess.Popen[bytes] = start("demo", *arguments, output=self._printed, environment=environment)

    @property
    def output(self) -> str:
        return self._printed.read_text()

    def ended(self) -> int:
        return self.child.wait(50)


@pytest.fixture
def demos(tmp_path: Path) -> Iterator[list[Demo]]:
    """Those that a test starts; at the end they are killed if they still run, each with its server."""
    started: list[Demo] = []
    yield started
    for demo in started:
        if demo.child.poll() is None:
            for each in psutil.Process(demo.child.pid).children(recursive=True):
                each.kill()
            demo.child.kill()
            demo.child.wait()


def is_free(port: int) -> bool:
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError:
        return False
    return True


def landed(output: str) -> Counter[str]:
    """How many deliveries of each type were shown, their signatures checked."""
    return Counter(re.findall(r"^  (\S+) to hook \d+: signature checked", output, re.MULTILINE))


def test_once_makes_the_round_trip_and_leaves_nothing_behind(tmp_path: Path, demos: list[Demo]) -> None:
    port = free_port()
    demos.append(demo := Demo(tmp_path, "--once", "--port", str(port), installed=True))

    assert demo.ended() == 0, demo.output

    assert landed(demo.output) == {"hook.verify": 4, "item.create": 1, "item.update": 2, "item.delete": 1}
    assert "item_id=1&item_revision_id=0&external_id=&type=item.create&hook_id=1" in demo.output
    assert re.search(r"Hooks may call 127\.0\.0\.1:\d+ only because", demo.output)
    assert max(map(len, demo.output.splitlines())) <= 80
    assert list(demo.temporary.iterdir()) == []
    assert is_free(port)


def test_it_stays_up_for_people_until_ctrl_c(tmp_path: Path, demos: list[Demo]) -> None:
    demos.append(demo := Demo(tmp_path))
    wait_until(lambda: "Ctrl-C stops everything" in demo.output or demo.child.poll() is not None, seconds=50)

    # What it says to try, tried.
    [(host, port, app_id)] = set(re.findall(r"curl http://(127\.0\.0\.1):(\d+)/item/app/(\d+)/", demo.output))
    assert f"http://{host}:{port}/console/apps/{app_id}/developer" in demo.output
    [token] = re.findall(r"TOKEN=(\S+)", demo.output)
    connection = http.client.HTTPConnection(host, int(port), timeout=5)
    headers = {"Authorization": f"OAuth2 {token}", "Content-Type": "application/x-www-form-urlencoded"}  # as curl -d says
    connection.request("POST", f"/item/app/{app_id}/", b'{"fields": {"title": "From curl"}}', headers)
    assert connection.getresponse().read().startswith(b"{")
    connection.close()
    wait_until(lambda: landed(demo.output)["item.create"] == 2)

    demo.child.send_signal(signal.SIGINT)
    assert demo.ended() == 0
    assert list(demo.temporary.iterdir()) == []
    assert is_free(int(port))
    assert "Traceback" not in demo.output


def test_a_step_that_fails_is_named(tmp_path: Path, demos: list[Demo]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        demos.append(demo := Demo(tmp_path, "--once", "--port", str(port)))

        assert demo.ended() == 1

    assert f"Failed: Start a server: port {port} is taken\n" in demo.output
    assert "Traceback" not in demo.output
    assert list(demo.temporary.iterdir()) == []


# --- its receiver ---

SECRET, ANOTHER_SECRET = "whsec_" + 40 * "A", "whsec_" + 40 * "B"


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    made = Inbox()
    with made.registering(Client("http://127.0.0.1:1", "", "", timeout=1.0)) as hooks:
        hooks.append(NewHook(7, SECRET))
    yield made
    made.close()


def post(inbox: Inbox, body: bytes, *, message_id: str = "msg_1", secret: str = SECRET, **headers: str) -> int:
    """Send one request, signed; answers the status."""
    now = int(time.time())
    signature = sign(secret_key(secret), message_id, now, body)
    signed = {"webhook-id": message_id, "webhook-timestamp": str(now), "webhook-signature": signature, **headers}
    connection = http.client.HTTPConnection(inbox.address, timeout=5)
    connection.request("POST", "/hooks", body, signed)
    status = connection.getresponse().status
    connection.close()
    return status


def test_the_receiver_takes_a_signed_delivery_once(inbox: Inbox) -> None:
    body = urlencode({"item_id": 1, "type": "item.create", "hook_id": 7}).encode()

    assert [post(inbox, body) for _ in range(2)] == [204, 204]

    delivery = inbox.landed.get(timeout=5).delivery
    assert delivery is not None
    assert (delivery.type, delivery.hook_id) == ("item.create", 7)
    assert inbox.landed.empty()


@pytest.mark.parametrize(
    ("body", "secret", "complaint"),
    [
        (b"type=item.create&hook_id=7", ANOTHER_SECRET, "Forged"),
        (b"hook_id=7", SECRET, "Unreadable"),
        (b"type=hook.verify&hook_id=7", SECRET, "KeyError: 'code'"),
        (b"code=x&type=hook.verify&hook_id=7", SECRET, "Unavailable: 127.0.0.1:1 cannot be reached"),
    ],
)
def test_the_receiver_refuses_what_it_cannot_trust_or_answer(inbox: Inbox, body: bytes, secret: str, complaint: str) -> None:
    assert post(inbox, body, secret=secret) == 400

    refused = inbox.landed.get(timeout=5)
    assert refused.delivery is None
    assert complaint in refused.complaint


def test_the_receiver_reads_no_body_that_is_too_large(inbox: Inbox) -> None:
    assert post(inbox, b"", **{"Content-Length": "9999999999"}) == 411
    assert inbox.landed.empty()
