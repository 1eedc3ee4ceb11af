"""`tidings listen`: a small receiver for people who want to see what is delivered, as it comes.

It takes everything that is a delivery and answers 204. Given a secret, it refuses what is not signed with it. A hook that
asks to be verified is validated through the API, where it has been told how to get there; otherwise its code is printed,
and what to do with it.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from rich.console import Console
from rich.text import Text

from tidings.client import Client
from tidings.delivery.wording import plain
from tidings.errors import Invalid, Unavailable
from tidings.receiver import Answer, Event, Receiver, ReceiverError
from tidings.receiver.core import Headers, lowered
from tidings.receiver.receiver import VERIFY
from tidings.receiver.wsgi import app

PATIENCE = 30.0  # seconds that a connection may be silent
BODY_SHOWN = 10_000  # characters
TOLD_HEADERS = ("webhook-", "tidings-", "content-type", "ce-")


@dataclass(frozen=True)
class Asked:
    """What the command line says. `app_id` and the three texts behind it are there together, or not at all."""

    host: str
    port: int
    secret: str | None = field(default=None, repr=False)
    url: str = ""  # of the server
    app_id: int | None = None
    app_token: str | None = field(default=None, repr=False)
    client_id: str | None = None
    client_secret: str | None = field(default=None, repr=False)


def run_listen(asked: Asked) -> None:
    """Listen until Ctrl-C or SIGTERM. Raises `Invalid` and `Unavailable`, and what logging in raises."""
    console = Console(highlight=False)
    with listening(asked, console) as server:
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.default_int_handler)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            console.print("\nStopped.")


@contextmanager
def listening(asked: Asked, console: Console) -> Iterator[WSGIServer]:
    """The receiver's server, bound and not serving yet; it says where it listens."""
    watcher = Watcher(console, _log_in(asked), asked.secret)
    try:
        server = make_server(asked.host, asked.port, app(watcher), _Server, _Silent)
    except (OSError, OverflowError) as error:
        raise Unavailable(f"cannot listen on {asked.host} port {asked.port}: {getattr(error, 'strerror', None) or error}") from None
    with server:
        address = f"{asked.host}:{server.server_port}"
        console.print(f"Listening at http://{address}/ (Ctrl-C stops it).", soft_wrap=True)
        console.print(f"Make a hook with that URL; a server on this machine lets it through with --allow {address}.\n", soft_wrap=True)
        yield server


def _log_in(asked: Asked) -> Client | None:
    given = (asked.app_id, asked.app_token, asked.client_id, asked.client_secret)
    if not any(given):
        return None
    if not all(given):
        raise Invalid("to validate hooks, give --app-id, --app-token, --client-id and --client-secret together")
    client = Client(asked.url, asked.client_id or "", asked.client_secret or "")
    client.authenticate_with_app(asked.app_id or 0, asked.app_token or "")
    return client


class Watcher(Receiver):
    """A receiver that prints what it is told, and what it answers."""

    def __init__(self, console: Console, client: Client | None, secret: str | None) -> None:
        """Raises `Invalid` for a secret that is none."""
        try:
            super().__init__(client, secret=secret, allow_unsigned=secret is None)
        except ValueError as error:
            raise Invalid(f"--secret: {error}") from None
        self._console = console
        self._validates = client is not None
        self._checks = secret is not None
        self.on(VERIFY)(_take_note)

    def receive(self, headers: Headers, body: bytes) -> Answer:
        """See `Receiver`. Whichever hook calls here was made by somebody who wants it to."""
        event = self._try_to_read(headers, body)
        if event is not None and event.type == VERIFY:
            self.expects(event.hook_id)
        answer = super().receive(headers, body)
        self._console.print(self._shown(event, lowered(headers), body, answer), soft_wrap=True)
        return answer

    def _try_to_read(self, headers: Headers, body: bytes) -> Event | None:
        try:
            return self.read(headers, body)
        except ReceiverError:
            return None

    def _shown(self, event: Event | None, headers: Mapping[str, str], body: bytes, answer: Answer) -> Text:
        refused = "" if answer.status < 300 else f"answered {answer.status}: {answer.body.decode()}"
        shown = Text(f"{datetime.now(UTC):%H:%M:%S} ")
        if event is None:
            return shown.append(refused, "red").append("\n")
        shown.append(event.type, "bold").append(f" to hook {event.hook_id}, ")
        shown.append(
            refused or ("signature checked" if self._checks else "signature not checked (--secret does)"), "red" if refused else "green"
        )
        for name, value in sorted(headers.items()):
            if name.startswith(TOLD_HEADERS):
                shown.append(f"\n    {name}: {plain(value, BODY_SHOWN)}", "dim")
        return shown.append(f"\n    {self._body(event, body)}\n").append(self._todo(event, refused), "yellow")

    def _body(self, event: Event, body: bytes) -> str:
        text = plain(body.decode("utf-8", "replace"), BODY_SHOWN)
        code = event.parameters.get("code")
        return text.replace(code, "(hidden)") if self._validates and event.type == VERIFY and isinstance(code, str) and code else text

    def _todo(self, event: Event, refused: str) -> str:
        if event.type != VERIFY or refused:
            return ""
        if self._validates:
            return f"    Hook {event.hook_id} is verified: its code was sent back.\n"
        code = plain(str(event.parameters.get("code")), BODY_SHOWN)
        call = f'POST /hook/{event.hook_id}/verify/validate {{"code": "{code}"}}'
        return f"    To verify it, enter the code on the hook's page, or:\n    {call}\n"


def _take_note(_event: Event) -> None:
    """A verification is taken, also where there is nobody to validate it with."""


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Silent(WSGIRequestHandler):
    timeout = PATIENCE

    def log_message(self, format: str, *args: object) -> None:
        """The watcher prints what there is to say."""
