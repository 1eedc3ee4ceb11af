"""`tidings serve`: says in one line what it serves from where, and does it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from tidings import __version__
from tidings.settings import Settings


def run_server(settings: Settings) -> None:
    """Serve until asked to stop. Raises `Invalid` and `Unavailable` as `server.serve` does."""
    with _absent("rich"):  # structlog imports all of it where it is there, for tracebacks that we do not print
        from tidings.server import serve  # noqa: PLC0415
    serve(settings, announce=_say)


@contextmanager
def _absent(name: str) -> Iterator[None]:
    """Meanwhile, to import `name` fails as it does where that is not installed."""
    if name in sys.modules:
        yield
        return
    sys.modules[name] = None  # type: ignore[assignment]  # what Python itself takes for "not to be had"
    try:
        yield
    finally:
        del sys.modules[name]


def _say(settings: Settings) -> None:
    sys.stderr.write(describe(settings) + "\n")
    sys.stderr.flush()


def describe(settings: Settings) -> str:
    """Where it listens, what it keeps its data in, what hooks may call, and how to stop it."""
    opened = ", ".join(settings.allow)
    reach = f"public addresses and {opened} (nothing else local)" if opened else "public addresses only (--allow opens others)"
    return f"Tidings {__version__} at {settings.public_url}, data in {_place(settings)}; hooks may call {reach}; Ctrl-C stops it."


def _place(settings: Settings) -> str:
    """Where the database is, without what one logs in with."""
    if not settings.database:
        return str(settings.data / "tidings.db")
    try:
        parts = urlsplit(settings.database)
        where = f" on {parts.hostname}" if parts.hostname else ""
    except ValueError:
        return "PostgreSQL"
    return f"PostgreSQL ({parts.path.strip('/') or 'default'}{where})"
