"""`tidings replay`: many deliveries of a hook sent again: the plan, a question, and a bar until all of them are through.

It writes the replay into the database, and a server carries it out: one that runs, or the next that does. Ctrl-C leaves it
running and says how to stop it.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from tidings.cli.opened import Opened, opened
from tidings.clock import system_clock
from tidings.delivery.leases import somebody_delivers
from tidings.delivery.replay import UNDELIVERED, Plan, Replay, Wanted, get_replay, plan_replay, start_replay, stop_replay
from tidings.errors import Invalid
from tidings.settings import Settings
from tidings.store.database import Tx
from tidings.wire.podio import read_timestamp, timestamp
from tidings.workspace.access import SYSTEM

LOOK_EVERY = 0.25  # seconds
RECEIVED, NOT_ALL, INTERRUPTED = 0, 1, 130  # exit codes


def run_replay(
    settings: Settings,
    hook_id: int,
    *,
    states: Sequence[str],
    types: Sequence[str],
    since: str | None,
    until: str | None,
    rate: int,
    yes: bool,
) -> int:
    """Plan, ask, begin, and look on; answer the exit code.

    Raises `Invalid` for what was asked wrongly, `NotFound` and `Conflict` as `start_replay` does, `Unavailable` when the
    database fails.
    """
    wanted = Wanted(tuple(states) or UNDELIVERED, tuple(types), _moment(since, "--since"), _moment(until, "--until"))
    screen = Console(highlight=False)
    try:
        with opened(settings) as database:
            plan = database.runner.run(database.database.read(plan_replay, SYSTEM, hook_id, wanted, rate))
            _show_plan(screen, hook_id, plan)
            if not plan.total:
                return RECEIVED
            if not yes:
                typer.confirm("Send them again?", abort=True)
            begun = database.database.write(start_replay, SYSTEM, hook_id, wanted, rate, now=system_clock())
            return _look_on(screen, database, database.runner.run(begun))
    except (KeyboardInterrupt, typer.Abort):
        screen.print("Nothing was sent again.")
        return INTERRUPTED


def run_stop(settings: Settings, replay_id: int) -> int:
    """Stop a replay, and say how far it had come. Raises `NotFound`."""
    with opened(settings) as database:
        stopped = database.runner.run(database.database.write(stop_replay, SYSTEM, replay_id, now=system_clock()))
    Console(highlight=False).print(f"Replay {replay_id} is {stopped.state}: {_tally(stopped)}, of {stopped.total:,}.")
    return RECEIVED


def _show_plan(screen: Console, hook_id: int, plan: Plan) -> None:
    if plan.first_at is None or plan.last_at is None:
        screen.print(f"No delivery of hook {hook_id} is meant.")
        return
    kinds = ", ".join(f"{count:,} {name}" for name, count in (*sorted(plan.states.items()), *sorted(plan.types.items())))
    screen.print(f"{plan.total:,} {'delivery' if plan.total == 1 else 'deliveries'} of hook {hook_id} ({kinds}),", soft_wrap=True)
    screen.print(f"of events from {timestamp(plan.first_at)} to {timestamp(plan.last_at)} UTC,", soft_wrap=True)
    screen.print(f"in {_duration(plan.seconds)} at {plan.rate:,} a second.", soft_wrap=True)


def _look_on(screen: Console, database: Opened, replay: Replay) -> int:
    """Until all that was released has been tried, nobody delivers any more, or somebody presses Ctrl-C."""
    stop = f"To stop it: tidings replay --stop {replay.replay_id}"
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[tally]}"), TimeRemainingColumn())
    bar = Progress(*columns, console=screen, disable=not screen.is_terminal)
    task = bar.add_task(f"Replay {replay.replay_id}", total=replay.total, tally="")
    try:
        with bar:
            while replay.state == "running" or replay.waiting > replay.retrying:
                bar.update(task, completed=replay.delivered + replay.failed, tally=_tally(replay))
                replay, delivers = database.runner.run(database.database.read(_look, replay.replay_id, now=system_clock()))
                if not delivers:
                    screen.print(f"No server is running: replay {replay.replay_id} goes on when one does. {stop}", soft_wrap=True)
                    return RECEIVED
                time.sleep(LOOK_EVERY)
            bar.update(task, completed=replay.delivered + replay.failed, tally=_tally(replay))
    except KeyboardInterrupt:
        screen.print(f"Replay {replay.replay_id} goes on. {stop}", soft_wrap=True)
        return INTERRUPTED
    screen.print(f"Replay {replay.replay_id} is {replay.state}: {_tally(replay)}, of {replay.total:,}.", soft_wrap=True)
    return NOT_ALL if replay.state == "stopped" or replay.failed or replay.waiting else RECEIVED


def _look(tx: Tx, replay_id: int, *, now: int) -> tuple[Replay, bool]:
    return get_replay(tx, SYSTEM, replay_id), somebody_delivers(tx, now=now)


def _tally(replay: Replay) -> str:
    """In words; what is none is left out."""
    counts = (
        (replay.failed, "failed"),
        (replay.waiting - replay.retrying, "waiting"),
        (replay.retrying, "to be tried again"),
    )
    return ", ".join([f"{replay.delivered:,} delivered", *(f"{count:,} {what}" for count, what in counts if count)])


def _duration(seconds: float) -> str:
    whole = round(seconds)
    if whole < 1:
        return "less than a second"
    parts = ((whole // 3600, "h"), (whole // 60 % 60, "min"), (whole % 60, "s"))
    return " ".join(f"{count} {unit}" for count, unit in parts if count)


def _moment(text: str | None, name: str) -> int | None:
    try:
        return None if text is None else read_timestamp(text)
    except ValueError:
        raise Invalid(f"{name}: must be a moment in UTC, as '2026-01-02 03:04:05' or '2026-01-02'") from None
