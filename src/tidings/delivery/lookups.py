"""Names to addresses, without ever waiting for one name because of another.

The problem: the system's resolver blocks a thread, cannot be interrupted, and takes as long as the name's owner likes.
The strategy: one daemon thread a lookup, at most `AT_ONCE` of them, and at most one a name: who asks for a name that is
being looked up shares the answer. Whoever waits may be cancelled at any time; a lookup nobody waits for any more is
dropped if it has not begun, and otherwise ends unheard. Daemon threads do not hold up the end of the program.

An answer is not kept: the guard judges a fresh one for every connection, and connections are kept instead.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress

AT_ONCE = 32  # threads, each mostly asleep

Resolver = Callable[[str], Iterable[str]]
"""Answers the addresses of a name, in the order to try them; may block; raises OSError when there are none."""


def system_resolver(host: str) -> list[str]:
    """The addresses of `host` as the system resolves it (files, DNS), preferred ones first."""
    return [str(answer[4][0]) for answer in socket.getaddrinfo(host.encode("ascii"), None, type=socket.SOCK_STREAM)]


class _Lookup:
    """One name on its way, and those who wait for it. Its answer is a value, so that nobody need hear an error."""

    __slots__ = ("answer", "begun", "host", "waiting")

    def __init__(self, host: str, answer: asyncio.Future[tuple[str, ...] | OSError]) -> None:
        self.host = host
        self.answer = answer
        self.waiting = 0
        self.begun = False


class Lookups:
    """The lookups of one event loop."""

    def __init__(self, resolver: Resolver, *, at_once: int = AT_ONCE) -> None:
        self._resolver = resolver
        self._at_once = at_once
        self._known: dict[str, _Lookup] = {}
        self._queue: deque[_Lookup] = deque()
        self._running = 0

    def __repr__(self) -> str:
        return f"<Lookups {self._running} running, {len(self._queue)} queued>"

    async def addresses(self, host: str) -> tuple[str, ...]:
        """The addresses of `host`, each once. Raises OSError when it does not resolve."""
        lookup = self._known.get(host) or self._add(host)
        lookup.waiting += 1
        try:
            answer = await asyncio.shield(lookup.answer)
        finally:
            lookup.waiting -= 1
            if not lookup.waiting and not lookup.begun:
                self._drop(lookup)
        if isinstance(answer, OSError):
            raise answer
        return answer

    def _add(self, host: str) -> _Lookup:
        lookup = self._known[host] = _Lookup(host, asyncio.get_running_loop().create_future())
        self._queue.append(lookup)
        self._begin_next()
        return lookup

    def _drop(self, lookup: _Lookup) -> None:
        self._queue.remove(lookup)
        del self._known[lookup.host]

    def _begin_next(self) -> None:
        while self._queue and self._running < self._at_once:
            lookup = self._queue.popleft()
            lookup.begun = True
            self._running += 1
            thread = threading.Thread(target=self._run, args=(lookup,), name="tidings-lookup", daemon=True)
            try:
                thread.start()
            except RuntimeError as error:  # the system has no thread left for us
                self._end(lookup, OSError(str(error)))

    def _run(self, lookup: _Lookup) -> None:
        answer: tuple[str, ...] | OSError
        try:
            answer = tuple(dict.fromkeys(self._resolver(lookup.host)))
        except OSError as error:
            answer = error
        except Exception as error:  # noqa: BLE001  a broken resolver must not leave its name under way for ever
            answer = OSError(str(error))
        loop = lookup.answer.get_loop()
        with suppress(RuntimeError):  # the loop was closed meanwhile: nobody waits
            loop.call_soon_threadsafe(self._end, lookup, answer)

    def _end(self, lookup: _Lookup, answer: tuple[str, ...] | OSError) -> None:
        del self._known[lookup.host]
        self._running -= 1
        lookup.answer.set_result(answer)
        self._begin_next()
