"""`tidings import`, from the first question to the last line."""

from __future__ import annotations

import shlex
import time

import typer

from tidings.cli.importing.asked import Asked
from tidings.cli.importing.batches import Batches
from tidings.cli.importing.rejects import Rejects
from tidings.cli.importing.screen import Screen
from tidings.cli.importing.tables import Table, open_table
from tidings.cli.importing.targets import Target, existing_app, new_app
from tidings.cli.opened import Opened, opened
from tidings.errors import TidingsError, Unavailable
from tidings.settings import Settings
from tidings.workspace.cells.judging import Order

ALL_IN, SOME_REJECTED, INTERRUPTED = 0, 1, 130  # exit codes


def run_import(settings: Settings, asked: Asked) -> int:
    """Import, and answer the exit code: 0, 1 when rows were rejected, 130 when somebody stopped it.

    Raises `Invalid` for what was asked wrongly or cannot be read, `NotFound`, `Forbidden`, `Gone` and `Conflict` for what is
    not there or not theirs, `Unavailable` when the database or the disk fails.
    """
    asked.check()
    screen = Screen()
    try:
        table = open_table(asked.file, encoding=asked.encoding, sheet=asked.sheet, decimal_comma=asked.habits.decimal_comma)
        rejects = Rejects(asked.file, table.headings, append=asked.from_line > 0)
        screen.say(f"{asked.file.name}: {table.form}.")
        with opened(settings) as database:
            target = _target(asked, settings, screen, table, database)
            return _import(asked, target, screen, table, rejects, database)
    except (KeyboardInterrupt, typer.Abort):
        screen.say("Stopped; no row was imported.")
        return INTERRUPTED


def _target(asked: Asked, settings: Settings, screen: Screen, table: Table, database: Opened) -> Target:
    if asked.new_app is None:
        return existing_app(asked, screen, table, database)
    return new_app(asked, settings, screen, table, database)


def _import(asked: Asked, target: Target, screen: Screen, table: Table, rejects: Rejects, database: Opened) -> int:
    order = Order(
        target.columns,
        habits=asked.habits,
        update=asked.update,
        add_options=asked.add_options or asked.new_app is not None,  # a new app's options are guessed, not chosen
        heard=asked.hooks,
    )
    batches = Batches(asked, target, order, screen, database)
    began = time.monotonic()
    try:
        whole = batches.run(table, rejects)
    except KeyboardInterrupt:
        _say_how_to_resume(screen, asked, target, batches.reached, certain=False)
        return INTERRUPTED
    except (TidingsError, OSError) as error:
        _say_how_to_resume(screen, asked, target, batches.reached, certain=False)
        if isinstance(error, OSError):
            raise Unavailable(f"{asked.file.name} could not be read on: {error.strerror or error}") from error
        raise
    finally:
        rejects.close()
        screen.sum_up(batches.tally, seconds=time.monotonic() - began, dry_run=asked.dry_run)
        if rejects.count:
            screen.say(f"The rejected rows and their reasons are in {rejects.path}; mended there, it can be imported itself.")
    if not whole:
        _say_how_to_resume(screen, asked, target, batches.reached, certain=True)
        return INTERRUPTED
    return SOME_REJECTED if batches.tally.rejected else ALL_IN


def _say_how_to_resume(screen: Screen, asked: Asked, target: Target, reached: int, *, certain: bool) -> None:
    if asked.dry_run:
        return
    doubt = "" if certain else " The batch that was under way may be in."
    screen.say(f"Stopped. All rows before line {reached} are done with.{doubt}", "bold")
    again = f"tidings import {shlex.quote(str(asked.file))} --app {target.app_id}" + (" --add-options" if asked.new_app else "")
    if asked.external_id is not None:
        screen.say(f"To go on, run it again with the same options: {again} --external-id {shlex.quote(asked.external_id)} ...")
    else:
        screen.say(f"To go on, run it again with the same options: {again} --from-line {reached} ...")
