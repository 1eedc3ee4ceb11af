"""What the programs of `tests.support.forking` have imported before they start: their parent imports this, and does no more.

With it goes what every one of them would work out anew, and always come to the same: the tree of commands, which Typer makes
of their signatures, and the signatures of the API's operations.
"""

from __future__ import annotations

import functools
import gc

from tidings.cli.serve import _absent

with _absent("rich"):  # as in a server that is started from the shell
    import tidings.server

import encodings.idna

import psycopg
import typer._adapters
import typer.main
import uvicorn.lifespan.on
import uvicorn.loops.uvloop

import tests.support.writing_child
import tidings.cli.commands
import tidings.cli.importing.command
import tidings.cli.seed
from tidings.api.operations import read_signature
from tidings.api.routes import ROUTES

typer.main.get_command = functools.cache(typer.main.get_command)
typer.main.get_command(tidings.cli.commands.app)
for row in ROUTES:
    read_signature(row.operation)

gc.collect()
gc.freeze()  # they share these pages with their parent as long as nobody counts what is in them

__all__ = ["encodings", "psycopg", "tests", "tidings", "typer", "uvicorn"]
