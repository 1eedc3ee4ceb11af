"""Calls that block: the steps of a plan, taken in the thread that calls.

Connections are kept for the next request, for a few seconds, and shared by threads: each takes one, or makes one. What
makes them (`dialing.py`) is imported with the first: `socket` and `ssl` take as long to import as all the rest.
"""

from __future__ import annotations

import os
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import SplitResult

from tidings.client.calls import Call, Pages
from tidings.client.exchange import (
    AT_ONCE,
    IDLE_LIMIT,
    Answer,
    Collecting,
    Garbled,
    Ours,
    Request,
    Route,
    left,
    lost,
    write_body,
    write_head,
)
from tidings.client.http1 import AnswerReader
from tidings.client.plans import Alone, Pause, Plan, Send, Step
from tidings.client.session import Session

if TYPE_CHECKING:
    import socket
    import ssl

T = TypeVar("T")


class Blocking:
    """Drives calls by waiting for each. May be used by several threads."""

    def __init__(self, session: Session, *, timeout: float, tls: ssl.SSLContext | None = None, proxy: SplitResult | None = None) -> None:
        """`timeout`: seconds that an exchange may take in all; where files are streamed, that any wait may take."""
        self.session = session
        self.sleep: Callable[[float], object] = time.sleep
        self._timeout = timeout
        self._tls = tls
        self._route = Route(session.server, proxy)
        self._idle: list[_Connection] = []
        self._lock = threading.Lock()  # over `_idle`
        self._one_at_a_time = threading.Lock()
        weakref.finalize(self, _close_all, self._idle, self._lock)  # for who lets a client go without closing it

    def perform(self, call: Call[T]) -> T:
        """Make one call."""
        return self.run(self.session.perform(call))

    def iterate(self, pages: Pages[T]) -> Iterator[T]:
        """All there is, page by page."""
        offset = 0
        while True:
            page = self.perform(pages.at(offset))
            yield from page
            offset += len(page)
            if len(page) < pages.size:
                return

    def run(self, plan: Plan[T]) -> T:
        """Take all the steps of a plan."""
        try:
            step = next(plan)
            while True:
                try:
                    done = self._take(step)
                except BaseException as error:  # noqa: BLE001  the plan decides, and must hear of Ctrl-C too
                    step = plan.throw(error)
                else:
                    step = plan.send(done)
        except StopIteration as end:
            result: T = end.value
            return result

    def close(self) -> None:
        """Close the connections that are kept. The next call makes new ones."""
        _close_all(self._idle, self._lock)

    def _take(self, step: Step) -> object:
        match step:
            case Send(request):
                return self._send(request)
            case Pause(seconds):
                return self.sleep(seconds)
            case Alone(plan):
                with self._one_at_a_time:
                    return self.run(plan)

    # --- one exchange ---

    def _send(self, request: Request) -> Answer:
        head = write_head(self._route, request)
        for connection in self._kept():
            try:
                return self._exchange(connection, head, request)
            except _Stale:
                if not request.repeatable:
                    raise self._lost(Garbled("the connection was closed as it was used"), sent=True) from None
        return self._exchange(self._connect(), head, request)

    def _kept(self) -> Iterator[_Connection]:
        """A connection from before, once, if there is one that is still good."""
        while True:
            with self._lock:
                connection = self._idle.pop() if self._idle else None
            if connection is None:
                return
            if connection.is_fresh():
                yield connection
                return
            connection.close()

    def _connect(self) -> _Connection:
        from tidings.client.dialing import dial, secure, trusting  # noqa: PLC0415  (see above)

        deadline, sock = time.monotonic() + self._timeout, None
        try:
            sock = dial(self._route, deadline=deadline, timeout=self._timeout)
            if self._route.is_secure:
                self._tls = self._tls or trusting()
                sock = secure(sock, self._route, self._tls, deadline=deadline)
        except (OSError, ValueError, Garbled) as error:
            if sock is not None:
                sock.close()
            raise self._lost(error, sent=False) from None
        return _Connection(sock)

    def _exchange(self, connection: _Connection, head: bytes, request: Request) -> Answer:
        reader, collecting = AnswerReader(request.method.upper()), Collecting(request)
        waiting = _Waiting(connection.sock, self._timeout, each=request.streams)
        try:
            _talk(waiting, head, request, reader, collecting)
        except (OSError, Garbled) as error:
            connection.close()
            if connection.used and not waiting.heard and not isinstance(error, TimeoutError):
                raise _Stale from None
            raise self._lost(error, sent=True, handed_on=collecting.handed_on) from None
        except Ours as trouble:
            connection.close()
            raise trouble.error from None
        except BaseException:
            connection.close()
            raise
        self._keep(connection, reusable=reader.reusable and waiting.whole)
        return Answer(reader.status, bytes(collecting.body), reader.headers)

    def _keep(self, connection: _Connection, *, reusable: bool) -> None:
        if not reusable:
            connection.close()
            return
        connection.used, connection.since = True, time.monotonic()
        with self._lock:
            self._idle.append(connection)
            while connection.since - self._idle[0].since > IDLE_LIMIT:
                self._idle.pop(0).close()

    def _lost(self, error: Exception, *, sent: bool, handed_on: bool = False) -> Exception:
        return lost(self.session.server, error, sent=sent, timeout=self._timeout, handed_on=handed_on)


def _close_all(idle: list[_Connection], lock: threading.Lock) -> None:
    with lock:
        closing = [*idle]
        idle.clear()
    for connection in closing:
        connection.close()


class _Stale(Exception):
    """A connection that was kept is of no use any more."""


@dataclass
class _Connection:
    sock: socket.socket
    used: bool = False
    since: float = 0.0
    process: int = field(default_factory=os.getpid)

    def is_fresh(self) -> bool:
        """Whether it may be used again: nothing has come on it, not even its end."""
        if time.monotonic() - self.since > IDLE_LIMIT or self.process != os.getpid():  # a fork would share it with its parent
            return False
        self.sock.settimeout(0)
        try:
            self.sock.recv(1)
        except BlockingIOError:
            return True
        except OSError as error:
            return type(error).__name__ == "SSLWantReadError"  # TLS's word for the same
        return False

    def close(self) -> None:
        with suppress(OSError):
            self.sock.close()


@dataclass
class _Waiting:
    """A socket, and how long it may be waited for: in all, or each time anew."""

    sock: socket.socket
    timeout: float
    each: bool
    heard: bool = False  # whether anything came
    whole: bool = False  # whether all was sent

    def __post_init__(self) -> None:
        self._deadline = time.monotonic() + self.timeout

    def send(self, piece: bytes) -> None:
        view = memoryview(piece)
        for start in range(0, len(view), AT_ONCE):
            self._set()
            self.sock.sendall(view[start : start + AT_ONCE])

    def receive(self) -> bytes:
        self._set()
        received = self.sock.recv(AT_ONCE)
        self.heard = self.heard or bool(received)
        return received

    def _set(self) -> None:
        self.sock.settimeout(self.timeout if self.each else left(self._deadline))


def _talk(waiting: _Waiting, head: bytes, request: Request, reader: AnswerReader, collecting: Collecting) -> None:
    try:
        waiting.send(head)
        for piece in write_body(request):
            waiting.send(piece)
        waiting.whole = True
    except ConnectionError:
        if not request.streams:
            raise
        # Who refuses a file answers before all of it is there, and closes: the answer is to be read yet.
    while not reader.done:
        received = waiting.receive()
        for piece in reader.feed(received):
            collecting.take(reader.status, piece)
        if not received:
            reader.end()
