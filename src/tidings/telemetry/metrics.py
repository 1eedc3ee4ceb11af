"""What Prometheus reads: counters and latencies of this process, gathered from facts, and levels asked at each scrape.

Facts come many thousand times a second and scrapes every few seconds, so a fact moves plain numbers in memory and a scrape
makes Prometheus's families of them. All facts are told on one thread; a scrape on another reads numbers that are each
right, if not of the very same instant. Every process counts what it did itself: the sum over processes is the whole.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import accumulate

from msgspec import Struct
from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from tidings.telemetry import facts
from tidings.telemetry.facts import Telemetry

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

# Seconds. An exchange ends by the 15-second timeout; a delivery may wait two days for its last retry.
EXCHANGE_BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 15.0)
LATENCY_BOUNDS = (*EXCHANGE_BOUNDS[:-1], 30.0, 60.0, 300.0, 1800.0, 3600.0, 14_400.0, 86_400.0, 172_800.0)


class Levels(Struct, frozen=True):
    """How things stand at the moment of a scrape: asked, not counted."""

    waiting_events: int  # not fanned out yet
    pending: int  # deliveries that have not ended
    oldest_age: float  # seconds that the oldest of both has waited; 0 when nothing waits
    breakers: Mapping[str, int]  # hooks by the state of their breaker in this process


class Histogram:
    """Counts durations by size. Holds microseconds, and says seconds."""

    __slots__ = ("_bounds", "_counts", "_limits", "_sum")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        """`bounds` are the upper bounds of the buckets, in seconds, rising."""
        self._bounds = bounds
        self._limits = [round(bound * 1_000_000) for bound in bounds]
        self._counts = [0] * (len(bounds) + 1)
        self._sum = 0

    def observe(self, duration: int) -> None:
        """Count one duration, in microseconds."""
        self._counts[bisect_left(self._limits, duration)] += 1
        self._sum += duration

    def family(self, name: str, sentence: str) -> HistogramMetricFamily:
        """The same as Prometheus has it."""
        totals = accumulate(self._counts)
        buckets = [(label, total) for label, total in zip((*map(str, self._bounds), "+Inf"), totals, strict=True)]
        return HistogramMetricFamily(name, sentence, buckets=buckets, sum_value=self._sum / 1_000_000)


class Metrics(Collector):
    """The numbers of one server, in a registry of its own."""

    def __init__(self, telemetry: Telemetry) -> None:
        """Begin to listen."""
        self._accepted = self._matched = 0
        self._delivered = self._retried = self._exhausted = self._cancelled = 0
        self._deactivated = 0
        self._loops = 0
        self._replays = 0
        self._attempts: Counter[str] = Counter()
        self._exchange = Histogram(EXCHANGE_BOUNDS)
        self._latency = Histogram(LATENCY_BOUNDS)
        self._levels: Levels | None = None
        self._registry = CollectorRegistry()
        self._registry.register(self)
        ProcessCollector(registry=self._registry)
        telemetry.listen(facts.EventsFannedOut, self._fanned_out)
        telemetry.listen(facts.DeliveryAttempted, self._attempted)
        telemetry.listen(facts.Settled, self._settled)
        telemetry.listen(facts.Claimed, self._claimed)
        telemetry.listen(facts.HookDeactivated, self._hook_deactivated)
        telemetry.listen(facts.LoopStopped, self._loop_stopped)
        telemetry.listen(facts.ReplayTurned, self._replay_turned)

    def render(self, levels: Levels | None) -> bytes:
        """The answer to a scrape. `levels` is None where they could not be asked: those lines are then missing."""
        self._levels = levels
        return generate_latest(self._registry)

    def collect(self) -> Iterator[Metric]:
        """Prometheus's families, called by the registry."""
        yield from self._counters()
        yield self._latency.family("tidings_delivery_latency_seconds", "From a change to the receipt of its delivery.")
        yield self._exchange.family("tidings_exchange_duration_seconds", "Of one HTTP exchange with a destination.")
        yield from _gauges(self._levels)

    def _counters(self) -> Iterator[Metric]:
        for name, sentence, value in (
            ("tidings_events_accepted", "Events taken from the outbox.", self._accepted),
            ("tidings_deliveries_matched", "Deliveries written: one for each event and hook that match.", self._matched),
            ("tidings_deliveries_delivered", "Deliveries that a 2xx ended.", self._delivered),
            ("tidings_deliveries_retried", "Failed attempts that will be followed by another.", self._retried),
            ("tidings_deliveries_exhausted", "Deliveries whose last attempt failed.", self._exhausted),
            ("tidings_deliveries_cancelled", "Deliveries that nobody wants any more.", self._cancelled),
            ("tidings_hooks_deactivated", "Hooks that became inactive by what their destination did.", self._deactivated),
            ("tidings_loops_stopped", "Events that nobody is told of, since too many deliveries led to them.", self._loops),
            ("tidings_replays_started", "Replays that this process was the first to work on.", self._replays),
        ):
            yield CounterMetricFamily(name, sentence, value=value)
        attempts = CounterMetricFamily("tidings_attempts", "HTTP exchanges, by what the network did.", labels=["outcome"])
        for outcome, count in sorted(self._attempts.copy().items()):
            attempts.add_metric([outcome], count)
        yield attempts

    def _fanned_out(self, fact: facts.EventsFannedOut) -> None:
        self._accepted += fact.events
        self._matched += fact.matched

    def _attempted(self, fact: facts.DeliveryAttempted) -> None:
        self._attempts[fact.reason or "delivered"] += 1
        self._exchange.observe(fact.duration)
        if fact.reason is None:
            self._latency.observe(fact.latency)

    def _settled(self, fact: facts.Settled) -> None:
        self._delivered += fact.delivered
        self._retried += fact.retried
        self._exhausted += fact.exhausted
        self._cancelled += fact.cancelled

    def _claimed(self, fact: facts.Claimed) -> None:
        self._cancelled += fact.cancelled

    def _hook_deactivated(self, _: facts.HookDeactivated) -> None:
        self._deactivated += 1

    def _loop_stopped(self, _: facts.LoopStopped) -> None:
        self._loops += 1

    def _replay_turned(self, fact: facts.ReplayTurned) -> None:
        self._replays += fact.state == "started"


def _gauges(levels: Levels | None) -> Iterable[Metric]:
    if levels is None:
        return
    yield GaugeMetricFamily("tidings_events_waiting", "Events that wait for fan-out.", value=levels.waiting_events)
    yield GaugeMetricFamily("tidings_deliveries_pending", "Deliveries that have not ended.", value=levels.pending)
    yield GaugeMetricFamily("tidings_oldest_pending_age_seconds", "How long the oldest of both has waited.", value=levels.oldest_age)
    breakers = GaugeMetricFamily("tidings_breakers", "Hooks whose breaker is not closed, in this process.", labels=["state"])
    for state, count in sorted(levels.breakers.items()):
        breakers.add_metric([state], count)
    yield breakers
