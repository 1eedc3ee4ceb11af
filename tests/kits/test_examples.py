"""Everything in `examples/`, run as its readers run it, with a real server; and the two programs of the README.

The command that starts an example is the last line of its docstring.
"""

from __future__ import annotations

import ast
import os
import re
import shlex
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.processes import free_port, wait_until
from tidings.cli.seed import Seed
from tidings.client import Client

ROOT = Path(__file__).parent.parent.parent
EXAMPLES = ROOT / "examples"
RECEIVERS = sorted(path.stem for path in EXAMPLES.glob("receive_*.py"))
LONGEST = 39  # lines

Environment = dict[str, str]


@pytest.fixture
def environment(url: str, seed: Seed) -> Environment:
    """What `examples/README.md` says to set."""
    return {
        "TIDINGS_URL": url,
        "CLIENT_ID": seed.client_id,
        "CLIENT_SECRET": seed.client_secret,
        "APP_ID": str(seed.app_id),
        "APP_TOKEN": seed.app_token,
        "FIELD_ID": str(seed.fields["title"]),
    }


def command(example: str, *, port: int = 0) -> list[str]:
    """How `example` says it is started, on another port."""
    docstring = ast.get_docstring(ast.parse((EXAMPLES / f"{example}.py").read_text()))
    assert docstring is not None
    program, *arguments = shlex.split(docstring.splitlines()[-1].replace("9000", str(port)))
    noreload = ["--noreload"] if "runserver" in arguments else []  # else it starts a child, which would outlive it
    return [
        str(Path(sys.executable).with_name(program)),
        *(word.replace(f"{example}.py", str(EXAMPLES / f"{example}.py")) for word in arguments),
        *noreload,
    ]


def around(environment: Environment) -> Environment:
    return {**os.environ, "PYTHONPATH": str(EXAMPLES), "PYTHONUNBUFFERED": "1", **environment}


def run(example: str, environment: Environment) -> list[str]:
    """Run it to its end; the lines that it prints."""
    ended = subprocess.run(command(example), env=around(environment), check=True, capture_output=True, text=True)
    return ended.stdout.splitlines()


class Running:
    """A program that listens at a port, and what it prints."""

    def __init__(self, arguments: list[str], environment: Environment, port: int, folder: Path) -> None:
        self._printed = folder / "printed.log"
        self._port = port
        with self._printed.open("wb") as output:
            self.child = subprocess.Popen(arguments, env=around(environment), cwd=folder, stdout=output, stderr=output)

    @property
    def output(self) -> str:
        return self._printed.read_text()

    def heard(self) -> list[str]:
        """What the functions of its receiver have printed."""
        return [line for line in self.output.splitlines() if line.startswith("item.")]

    def is_up(self) -> bool:
        assert self.child.poll() is None, self.output
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self._port)) == 0


@contextmanager
def running(arguments: list[str], environment: Environment, port: int, folder: Path) -> Iterator[Running]:
    program = Running(arguments, environment, port, folder)
    try:
        wait_until(program.is_up, seconds=20, step=0.05)
        yield program
    except AssertionError as error:
        error.add_note(program.output)
        raise
    finally:
        program.child.kill()
        program.child.wait()


@pytest.mark.parametrize("example", RECEIVERS)
def test_hooks_are_made_verified_by_hand_listed_and_heard(
    example: str, environment: Environment, client: Client, seed: Seed, tmp_path: Path
) -> None:
    port = free_port()
    environment["HOOK_URL"] = f"http://127.0.0.1:{port}/hooks"
    told = dict(line.removeprefix("export ").split("=", 1) for line in run("create_hooks", environment))
    assert told.keys() == {"HOOK_IDS", "HOOK_SECRETS"}
    environment |= told

    with running(command(example, port=port), environment, port, tmp_path) as receiver:
        assert len(run("verify_hooks", environment)) == 3
        wait_until(lambda: [line.split()[1] for line in run("list_hooks", environment)] == ["active"] * 3)
        item = client.items.create(seed.app_id, {"title": "Ship it", "status": "New"})
        wait_until(lambda: len(receiver.heard()) == 1)
        client.items.update(item["item_id"], {"status": "Done"})  # the hook is on the title alone
        client.items.update(item["item_id"], {"title": "Shipped"})
        wait_until(lambda: len(receiver.heard()) == 2)
        client.items.delete(item["item_id"])
        wait_until(lambda: len(receiver.heard()) == 3)

    assert receiver.heard() == ["item.create Ship it", "item.update Shipped", f"item.delete {item['item_id']}"]
    assert "Traceback" not in receiver.output


@pytest.mark.parametrize("example", [path.stem for path in EXAMPLES.glob("*.py")])
def test_an_example_fits_on_a_screen_and_stands_in_the_table_of_contents(example: str) -> None:
    assert len((EXAMPLES / f"{example}.py").read_text().splitlines()) <= LONGEST
    assert f"({example}.py)" in (EXAMPLES / "README.md").read_text()


def test_the_two_programs_of_the_readme_do_what_it_says(url: str, client: Client, seed: Seed, tmp_path: Path) -> None:
    port = free_port()
    real = {
        "http://127.0.0.1:8000": url,
        "http://127.0.0.1:9000": f"http://127.0.0.1:{port}",
        "CLIENT_ID": seed.client_id,
        "CLIENT_SECRET": seed.client_secret,
        "APP_TOKEN": seed.app_token,
    }
    send, receive = readme_blocks(real)
    hook_id, secret = run_program(send).split()
    (tmp_path / "receive.py").write_text(receive.replace("expect=[1]", f"expect=[{hook_id}]").replace("whsec_...", secret))
    uvicorn = [str(Path(sys.executable).with_name("uvicorn")), "receive:app", "--port", str(port)]

    with running(uvicorn, {"PYTHONPATH": str(tmp_path)}, port, tmp_path) as receiver:
        assert run_program(send).split() == [hook_id, "None"]  # has its code sent again
        wait_until(lambda: client.hooks.list("app", seed.app_id)[0]["status"] == "active")
        run_program(send)
        wait_until(lambda: "Ship it" in receiver.output.splitlines())


def readme_blocks(real: dict[str, str]) -> list[str]:
    """The README's Python, with what is `real` in place of what stands there for it; its app is 1, as the seed's."""
    text = (ROOT / "README.md").read_text()
    for shown, there in real.items():
        text = text.replace(shown, there)
    blocks = re.findall(r"^```python\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    assert all(len([line for line in block.splitlines() if line]) <= 10 for block in blocks)
    return blocks


def run_program(program: str) -> str:
    return subprocess.run([sys.executable, "-c", program], env=around({}), check=True, capture_output=True, text=True).stdout
