"""What a program needs that `forking` starts, imported: its parent imports this once, and does nothing else."""

from __future__ import annotations

import gc

import typer._adapters  # noqa: F401 (Typer's own, which it imports when a command is run)

from tidings.cli.serve import absent

with absent("rich"):  # as in a server that is started from the shell
    import tidings.server

import tests.support.writing_child
import tidings.cli.commands
import tidings.cli.importing
import tidings.cli.seed  # noqa: F401 (imported so that it is there)

gc.freeze()  # the children share these pages as long as nobody counts what is in them
