"""The documents keep step with what they tell of."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tidings import __version__

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
RECORDS = sorted((ROOT / "docs" / "adr").glob("*.md"))
TARGETS = set(re.findall(r"^([a-z]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE))


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_link_to_a_file_leads_somewhere(document: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)", document.read_text())
    missing = [link for link in links if "://" not in link and not (document.parent / link).exists()]
    assert missing == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_test_that_is_named_exists(document: Path) -> None:
    named = re.findall(r"\]\(([^)#\s]+\.py)#(test_\w+)\)", document.read_text())
    missing = [
        name for file, name in named if not re.search(rf"^(async )?def {name}\(", (document.parent / file).read_text(), re.MULTILINE)
    ]
    assert missing == []


def test_every_line_of_the_wire_names_the_tests_that_show_it() -> None:
    lines = (ROOT / "docs" / "wire.md").read_text().splitlines()
    shown = False
    for line in lines:
        shown = line.endswith("| shown |") or (shown and line.startswith("|"))
        if shown and not line.endswith("| shown |") and set(line) - set("|- "):
            assert re.search(r"\.py#test_\w+\)[^|]*\|$", line), line


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_make_target_that_is_named_exists(document: Path) -> None:
    assert set(re.findall(r"`make ([a-z]+)", document.read_text())) <= TARGETS


def test_every_make_target_is_explained() -> None:
    explained = set(re.findall(r"^\| `make ([a-z]+)` \|", (ROOT / "CONTRIBUTING.md").read_text(), re.MULTILINE))
    assert explained == TARGETS - {"help"}


def test_every_folder_of_tests_is_explained() -> None:
    explained = set(re.findall(r"^\| `tests/(\w+)` \|", (ROOT / "CONTRIBUTING.md").read_text(), re.MULTILINE))
    assert explained == {path.name for path in (ROOT / "tests").iterdir() if path.is_dir() and any(path.glob("*.py"))}


def test_decisions_are_numbered_without_gaps() -> None:
    assert [record.name[:5] for record in RECORDS] == [f"{number:04}-" for number in range(1, len(RECORDS) + 1)]


@pytest.mark.parametrize("record", RECORDS, ids=lambda path: path.stem)
def test_a_decision_says_when_why_what_and_what_else(record: Path) -> None:
    text = record.read_text()
    assert text.startswith(f"# {record.name[:4]}: ")
    assert re.search(r"^20\d\d-\d\d-\d\d\. \w+", text, re.MULTILINE)
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == ["Context", "Decision", "Consequences", "Alternatives"]


def test_a_decision_that_the_source_names_exists() -> None:
    sources = (ROOT / "src").rglob("*.py")
    named = {number for source in sources for number in re.findall(r"\bADR (\d{4})\b", source.read_text())}
    assert named <= {record.name[:4] for record in RECORDS}


def test_the_changelog_has_a_place_for_what_comes_and_tells_of_this_version_once_it_is_out() -> None:
    headings = re.findall(r"^## \[(.+?)\]", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert headings[0] == "Unreleased"
    assert len(headings) == 1 or headings[1] == __version__


@pytest.mark.parametrize("lock", sorted((ROOT / "requirements").glob("*.lock")), ids=lambda path: path.name)
def test_a_lock_file_pins_by_hash_and_names_no_index(lock: Path) -> None:
    text = lock.read_text()
    pinned = re.findall(r"^[a-z0-9][^\s=]*==\S+", text, re.MULTILINE)
    assert pinned
    assert text.count("\\\n    --hash=sha256:") >= len(pinned)
    assert "://" not in text
    assert "index" not in re.sub(r"--no-emit-index-url", "", text)
