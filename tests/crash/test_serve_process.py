"""`tidings serve` as a real process: it starts, says so, refuses what it cannot have, and stops when it is asked to."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.databases import Place
from tests.support.forking import fork_tidings
from tests.support.processes import Serving, free_port, serving
from tidings.client import Client
from tidings.errors import NotFound


@pytest.fixture(scope="module")
def running_place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """Where the server is that is only looked at."""
    return Place(tmp_path_factory.mktemp("serving"))


@pytest.fixture(scope="module")
def running(running_place: Place) -> Iterator[Serving]:
    """A server that is only looked at."""
    with serving(running_place, installed=True, environment={"TIDINGS_LOG_FORMAT": "json", "TIDINGS_PORT": "1"}) as server:
        yield server


def refusal(folder: Path, *arguments: str) -> str:
    """What `tidings serve` says to its end, which is to come soon, and with 2."""
    child = fork_tidings("serve", *arguments, output=folder / "refused.log")
    assert child.wait(30) == 2
    return child.output


def test_its_first_line_says_where_it_is_and_what_is_open(running: Serving) -> None:
    first_line = running.output.splitlines()[0]

    assert running.url in first_line
    assert "127.0.0.1:*" in first_line


def test_settings_of_the_environment_are_read_and_the_command_line_wins(running: Serving) -> None:
    events = [json.loads(line) for line in running.output.splitlines()[1:]]

    assert {"serving", "lease_taken"} <= {line["event"] for line in events}
    assert all(line.keys() >= {"at", "level", "event"} for line in events)
    assert running.port != 1


def test_a_second_server_on_one_data_folder_is_refused_in_one_sentence(running: Serving, running_place: Place, tmp_path: Path) -> None:
    assert running.is_ready()

    said = refusal(tmp_path, *running_place.arguments, "--port", str(free_port()))

    assert "tidings: another server is running on the data folder" in said
    assert "Traceback" not in said


def test_unknown_paths_answer_in_podios_words(running: Serving) -> None:
    with pytest.raises(NotFound, match="No matching operation could be found"):
        Client(running.url, "nobody", "x").request("GET", "/view/app/1/")


def test_metrics_can_be_scraped(running: Serving) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", running.port, timeout=5)
    connection.request("GET", "/metrics")
    response = connection.getresponse()
    text = response.read().decode()
    connection.close()

    assert response.getheader("content-type", "").startswith("text/plain; version=0.0.4")
    for name in ("events_accepted_total", "deliveries_pending", "oldest_pending_age_seconds", "breakers", "delivery_latency_seconds_sum"):
        assert f"tidings_{name}" in text


def test_a_port_that_is_taken_is_one_sentence(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        said = refusal(tmp_path, "--data", str(tmp_path), "--port", port)

    assert f"tidings: cannot listen on 127.0.0.1 port {port}: Address already in use" in said
    assert "Traceback" not in said


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_soon_and_with_0_when_it_is_asked_to_also_while_clients_hold_connections(tmp_path: Path, number: signal.Signals) -> None:
    with serving(Place(tmp_path), installed=True) as server:
        idle = http.client.HTTPConnection("127.0.0.1", server.port, timeout=5)
        idle.request("GET", "/health/live")
        idle.getresponse().read()
        began = time.monotonic()

        os.kill(server.pid, number)
        assert server._child.wait(20) == 0

        assert time.monotonic() - began < 5.0
        assert "engine_stopped" in server.output
        assert "Traceback" not in server.output
        idle.close()


def test_it_starts_again_after_a_stop_and_after_a_kill(tmp_path: Path) -> None:
    place = Place(tmp_path)
    with serving(place) as server:
        server.stop()
    with serving(place) as server:
        server.kill()
    with serving(place) as server:
        assert server.is_ready()
