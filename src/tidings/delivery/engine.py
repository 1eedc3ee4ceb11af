"""The engine: the loops that carry events to their receivers, each named after the file that does its work.

It runs on an event loop of its own, in a thread of its own, so that a slow page of the API never delays a delivery and the
other way round. What crosses is two thread-safe calls: a wake-up after a commit, and `stop`.

Its life: take a lease; fan out, claim, send and settle until told to stop; then claim no more, give back what waits with
its attempts as they were, let what is under way end within the grace time, settle, give up the lease. When the database
is away, every loop waits and tries again; when the lease has run out meanwhile, what was held is dropped, since another
may have it, and a new lease is taken.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import random
import socket
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from functools import partial

import uvloop

from tidings.clock import DAY, SECOND, Clock
from tidings.delivery.allow import AllowList
from tidings.delivery.breaker import BreakerState
from tidings.delivery.claims import Claimed, claim
from tidings.delivery.due import START
from tidings.delivery.fanout import BATCH as FAN_OUT_BATCH
from tidings.delivery.fanout import FannedOut, fan_out
from tidings.delivery.guard import Guard
from tidings.delivery.leases import free_expired, give_up_lease, renew_lease, take_lease
from tidings.delivery.patience import Patience
from tidings.delivery.prune import Pruned, prune
from tidings.delivery.release import any_running, release
from tidings.delivery.schedule import Schedule
from tidings.delivery.sender import Sender
from tidings.delivery.sending import Sending
from tidings.delivery.settle import BATCH as SETTLE_BATCH
from tidings.delivery.settle import Given, Result, Settled, settle
from tidings.delivery.strip import prune_slots
from tidings.errors import Unavailable
from tidings.settings import Settings
from tidings.store.database import Database, Tx
from tidings.store.sealing import Keyring
from tidings.telemetry import facts
from tidings.telemetry.facts import Telemetry
from tidings.workspace.accounts.tokens import prune_tokens

IDLE_FAN_OUT = 0.25  # seconds between looks for events that another process committed; our own wake us
LOCKED_OUT = 0.01  # seconds to wait while another process fans out
IDLE_CLAIMS = 0.5
EAGER_CLAIMS = 0.05  # while more is known to be due than there was room for
IDLE_RELEASE = 0.5  # seconds between looks for a replay that has begun
RELEASE_EVERY = 0.25  # while one runs: what it has released comes due, and is claimed, in such pieces
LINGER = 0.02  # seconds that a result may wait for others to be settled with it
TICK = 0.1
PRUNE_EVERY = 600.0


class Engine:
    """Delivers what the outbox holds, from `start` to `stop`."""

    def __init__(
        self, database: Database, keyring: Keyring, settings: Settings, allow: AllowList, *, clock: Clock, telemetry: Telemetry
    ) -> None:
        self._database = database
        self._keyring = keyring
        self._settings = settings
        self._allow = allow
        self._clock = clock
        self._telemetry = telemetry
        self._patience = Patience(telemetry)
        self._lease_for = int(settings.lease * SECOND)
        self._lease_id = 0
        self._eager = False
        self._fanning_out = False  # what was leased last is still on its way to us
        self._swept = 0
        self._walked = START
        self._settling = False
        self._loop: asyncio.AbstractEventLoop
        self._has_loop = threading.Event()
        self._thread: threading.Thread | None = None
        self._started = threading.Event()
        self._sending: Sending | None = None
        database.listen(self._wake)
        database.listen(self._wake_claims, "deliveries")
        database.let_ride(self._fan_out_along)

    @property
    def ready(self) -> bool:
        """Whether it holds a lease and delivers."""
        return self._started.is_set()

    def breaker_of(self, hook_id: int) -> tuple[BreakerState, int]:
        """Where a hook's breaker stands in this process, and until when (microseconds since the epoch) it is open."""
        return self._sending.breaker_of(hook_id) if self._sending else ("closed", 0)

    def breaker_states(self) -> dict[str, int]:
        """How many hooks have their breaker open, and half-open, in this process."""
        return self._sending.breaker_states() if self._sending else {}

    async def start(self) -> None:
        """Begin. Returns at once; `ready` tells when it delivers."""
        self._thread = threading.Thread(target=self._run_thread, name="tidings-engine", daemon=True)
        self._thread.start()

    async def stop(self) -> None:
        """End gracefully; returns when all is settled or the grace time is over."""
        if self._thread is None:
            return
        run = asyncio.get_running_loop().run_in_executor
        await run(None, self._has_loop.wait)
        with suppress(RuntimeError):  # its loop has closed already
            self._loop.call_soon_threadsafe(self._stopping.set)
        await run(None, self._thread.join)

    # --- the thread ---

    def _run_thread(self) -> None:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(self._run())

    async def _run(self) -> None:
        self._stopping = asyncio.Event()
        self._events_wait = asyncio.Event()
        self._claims_wanted = asyncio.Event()
        self._results_wait = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._has_loop.set()
        instance = await self._patience.persist("start", lambda: self._database.read(_instance))
        sender = self._make_sender()
        sending = self._sending = self._make_sending(sender, instance)
        await self._take_lease(sending)
        loops = {
            "fanout": self._fan_out,
            "claims": self._claim,
            "release": self._release,
            "settle": self._settle,
            "lease": self._renew,
            "tick": self._tick,
            "prune": self._prune,
        }
        tasks = [asyncio.create_task(self._patience.forever(name, partial(loop, sending)), name=name) for name, loop in loops.items()]
        self._started.set()
        await self._stopping.wait()
        self._started.clear()
        await self._wind_down(sending, tasks)
        await sender.aclose()

    def _make_sender(self) -> Sender:
        guard = Guard(self._allow, proxy=self._settings.proxy)
        connect, exchange = self._settings.connect_timeout, self._settings.exchange_timeout
        return Sender(guard, connect_timeout=connect, exchange_timeout=exchange, clock=self._clock)

    def _make_sending(self, sender: Sender, instance: str) -> Sending:
        return Sending(
            sender,
            instance=instance,
            server=self._settings.public_url,
            allow=self._allow,
            schedule=Schedule(self._settings.schedule),
            concurrency=self._settings.concurrency,
            capacity=self._settings.in_flight,
            exchanges=self._settings.exchanges,
            clock=self._clock,
            chance=random.random,
            telemetry=self._telemetry,
            settle_soon=self._results_wait.set,
        )

    def _wake(self) -> None:
        """An event has been committed: called by the database, on a thread of its own."""
        if self._has_loop.is_set() and not self._events_wait.is_set():
            with suppress(RuntimeError):  # the loop is closed: we are stopping, and the event waits for the next start
                self._loop.call_soon_threadsafe(self._events_wait.set)

    def _wake_claims(self) -> None:
        """Something has become due at once: likewise."""
        if self._has_loop.is_set():
            with suppress(RuntimeError):  # as above
                self._loop.call_soon_threadsafe(self._claims_wanted.set)

    # --- the loops: each does one round, and waits for the reason of the next ---

    async def _fan_out(self, sending: Sending) -> None:
        self._events_wait.clear()
        self._fanning_out = True
        try:
            lease_id, now = self._lease_id, self._clock()
            done = await self._database.write(fan_out, self._keyring, sending.index, lease_id, sending.room, now=now)
        finally:
            self._fanning_out = False
        self._take_in(sending, lease_id, done)
        if done.locked_out:
            await asyncio.sleep(LOCKED_OUT)
        elif len(done.events) < FAN_OUT_BATCH:
            await _wait(self._events_wait, IDLE_FAN_OUT)

    def _fan_out_along(self, tx: Tx) -> Callable[[], None] | None:
        """Fan out in the very transaction that holds the changes, on its thread: one commit for both, and no look for what waits.

        Not while something is on its way to us: there would be room for the next twice.
        """
        sending = self._sending
        if sending is None or self._fanning_out or not self._started.is_set():
            return None
        lease_id = self._lease_id
        done = fan_out(tx, self._keyring, sending.index, lease_id, sending.room, now=self._clock())
        return partial(self._committed_along, sending, lease_id, done)

    def _committed_along(self, sending: Sending, lease_id: int, done: FannedOut) -> None:
        self._fanning_out = True
        with suppress(RuntimeError):  # the loop is closed: we have stopped, and the lease runs out by itself
            self._loop.call_soon_threadsafe(self._arrive, sending, lease_id, done)

    def _arrive(self, sending: Sending, lease_id: int, done: FannedOut) -> None:
        self._fanning_out = False
        if len(done.events) == FAN_OUT_BATCH:  # there may be more
            self._events_wait.set()
        self._take_in(sending, lease_id, done)

    def _take_in(self, sending: Sending, lease_id: int, done: FannedOut) -> None:
        if lease_id == self._lease_id:
            sending.take_in(done.index, done.leased)
        self._eager = self._eager or done.overflow > 0
        if done.events:
            unheard = sum(not event.heard for event in done.events)
            self._telemetry.tell(facts.EventsFannedOut(len(done.events), unheard, len(done.leased) + done.overflow, len(done.leased)))
            for event in done.events if unheard else ():
                if event.unheard_reason == "loop":
                    self._telemetry.tell(facts.LoopStopped(event.event_id, event.type, event.depth))

    async def _claim(self, sending: Sending) -> None:
        self._claims_wanted.clear()
        lease_id, now, full = self._lease_id, self._clock(), sending.full()
        await self._database.write(free_expired, now=now)
        done: Claimed = await self._database.write(
            claim, self._keyring, sending.index, lease_id, sending.room, full, swept=self._swept, walked=self._walked, now=now
        )
        self._swept, self._walked = done.swept, done.walked
        if lease_id == self._lease_id:
            sending.take_in(done.index, done.leased)
        if done.leased or done.cancelled:
            self._telemetry.tell(facts.Claimed(len(done.leased), done.cancelled))
        self._eager = bool(full) or done.walked != START
        if not done.more:
            await _wait(self._claims_wanted, EAGER_CLAIMS if self._eager else IDLE_CLAIMS)

    async def _release(self, _sending: Sending) -> None:
        if not await self._database.read(any_running):
            await asyncio.sleep(IDLE_RELEASE)
            return
        done = await self._database.write(release, now=self._clock())
        for turned in done.turned:
            self._telemetry.tell(facts.ReplayTurned(turned.replay_id, turned.hook_id, turned.state, turned.released))
        self._claims_wanted.set()  # what was released in the round before is due by now
        if not done.more:
            await asyncio.sleep(RELEASE_EVERY)

    async def _settle(self, sending: Sending) -> None:
        await self._results_wait.wait()
        if sending.unsettled < SETTLE_BATCH and not self._stopping.is_set():
            await asyncio.sleep(LINGER)
        self._results_wait.clear()
        await self._settle_all(sending)

    async def _settle_all(self, sending: Sending) -> None:
        while sending.unsettled:
            results, given = sending.take_unsettled(SETTLE_BATCH)
            self._settling = True
            await self._settle_batch(results, given)
            self._settling = False
            sending.pump()  # it may have paused for us

    async def _settle_batch(self, results: list[Result], given: list[Given]) -> None:
        """Settle a batch. Should something in it break the transaction, only that loses its record of the exchange, and
        nothing its state: it is looked for by halves."""
        try:
            done = await self._write_batch(results, given)
        except Exception as error:  # noqa: BLE001  a defect of ours, or bytes that the database will not take
            self._telemetry.tell(facts.StationFailed("settle", error, 0.0))
            for part in _halves(results, given):
                await self._settle_batch(*part)
            return
        self._telemetry.tell(_settled_fact(results, given, done))
        for hook_id, reason in done.deactivated:
            self._telemetry.tell(facts.HookDeactivated(hook_id, reason))
        if given or any(result.delivery.lane is not None for result in results):
            self._claims_wanted.set()  # something may be first in its lane now

    async def _write_batch(self, results: list[Result], given: list[Given]) -> Settled:
        tries = itertools.count()
        write = self._database.write
        return await self._patience.persist("settle", lambda: write(settle, results, given, now=self._clock(), again=next(tries) > 0))

    async def _renew(self, sending: Sending) -> None:
        await asyncio.sleep(self._settings.lease / 3)
        now = self._clock()
        if await self._database.write(renew_lease, self._lease_id, now=now, duration=self._lease_for):
            sending.sends_until = now + self._lease_for
        else:
            self._telemetry.tell(facts.LeaseLost(self._lease_id))
            sending.stop(drop=True)
            await self._take_lease(sending)

    async def _tick(self, sending: Sending) -> None:
        await asyncio.sleep(TICK)
        sending.tick()

    async def _prune(self, _sending: Sending) -> None:
        now = self._clock()
        before = now - int(self._settings.retention * DAY)
        done = Pruned(0, more=True)
        while done.more:
            done = await self._database.write(prune, before=before, after=done.reached)
            if done.events:
                self._telemetry.tell(facts.Pruned(done.events))
        await self._database.write(prune_tokens, now=now)
        await self._database.write(prune_slots, now=now)
        await asyncio.sleep(PRUNE_EVERY)

    # --- beginning and end ---

    async def _take_lease(self, sending: Sending) -> None:
        now = self._clock()
        holder = f"{socket.gethostname()}:{os.getpid()}"
        write, duration = self._database.write, self._lease_for
        self._lease_id = await self._patience.persist("lease", lambda: write(take_lease, holder, now=now, duration=duration))
        if self._database.dialect == "sqlite":  # nobody else delivers from this file (see `server.py`)
            await self._patience.persist("lease", lambda: write(free_expired, now=now, all_but=self._lease_id))
        self._telemetry.tell(facts.LeaseTaken(self._lease_id))
        sending.sends_until = now + self._lease_for

    async def _wind_down(self, sending: Sending, tasks: list[asyncio.Task[None]]) -> None:
        settling = {task for task in tasks if task.get_name() in ("settle", "lease")}
        await _cancel([task for task in tasks if task not in settling])
        sending.stop()
        with suppress(TimeoutError):
            async with asyncio.timeout(self._settings.grace):
                while sending.under_way or sending.unsettled or self._settling:  # noqa: ASYNC110  once in a life
                    await asyncio.sleep(0.005)
        await _cancel(list(settling))
        with suppress(Unavailable):  # then the lease runs out by itself, and what it held is claimed
            returned = await self._database.write(give_up_lease, self._lease_id, now=self._clock())
            self._telemetry.tell(facts.EngineStopped(returned))


def _halves(results: list[Result], given: list[Given]) -> list[tuple[list[Result], list[Given]]]:
    """A batch that could not be settled, in parts that may be; one result alone comes without the record of its exchange."""
    if given and results:
        return [(results, []), ([], given)]
    if len(results) + len(given) == 1:
        return [([result.bare()], []) for result in results if result != result.bare()]
    middle_of_results, middle_of_given = len(results) // 2, len(given) // 2
    return [
        (results[:middle_of_results], given[:middle_of_given]),
        (results[middle_of_results:], given[middle_of_given:]),
    ]


def _settled_fact(results: list[Result], given: list[Given], done: Settled) -> facts.Settled:
    states = Counter(result.verdict.state for result in results)
    cancelled = states["cancelled"] + sum(each.cancelled is not None for each in given)
    lost = len(results) + len(given) - done.moved
    return facts.Settled(states["delivered"], states["pending"], states["exhausted"], cancelled, lost)


def _instance(tx: Tx) -> str:
    return str(tx.exec_driver_sql("SELECT instance FROM server").scalar_one())


async def _wait(event: asyncio.Event, seconds: float) -> None:
    """Until `event` is set, at most `seconds`."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()


async def _cancel(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
