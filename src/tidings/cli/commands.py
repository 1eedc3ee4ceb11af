"""The commands and their options. What they do is imported when one is run, so that `--help` is quick."""

from __future__ import annotations

import os
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from tidings.settings import HIGHEST_PORT, read_settings

app = typer.Typer(
    help="Webhooks for apps and spaces, in Podio's wire format.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


class LogFormat(StrEnum):
    """How log lines are written."""

    TEXT = "text"
    JSON = "json"


Data = Annotated[Path | None, typer.Option(help="Folder for the SQLite database and the key file.", show_default="tidings-data")]
Database = Annotated[str | None, typer.Option(metavar="URL", help="PostgreSQL URL, instead of SQLite in the data folder.")]
Host = Annotated[str | None, typer.Option(help="Address to listen on.", show_default="127.0.0.1")]
Port = Annotated[int | None, typer.Option(help="Port to listen on.", show_default="8000")]
Url = Annotated[str | None, typer.Option(metavar="URL", help="Public address of the server.", show_default="http://127.0.0.1:8000")]
Allow = Annotated[
    list[str] | None,
    typer.Option(
        metavar="HOST_OR_NETWORK[:PORTS]", help="Destination opened to hooks beyond public ones, such as '127.0.0.1:*'. Repeatable."
    ),
]


@app.command()
def serve(
    *,
    data: Data = None,
    database: Database = None,
    host: Host = None,
    port: Port = None,
    url: Url = None,
    allow: Allow = None,
    log_format: Annotated[LogFormat | None, typer.Option(help="How log lines are written.", show_default="text")] = None,
) -> None:
    """Run the server until Ctrl-C or SIGTERM.

    Every setting can also be given as an environment variable: TIDINGS_PORT, TIDINGS_ALLOW and so on.
    """
    from tidings.cli.serve import run_server  # noqa: PLC0415 (see the top)

    opened = tuple(allow) if allow else None
    form = None if log_format is None else log_format.value
    run_server(
        read_settings(os.environ, data=data, database=database, host=host, port=port, url=url, allow=opened, log_format=form),
    )


@app.command()
def seed(
    *,
    data: Data = None,
    database: Database = None,
    url: Url = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object, for programs.")] = False,
) -> None:
    """Make the demo's workspace, or find it, and print its ids and secrets. A server may be running meanwhile."""
    from tidings.cli.seed import print_seed  # noqa: PLC0415 (see the top)

    print_seed(read_settings(os.environ, data=data, database=database, url=url), as_json=json)


@app.command()
def demo(
    *,
    once: Annotated[bool, typer.Option("--once", help="End after the round trip: with 0, or with 1 if a step failed.")] = False,
    port: Annotated[
        int | None, typer.Option(min=1, max=HIGHEST_PORT, help="Port for the server.", show_default="8000 or the next free one")
    ] = None,
) -> None:
    """See a webhook arrive: starts a server and a receiver on this machine, and changes an item."""
    from tidings.cli.demo import run_demo  # noqa: PLC0415 (see the top)

    raise typer.Exit(run_demo(once=once, port=port))


@app.callback(invoke_without_command=True)
def _version(*, version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False) -> None:
    if version:
        from tidings import __version__  # noqa: PLC0415 (see the top)

        typer.echo(f"tidings {__version__}")
        raise typer.Exit
