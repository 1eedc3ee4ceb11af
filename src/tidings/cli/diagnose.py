"""`tidings diagnose`: why a hook's deliveries do not arrive, as a list and a sentence.

It reads the database that a server uses, which may be running meanwhile, and looks at the network from this machine: with
another allow-list or proxy than the server's, it may find what the server does not.
"""

from __future__ import annotations

import asyncio
import json
import sys

from rich.console import Console
from rich.text import Text

from tidings.api.diagnosis import diagnosis_object
from tidings.clock import system_clock
from tidings.delivery.allow import parse_allow
from tidings.delivery.diagnose import diagnose
from tidings.delivery.findings import Check, Diagnosis, State
from tidings.delivery.guard import Guard
from tidings.errors import NotFound
from tidings.settings import Settings
from tidings.store.database import open_database
from tidings.workspace.access import SYSTEM

SOMETHING_IS_WRONG = 1  # the exit code

_MARKS: dict[State, tuple[str, str, str]] = {  # for a terminal, for one that has ASCII alone, and the colour
    "ok": ("✓", "+", "green"),
    "problem": ("✗", "x", "bold red"),
    "unknown": ("?", "?", "yellow"),
    "skipped": ("–", "-", "dim"),  # noqa: RUF001 (a dash that is as wide as the others)
}
_OPENED_BY_ALLOW = ("port", "address")


def run_diagnose(settings: Settings, hook_id: int, *, as_json: bool) -> int:
    """Look, print what was found, and answer the exit code: 0 where nothing is wrong.

    Raises `Invalid` for settings, `NotFound` for a hook that is not there, `Gone` where its app is not, `Unavailable`.
    """
    found = asyncio.run(_look(settings, hook_id))
    if as_json:
        sys.stdout.write(json.dumps(diagnosis_object(found)) + "\n")
    else:
        _print_list(found, allow_is_given=bool(settings.allow))
    return 0 if found.is_well else SOMETHING_IS_WRONG


async def _look(settings: Settings, hook_id: int) -> Diagnosis:
    allow = parse_allow(settings.allow)
    guard = Guard(allow, proxy=settings.proxy)
    database = open_database(settings.database, settings.data, connections=1)
    try:
        return await diagnose(database, settings, allow, guard, hook_id, SYSTEM, clock=system_clock)
    except NotFound:
        raise NotFound(f"there is no hook {hook_id} in this database, or it was deleted") from None
    finally:
        await database.close()


def _print_list(found: Diagnosis, *, allow_is_given: bool) -> None:
    console = Console(highlight=False)
    for check in found.checks:
        console.print(_line(check, ascii_only=console.options.ascii_only), soft_wrap=True)
    console.print()
    console.print(Text(found.conclusion, style="bold green" if found.is_well else "bold"), soft_wrap=True)
    if found.cause in _OPENED_BY_ALLOW and not allow_is_given:
        console.print("If the server runs with --allow, give the same here.", soft_wrap=True)


def _line(check: Check, *, ascii_only: bool) -> Text:
    mark, plain_mark, style = _MARKS[check.state]
    return Text.assemble(
        (plain_mark if ascii_only else mark, style), f" {check.name:<13}", (check.sentence, "dim" if style == "dim" else "")
    )
