"""`tidings demo`: a server, a receiver and one item, all on this machine; every delivery is shown as it lands.

All of it speaks to loopback alone, which hooks may call only because the server is started with the receiver's very address
on its allow-list. The data are in a folder that is taken away at the end. Every step is bounded; one that fails is named.
"""

from __future__ import annotations

import queue
import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.text import Text

from tidings.cli.inbox import Inbox, Landed
from tidings.cli.running import Running, choose_port, running
from tidings.cli.seed import Seed, make_seed
from tidings.client import Client
from tidings.errors import TidingsError
from tidings.settings import Settings

LANDS_WITHIN = 20.0  # seconds
SHOWN_HEADERS = ("webhook-id", "webhook-timestamp", "webhook-signature", "tidings-attempt")

Expected = set[tuple[str, int]]
"""Deliveries that are to land, each by its event type and its hook."""


class StepFailed(Exception):
    """A step did not come out as it should."""


def run_demo(*, once: bool, port: int | None) -> int:
    """Run it, and answer the exit code: 0, or 1 when a step failed. Ctrl-C, SIGTERM and SIGHUP end it in good order."""
    console = Console(highlight=False)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    try:
        _play(console, once=once, port=port)
    except StepFailed as failure:
        console.print(Text(f"\nFailed: {failure}", style="bold red"), soft_wrap=True)
        return 1
    except KeyboardInterrupt:
        console.print("\nStopped.")
        return 1 if once else 0
    return 0


def _play(console: Console, *, once: bool, port: int | None) -> None:
    with tempfile.TemporaryDirectory(prefix="tidings-demo-") as folder, closing(Inbox()) as inbox:
        console.print("[bold]A server, a receiver and one item, all on this machine.[/]")
        console.print(
            f"Nothing leaves it. Hooks may call {inbox.address} only because the server is\n"
            f"started with --allow {inbox.address}; all else that is local stays closed."
        )
        with running(Path(folder), _choose_port(port), [inbox.address]) as server:
            stage = _set_stage(console, server, inbox)
            hooks = _make_hooks(stage)
            _change_an_item(stage, hooks)
            console.print("\n[bold green]The round trip is done.[/]")
            if not once:
                _stay(stage)


def _choose_port(asked: int | None) -> int:
    try:
        return choose_port(asked)
    except TidingsError as error:
        raise StepFailed(f"Start a server: {error}") from error


@contextmanager
def _step(console: Console, what: str) -> Iterator[None]:
    """Say what is being done. Raises `StepFailed`, naming it, for whatever of ours goes wrong in it."""
    console.print(f"\n[bold cyan]>[/] [bold]{what}[/]")
    try:
        yield
    except (TidingsError, StepFailed) as error:
        raise StepFailed(f"{what}: {error}") from error


# --- the steps ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Stage:
    """What the steps play with."""

    console: Console
    server: Running
    inbox: Inbox
    seed: Seed
    client: Client


@dataclass(frozen=True)
class Hooks:
    """The ids of the demo's hooks."""

    create: int
    update: int
    delete: int
    status: int  # on the field `status` alone


def _set_stage(console: Console, server: Running, inbox: Inbox) -> Stage:
    with _step(console, f"Start a server at {server.url}"):
        server.wait_until_ready()
    with _step(console, "Seed it, while it runs"):
        seed = make_seed(Settings(data=server.data, url=server.url))
        console.print(f"  app {seed.app_id} with the fields {', '.join(seed.fields)}")
    with _step(console, "Log in as the app"):
        client = Client(seed.url, seed.client_id, seed.client_secret)
        client.authenticate_with_app(seed.app_id, seed.app_token)
    return Stage(console, server, inbox, seed, client)


def _make_hooks(stage: Stage) -> Hooks:
    create, seed = stage.client.hooks.create, stage.seed
    with _step(stage.console, "Make four hooks; each is sent a code, and the receiver validates it"):
        with stage.inbox.registering(stage.client) as made:
            for event in ("item.create", "item.update", "item.delete"):
                made.append(create("app", seed.app_id, stage.inbox.url, event))
            made.append(create("app_field", seed.fields["status"], stage.inbox.url, "item.update"))
        hooks = Hooks(*(hook.hook_id for hook in made))
        _await(stage, {("hook.verify", hook.hook_id) for hook in made})
        _check_active(stage)
    return hooks


def _check_active(stage: Stage) -> None:
    listed = stage.client.hooks.list("app", stage.seed.app_id) + stage.client.hooks.list("app_field", stage.seed.fields["status"])
    inactive = [hook["hook_id"] for hook in listed if hook["status"] != "active"]
    if len(listed) != 4 or inactive:
        raise StepFailed(f"{len(listed)} hooks are listed, of which {inactive or 'none'} are inactive")


def _change_an_item(stage: Stage, hooks: Hooks) -> None:
    items, fields = stage.client.items, {"title": "Tell the world", "status": "New", "estimate": 3, "due": "2030-01-31"}
    with _step(stage.console, "Create an item"):
        item_id = items.create(stage.seed.app_id, fields)["item_id"]
        _await(stage, {("item.create", hooks.create)})
    with _step(stage.console, "Set its status: both hooks for item.update hear of it"):
        items.update(item_id, {"status": "Done"})
        _await(stage, {("item.update", hooks.update), ("item.update", hooks.status)})
    with _step(stage.console, "Delete it"):
        items.delete(item_id)
        _await(stage, {("item.delete", hooks.delete)})


def _stay(stage: Stage) -> None:
    """Show what lands until somebody stops us. Raises `StepFailed` when the server ends by itself."""
    _say_where_to_look(stage)
    with _step(stage.console, "Waiting for what you change (Ctrl-C stops everything)"):
        while True:
            stage.server.check()
            try:
                _show(stage.console, stage.inbox.landed.get(timeout=1.0))
            except queue.Empty:
                continue


def _say_where_to_look(stage: Stage) -> None:
    url, app_id, seed = stage.server.url, stage.seed.app_id, stage.seed
    lines = (
        "\nThe server stays up for you. Its log:",
        f"  {stage.server.log}",
        f"Click in it, signed in as {seed.username} with the password {seed.password}:",
        f"  {url}/console/apps/{app_id}/developer",
        "Try, in another terminal:",
        f"  TOKEN={stage.client.access_token}",
        f'  curl {url}/item/app/{app_id}/ -H "Authorization: OAuth2 $TOKEN" \\',
        '    -d \'{"fields": {"title": "From curl"}}\'',
        f'  curl {url}/hook/app/{app_id}/ -H "Authorization: OAuth2 $TOKEN"',
        f"  curl {url}/metrics",
    )
    stage.console.print(Text("\n".join(lines)), soft_wrap=True)


# --- what lands --------------------------------------------------------------------------------------------------------


def _await(stage: Stage, expected: Expected) -> None:
    """Show what lands until all that is `expected` has. Raises `StepFailed` when it does not, in time."""
    deadline = time.monotonic() + LANDS_WITHIN
    while expected:
        stage.server.check()
        try:
            landed = stage.inbox.landed.get(timeout=max(0.0, deadline - time.monotonic()))
        except queue.Empty:
            missing = ", ".join(f"{event} for hook {hook_id}" for event, hook_id in sorted(expected))
            raise StepFailed(f"not within {LANDS_WITHIN:.0f} seconds: {missing}") from None
        _show(stage.console, landed)
        if landed.delivery is None:
            raise StepFailed(landed.complaint)
        expected = expected - {(landed.delivery.type, landed.delivery.hook_id)}


def _show(console: Console, landed: Landed) -> None:
    """One delivery: what it is, whether its signature is good, the headers of note, and the form."""
    headers = {name.lower(): value for name, value in landed.headers.items()}
    if landed.delivery is None:
        console.print(Text(f"  refused: {landed.complaint}", style="red"))
    else:
        title = Text("  ").append(landed.delivery.type, style="bold").append(f" to hook {landed.delivery.hook_id}: ")
        done = "signature checked, code sent back" if landed.delivery.type == "hook.verify" else "signature checked"
        console.print(title.append(done, style="green"))
    for name in SHOWN_HEADERS:
        console.print(Text(f"    {name}: {headers.get(name, '')}", style="dim"), soft_wrap=True)
    console.print(Text(f"    {landed.body}"), soft_wrap=True)
