"""`tidings seed`: the demo's workspace, made or found, and printed with all that a program needs to work in it.

Its secrets are drawn from the sealing key, so that every run prints the same ones though the database has only their hashes.
"""

from __future__ import annotations

import asyncio
import dataclasses
import hmac
import json
import sys
from dataclasses import dataclass, field

from tidings.clock import system_clock
from tidings.settings import Settings
from tidings.store.database import open_database
from tidings.store.sealing import Keyring, read_key
from tidings.workspace import seeding
from tidings.workspace.accounts.passwords import hash_password
from tidings.workspace.seeding import CLIENT_ID, USERNAME, Seeded

DIGITS = 40  # of a secret: 160 bits, and still one line of a terminal


@dataclass(frozen=True)
class Seed:
    """What `--json` prints, in this order."""

    url: str
    client_id: str
    client_secret: str = field(repr=False)
    org_id: int
    space_id: int
    app_id: int
    app_token: str = field(repr=False)
    fields: dict[str, int]
    username: str
    password: str = field(repr=False)


def print_seed(settings: Settings, *, as_json: bool) -> None:
    """Seed, and print it: as a table for people, or as one JSON object."""
    seed = make_seed(settings)
    if as_json:
        sys.stdout.write(json.dumps(dataclasses.asdict(seed)) + "\n")
    else:
        _print_table(seed)


def make_seed(settings: Settings) -> Seed:
    """Make the demo's workspace in the database of `settings`, or find it.

    Raises `Invalid` for settings, `Unavailable` for a database that cannot be opened, `Conflict` for another key.
    """
    key = read_key(settings.key, settings.data)
    client_secret, password = _drawn(key, "client"), _drawn(key, "password")
    seeded = asyncio.run(_seed(settings, Keyring(key), client_secret, hash_password(password)))
    return Seed(
        url=settings.public_url,
        client_id=CLIENT_ID,
        client_secret=client_secret,
        org_id=seeded.org_id,
        space_id=seeded.space_id,
        app_id=seeded.app_id,
        app_token=seeded.app_token,
        fields=seeded.fields,
        username=USERNAME,
        password=password,
    )


def _drawn(key: bytes, what: str) -> str:
    return hmac.digest(key, f"tidings seed: {what}".encode(), "sha256").hex()[:DIGITS]


async def _seed(settings: Settings, keyring: Keyring, client_secret: str, password_hash: str) -> Seeded:
    database = open_database(settings.database, settings.data, connections=1)
    try:
        return await database.write(seeding.seed, keyring, client_secret=client_secret, password_hash=password_hash, now=system_clock())
    finally:
        await database.close()


def _print_table(seed: Seed) -> None:
    from rich.console import Console  # noqa: PLC0415 (slow to import, and `--json` does without)
    from rich.table import Table  # noqa: PLC0415 (as above)

    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    fields = ", ".join(f"{external_id} {field_id}" for external_id, field_id in seed.fields.items())
    for name, value in {**dataclasses.asdict(seed), "fields": fields}.items():
        table.add_row(name, str(value))
    Console().print(table)
