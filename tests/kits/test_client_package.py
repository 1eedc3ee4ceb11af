"""What one gets with `pip install tidings`: quick to import, nothing of the server, and types that two checkers agree on."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import tidings

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
IMPORT_LIMIT = 0.050  # seconds

MEASURE = """
import json, sys, time
begun = time.perf_counter()
{statement}
print(json.dumps([time.perf_counter() - begun, sorted(sys.modules)]))
"""


def imported(statement: str, *, path: str | None = None, runs: int = 1) -> tuple[float, list[str]]:
    """Seconds that it takes, in an interpreter of its own (the best of so many), and the modules that are there then."""
    environment = {**os.environ, **({} if path is None else {"PYTHONPATH": path})}
    flags = ["-S"] if path is not None else []
    command = [sys.executable, *flags, "-c", MEASURE.format(statement=statement)]
    told = [json.loads(subprocess.run(command, env=environment, check=True, capture_output=True).stdout) for _ in range(runs)]
    return min(seconds for seconds, _ in told), told[0][1]


def test_to_import_tidings_takes_less_than_50_milliseconds() -> None:
    seconds, modules = imported("import tidings", runs=5)

    assert seconds < IMPORT_LIMIT
    assert [name for name in modules if name.startswith("tidings")] == ["tidings"]


@pytest.mark.parametrize("name", ["Client", "AsyncClient"])
def test_a_client_loads_nothing_of_the_server_and_nothing_that_is_not_pythons(name: str) -> None:
    package = Path(tidings.__file__).parent.parent
    _, modules = imported(f"from tidings import {name}; {name}('http://127.0.0.1:1').items", path=str(package))  # no site-packages

    ours = {".".join(module.split(".")[:2]) for module in modules if module.startswith("tidings.")}
    assert ours == {"tidings.client", "tidings.errors", "tidings.wire"}
    assert {module.split(".")[0] for module in modules} <= {"tidings", "__main__", *sys.stdlib_module_names} | {"sitecustomize"}
    assert ("asyncio" in modules) is (name == "AsyncClient")


def test_to_import_a_client_loads_nothing_that_only_its_use_needs() -> None:
    _, modules = imported("from tidings import Client; Client('http://127.0.0.1:1')")

    assert not {"asyncio", "hashlib", "socket", "ssl", "tidings.client.objects", "tidings.client.nouns.items"} & {*modules}


def test_a_client_says_what_nouns_it_has_and_has_no_others() -> None:
    client = tidings.Client("http://127.0.0.1:1")

    assert {"apps", "hooks", "items", "users"} <= {*dir(client)}
    assert client.items is client.items
    with pytest.raises(AttributeError, match="no attribute 'itemz'"):
        client.itemz  # type: ignore[attr-defined]  # noqa: B018  to ask for it is the test


def test_what_a_module_does_not_have_it_says_so() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Cliant'"):
        tidings.Cliant  # type: ignore[attr-defined]  # noqa: B018  to ask for it is the test


def test_it_says_that_it_has_types() -> None:
    assert (Path(tidings.__file__).parent / "py.typed").exists()


def test_pyright_knows_what_mypy_knows(tmp_path: Path) -> None:
    """`make check` runs mypy over the same examples."""
    checker = Path(sys.executable).with_name("basedpyright")
    settings = {
        "include": [os.path.relpath(HERE / "typing_examples.py", tmp_path)],
        "extraPaths": [str(ROOT / "src"), str(ROOT)],
        "typeCheckingMode": "strict",
        "reportUnnecessaryTypeIgnoreComment": "error",
        "enableTypeIgnoreComments": True,
        "pythonVersion": "3.11",
    }
    (tmp_path / "pyrightconfig.json").write_text(json.dumps(settings))

    run = subprocess.run([checker, "-p", str(tmp_path), "--outputjson"], check=False, capture_output=True)

    report = json.loads(run.stdout)
    assert report["summary"]["filesAnalyzed"] == 1
    assert report["generalDiagnostics"] == []
