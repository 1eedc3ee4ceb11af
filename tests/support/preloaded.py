"""What the programs of `tests.support.forking` have imported before they start: their parent imports this, and does no more."""

from __future__ import annotations

import gc

from tidings.cli.serve import _absent

with _absent("rich"):  # as in a server that is started from the shell
    import tidings.server

import typer._adapters

import tests.support.writing_child
import tidings.cli.commands
import tidings.cli.importing.command
import tidings.cli.seed

gc.collect()
gc.freeze()  # they share these pages with their parent as long as nobody counts what is in them

__all__ = ["tests", "tidings", "typer"]
