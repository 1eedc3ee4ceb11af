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


class Encoding(StrEnum):
    """What a table of text may be in."""

    UTF_8 = "utf-8"
    UTF_16 = "utf-16"
    WINDOWS_1252 = "cp1252"


class DateOrder(StrEnum):
    """What 01/02/2026 means."""

    DAY_FIRST = "day-first"
    MONTH_FIRST = "month-first"


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


@app.command("import")
def import_table(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A table with headings: .csv (also ; or tab between cells) or .xlsx.")],
    *,
    app_id: Annotated[int | None, typer.Option("--app", min=1, metavar="ID", help="The app that the items go into.")] = None,
    new_app: Annotated[str | None, typer.Option(metavar="NAME", help="Make an app of this name, its fields guessed and shown.")] = None,
    space: Annotated[int | None, typer.Option(min=1, metavar="ID", help="The space of the new app.", show_default="the only one")] = None,
    external_id: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="Column that names each row; rows that are there already are passed over.")
    ] = None,
    update: Annotated[bool, typer.Option("--update", help="Update those that are there already. A blank cell changes nothing.")] = False,
    maps: Annotated[
        list[str] | None,
        typer.Option("--map", metavar="COLUMN=FIELD", help="Field of a column; nothing behind the = leaves it out. Repeatable."),
    ] = None,
    types: Annotated[
        list[str] | None, typer.Option("--type", metavar="COLUMN=TYPE", help="Type of a new app's field, not guessed. Repeatable.")
    ] = None,
    add_options: Annotated[bool, typer.Option("--add-options", help="Add options that a category lacks.")] = False,
    no_hooks: Annotated[bool, typer.Option("--no-hooks", help="No hook hears of it.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Look at every row, and write nothing to the database.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    from_line: Annotated[int, typer.Option(min=0, metavar="LINE", help="Pass over the rows before this line.")] = 0,
    decimal_comma: Annotated[bool, typer.Option("--decimal-comma", help="Read 1.234,50, not 1,234.50.")] = False,
    dates: Annotated[DateOrder | None, typer.Option(help="What 01/02/2026 means.", show_default="it is refused")] = None,
    encoding: Annotated[Encoding | None, typer.Option(help="Encoding of the text.", show_default="found by reading it")] = None,
    sheet: Annotated[str | None, typer.Option(metavar="NAME", help="Sheet of the workbook.", show_default="the first")] = None,
    as_user: Annotated[
        str | None, typer.Option("--as", metavar="USERNAME", help="Who makes the items.", show_default="the organization's first admin")
    ] = None,
    data: Data = None,
    database: Database = None,
) -> None:
    """Make an item of every row of a table. A server may be running meanwhile.

    Ends with 0, with 1 when rows were rejected (they are in FILE.rejected.csv then), with 2 when it could not be done, and
    with 130 when it was stopped.
    """
    from tidings.cli.importing.asked import Asked, read_pairs  # noqa: PLC0415 (see the top)
    from tidings.cli.importing.command import run_import  # noqa: PLC0415 (see the top)
    from tidings.workspace.cells.habits import Habits  # noqa: PLC0415 (see the top)

    asked = Asked(
        file=file,
        app_id=app_id,
        new_app=new_app,
        space_id=space,
        username=as_user,
        external_id=external_id,
        mapping=read_pairs("--map", maps),
        types=read_pairs("--type", types),
        update=update,
        add_options=add_options,
        hooks=not no_hooks,
        habits=Habits(decimal_comma=decimal_comma, dates=None if dates is None else dates.value),
        encoding=None if encoding is None else encoding.value,
        sheet=sheet,
        from_line=from_line,
        dry_run=dry_run,
        yes=yes,
    )
    raise typer.Exit(run_import(read_settings(os.environ, data=data, database=database), asked))


class Ended(StrEnum):
    """What a delivery can have ended as."""

    DELIVERED = "delivered"
    EXHAUSTED = "exhausted"
    CANCELLED = "cancelled"


@app.command()
def replay(
    hook_id: Annotated[int | None, typer.Argument(min=1, metavar="HOOK_ID", help="The hook whose deliveries are sent again.")] = None,
    *,
    states: Annotated[
        list[Ended] | None, typer.Option("--state", help="Those that ended so. Repeatable.", show_default="exhausted, cancelled")
    ] = None,
    types: Annotated[list[str] | None, typer.Option("--type", metavar="TYPE", help="Those of such events. Repeatable.")] = None,
    since: Annotated[str | None, typer.Option(metavar="WHEN", help="Those of events from then on: '2026-01-02 03:04:05', in UTC.")] = None,
    until: Annotated[str | None, typer.Option(metavar="WHEN", help="Those of events before then.")] = None,
    rate: Annotated[int, typer.Option(min=1, max=1_000, help="Deliveries a second at most.")] = 10,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    stop: Annotated[int | None, typer.Option(min=1, metavar="REPLAY_ID", help="Stop a replay instead.")] = None,
    data: Data = None,
    database: Database = None,
) -> None:
    """Send many deliveries of a hook again, in their order, at a rate. A server does it, while this looks on.

    Ends with 0 when all have been received, with 1 when some have not, with 2 when it could not be done, and with 130 at
    Ctrl-C, which leaves the replay running.
    """
    from tidings.cli.replay import run_replay, run_stop  # noqa: PLC0415 (see the top)

    settings = read_settings(os.environ, data=data, database=database)
    if (hook_id is None) == (stop is None):
        raise typer.BadParameter("name the hook, or with --stop the replay")
    if stop is not None:
        raise typer.Exit(run_stop(settings, stop))
    assert hook_id is not None
    words = [state.value for state in states or ()]
    raise typer.Exit(run_replay(settings, hook_id, states=words, types=types or (), since=since, until=until, rate=rate, yes=yes))


client = typer.Typer(help="API clients: the programs that ask for tokens.", no_args_is_help=True)
app.add_typer(client, name="client")
Json = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]


@client.command("add")
def add_client(
    name: Annotated[str, typer.Argument(help="What people read on the consent page.")],
    *,
    url: Annotated[str | None, typer.Option(metavar="URL", help="A page about it.")] = None,
    domain: Annotated[list[str] | None, typer.Option(metavar="HOST[:PORT]", help="Where codes may be sent back to. Repeatable.")] = None,
    calls: Annotated[int | None, typer.Option(min=0, help="Calls an hour, 0 for no limit.", show_default="the server's")] = None,
    limited_calls: Annotated[
        int | None, typer.Option(min=0, help="Costly calls an hour, 0 for no limit.", show_default="the server's")
    ] = None,
    data: Data = None,
    database: Database = None,
    json: Json = False,
) -> None:
    """Make an API client, and print its secret: it is shown this once."""
    from tidings.cli import clients  # noqa: PLC0415 (see the top)

    settings = read_settings(os.environ, data=data, database=database)
    clients.add_client(settings, name, url=url, domains=domain or (), calls=calls, limited_calls=limited_calls, as_json=json)


@client.command("list")
def list_clients(*, data: Data = None, database: Database = None, json: Json = False) -> None:
    """Print all API clients."""
    from tidings.cli import clients  # noqa: PLC0415 (see the top)

    clients.print_clients(read_settings(os.environ, data=data, database=database), as_json=json)


@client.command("delete")
def delete_client(
    auth_client_id: Annotated[int, typer.Argument(metavar="AUTH_CLIENT_ID", min=1)], *, data: Data = None, database: Database = None
) -> None:
    """Delete an API client, its tokens and its codes."""
    from tidings.cli import clients  # noqa: PLC0415 (see the top)

    clients.delete_client(read_settings(os.environ, data=data, database=database), auth_client_id)


key = typer.Typer(help="The server's own keys, which sign for hooks that ask for ed25519.", no_args_is_help=True)
app.add_typer(key, name="keys")


@key.command("rotate")
def rotate_keys(
    *,
    overlap: Annotated[float, typer.Option(min=0, help="Seconds for which the present key signs as well.")] = 7 * 86_400.0,
    data: Data = None,
    database: Database = None,
    json: Json = False,
) -> None:
    """Make a new signing key."""
    from tidings.cli import keys  # noqa: PLC0415 (see the top)

    keys.rotate_keys(read_settings(os.environ, data=data, database=database), overlap=overlap, as_json=json)


@key.command("list")
def list_keys(*, data: Data = None, database: Database = None, json: Json = False) -> None:
    """Print the public keys that deliveries are signed with."""
    from tidings.cli import keys  # noqa: PLC0415 (see the top)

    keys.print_keys(read_settings(os.environ, data=data, database=database), as_json=json)


@app.callback(invoke_without_command=True)
def _version(*, version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False) -> None:
    if version:
        from tidings import __version__  # noqa: PLC0415 (see the top)

        typer.echo(f"tidings {__version__}")
        raise typer.Exit


user = typer.Typer(help="People: those who sign in.", no_args_is_help=True)
app.add_typer(user, name="user")


@user.command("add")
def add_user(
    username: Annotated[str, typer.Argument(help="What they sign in with, commonly a mail address.")],
    *,
    name: Annotated[str, typer.Option(help="What others see.")],
    password_stdin: Annotated[bool, typer.Option("--password-stdin", help="Read the password from standard input; do not ask.")] = False,
    org: Annotated[str | None, typer.Option(metavar="NAME", help="Make an organization of this name, with them as its admin.")] = None,
    data: Data = None,
    database: Database = None,
    json: Json = False,
) -> None:
    """Make a person. A server may be running meanwhile."""
    from tidings.cli import users  # noqa: PLC0415 (see the top)

    settings = read_settings(os.environ, data=data, database=database)
    users.add_user(settings, username, name, org=org, password_from_stdin=password_stdin, as_json=json)


@user.command("list")
def list_users(*, data: Data = None, database: Database = None, json: Json = False) -> None:
    """Print everybody."""
    from tidings.cli import users  # noqa: PLC0415 (see the top)

    users.print_users(read_settings(os.environ, data=data, database=database), as_json=json)


@app.command()
def diagnose(
    hook_id: Annotated[int, typer.Argument(metavar="HOOK_ID", min=1)],
    *,
    data: Data = None,
    database: Database = None,
    allow: Allow = None,
    json: Json = False,
) -> None:
    """Say why a hook's deliveries do not arrive, and what to do. Ends with 0 when nothing is wrong, with 1 when something is.

    Its URL is resolved and connected to from here, and sent nothing. A server may be running meanwhile.
    """
    from tidings.cli.diagnose import run_diagnose  # noqa: PLC0415 (see the top)

    settings = read_settings(os.environ, data=data, database=database, allow=tuple(allow) if allow else None)
    raise typer.Exit(run_diagnose(settings, hook_id, as_json=json))


@app.command()
def listen(
    *,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=HIGHEST_PORT, help="Port to listen on; 0 for a free one.")] = 9000,
    secret: Annotated[str | None, typer.Option(metavar="WHSEC", help="The hook's secret: refuse what is not signed with it.")] = None,
    url: Annotated[str, typer.Option(metavar="URL", help="The server that hooks are validated at.")] = "http://127.0.0.1:8000",
    app_id: Annotated[int | None, typer.Option(min=1, metavar="ID", help="The app to validate hooks of.")] = None,
    app_token: Annotated[str | None, typer.Option(metavar="TOKEN", help="That app's token.")] = None,
    client_id: Annotated[str | None, typer.Option(metavar="ID", help="The API client to log in through.")] = None,
    client_secret: Annotated[str | None, typer.Option(metavar="SECRET", help="That client's secret.")] = None,
) -> None:
    """Receive deliveries and print each, for people who want to see them. Ctrl-C ends it.

    Told how to log in as the app, it validates the hooks that ask to be verified; otherwise it prints their codes.
    """
    from tidings.cli.listen import Asked, run_listen  # noqa: PLC0415 (see the top)

    run_listen(Asked(host, port, secret, url, app_id, app_token, client_id, client_secret))


inbox = typer.Typer(help="A receiver's inbox: what failed is listed, tried again, or given up.", no_args_is_help=True)
app.add_typer(inbox, name="inbox")
InboxPlace = Annotated[str, typer.Argument(metavar="FILE_OR_URL", help="The SQLite file of the inbox, or its SQLAlchemy URL.")]
MessageIds = Annotated[list[str] | None, typer.Argument(metavar="ID", help="A message: its webhook-id.")]


@inbox.command("list")
def list_inbox(
    place: InboxPlace,
    *,
    state: Annotated[str, typer.Option(help="pending, done, failed or dropped.")] = "failed",
    limit: Annotated[int, typer.Option(min=1, help="So many at most, the oldest first.")] = 100,
    json: Json = False,
) -> None:
    """Print the messages that failed, or those in another state."""
    from tidings.cli import inboxes  # noqa: PLC0415 (see the top)

    inboxes.print_messages(place, state, limit=limit, as_json=json)


@inbox.command("retry")
def retry_inbox(place: InboxPlace, ids: MessageIds = None) -> None:
    """Have failed messages tried again: those named, or all."""
    from tidings.cli import inboxes  # noqa: PLC0415 (see the top)

    inboxes.retry(place, ids or [])


@inbox.command("drop")
def drop_inbox(
    place: InboxPlace, ids: MessageIds = None, *, every: Annotated[bool, typer.Option("--all", help="Every one that failed.")] = False
) -> None:
    """Give up failed messages."""
    from tidings.cli import inboxes  # noqa: PLC0415 (see the top)

    inboxes.drop(place, ids or [], every=every)
