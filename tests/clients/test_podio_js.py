"""podio-js 1.6.1, unchanged, through the whole life of a hook (contract sections 4.5 and 5.3)."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.processes import Seeded

HERE = Path(__file__).parent / "podio_js"
NODE = Path(sys.executable).with_name("node")
SECONDS = 40


@pytest.fixture(scope="module")
def seen(seeded: Seeded) -> dict[str, Any]:
    """What the tour saw."""
    command = [str(NODE), str(HERE / "tour.js"), json.dumps(dataclasses.asdict(seeded))]
    tour = subprocess.run(command, check=False, capture_output=True, text=True, timeout=SECONDS)
    assert tour.returncode == 0, tour.stderr
    answer: dict[str, Any] = json.loads(tour.stdout)
    return answer


def forms(seen: dict[str, Any], type: str) -> list[dict[str, str]]:
    return [each["form"] for each in seen["deliveries"] if each["form"]["type"] == type]


def test_it_logs_in_as_the_app(seen: dict[str, Any], seeded: Seeded) -> None:
    assert seen["ref"] == {"type": "app", "id": seeded.app_id}


def test_its_hooks_become_active_from_inside_their_own_handler(seen: dict[str, Any]) -> None:
    assert [(hook["status"], hook["type"]) for hook in seen["hooks"]] == [
        ("active", "item.create"),
        ("active", "item.update"),
        ("active", "item.delete"),
    ]
    # Three on creation, and one that was asked for, unless its hook was active by then.
    assert len(forms(seen, "hook.verify")) in (3, 4)


def test_each_change_is_delivered_as_a_form_with_the_query_moved_into_it(seen: dict[str, Any]) -> None:
    hook_ids = {hook["type"]: str(hook["hook_id"]) for hook in seen["hooks"]}
    item_id = str(seen["item"]["item_id"])
    for revision, type in enumerate(hook_ids):
        expected = {
            "item_id": item_id, "item_revision_id": str(revision), "external_id": "js-1",
            "type": type, "hook_id": hook_ids[type], "key": "k",
        }  # fmt: skip
        assert forms(seen, type) == [expected]
    assert {(each["type"], each["target"]) for each in seen["deliveries"]} == {("application/x-www-form-urlencoded", "/in")}


def test_items_come_back_as_it_reads_them(seen: dict[str, Any]) -> None:
    assert seen["updated"] == {"revision": 1, "title": "From podio-js"}
    assert {field["external_id"]: field["values"][0]["value"] for field in seen["item"]["fields"]}.keys() == {"title", "status"}
    assert (seen["filtered"]["total"], seen["filtered"]["filtered"]) == (1, 1)


def test_each_error_is_of_the_class_that_it_knows(seen: dict[str, Any]) -> None:
    assert seen["errors"] == {
        "conflict": {"name": "PodioConflictError", "status": 409, "error": "conflict"},
        "gone": {"name": "PodioGoneError", "status": 410, "error": "gone"},
        "not found": {"name": "PodioNotFoundError", "status": 404, "error": "not_found"},
        "no such path": {"name": "PodioNotFoundError", "status": 404, "error": "not_found"},
        "invalid": {"name": "PodioBadRequestError", "status": 400, "error": "invalid_value"},
        "wrong code": {"name": "PodioBadRequestError", "status": 400, "error": "invalid_value"},
        "forbidden": {"name": "PodioForbiddenError", "status": 403, "error": "forbidden"},
    }


def test_a_dead_token_is_refreshed_without_a_word(seen: dict[str, Any], seeded: Seeded) -> None:
    assert (seen["afterRefresh"], seen["rotated"]) == (seeded.app_id, True)


def test_deleted_hooks_are_gone(seen: dict[str, Any]) -> None:
    assert seen["hooksLeft"] == []
