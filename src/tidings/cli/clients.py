"""`tidings client`: API clients made, listed and deleted by the operator, who may give them any limit.

A server may be running meanwhile: it hears of a deleted client within a second.
"""

from __future__ import annotations

from collections.abc import Sequence

from tidings.cli.writing import print_rows, write
from tidings.clock import system_clock
from tidings.settings import Settings
from tidings.workspace.access import SYSTEM
from tidings.workspace.accounts import clients


def add_client(
    settings: Settings, name: str, *, url: str | None, domains: Sequence[str], calls: int | None, limited_calls: int | None, as_json: bool
) -> None:
    """Make one, and print its name and, this once, its secret. Raises `Invalid` for what it cannot have."""
    made = write(
        settings,
        clients.create_client,
        name,
        now=system_clock(),
        url=url,
        domains=domains,
        calls_per_hour=calls,
        limited_calls_per_hour=limited_calls,
    )
    shown = {"auth_client_id": made.auth_client_id, "client_id": made.client_id, "client_secret": made.client_secret}
    print_rows([shown], as_json=as_json, alone=True)


def print_clients(settings: Settings, *, as_json: bool) -> None:
    """All there are, whoever made them."""
    rows = [
        {
            "auth_client_id": client.auth_client_id,
            "client_id": client.client_id,
            "name": client.name,
            "domains": ", ".join(client.domains),
            "calls_per_hour": client.calls_per_hour,
            "limited_calls_per_hour": client.limited_calls_per_hour,
        }
        for client in write(settings, clients.list_clients, SYSTEM)
    ]
    print_rows(rows, as_json=as_json)


def delete_client(settings: Settings, auth_client_id: int) -> None:
    """Delete one, with its tokens and codes. Raises `NotFound`, and `Gone` where that was done before."""
    write(settings, clients.delete_client, SYSTEM, auth_client_id, now=system_clock())
