"""Where the rows go: an app that is there, or a new one whose fields are guessed from the table, shown, and agreed to."""

from __future__ import annotations

import sys
from dataclasses import dataclass

import typer

from tidings.cli.importing.asked import Asked
from tidings.cli.importing.screen import Screen
from tidings.cli.importing.tables import Table
from tidings.cli.opened import Opened
from tidings.clock import system_clock
from tidings.errors import Invalid, NotFound
from tidings.settings import Settings
from tidings.store.sealing import Keyring, read_key
from tidings.workspace.access import Caller
from tidings.workspace.apps import create_app
from tidings.workspace.cells.columns import Column, Columns, match_columns, place_of, places_of
from tidings.workspace.cells.guessing import as_fields, guess_all
from tidings.workspace.cells.judging import text_in
from tidings.workspace.fields.fields import Field, NewField
from tidings.workspace.fields.fieldsets import Fieldset
from tidings.workspace.fields.settings import check_type
from tidings.workspace.imports import choose_space, open_app


@dataclass(frozen=True)
class Target:
    """An app, and which column goes where in it. `planned`: the fields of one that a dry run does not make."""

    caller: Caller
    app_id: int
    columns: Columns
    planned: Fieldset | None = None


def existing_app(asked: Asked, screen: Screen, table: Table, opened: Opened) -> Target:
    """The app that is named. Raises `NotFound`, `Gone`, `Forbidden`, and `Invalid` as `match_columns` does."""
    assert asked.app_id is not None
    try:
        caller, app = opened.runner.run(opened.database.read(open_app, asked.app_id, asked.username))
    except NotFound as error:
        raise NotFound(f"there is no app {asked.app_id} in this database" if error.parameters else error.description) from None
    try:
        columns = match_columns(table.headings, app.fields, mapping=asked.mapping, external_id=asked.external_id)
    except Invalid as error:
        hint = "; say which by --map 'COLUMN=FIELD', or leave it out by --map 'COLUMN='" if "columns" in error.parameters else ""
        raise Invalid(f"{error.description}{hint}") from None
    screen.say(f"Into the app '{app.config.name}' ({app.app_id}):")
    screen.show_columns(columns, "those there are updated" if asked.update else "those there are passed over")
    return Target(caller, app.app_id, columns)


def new_app(asked: Asked, settings: Settings, screen: Screen, table: Table, opened: Opened) -> Target:
    """A new app, made now unless this is a dry run.

    Raises `Conflict` when there is one of this name, `typer.Abort` when it is not agreed to; else as `choose_space` and
    `create_app` do.
    """
    assert asked.new_app is not None
    caller, space_id = opened.runner.run(opened.database.read(choose_space, asked.space_id, asked.username, asked.new_app))
    fields = _guessed(asked, screen, table)
    key = None if asked.external_id is None else place_of(places_of(table.headings), asked.external_id)
    screen.say(f"A new app '{asked.new_app}' in the space {space_id}:")
    screen.show_guesses([(table.headings[place], field, cells) for place, field, cells in fields])
    new = [field for _, field, _ in fields]
    planned = as_fields(new)
    places = [place for place, _, _ in fields]
    if asked.dry_run:
        return Target(caller, 0, _columns(table, places, planned.fields, key), planned)
    _agree(asked)
    keyring = Keyring(read_key(settings.key, settings.data))
    config = {"name": asked.new_app}
    making = opened.database.write(create_app, caller, space_id, config, new, keyring=keyring, now=system_clock(), heard=asked.hooks)
    app = opened.runner.run(making)
    screen.say(f"Made the app {app.app_id}.")
    return Target(caller, app.app_id, _columns(table, places, app.fields, key))


def _guessed(asked: Asked, screen: Screen, table: Table) -> list[tuple[int, NewField, int]]:
    """The fields that the columns come to: place, field, and how many cells are not blank."""
    places = places_of(table.headings)
    labels = {place_of(places, heading): label for heading, label in asked.mapping.items()}
    types = {place_of(places, heading): name for heading, name in asked.types.items()}
    for name in types.values():
        check_type(name)
    guesses = {place: guess for place, guess in guess_all(table.headings, asked.habits).items() if labels.get(place) != ""}
    with screen.console.status("Reading the table to see what is in it"):
        for row in table.rows():
            for place, guess in guesses.items():
                guess.see(text_in(row, place))
    found = []
    for place, guess in guesses.items():
        field = guess.field()
        config = {**field.config, "label": labels.get(place, table.headings[place])}
        same = types.get(place, field.type) == field.type
        found.append((place, NewField(field.type, config) if same else NewField(types[place], {"label": config["label"]}), guess.cells))
    return found


def _columns(table: Table, places: list[int], fields: tuple[Field, ...], key: int | None) -> Columns:
    matched = (Column(place, table.headings[place], field) for place, field in zip(places, fields, strict=True))
    return Columns(tuple(table.headings), tuple(matched), key)


def _agree(asked: Asked) -> None:
    if asked.yes:
        return
    if not sys.stdin.isatty():
        raise Invalid("nobody is there to agree to this: say --yes")
    typer.confirm("Make this app and import the rows?", abort=True)
