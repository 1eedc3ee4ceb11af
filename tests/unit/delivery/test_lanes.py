"""Whose turn it is: caps, fair turns, order within a lane, shares of memory, the breaker in front of it all."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from tidings.delivery.breaker import FAILURES_TO_OPEN, FIRST_OPEN
from tidings.delivery.lanes import Lanes

CAP = 2


@dataclass(frozen=True)
class One:
    hook_id: int
    number: int
    lane: str | None = None


def holding(*deliveries: One, cap: int = CAP, capacity: int = 1000) -> Lanes[One]:
    lanes: Lanes[One] = Lanes(capacity)
    for delivery in deliveries:
        lanes.add(delivery, cap)
    return lanes


def taken(lanes: Lanes[One], now: int = 0) -> list[One]:
    found = []
    while (delivery := lanes.take(now)) is not None:
        found.append(delivery)
    return found


def test_no_more_than_the_cap_of_one_hook_are_under_way() -> None:
    lanes = holding(One(1, 1), One(1, 2), One(1, 3))
    assert taken(lanes) == [One(1, 1), One(1, 2)]


def test_a_place_that_becomes_free_is_given_to_the_next() -> None:
    lanes = holding(One(1, 1), One(1, 2), One(1, 3))
    first, _ = taken(lanes)
    lanes.done(first, ended=True)
    assert taken(lanes) == [One(1, 3)]


def test_hooks_take_turns_however_long_their_queues_are() -> None:
    lanes = holding(*(One(1, n) for n in range(5)), One(2, 0), One(3, 0), cap=10)
    assert [delivery.hook_id for delivery in taken(lanes)] == [1, 2, 3, 1, 1, 1, 1]


def test_within_a_lane_only_the_first_is_under_way() -> None:
    lanes = holding(One(1, 1, "item:4"), One(1, 2, "item:4"), One(1, 3, "item:5"))
    assert taken(lanes) == [One(1, 1, "item:4"), One(1, 3, "item:5")]


def test_the_next_of_a_lane_goes_when_the_one_before_it_has_ended() -> None:
    lanes = holding(One(1, 1, "item:4"), One(1, 2, "item:4"))
    (first,) = taken(lanes)
    assert lanes.done(first, ended=True) == []
    assert taken(lanes) == [One(1, 2, "item:4")]


def test_those_behind_a_delivery_that_is_tried_again_are_handed_back() -> None:
    lanes = holding(One(1, 1, "item:4"), One(1, 2, "item:4"), One(1, 3, "item:4"))
    (first,) = taken(lanes)
    assert lanes.done(first, ended=False) == [One(1, 2, "item:4"), One(1, 3, "item:4")]
    assert lanes.held == 0


def test_an_open_breaker_lets_nothing_through_until_its_probe() -> None:
    lanes = holding(*(One(1, n) for n in range(4)))
    for _ in range(FAILURES_TO_OPEN):
        lanes.failed(1, 0)
    assert taken(lanes, 0) == []
    assert lanes.full(0) == [1]
    lanes.tick()
    assert taken(lanes, FIRST_OPEN) == [One(1, 0)]


def test_a_good_probe_lets_the_others_through() -> None:
    lanes = holding(*(One(1, n) for n in range(4)))
    for _ in range(FAILURES_TO_OPEN):
        lanes.failed(1, 0)
    lanes.tick()
    (probe,) = taken(lanes, FIRST_OPEN)
    lanes.succeeded(1)
    lanes.done(probe, ended=True)
    assert taken(lanes, FIRST_OPEN) == [One(1, 1), One(1, 2)]


def test_a_hook_that_is_forgiven_goes_on_at_once() -> None:
    lanes = holding(*(One(1, n) for n in range(4)))
    for _ in range(FAILURES_TO_OPEN):
        lanes.failed(1, 0)
    assert taken(lanes, 0) == []
    lanes.forgive(1)
    lanes.forgive(2)
    assert lanes.hook_ids() == [1]
    assert taken(lanes, 0) == [One(1, 0), One(1, 1)]


def test_the_failure_that_opens_the_breaker_says_so_once() -> None:
    lanes = holding(One(1, 1))
    assert [lanes.failed(1, 0) for _ in range(FAILURES_TO_OPEN + 1)] == [False] * (FAILURES_TO_OPEN - 1) + [True, False]


def test_handing_back_leaves_what_is_under_way() -> None:
    lanes = holding(One(1, 1, "item:4"), One(1, 2, "item:4"), One(1, 3), One(1, 4), cap=1)
    (first,) = taken(lanes)
    assert sorted(delivery.number for delivery in lanes.hand_back(1)) == [2, 3, 4]
    assert lanes.held == lanes.under_way == 1
    assert lanes.done(first, ended=False) == []
    assert lanes.held == 0


def test_a_hook_alone_may_hold_everything_and_others_their_share() -> None:
    lanes = holding(*(One(1, n) for n in range(60)), capacity=100)
    assert lanes.room(1, CAP, 0) == 40
    assert lanes.room(2, CAP, 0) == 50
    lanes.add(One(2, 0), CAP)
    assert lanes.room(1, CAP, 0) == 0
    assert lanes.room(2, CAP, 0) == 49


def test_a_hook_may_always_hold_its_cap() -> None:
    lanes = holding(*(One(hook, 0) for hook in range(100)), capacity=10)
    assert lanes.room(1000, 7, 0) == 7


def test_a_failing_hook_is_remembered_while_it_holds_nothing() -> None:
    lanes = holding(One(1, 1))
    (only,) = taken(lanes)
    lanes.failed(1, 0)
    lanes.done(only, ended=False)
    lanes.tick()
    for _ in range(FAILURES_TO_OPEN - 2):
        lanes.failed(1, 0)
    assert lanes.failed(1, 0)


@given(
    st.lists(st.tuples(st.integers(1, 4), st.sampled_from([None, "a", "b", "c"])), max_size=60),
    st.lists(st.sampled_from(["end", "again", "good", "bad", "back", "tick"]), max_size=120),
    st.integers(1, 4),
)
def test_nothing_is_lost_and_no_lane_is_overtaken(  # noqa: C901  one story, step by step
    adds: list[tuple[int, str | None]], steps: list[str], cap: int
) -> None:
    """Whatever happens, each delivery is taken or handed back at most once, and lanes keep their order."""
    lanes: Lanes[One] = Lanes(50)
    waiting = [One(hook, number, lane) for number, (hook, lane) in enumerate(adds)]
    for delivery in waiting:
        lanes.add(delivery, cap)
    under_way: list[One] = []
    seen: list[One] = []
    now = 0
    for step in steps:
        now += FIRST_OPEN // 3
        for delivery in iter(lambda: lanes.take(now), None):  # noqa: B023  called before `now` moves
            assert delivery is not None
            busy = [other for other in under_way if other.hook_id == delivery.hook_id]
            assert len(busy) < cap
            assert delivery.lane is None or delivery.lane not in {other.lane for other in busy}
            under_way.append(delivery)
            seen.append(delivery)
        if under_way and step in ("end", "again", "good", "bad"):
            first = under_way.pop(0)
            if step == "bad":
                lanes.failed(first.hook_id, now)
            elif step == "good":
                lanes.succeeded(first.hook_id)
            seen.extend(lanes.done(first, ended=step != "again"))
        elif step == "back":
            seen.extend(lanes.hand_back(1))
        elif step == "tick":
            lanes.tick()
        assert lanes.under_way == len(under_way)
        assert lanes.held == len(under_way) + len(adds) - len(seen)
    seen.extend(lanes.hand_back_all())
    assert sorted(seen, key=lambda one: one.number) == waiting
    for hook in range(1, 5):
        for lane in ("a", "b", "c"):
            order = [one.number for one in seen if (one.hook_id, one.lane) == (hook, lane)]
            assert order == sorted(order)
