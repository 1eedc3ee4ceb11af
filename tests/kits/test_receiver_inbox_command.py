"""`tidings inbox`: what failed, as the person who runs a receiver sees it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.processes import wait_until
from tidings.cli import inboxes
from tidings.errors import Invalid, NotFound, Unavailable
from tidings.receiver import Event, Receiver
from tidings.receiver.inbox import Inbox
from tidings.receiver.testing import SECRET, deliver_to


@pytest.fixture
def file(tmp_path: Path) -> str:
    """An inbox in which two messages, `a` and `b`, have failed."""
    inbox = Inbox(tmp_path / "inbox.db", retries=())
    receiver = Receiver(secret=SECRET, inbox=inbox)

    @receiver.on("*")
    def fail(event: Event) -> None:
        raise RuntimeError("no such customer")

    for name in "ab":
        deliver_to(receiver, "item.create", message_id=name, external_id="private")
    wait_until(lambda: inbox.counts()["failed"] == 2)
    receiver.stop()
    return str(tmp_path / "inbox.db")


def test_what_failed_is_listed_with_its_reason_and_without_what_it_said(file: str, capsys: pytest.CaptureFixture[str]) -> None:
    inboxes.print_messages(file, "failed", limit=100, as_json=True)
    listed = json.loads(capsys.readouterr().out)
    inboxes.print_messages(file, "failed", limit=1, as_json=False)
    told = capsys.readouterr().out

    assert [(message["id"], message["type"], message["error"]) for message in listed] == [
        ("a", "item.create", "RuntimeError: no such customer"),
        ("b", "item.create", "RuntimeError: no such customer"),
    ]
    assert told.splitlines()[0].startswith("id a, type item.create, hook_id 7, attempts 1")
    assert told.splitlines()[1] == "0 pending, 0 done, 2 failed, 0 dropped"
    assert "private" not in told


def test_it_is_tried_again_or_dropped(file: str, capsys: pytest.CaptureFixture[str]) -> None:
    inboxes.retry(file, ["a"])
    inboxes.drop(file, [], every=True)
    inboxes.retry(file, [])

    assert capsys.readouterr().out.splitlines() == ["1 to be tried again", "1 dropped", "0 to be tried again"]
    inbox = Inbox(file)
    assert inbox.counts() == {"pending": 1, "done": 0, "failed": 0, "dropped": 1}
    inbox.close()


def test_what_cannot_be_is_refused_and_makes_no_file(file: str, tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no inbox"):
        inboxes.retry(str(tmp_path / "other.db"), [])
    with pytest.raises(Invalid, match="--all"):
        inboxes.drop(file, [], every=False)
    with pytest.raises(Invalid, match="pending"):
        inboxes.print_messages(file, "lost", limit=1, as_json=False)
    (tmp_path / "text").write_text("no database, but long enough to be taken for one" * 10)
    with pytest.raises(Unavailable, match="DatabaseError"):
        inboxes.retry(str(tmp_path / "text"), [])
    assert not (tmp_path / "other.db").exists()


def test_it_is_a_command(file: str) -> None:
    told = subprocess.run([sys.executable, "-m", "tidings", "inbox", "list", file], capture_output=True, text=True, check=True)

    assert "no such customer" in told.stdout
