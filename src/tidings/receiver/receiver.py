"""The receiver: whom it believes, which functions hear of what, and what a request is answered.

    hooks = Receiver(client, secret="whsec_...")

    @hooks.on("item.create")
    async def created(event):
        item = await client.items.get(event.item_id)

A request is checked, then read, then dealt with: `hook.verify` is answered by validating, everything else is handed to the
functions that hear it, or is kept in the inbox for them. It knows no framework: bytes and headers go in, a status and a
sentence come out, and whatever the bytes are, an answer does come out. `hook.verify` is confirmed only for hooks that it
was told to expect: a receiver that confirms whatever it is asked works for anybody who asks. Secrets, codes and bodies
are in no answer, no log and no `repr`.
"""

from __future__ import annotations

import inspect
import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from tidings.receiver.answers import Answer, refusal
from tidings.receiver.calling import OwnLoop, Step, Steps, take_steps, take_steps_async
from tidings.receiver.clients import Hooks, HooksClient, MadeHook
from tidings.receiver.core import LONGEST_BODY, Headers, Proofs, lowered, read
from tidings.receiver.events import Event
from tidings.receiver.gaps import WAIT, Gap, Gaps
from tidings.receiver.listening import Listener, checked_pattern, named
from tidings.receiver.refusals import Forged, ReceiverError, Unavailable, Unexpected, Unreadable, Unsigned
from tidings.receiver.repeats import Busy, Repeats
from tidings.wire.cause import cause
from tidings.wire.signing import TOLERANCE_SECONDS

if TYPE_CHECKING:
    import asyncio

    from tidings.receiver.inbox import Inbox

VERIFY = "hook.verify"
UPLOAD_SECONDS = 10.0  # for a whole body
_MAKING_SECONDS = 10.0  # that a request waits for a hook that is being made: less than a sender waits for the answer

_log = logging.getLogger("tidings.receiver")
F = TypeVar("F", bound=Callable[..., Any])


class Receiver:
    """Takes deliveries. One may be shared by threads, and by the event loop and threads."""

    def __init__(
        self,
        client: HooksClient | None = None,
        *,
        secret: str | None = None,
        secrets: Sequence[str] = (),
        public_keys: Sequence[str] = (),
        allow_unsigned: bool = False,
        tolerance: float = TOLERANCE_SECONDS,
        expect: Iterable[int] = (),
        inbox: Inbox | None = None,
        gap_wait: float = WAIT,
        longest_body: int = LONGEST_BODY,
        upload_seconds: float = UPLOAD_SECONDS,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`client` answers `hook.verify`, for the hooks of `expect` and those that are made by `create`.

        `secrets` (`whsec_...`) and `public_keys` (`whpk_...`; they need `cryptography`) are those of all hooks that call
        here; while one is being changed, both. `allow_unsigned=True` believes anybody, and is for Podio itself, which does
        not sign. `tolerance`, `gap_wait` and `upload_seconds` are in seconds, `longest_body` in bytes; `clock` answers
        seconds since the epoch. Raises ValueError for a secret that is none, and where nobody could ever be believed.
        """
        self.longest_body = longest_body
        self.upload_seconds = upload_seconds
        self._client = client
        self._secrets = [*([secret] if secret else []), *secrets]
        self._public_keys = list(public_keys)
        if allow_unsigned and (self._secrets or self._public_keys):
            raise ValueError("who believes the unsigned needs no secret: use one Receiver for each kind of sender")
        if not (self._secrets or self._public_keys or allow_unsigned or client):
            raise ValueError("give a secret, a public key, or a client to make hooks with (allow_unsigned=True believes anybody)")
        self._make_proofs = partial(Proofs, allow_unsigned=allow_unsigned, tolerance=tolerance)
        self._proofs = self._make_proofs(self._secrets, self._public_keys)
        self._expected = set(expect)
        self._being_made = 0
        self._none_being_made = threading.Event()
        self._none_being_made.set()
        self._listeners: list[Listener] = []
        self._gap_listeners: list[Callable[[Gap], Any]] = []
        self._gap_wait = gap_wait
        self._gaps = Gaps(gap_wait)
        self._watching = False
        self._look: asyncio.Task[None] | None = None
        self._timer: threading.Timer | None = None
        self._repeats = Repeats()
        self._inbox = inbox
        self._clock = clock
        self._loop = OwnLoop()
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"<Receiver: {len(self._listeners)} functions, {len(self._expected)} hooks expected>"

    # --- what it is told by its owner ---------------------------------------------------------------------------------

    def on(self, *patterns: str, app: int | None = None, hook: int | None = None) -> Callable[[F], F]:
        """Have a function, `async` or not, called with each event of these types: `item.create`, `item.*`, `*`.

        With `app` or `hook`, only with those of that app or hook. `hook.verify` is heard by its full name alone. Raises
        ValueError for a pattern that is none.
        """
        if not patterns:
            raise ValueError("name a type of event: `item.create` and its like, `item.*`, or `*`")
        for pattern in patterns:
            checked_pattern(pattern)

        def register(function: F) -> F:
            for pattern in patterns:
                self._listeners.append(named(Listener(function, pattern, app, hook), self._listeners))
            return function

        return register

    def on_gap(self, function: F) -> F:
        """Have `function` called with each `Gap`: numbers of a hook that have stayed away for `gap_wait` seconds."""
        self._gap_listeners.append(function)
        return function

    def expects(self, hook_id: int, *, secret: str | None = None) -> None:
        """Know this hook as ours: its verification is to be confirmed, and `secret` signs its deliveries."""
        with self._lock:
            self._expected.add(hook_id)
            if secret and not self._proofs.allow_unsigned:
                self._secrets.append(secret)
            self._proofs = self._make_proofs(self._secrets, self._public_keys)

    def create(self, ref_type: str, ref_id: int, url: str, type: str, **options: Any) -> MadeHook:
        """Make a hook with the client, and expect it: see the client's `hooks.create`."""
        with self._making() as calls:
            answer = calls.create(ref_type, ref_id, url, type, **options)
            made: MadeHook = self._loop.submit(answer).result() if inspect.isawaitable(answer) else answer
            self.expects(made.hook_id, secret=made.secret)
            return made

    async def create_async(self, ref_type: str, ref_id: int, url: str, type: str, **options: Any) -> MadeHook:
        """The same, for an async client on its own event loop."""
        with self._making() as calls:
            made: MadeHook = await calls.create(ref_type, ref_id, url, type, **options)
            self.expects(made.hook_id, secret=made.secret)
            return made

    # --- what it is told by senders -----------------------------------------------------------------------------------

    def receive(self, headers: Headers, body: bytes) -> Answer:
        """Check a request, deal with it, and answer. Raises nothing. `async` functions are lent a loop in a thread."""
        if self._inbox is not None:
            self._inbox.start(self.run, self._loop)
        answer = take_steps(self._answer(headers, body), self._loop)
        if self._begins_to_watch():
            self._watch()
        return answer

    async def receive_async(self, headers: Headers, body: bytes) -> Answer:
        """The same, on this event loop. Functions that are not `async` are lent a thread."""
        if self._inbox is not None:
            self._inbox.start_async(self.run)
        answer = await take_steps_async(self._answer(headers, body))
        if self._begins_to_watch():
            self._watch_async()
        return answer

    def read(self, headers: Headers, body: bytes) -> Event:
        """Check a request and read it, and do nothing else. Raises `ReceiverError`."""
        return read(lowered(headers), body, self._proofs, now=self._clock(), longest=self.longest_body)

    def start(self) -> None:
        """Take up what the inbox holds, without waiting for the first request. Also `stop` at the end is for an inbox."""
        if self._inbox is not None:
            self._inbox.start(self.run, self._loop)

    def stop(self) -> None:
        """Finish what is under way, and take up no more."""
        if self._timer is not None:
            self._timer.cancel()
            self._watching = False
        if self._inbox is not None:
            self._inbox.stop()
        self._loop.close()

    async def start_async(self) -> None:
        """As `start`, on this event loop."""
        if self._inbox is not None:
            self._inbox.start_async(self.run)

    async def stop_async(self) -> None:
        """As `stop`, on the event loop that started it."""
        if self._look is not None:
            self._look.cancel()
            self._watching = False
        if self._inbox is not None:
            await self._inbox.stop_async()
        self._loop.close()

    def run(self, event: Event, finished: set[str]) -> Steps[None]:
        """The steps of handing `event` to who hears it, but for whom `finished` names; they add to it."""
        before = cause.get()
        cause.set(event.id if event.timestamp is not None else None)  # what a client sends along with the function's own calls
        try:
            for listener in self._listeners:
                if listener.hears(event) and listener.name not in finished:
                    yield partial(listener.function, event)
                    finished.add(listener.name)
        finally:
            cause.set(before)

    # --- how it answers -----------------------------------------------------------------------------------------------

    def _answer(self, headers: Headers, body: bytes) -> Steps[Answer]:
        try:
            known = lowered(headers)
            event = yield from self._read(known, body)
            if event.type == VERIFY:
                yield from self._verify(event)
            else:
                yield from self._take(event, known, body)
            if event.sequence is not None and self._gap_listeners:
                yield from self._count(event.hook_id, event.sequence)
                yield from self._tell_gaps()
        except ReceiverError as error:
            return refusal(error)
        except Exception:  # noqa: BLE001 (a stranger's function: it may raise anything)
            _log.exception("a function of the receiver failed")
            return Answer(500, "The receiver failed. Please send it again.")
        return Answer(204)

    def _read(self, headers: dict[str, str], body: bytes) -> Steps[Event]:
        proofs = self._proofs
        try:
            return self._read_now(headers, body)
        except (Unsigned, Forged, Unexpected):
            if self._none_being_made.is_set() and proofs is self._proofs:
                raise
        # A hook's code may be here sooner than the answer that holds the hook's id and its secret.
        if not (yield partial(self._none_being_made.wait, _MAKING_SECONDS)):
            raise Unavailable("a hook is being made here: please send this again")
        return self._read_now(headers, body)

    def _read_now(self, headers: dict[str, str], body: bytes) -> Event:
        event = read(headers, body, self._proofs, now=self._clock(), longest=self.longest_body)
        if event.type == VERIFY and event.hook_id not in self._expected:
            raise Unexpected(f"hook {event.hook_id} is not one that this receiver was told to expect")
        return event

    def _verify(self, event: Event) -> Steps[None]:
        code = event.parameters.get("code")
        if not (isinstance(code, str) and code):
            raise Unreadable("the verification has no code")
        if self._client is not None:
            try:
                yield partial(self._client.hooks.validate, event.hook_id, code)
            except Exception as error:  # noqa: BLE001 (a client may be any)
                _log.warning("hook %d could not be validated: %s", event.hook_id, type(error).__name__)
                raise Unavailable(f"the hook could not be validated: {type(error).__name__}") from None
        elif not any(listener.hears(event) for listener in self._listeners):
            raise Unexpected("this receiver has no client to validate the hook with")
        yield from self.run(event, set())

    def _take(self, event: Event, headers: dict[str, str], body: bytes) -> Steps[None]:
        if not any(listener.hears(event) for listener in self._listeners):
            pass
        elif self._inbox is not None:
            yield from self._kept(self._inbox.put(event, headers, body))
        else:
            yield from self._run_once(event)

    def _kept(self, kept: Step) -> Steps[Any]:
        try:
            return (yield kept)
        except Exception as error:  # noqa: BLE001 (a database may be any)
            _log.warning("the inbox failed: %s: %s", type(error).__name__, error)
            raise Unavailable("the inbox cannot keep this at the moment: please send it again") from None

    def _run_once(self, event: Event) -> Steps[None]:
        try:
            finished = self._repeats.begin(event.id)
        except Busy:
            raise Unavailable("this delivery is being dealt with: please send it again later") from None
        if finished is None:
            return
        done = False
        try:
            yield from self.run(event, finished)
            done = True
        finally:
            self._repeats.end(event.id, done=done)

    # With an inbox, counting goes on where it stood, in this process or another. An attempt is answered when its number is
    # there too, so that one that was not is counted when it comes again.

    def _count(self, hook_id: int, number: int) -> Steps[None]:
        now = self._clock()
        if self._inbox is not None:
            if not self._gaps.knows(hook_id):
                self._gaps.remember(hook_id, (yield from self._kept(self._inbox.numbers(hook_id))))
            yield from self._kept(self._inbox.count(hook_id, number, now))
        self._gaps.arrived(hook_id, number, now)

    # Gaps are told of when deliveries come, and by a timer for when none come any more: one at a time, while a gap is open.

    def _begins_to_watch(self) -> bool:
        if self._watching or not (self._gap_listeners and self._gaps.any_open()):
            return False
        self._watching = True
        return True

    def _watch(self) -> None:
        def look() -> None:
            self._watching = False
            take_steps(self._tell_gaps(), self._loop)
            if self._begins_to_watch():
                self._watch()

        self._timer = threading.Timer(self._gap_wait, look)
        self._timer.daemon = True
        self._timer.start()

    def _watch_async(self) -> None:
        import asyncio  # noqa: PLC0415 (see `calling.py`; who is here has it already)

        async def look() -> None:
            await asyncio.sleep(self._gap_wait)
            self._watching = False
            await take_steps_async(self._tell_gaps())
            if self._begins_to_watch():
                self._watch_async()

        self._look = asyncio.get_running_loop().create_task(look())  # kept, for a loop holds its tasks only weakly

    def _tell_gaps(self) -> Steps[None]:
        for late in self._gaps.missing(self._clock()):
            for gap in (yield from self._claimed(late)):
                yield from self._tell(gap)

    def _tell(self, gap: Gap) -> Steps[None]:
        for function in self._gap_listeners:
            try:
                yield partial(function, gap)
            except Exception:  # noqa: BLE001 (a stranger's function: it may raise anything)
                _log.exception("a function that hears of gaps failed")

    def _claimed(self, gap: Gap) -> Steps[list[Gap]]:
        if self._inbox is None:
            return [gap]
        try:
            mine: list[Gap] = yield self._inbox.claim(gap, self._clock())
        except Exception as error:  # noqa: BLE001 (a database may be any)
            _log.warning("the inbox failed: %s: %s", type(error).__name__, error)
            return [gap]  # better told twice than never
        return mine

    @contextmanager
    def _making(self) -> Iterator[Hooks]:
        if self._client is None:
            raise ValueError("a receiver without a client cannot make hooks")
        with self._lock:
            self._being_made += 1
            self._none_being_made.clear()
        try:
            yield self._client.hooks
        finally:
            with self._lock:
                self._being_made -= 1
                if not self._being_made:
                    self._none_being_made.set()
