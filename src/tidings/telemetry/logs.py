"""Log lines: one wide line a delivery, one for what happens to hooks and to the engine, all to standard error.

Two forms: text for people, JSON for machines. Everything that is logged anywhere, by us or by a library, takes the same
road and passes `redact` on it: a last defence, since nothing should log a secret in the first place. The lines of
deliveries are the exception: there are thousands a second, so they are written straight from the fact, whose fields are
fixed and hold no secret.
"""

from __future__ import annotations

import logging
import re
import sys
import traceback
from collections.abc import Callable, MutableMapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, BinaryIO, Literal, TextIO

import msgspec
import structlog
from msgspec import Struct
from structlog.stdlib import ProcessorFormatter

from tidings.clock import SECOND, Clock, system_clock
from tidings.telemetry import facts
from tidings.telemetry.facts import DeliveryAttempted, Telemetry

Form = Literal["text", "json"]

QUIET = ("alembic", "asyncio", "uvicorn")  # libraries that tell more than a person wants to read
HIDDEN = "***"


def set_up_logs(form: Form, stream: TextIO | None = None) -> None:
    """Send every log line of this process to `stream`, or else to standard error. Called once, at the start."""
    stream = stream or sys.stderr
    output = logging.StreamHandler(stream)
    output.setFormatter(
        ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_log_level, _STAMP, structlog.stdlib.ExtraAdder()],
            processors=[
                ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                redact,
                *_renderer(form, stream),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [output]
    root.setLevel(logging.INFO)
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, structlog.stdlib.add_log_level, _STAMP, ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )


_STAMP = structlog.processors.TimeStamper(fmt="iso", utc=True, key="at")


def _renderer(form: Form, stream: TextIO) -> list[Callable[..., Any]]:
    if form == "json":
        return [_in_order, structlog.processors.JSONRenderer()]
    return [_for_people, structlog.dev.ConsoleRenderer(colors=stream.isatty(), timestamp_key="at", pad_event_to=20, sort_keys=False)]


def _in_order(_logger: object, _method: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    return {name: line.pop(name) for name in ("at", "level", "event") if name in line} | dict(line)


_STACKS = ("exception", "stack")  # these stand on lines of their own, below


def _for_people(_logger: object, _method: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """No text that somebody sent begins a line of its own, or colours the terminal."""
    for name, value in line.items():
        if isinstance(value, str) and name not in _STACKS and not value.isprintable():
            line[name] = value.encode("unicode_escape").decode()
    if isinstance(line.get("stack"), list):
        line["stack"] = "\n".join(line["stack"])
    return line


def where_it_broke(error: BaseException) -> list[str]:
    """The stack of `error` and of what led to it, without the messages: those may quote what somebody sent."""
    frames = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(error.__traceback__)]
    cause = error.__cause__ or error.__context__
    return frames if cause is None else [*where_it_broke(cause), f"then {type(error).__name__}", *frames]


# --- secrets -----------------------------------------------------------------------------------------------------------

_WORDS = "token|secret|password|passwd|code|authorization|signature"
_SECRET_NAME = re.compile(rf"(?:.*[_.-])?(?:{_WORDS})", re.IGNORECASE)
_SECRETS = re.compile(
    r"whsec_[A-Za-z0-9+/=_-]*"
    r"|(?<=://)[^/\s@]+(?=@)"  # who logs in at a URL, and with what
    r"|(?P<scheme>\b(?:OAuth2|Bearer|Basic)\s+)\S+"
    rf"|(?P<name>(?:\b|_)(?:{_WORDS})(?:\\?[\"'])?\s?[=:]\s?(?:\\?[\"'])?(?:(?:OAuth2|Bearer|Basic)\s+)?)[^\s\"'\\&,;)}}]+",
    re.IGNORECASE,
)


def redact(_logger: object, _method: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Hide what is named like a secret, and what looks like one inside a text, at any depth."""
    for name, value in line.items():
        line[name] = _redacted(name, value)
    return line


def _redacted(name: str, value: object) -> object:
    if value is None or isinstance(value, int | float):
        return value
    if isinstance(value, dict):
        return {key: _redacted(str(key), each) for key, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_redacted(name, each) for each in value]
    if _SECRET_NAME.fullmatch(name):
        return HIDDEN
    return _SECRETS.sub(_hide, value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value))


def _hide(match: re.Match[str]) -> str:
    return (match["name"] or match["scheme"] or "") + HIDDEN


# --- facts as lines ----------------------------------------------------------------------------------------------------

Level = Literal["info", "warning"]

_LINES: dict[type[Struct], tuple[Level, str]] = {
    facts.LoopStopped: ("warning", "loop_stopped"),
    facts.HookDeactivated: ("warning", "hook_deactivated"),
    facts.BreakerMoved: ("info", "breaker_moved"),
    facts.ReplayTurned: ("info", "replay_turned"),
    facts.LeaseTaken: ("info", "lease_taken"),
    facts.LeaseLost: ("warning", "lease_lost"),
    facts.Pruned: ("info", "pruned"),
    facts.DatabaseUnavailable: ("warning", "database_unavailable"),
    facts.EngineStopped: ("info", "engine_stopped"),
}


def log_facts(
    telemetry: Telemetry,
    form: Form,
    *,
    deliveries: Literal["all", "failures"] = "all",
    stream: BinaryIO | None = None,
    clock: Clock = system_clock,
) -> None:
    """Write a line for each fact that people want to read; one for every attempt, or only for those that failed.

    `stream` is where the lines of deliveries go: standard error, if None.
    """
    for kind, (level, event) in _LINES.items():
        telemetry.listen(kind, _line_writer(level, event))
    telemetry.listen(facts.StationFailed, _write_failure)
    write = _delivery_writer(form, stream or sys.stderr.buffer, clock)
    telemetry.listen(DeliveryAttempted, write if deliveries == "all" else _only_failures(write))


def _line_writer(level: Level, event: str) -> Callable[[Struct], None]:
    write = getattr(structlog.get_logger("tidings.delivery"), level)
    return lambda fact: write(event, **msgspec.structs.asdict(fact))


def _write_failure(fact: facts.StationFailed) -> None:
    log = structlog.get_logger("tidings.delivery")
    stack = where_it_broke(fact.error)
    log.error("defect", where=fact.where, error=type(fact.error).__name__, stack=stack, seconds=fact.seconds)


def _only_failures(write: Callable[[DeliveryAttempted], None]) -> Callable[[DeliveryAttempted], None]:
    return lambda fact: None if fact.reason is None else write(fact)


def _delivery_writer(form: Form, stream: BinaryIO, clock: Clock) -> Callable[[DeliveryAttempted], None]:
    render = _json_line if form == "json" else _text_line

    def write(fact: DeliveryAttempted) -> None:
        seconds, rest = divmod(clock(), SECOND)
        stream.write(render(f"{_second(seconds)}.{rest:06d}Z", "warning" if fact.reason else "info", fact))
        stream.flush()

    return write


@lru_cache(maxsize=2)
def _second(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}"


_encode = msgspec.json.Encoder().encode


def _json_line(at: str, level: Level, fact: DeliveryAttempted) -> bytes:
    """The fact's own object, with ours in front of it, in one pair of braces."""
    return b'{"at":"%b","level":"%b","event":"delivery",%b\n' % (at.encode(), level.encode(), _encode(fact)[1:])


def _text_line(at: str, level: Level, fact: DeliveryAttempted) -> bytes:
    return (
        f"{at} [{level:<9}] delivery             hook_id={fact.hook_id} sequence={fact.sequence} event_id={fact.event_id}"
        f" event_type={fact.event_type} number={fact.number} state={fact.state} status={fact.status}"
        f" duration={fact.duration / 1000:.1f}ms latency={fact.latency / 1000:.1f}ms host={fact.host} address={fact.address}"
        f"{_failure(fact) if fact.reason else ''}\n"
    ).encode()


def _failure(fact: DeliveryAttempted) -> str:
    again = f" due_at={_second(fact.due_at // SECOND)}Z" if fact.due_at is not None else ""
    return f" reason={fact.reason} detail={fact.detail!a}{again}"
