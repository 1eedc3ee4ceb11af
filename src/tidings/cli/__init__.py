"""The command line: `tidings serve`, `tidings seed`, `tidings demo`."""

from __future__ import annotations

import gc
import sys

from tidings.errors import TidingsError

FRESH = 50_000  # objects; Python's own 700 has it look for garbage hundreds of times while it imports, where there is none
FAILED = 2  # the exit code for what was asked wrongly, or cannot be had; Typer's own for a wrong option


def main() -> None:
    """Run the command that `sys.argv` names. What our own errors say is one sentence, and no traceback."""
    gc.set_threshold(FRESH)
    try:
        from tidings.cli.commands import app  # noqa: PLC0415 (a bare install is the kits alone)
    except ModuleNotFoundError as error:
        sys.exit(_complain(f"the command line needs the server ({error.name} is missing): pip install 'tidings[server]'"))
    try:
        app(prog_name="tidings")  # also as `python -m tidings`
    except TidingsError as error:
        sys.exit(_complain(error.description))


def _complain(sentence: str) -> int:
    sys.stderr.write(f"tidings: {sentence}\n")
    return FAILED
