"""The command line: what it offers, and how it complains. Each test runs `main` as the shell does, in this process."""

from __future__ import annotations

import logging
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
import structlog

from tidings import __version__
from tidings.cli import main
from tidings.cli.serve import describe
from tidings.settings import Settings


class Printed(NamedTuple):
    code: int
    out: str
    err: str


Run = Callable[..., Printed]


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    """`serve` sets up the logs of its process, which is ours here."""
    root = logging.getLogger()
    outputs, level = root.handlers[:], root.level
    yield
    root.handlers[:] = outputs
    root.setLevel(level)
    structlog.reset_defaults()


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run `tidings` with these arguments."""

    def run(*arguments: str) -> Printed:
        monkeypatch.setattr(sys, "argv", ["tidings", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        code = ended.value.code
        return Printed(code if isinstance(code, int) else 0, *capsys.readouterr())

    return run


@pytest.mark.parametrize("arguments", [(), ("--help",), ("serve", "--help"), ("seed", "--help"), ("demo", "--help")])
def test_help_is_there(run: Run, arguments: tuple[str, ...]) -> None:
    printed = run(*arguments)

    assert "Usage: tidings" in printed.out + printed.err


def test_help_names_every_command(run: Run) -> None:
    printed = run("--help").out

    assert all(command in printed for command in ("serve", "seed", "demo"))


def test_help_is_quick_since_it_imports_no_server() -> None:
    program = "import sys, tidings.cli.commands; print({'sqlalchemy', 'uvicorn', 'msgspec', 'asyncio'} & set(sys.modules))"

    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=True)

    assert ended.stdout == "set()\n"


def test_the_version_is_told(run: Run) -> None:
    assert run("--version") == (0, f"tidings {__version__}\n", "")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("serve", "--allow", "10.0.0.0/8:port"), "tidings: The allow-list's entry '10.0.0.0/8:port' cannot be read"),
        (("serve", "--port", "70000"), "tidings: the setting port is at most 65535\n"),
        (("serve", "--database", "mysql://root:hunter2@h/d"), "tidings: the database is a `postgresql://` URL, or empty for SQLite\n"),
        (("seed", "--database", "mysql://root:hunter2@h/d"), "tidings: the database is a `postgresql://` URL, or empty for SQLite\n"),
        (("seed", "--database", "postgresql://root:hunter2@127.0.0.1:1/d"), "tidings: the database cannot be opened: OperationalError\n"),
        (("seed", "--data", "/dev/null/x"), "tidings: the key file can be neither read nor made: Not a directory\n"),
    ],
)
def test_what_is_wrong_is_one_sentence_and_the_exit_code_2(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], sentence: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TIDINGS_PORT", "0")

    printed = run(*arguments)

    assert printed.code == 2
    assert sentence in printed.err
    assert "Traceback" not in printed.err
    assert "hunter2" not in printed.err + printed.out


def test_a_setting_that_does_not_exist_is_named(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIDINGS_COLOUR", "red")

    assert run("seed") == (2, "", "tidings: TIDINGS_COLOUR is not a setting of Tidings\n")


@pytest.mark.parametrize("arguments", [("nope",), ("serve", "--nope"), ("serve", "--port", "x"), ("serve", "--log-format", "xml")])
def test_a_wrong_option_is_named(run: Run, arguments: tuple[str, ...]) -> None:
    printed = run(*arguments)

    assert printed.code == 2
    assert arguments[-1 if len(arguments) < 3 else 1] in printed.err


def test_a_bare_install_says_what_is_missing(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "tidings.cli.commands", raising=False)
    monkeypatch.setitem(sys.modules, "typer", None)

    printed = run("serve")

    assert printed.code == 2
    assert printed.err == "tidings: the command line needs the server (typer is missing): pip install 'tidings[server]'\n"


# --- the line that `serve` begins with ---


def test_it_says_where_it_listens_and_what_hooks_may_call() -> None:
    line = describe(Settings(data=Path("/srv/tidings"), allow=("127.0.0.1:*", "10.0.0.0/8")))

    assert line == (
        f"Tidings {__version__} at http://127.0.0.1:8000, data in /srv/tidings/tidings.db; hooks may call public addresses and "
        "127.0.0.1:*, 10.0.0.0/8 (nothing else local); Ctrl-C stops it."
    )


def test_without_an_allow_list_it_says_that_only_public_addresses_are_open() -> None:
    assert "hooks may call public addresses only" in describe(Settings())


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("postgresql://tidings:hunter2@db.example/main", "PostgreSQL (main on db.example)"),
        ("postgresql:///main?host=/run/postgresql&password=hunter2", "PostgreSQL (main)"),
        ("postgresql://tidings:hunter2@[db/main", "PostgreSQL"),
    ],
)
def test_a_databases_password_is_not_in_it(url: str, place: str) -> None:
    line = describe(Settings(database=url))

    assert f"data in {place};" in line
    assert "hunter2" not in line
