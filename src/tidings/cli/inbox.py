"""A small receiver on 127.0.0.1, for the demo: checks what lands, answers `hook.verify` by validating, keeps the rest.

It validates from inside the request that brought the code, before it answers: the way most receivers of Podio do it. Every
request has a thread of its own.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tidings.client import Client, NewHook
from tidings.errors import TidingsError
from tidings.receiver import Event, ReceiverError, read_delivery

LONGEST_BODY = 1_048_576  # bytes
PATIENCE = 30.0  # seconds that a connection may be silent


@dataclass(frozen=True)
class Landed:
    """One delivery as it came, its signature checked; or one that was refused, and why."""

    delivery: Event | None
    headers: dict[str, str]
    body: str
    complaint: str = ""


class Inbox:
    """Listens from its making to `close`; what lands is in `landed`, repeats left out."""

    def __init__(self) -> None:
        self.landed: queue.Queue[Landed] = queue.Queue()
        self._server = _Server(("127.0.0.1", 0), _Post)
        self._server.inbox = self
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), name="tidings-demo-inbox", daemon=True)
        self._thread.start()
        self._client: Client | None = None
        self._secrets: list[str] = []
        self._known = threading.Lock()
        self._seen: set[str] = set()

    @property
    def address(self) -> str:
        """Where it listens, as an allow-list writes it."""
        return f"127.0.0.1:{self._server.server_address[1]}"

    @property
    def url(self) -> str:
        """What hooks are to call."""
        return f"http://{self.address}/hooks"

    @contextmanager
    def registering(self, client: Client) -> Iterator[list[NewHook]]:
        """While hooks are made, what lands waits: a code may be here sooner than the answer that holds its hook's secret."""
        made: list[NewHook] = []
        with self._known:
            yield made
            self._client = client
            self._secrets += [hook.secret for hook in made if hook.secret]

    def close(self) -> None:
        """Listen no more."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def receive(self, headers: dict[str, str], body: bytes) -> HTTPStatus:
        """Take in one request, and say what to answer."""
        with self._known:
            client, secrets = self._client, list(self._secrets)
        text = body.decode("utf-8", "replace")
        try:
            delivery = read_delivery(headers, body, secrets, now=time.time())
            if delivery.type == "hook.verify" and client is not None:
                client.hooks.validate(delivery.hook_id, delivery.parameters["code"])
        except (ReceiverError, TidingsError, KeyError, ValueError) as error:
            self.landed.put(Landed(None, headers, text, f"{type(error).__name__}: {error}"))
            return HTTPStatus.BAD_REQUEST
        if delivery.id not in self._seen:
            self._seen.add(delivery.id)
            self.landed.put(Landed(delivery, headers, text))
        return HTTPStatus.NO_CONTENT


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    inbox: Inbox


class _Post(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = PATIENCE
    server: _Server

    def do_POST(self) -> None:
        """One delivery."""
        length = self.headers.get("content-length", "")
        if not (length.isascii() and length.isdigit() and int(length) <= LONGEST_BODY):
            self.send_error(HTTPStatus.LENGTH_REQUIRED)
            return
        status = self.server.inbox.receive(dict(self.headers.items()), self.rfile.read(int(length)))
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """The demo prints what landed itself."""
