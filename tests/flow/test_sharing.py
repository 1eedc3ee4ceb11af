"""Unit tests on several cores (tests/support/sharing.py): what the other processes tell is told, and whoever breaks off is noticed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

CONFTEST = """
from tests.support.sharing import share_tests

def pytest_runtestloop(session):
    share_tests(session, 2)
    return True
"""
MANY = "import os, pytest\n@pytest.mark.parametrize('n', range(9))\ndef test_many(n):\n    pass\n"


def run(folder: Path, few: str, *options: str) -> subprocess.CompletedProcess[str]:
    """Run two files of tests in two processes: nine that pass, and fewer, which the other process gets."""
    (folder / "conftest.py").write_text(CONFTEST)
    (folder / "test_many.py").write_text(MANY)
    (folder / "test_few.py").write_text(few)
    words = [sys.executable, "-m", "pytest", "--rootdir", str(folder), "-p", "no:cacheprovider", "-c", "/dev/null", *options, str(folder)]
    return subprocess.run(words, capture_output=True, text=True, check=False, timeout=50, cwd=Path(__file__).parents[2])


FEW = """
import pytest

@pytest.fixture
def broken():
    yield
    raise OSError("at the end")

def test_that_fails():
    print("what it printed")
    assert 6 * 7 == 41

def test_that_passes(broken):
    pass
"""


def test_what_happened_elsewhere_is_shown(tmp_path: Path) -> None:
    ended = run(tmp_path, FEW, "-v")
    assert "1 failed, 10 passed, 1 error" in ended.stdout
    assert ended.stdout.count("PASSED") == 10
    for shown in ("assert (6 * 7) == 41", "what it printed", "OSError: at the end"):
        assert shown in ended.stdout
    assert ended.returncode == pytest.ExitCode.TESTS_FAILED


def test_a_process_that_breaks_off_fails_the_run(tmp_path: Path) -> None:
    ended = run(tmp_path, "import os\ndef test_few():\n    os.kill(os.getpid(), 9)\n")
    assert "a process that ran a share of the tests ended with -9" in ended.stdout
    assert ended.returncode == pytest.ExitCode.INTERRUPTED
