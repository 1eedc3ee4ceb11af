"""Every setting of the server, in one frozen record: a name, a default and a sentence each.

Settings are read once, at the start, from `TIDINGS_*` environment variables and the command line (which wins), and are
handed down as plain values. Nothing below `server.py` looks at the environment. `docs/settings.md` is compared with
this file by a test. What may hold a secret is left out of the record's `repr` and of every error.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tidings.errors import Invalid

ENVIRONMENT_PREFIX = "TIDINGS_"
HIGHEST_PORT = 65_535
LONGEST_WAIT = 31 * 86_400  # seconds
_WORDS = {
    "files_credentials": ("settings", "aws"),
    "cores": ("one", "all"),
    "log_deliveries": ("all", "failures"),
    "log_format": ("text", "json"),
}
_MAY_BE_ZERO = ("port", "retention", "grace", "rate_limit", "rate_limit_low", "cause_limit")


def _setting(default: Any, sentence: str, *, secret: bool = False) -> Any:
    return field(default=default, repr=not secret, metadata={"sentence": sentence})


@dataclass(frozen=True, slots=True)
class Settings:
    """What can be set, each with its default."""

    data: Path = _setting(Path("tidings-data"), "Folder for the SQLite database and the key file; made if it is missing.")
    database: str = _setting("", "PostgreSQL URL (`postgresql://user@host/name`); empty means SQLite in the data folder.", secret=True)
    host: str = _setting("127.0.0.1", "Address to listen on.")
    port: int = _setting(8000, "Port to listen on.")
    url: str = _setting("", "Public address of this server, used in links; empty means `http://host:port`.")
    key: str = _setting(
        "", "Key that seals secrets in the database: 32 bytes in base64; empty means the data folder's `key` file.", secret=True
    )
    allow: tuple[str, ...] = _setting(
        (), "Destinations opened to hooks beyond the public rule: `host[:ports]` or `network[:ports]`, comma-separated; `*` for every port."
    )
    proxy: str = _setting(
        "",
        "HTTP proxy for deliveries, `http://host:port`. URLs and addresses in them are still judged, names are resolved by the proxy.",
        secret=True,
    )
    schedule: tuple[float, ...] = _setting(
        (5, 30, 120, 600, 3600, 10800, 21600, 43200, 86400),
        "Seconds to wait after each failed attempt, comma-separated; after the last, a delivery is exhausted.",
    )
    connect_timeout: float = _setting(5.0, "Seconds a connection to a destination may take, name resolution and TLS included.")
    exchange_timeout: float = _setting(15.0, "Seconds a whole exchange with a destination may take.")
    concurrency: int = _setting(10, "Exchanges under way at once for one hook, unless the hook says otherwise.")
    exchanges: int = _setting(1000, "Exchanges under way at once in this process.")
    in_flight: int = _setting(20_000, "Deliveries this process holds at once, waiting or under way.")
    lease: float = _setting(15.0, "Seconds after which the work of a process that fell silent is taken over by another.")
    grace: float = _setting(20.0, "Seconds to finish what is under way when asked to stop.")
    retention: float = _setting(30.0, "Days to keep events, deliveries and attempts that have ended.")
    hook_limit: int = _setting(10, "Hooks of one type on one object.")
    cause_limit: int = _setting(8, "Deliveries that may lead to one another; what the last of them leads to, no hook hears of.")
    body_limit: int = _setting(1_048_576, "Bytes a request body may have.")
    files: str = _setting("", "Where files are kept: a folder, or `s3://bucket/prefix`; empty means `files` in the data folder.")
    file_limit: int = _setting(104_857_600, "Bytes a file may have.")
    files_endpoint: str = _setting("", "URL of the S3-compatible store; empty means Amazon's in `files_region`.")
    files_region: str = _setting("us-east-1", "Region of the bucket.")
    files_credentials: str = _setting(
        "settings", "Where keys for S3 come from: `settings`, or `aws` for Amazon's own environment variables and roles."
    )
    files_key_id: str = _setting("", "Id of the access key for S3.", secret=True)
    files_key: str = _setting("", "The secret access key for S3.", secret=True)
    access_token_life: float = _setting(28_800.0, "Seconds an access token is good for.")
    refresh_token_life: float = _setting(2_419_200.0, "Seconds a refresh token is good for.")
    rate_limit: int = _setting(0, "Calls an hour that one caller may make through one API client; 0 for no limit. Podio has 1000.")
    rate_limit_low: int = _setting(0, "The same for calls that cost more, such as a filter; 0 for no limit of their own. Podio has 250.")
    connections: int = _setting(8, "Database connections for reading (and, on PostgreSQL, as many for writing).")
    cores: str = _setting(
        "one", "`one`: the threads that run Python share one core, which makes them a fifth faster (on Linux); `all`: they run anywhere."
    )
    log_deliveries: str = _setting("all", "Which deliveries get a log line: `all`, or `failures` only.")
    log_format: str = _setting("text", "`text` for people, `json` for machines.")

    @property
    def public_url(self) -> str:
        """The address that links in answers begin with, without a final slash."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return (self.url or f"http://{host}:{self.port}").rstrip("/")


def read_settings(environment: Mapping[str, str], **overrides: Any) -> Settings:
    """Settings from `TIDINGS_*` variables, then `overrides` (those that are not None).

    Raises `Invalid` naming the variable for a value that cannot be read, or a `TIDINGS_*` name that is no setting.
    """
    fields = {f.name: f for f in dataclasses.fields(Settings)}
    values: dict[str, Any] = {}
    for variable, text in environment.items():
        if not variable.startswith(ENVIRONMENT_PREFIX):
            continue
        name = variable.removeprefix(ENVIRONMENT_PREFIX).lower()
        if name not in fields:
            raise Invalid(f"{variable} is not a setting of Tidings", parameters={"variable": variable})
        try:
            values[name] = _parse(fields[name].default, text)
        except ValueError:
            # The text itself is left out: it may be a key or a database password.
            kind = type(fields[name].default).__name__
            raise Invalid(f"{variable} cannot be read as {kind}", parameters={"variable": variable}) from None
    values.update({name: value for name, value in overrides.items() if value is not None})
    return _checked(Settings(**values))


def _parse(default: Any, text: str) -> Any:
    if isinstance(default, tuple):
        parts = [part.strip() for part in text.split(",") if part.strip()]
        return tuple(float(part) for part in parts) if default else tuple(parts)
    return type(default)(text)


def _checked(settings: Settings) -> Settings:
    for f in dataclasses.fields(Settings):
        value = getattr(settings, f.name)
        least = 0 if f.name in _MAY_BE_ZERO else 1e-3
        if isinstance(value, int | float) and not least <= value < math.inf:
            raise _refused(f.name, "is not negative" if f.name in _MAY_BE_ZERO else "is above zero")
    if settings.port > HIGHEST_PORT:
        raise _refused("port", f"is at most {HIGHEST_PORT}")
    if not all(0 <= wait <= LONGEST_WAIT for wait in settings.schedule):
        raise _refused("schedule", "has waits between 0 seconds and 31 days")
    for name, words in _WORDS.items():
        if getattr(settings, name) not in words:
            raise _refused(name, f"is {' or '.join(f'`{word}`' for word in words)}")
    return settings


def _refused(name: str, rule: str) -> Invalid:
    return Invalid(f"the setting {name} {rule}", parameters={"setting": name})
