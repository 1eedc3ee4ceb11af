"""What a scrape reads, parsed by Prometheus's own parser."""

from __future__ import annotations

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tidings.telemetry.facts import (
    Claimed,
    DeliveryAttempted,
    EventsFannedOut,
    HookDeactivated,
    LoopStopped,
    ReplayTurned,
    Settled,
    Telemetry,
)
from tidings.telemetry.metrics import EXCHANGE_BOUNDS, LATENCY_BOUNDS, Histogram, Levels, Metrics

SECOND = 1_000_000


def scrape(metrics: Metrics, levels: Levels | None = None) -> dict[str, float]:
    """Every sample by its name and labels, as Prometheus reads them."""
    samples = [sample for family in text_string_to_metric_families(metrics.render(levels).decode()) for sample in family.samples]
    return {sample.name + "".join(f"[{value}]" for value in sample.labels.values()): sample.value for sample in samples}


def attempt(*, duration: int = 1_000, latency: int = 2_000, reason: str | None = None) -> DeliveryAttempted:
    state = "pending" if reason else "delivered"
    return DeliveryAttempted(1, 1, 1, "item.create", 1, state, duration, latency, "example.org", reason)


def test_counters_stand_at_zero_before_anything_happened() -> None:
    samples = scrape(Metrics(Telemetry()))

    assert samples["tidings_events_accepted_total"] == 0
    assert samples["tidings_deliveries_exhausted_total"] == 0
    assert samples["tidings_delivery_latency_seconds_count"] == 0


def test_each_fact_moves_its_counters() -> None:
    telemetry = Telemetry()
    metrics = Metrics(telemetry)

    telemetry.tell(EventsFannedOut(events=5, unheard=1, matched=8, leased=8))
    telemetry.tell(Settled(delivered=4, retried=3, exhausted=2, cancelled=1))
    telemetry.tell(Claimed(leased=3, cancelled=2))
    telemetry.tell(HookDeactivated(7, "gone"))
    telemetry.tell(LoopStopped(9, "item.update", 9))
    telemetry.tell(ReplayTurned(2, 7, "started", 0))
    telemetry.tell(ReplayTurned(2, 7, "finished", 90))

    samples = scrape(metrics)
    assert samples["tidings_events_accepted_total"] == 5
    assert samples["tidings_deliveries_matched_total"] == 8
    assert samples["tidings_deliveries_delivered_total"] == 4
    assert samples["tidings_deliveries_retried_total"] == 3
    assert samples["tidings_deliveries_exhausted_total"] == 2
    assert samples["tidings_deliveries_cancelled_total"] == 1 + 2
    assert samples["tidings_hooks_deactivated_total"] == 1
    assert samples["tidings_loops_stopped_total"] == 1
    assert samples["tidings_replays_started_total"] == 1


def test_attempts_are_counted_by_what_the_network_did() -> None:
    telemetry = Telemetry()
    metrics = Metrics(telemetry)

    for reason in (None, None, "timeout_response", "status"):
        telemetry.tell(attempt(reason=reason))

    samples = scrape(metrics)
    assert samples["tidings_attempts_total[delivered]"] == 2
    assert samples["tidings_attempts_total[timeout_response]"] == 1
    assert samples["tidings_attempts_total[status]"] == 1


def test_only_what_was_received_has_a_latency_and_every_exchange_a_duration() -> None:
    telemetry = Telemetry()
    metrics = Metrics(telemetry)

    telemetry.tell(attempt(duration=2 * SECOND, latency=3 * SECOND))
    telemetry.tell(attempt(duration=15 * SECOND, latency=99 * SECOND, reason="timeout_response"))

    samples = scrape(metrics)
    assert samples["tidings_delivery_latency_seconds_count"] == 1
    assert samples["tidings_delivery_latency_seconds_sum"] == pytest.approx(3.0)
    assert samples["tidings_exchange_duration_seconds_count"] == 2
    assert samples["tidings_exchange_duration_seconds_sum"] == pytest.approx(17.0)


@pytest.mark.parametrize("bounds", [EXCHANGE_BOUNDS, LATENCY_BOUNDS])
def test_a_duration_counts_in_the_first_bucket_that_holds_it(bounds: tuple[float, ...]) -> None:
    assert list(bounds) == sorted(set(bounds))
    histogram = Histogram((1.0, 2.0))

    for duration in (0, SECOND, SECOND + 1, 2 * SECOND, 2 * SECOND + 1):
        histogram.observe(duration)

    buckets = {sample.labels["le"]: sample.value for sample in histogram.family("x", "y").samples if sample.name == "x_bucket"}
    assert buckets == {"1.0": 2, "2.0": 4, "+Inf": 5}


def test_levels_are_those_of_this_scrape() -> None:
    metrics = Metrics(Telemetry())

    samples = scrape(metrics, Levels(waiting_events=2, pending=31, oldest_age=4.5, breakers={"open": 3, "half-open": 1}))

    assert samples["tidings_events_waiting"] == 2
    assert samples["tidings_deliveries_pending"] == 31
    assert samples["tidings_oldest_pending_age_seconds"] == 4.5
    assert samples["tidings_breakers[open]"] == 3
    assert samples["tidings_breakers[half-open]"] == 1


def test_levels_that_could_not_be_asked_are_missing_and_the_rest_is_there() -> None:
    metrics = Metrics(Telemetry())
    scrape(metrics, Levels(0, 1, 2.0, {}))

    samples = scrape(metrics, None)

    assert "tidings_deliveries_pending" not in samples
    assert "tidings_events_accepted_total" in samples


def test_two_servers_in_one_process_count_apart() -> None:
    telemetry = Telemetry()
    busy, idle = Metrics(telemetry), Metrics(Telemetry())

    telemetry.tell(Claimed(leased=1, cancelled=1))

    assert scrape(busy)["tidings_deliveries_cancelled_total"] == 1
    assert scrape(idle)["tidings_deliveries_cancelled_total"] == 0
