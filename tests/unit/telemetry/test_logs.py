"""What really comes out on standard error: whole lines in both forms, and never a secret."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from tidings.telemetry import facts
from tidings.telemetry.facts import DeliveryAttempted, Telemetry
from tidings.telemetry.logs import Form, log_facts, set_up_logs, where_it_broke

FORMS: list[Form] = ["text", "json"]
SECRET = "hunter2hunter2"
MOMENT = 1_767_323_045_678_901  # 2026-01-02 03:04:05.678901


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    root = logging.getLogger()
    outputs, level = root.handlers[:], root.level
    yield
    root.handlers[:] = outputs
    root.setLevel(level)
    structlog.reset_defaults()


def attempt(*, reason: str | None = None, detail: str | None = None) -> DeliveryAttempted:
    state, due_at = ("pending", MOMENT) if reason else ("delivered", None)
    return DeliveryAttempted(7, 42, 99, "item.update", 2, state, 1_500, 9_000, "example.org", reason, 200, detail, "192.0.2.1", due_at)


def lines_of(fact: DeliveryAttempted, form: Form, **options: Any) -> list[str]:
    telemetry, stream = Telemetry(), io.BytesIO()
    log_facts(telemetry, form, stream=stream, clock=lambda: MOMENT, **options)
    telemetry.tell(fact)
    return stream.getvalue().decode().splitlines()


# --- secrets ---


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", ["token", "app_token", "refresh_token", "client_secret", "password", "code", "Authorization"])
def test_a_value_named_like_a_secret_is_hidden(form: Form, name: str) -> None:
    stream = io.StringIO()
    set_up_logs(form, stream)

    structlog.get_logger("x").warning("said", **{name: SECRET}, item_id=7)

    assert SECRET not in stream.getvalue()
    assert "***" in stream.getvalue()
    assert "7" in stream.getvalue()


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    "text",
    [
        f"hook secret whsec_{SECRET}/+= is bad",
        f"Authorization: OAuth2 {SECRET}",
        f"the header authorization=Bearer {SECRET} was sent",
        f"GET /oauth/token?app_id=1&app_token={SECRET}&x=1",
        f'{{"grant_type": "app", "client_secret": "{SECRET}"}}',
        f"postgresql://tidings:{SECRET}@db/tidings cannot be reached",
        f"type=hook.verify&code={SECRET}&hook_id=1",
        f"{{'password': '{SECRET}'}}",
    ],
)
def test_a_secret_inside_a_text_is_hidden(form: Form, text: str) -> None:
    stream = io.StringIO()
    set_up_logs(form, stream)

    structlog.get_logger("x").warning("said", text=text, nested={"deep": [text]})
    logging.getLogger("library").error("it said %s", text)

    assert SECRET not in stream.getvalue()
    assert len(stream.getvalue().splitlines()) == 2


@pytest.mark.parametrize("form", FORMS)
def test_a_secret_in_the_message_of_an_exception_is_hidden(form: Form) -> None:
    stream = io.StringIO()
    set_up_logs(form, stream)

    try:
        raise ValueError(f"no such token: token={SECRET}")
    except ValueError:
        logging.getLogger("library").exception("it failed")
        structlog.get_logger("x").exception("it failed", password=SECRET)

    assert SECRET not in stream.getvalue()
    assert "ValueError" in stream.getvalue()


def test_secrets_that_are_bytes_or_deep_are_hidden_and_numbers_stay() -> None:
    stream = io.StringIO()
    set_up_logs("json", stream)

    structlog.get_logger("x").warning("said", deep={"a": ({"token": SECRET.encode()}, SECRET)}, code=404, status_code=200)

    line = json.loads(stream.getvalue())
    assert line["deep"] == {"a": [{"token": "***"}, SECRET]}  # the second has neither the name nor the look of a secret
    assert line["code"] == 404
    assert line["status_code"] == 200


# --- the road of all lines ---


def test_a_line_of_a_library_and_one_of_ours_look_alike() -> None:
    stream = io.StringIO()
    set_up_logs("json", stream)

    structlog.get_logger("ours").info("serving", url="http://127.0.0.1:8000")
    logging.getLogger("library").warning("the disk is %d%% full", 91)

    ours, theirs = map(json.loads, stream.getvalue().splitlines())
    assert list(ours) == ["at", "level", "event", "url"]
    assert (theirs["event"], theirs["level"]) == ("the disk is 91% full", "warning")
    assert ours["at"].endswith("Z")


@pytest.mark.parametrize("form", FORMS)
def test_chatter_of_libraries_is_left_out(form: Form) -> None:
    stream = io.StringIO()
    set_up_logs(form, stream)

    logging.getLogger("uvicorn.error").info("Started server process [1]")
    logging.getLogger("alembic.runtime.migration").info("Context impl SQLiteImpl.")
    structlog.get_logger("ours").debug("detail")

    assert stream.getvalue() == ""


@pytest.mark.parametrize("form", FORMS)
def test_what_somebody_sent_begins_no_line_and_colours_no_terminal(form: Form) -> None:
    stream = io.StringIO()
    set_up_logs(form, stream)

    structlog.get_logger("x").warning("refused", path="/item\n2026-01-02 delivery forged\x1b[2J")
    logging.getLogger("library").warning("refused /item\n2026-01-02 delivery forged\x1b[2J")

    assert len(stream.getvalue().splitlines()) == 2
    assert "\x1b" not in stream.getvalue()


@pytest.mark.parametrize("form", FORMS)
def test_a_stack_may_be_a_list_of_frames(form: Form) -> None:
    stream = io.StringIO()
    set_up_logs(form, stream)

    structlog.get_logger("x").error("defect", stack=["a.py:1 first", "b.py:2 second"])

    assert "b.py:2 second" in stream.getvalue()


# --- facts as lines ---


def test_a_delivery_is_one_wide_line_of_json() -> None:
    [line] = lines_of(attempt(), "json")

    assert json.loads(line) == {
        "at": "2026-01-02T03:04:05.678901Z",
        "level": "info",
        "event": "delivery",
        "hook_id": 7,
        "sequence": 42,
        "event_id": 99,
        "event_type": "item.update",
        "number": 2,
        "state": "delivered",
        "duration": 1500,
        "latency": 9000,
        "host": "example.org",
        "status": 200,
        "address": "192.0.2.1",
    }


def test_a_delivery_is_one_wide_line_of_text() -> None:
    [line] = lines_of(attempt(), "text")

    assert line.startswith("2026-01-02T03:04:05.678901Z [info     ] delivery ")
    assert line.endswith("number=2 state=delivered status=200 duration=1.5ms latency=9.0ms host=example.org address=192.0.2.1")


@pytest.mark.parametrize("form", FORMS)
def test_a_failed_attempt_is_a_warning_that_says_why_on_one_line(form: Form) -> None:
    [line] = lines_of(attempt(reason="tls", detail="certificate\nhas \x1b[31mexpired"), form)

    assert "warning" in line
    assert "tls" in line
    assert "certificate\\nhas" in line
    assert "\x1b" not in line


@pytest.mark.parametrize("form", FORMS)
def test_successes_can_be_left_out(form: Form) -> None:
    assert lines_of(attempt(), form, deliveries="failures") == []
    assert len(lines_of(attempt(reason="dns"), form, deliveries="failures")) == 1


@pytest.mark.parametrize(
    ("fact", "expected"),
    [
        (facts.HookDeactivated(7, "gone"), {"event": "hook_deactivated", "level": "warning", "hook_id": 7, "reason": "gone"}),
        (facts.BreakerMoved(7, "open"), {"event": "breaker_moved", "level": "info", "hook_id": 7, "state": "open"}),
        (
            facts.ReplayTurned(2, 7, "finished", 90),
            {"event": "replay_turned", "level": "info", "replay_id": 2, "hook_id": 7, "state": "finished", "released": 90},
        ),
        (facts.LeaseTaken(3), {"event": "lease_taken", "level": "info", "lease_id": 3}),
        (facts.LeaseLost(3), {"event": "lease_lost", "level": "warning", "lease_id": 3}),
        (facts.Pruned(500), {"event": "pruned", "level": "info", "events": 500}),
        (
            facts.DatabaseUnavailable("settle", "it is away", 0.1),
            {"event": "database_unavailable", "level": "warning", "where": "settle", "why": "it is away", "seconds": 0.1},
        ),
        (facts.EngineStopped(12), {"event": "engine_stopped", "level": "info", "returned": 12}),
    ],
)
def test_what_happens_to_hooks_and_to_the_engine_is_a_line(fact: Any, expected: dict[str, object]) -> None:
    stream, telemetry = io.StringIO(), Telemetry()
    set_up_logs("json", stream)
    log_facts(telemetry, "json", stream=io.BytesIO())

    telemetry.tell(fact)

    line = json.loads(stream.getvalue())
    line.pop("at")
    assert line == expected


def test_a_defect_says_where_it_broke_and_not_what_the_exception_says() -> None:
    stream, telemetry = io.StringIO(), Telemetry()
    set_up_logs("json", stream)
    log_facts(telemetry, "json", stream=io.BytesIO())

    try:
        raise KeyError(SECRET)
    except KeyError as error:
        telemetry.tell(facts.StationFailed("claim", error, 0.1))

    line = json.loads(stream.getvalue())
    assert (line["event"], line["level"], line["where"], line["error"]) == ("defect", "error", "claim", "KeyError")
    assert SECRET not in stream.getvalue()
    assert any("test_a_defect_says" in frame for frame in line["stack"])


def test_the_stack_of_an_error_has_that_of_its_cause() -> None:
    def inner() -> None:
        raise ValueError(SECRET)

    def outer() -> None:
        try:
            inner()
        except ValueError as cause:
            raise KeyError(SECRET) from cause

    with pytest.raises(KeyError) as caught:
        outer()

    stack = where_it_broke(caught.value)
    assert any("inner" in frame for frame in stack)
    assert "then KeyError" in stack
    assert SECRET not in "\n".join(stack)
