"""Statuses over HTTP, in Podio's shapes (contract section 6.5)."""

from __future__ import annotations

from typing import Any

from tests.support.answers import bob_in, refused
from tests.support.house import Api
from tests.support.told import told_of

READ_BY_CLIENTS = {
    *("status_id", "value", "rich_value", "link", "ratings", "subscribed", "user_ratings", "created_on", "created_by", "created_via"),
    *("embed", "embed_file", "comments", "conversations", "tasks", "shares", "files", "questions", "is_liked", "like_count"),
}


async def test_a_status_is_posted_read_changed_and_deleted(api: Api) -> None:
    question = {"text": "Red or blue?", "options": ["Red", "Blue"]}
    body: dict[str, Any] = {"value": "Which?", "file_ids": [], "embed_id": None, "embed_url": "http://a.example/", "question": question}
    made = await api.post(f"/status/space/{api.people.space_id}/", body)
    status = made.json()
    assert (made.status_code, READ_BY_CLIENTS - set(status)) == (200, set())
    path = f"/status/{status['status_id']}"
    assert (status["value"], status["space_id"], status["link"]) == ("Which?", api.people.space_id, f"http://tidings.test{path}")
    assert (status["created_on"], status["created_by"]["name"]) == ("2026-01-02 03:00:00", "Ada")
    assert (status["embed"]["url"], status["comments"], status["files"]) == ("http://a.example/", [], [])
    options = [{"question_option_id": 1, "text": "Red"}, {"question_option_id": 2, "text": "Blue"}]
    assert status["questions"] == [{"question_id": status["status_id"], "text": "Red or blue?", "options": options, "answers": []}]
    comment = (await api.post(f"/comment/status/{status['status_id']}", {"value": "Red"})).json()
    assert (await api.get(f"{path}/")).json() == {**status, "comments": [comment], "comment_count": 1}
    changed = (await api.put(path, {"value": "Which one?", "embed_url": ""})).json()
    assert (changed["value"], changed["embed"], changed["questions"]) == ("Which one?", None, status["questions"])
    assert (await api.delete(path)).status_code == 204
    refused(await api.get(path), 410)
    told = [(type_, heard) for type_, _, heard in await api.house.database.read(told_of, "status")]
    assert told == [("status.create", True), ("status.update", True), ("status.delete", True)]


async def test_hooks_do_not_hear_of_a_status_posted_without_them(api: Api) -> None:
    made = (await api.post(f"/status/space/{api.people.space_id}?hook=False&silent=true&alert_invite=1", {"value": "Psst"})).json()
    await api.put(f"/status/{made['status_id']}?hook=0", {"value": "Pssst"})
    await api.delete(f"/status/{made['status_id']}?hook=false")
    assert [heard for _, _, heard in await api.house.database.read(told_of, "status")] == [False, False, False]


async def test_bodies_that_make_no_status_are_refused_by_name(api: Api) -> None:
    before, path = await api.written(), f"/status/space/{api.people.space_id}"
    wrong: list[tuple[Any, str]] = [
        ({}, "value"),
        ([], "value"),
        (None, "value"),
        ({"value": ""}, "value"),
        ({"value": ["x"]}, "value"),
        ({"value": "x", "embed_id": 5}, "embed_id"),
        ({"value": "x", "embed_url": "nowhere"}, "embed_url"),
        ({"value": "x", "question": "?"}, "question"),
        ({"value": "x", "question": {"text": "?"}}, "question.options"),
        ({"value": "x", "question": {"text": "?", "options": []}}, "question.options"),
        ({"value": "x", "question": {"text": "?", "options": [5]}}, "question.options[0]"),
    ]
    for body, field in wrong:
        refused(await api.post(path, body), 400, field)
    refused(await api.post("/status/space/999", {"value": "x"}), 404)
    refused(await api.get("/status/999"), 404)
    assert await api.written() == before


async def test_those_who_may_not_are_told_so(api: Api) -> None:
    space = f"/status/space/{api.people.space_id}"
    path = f"/status/{(await api.post(space, {'value': 'x'})).json()['status_id']}"
    refused(await api.post(space, {"value": "x"}, access="bob"), 404)
    refused(await api.get(path, access="bob"), 404)
    refused(await api.get(path, access="app"), 403)
    await bob_in(api, "light")
    refused(await api.post(space, {"value": "x"}, access="bob"), 403)
    refused(await api.put(path, {"value": "y"}, access="bob"), 403)
    refused(await api.delete(path, access="bob"), 403)
    assert (await api.get(path, access="bob")).json()["rights"] == ["view"]
