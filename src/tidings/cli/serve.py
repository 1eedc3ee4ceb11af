"""`tidings serve`: says in one line what it serves from where, and does it."""

from __future__ import annotations

import sys
from urllib.parse import urlsplit

from tidings import __version__
from tidings.server import serve
from tidings.settings import Settings


def run_server(settings: Settings) -> None:
    """Serve until asked to stop. Raises `Invalid` and `Unavailable` as `server.serve` does."""
    serve(settings, announce=_say)


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
