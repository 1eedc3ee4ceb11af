"""Statuses, on both engines."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from sqlalchemy import insert

from tests.support.cast import NOW, Cast, gather_cast
from tests.support.databases import AnyDatabase
from tests.support.rights import who_may
from tests.support.told import places_told_of, told_of
from tidings.clock import SECOND
from tidings.errors import Gone, Invalid, NotFound
from tidings.store.database import Tx
from tidings.store.schema import files
from tidings.workspace import comments, statuses
from tidings.workspace.access import Caller
from tidings.workspace.comments import NewComment
from tidings.workspace.statuses import NewStatus, Question, StatusChange
from tidings.workspace.tasks.tasks import TaskParts, create_tasks

LATER = NOW + 60 * SECOND


pytestmark = pytest.mark.furnished(make=gather_cast)


@pytest.fixture
def cast(furniture: Cast) -> Cast:
    return furniture


def post(tx: Tx, caller: Caller, space_id: int, value: str = "Good news", /, **more: Any) -> int:
    return statuses.create_status(tx, caller, space_id, NewStatus(value, **more), now=NOW).status.status_id


def upload(tx: Tx, caller: Caller) -> int:
    values = {"name": "a.txt", "mimetype": "text/plain", "size": 1, "storage_key": "k", "created_by": caller.author, "created_at": NOW}
    return int(tx.execute(insert(files).values(values).returning(files.c.file_id)).scalar_one())


async def types_told(database: AnyDatabase) -> list[str]:
    return [type_ for type_, _, _ in await database.read(told_of, "status")]


async def test_a_status_reads_back_as_it_was_posted(database: AnyDatabase, cast: Cast) -> None:
    new = NewStatus("Which?", "https://example.org/a", Question(" Red or blue? ", ["Red", "Blue"]))
    made = await database.write(statuses.create_status, cast.regular, cast.space_id, new, now=LATER)
    status = made.status
    assert (status.space_id, status.value, status.embed_url) == (cast.space_id, "Which?", "https://example.org/a")
    assert status.question == Question("Red or blue?", ["Red", "Blue"])
    assert (status.created_by, status.created_at) == (cast.regular.author, LATER)
    assert (made.rights, made.files, made.comments) == (("view", "update", "delete"), [], [])
    assert await database.read(statuses.get_status, cast.regular, status.status_id) == made


async def test_members_post_everybody_reads_authors_change_and_admins_delete(database: AnyDatabase, cast: Cast) -> None:
    posting = await who_may(database, cast, lambda tx, who: post(tx, who, cast.space_id))
    assert posting == "ok ok ok 403 403 404 404 403 403 404"
    number = await database.write(post, cast.regular, cast.space_id)
    reading = await who_may(database, cast, lambda tx, who: statuses.get_status(tx, who, number))
    assert reading == "ok ok ok ok 403 404 404 403 403 404"
    changing = await who_may(database, cast, lambda tx, who: statuses.update_status(tx, who, number, StatusChange("New"), now=LATER))
    assert changing == "403 403 ok 403 403 404 404 403 403 404"
    deleting = await who_may(database, cast, lambda tx, who: statuses.delete_status(tx, who, number, now=LATER))
    assert deleting == "ok ok ok 403 403 404 404 403 403 404"


async def test_every_change_of_a_status_is_told_of(database: AnyDatabase, cast: Cast) -> None:
    number = await database.write(post, cast.regular, cast.space_id)
    await database.write(statuses.update_status, cast.regular, number, StatusChange("Better news"), now=LATER)
    await database.write(statuses.delete_status, cast.regular, number, now=LATER, heard=False)
    assert await database.read(told_of, "status") == [
        ("status.create", {"status_id": str(number)}, True),
        ("status.update", {"status_id": str(number)}, True),
        ("status.delete", {"status_id": str(number)}, False),
    ]
    assert await database.read(places_told_of, "status") == {("status", number, None, cast.space_id, cast.regular.author)}


async def test_a_change_that_changes_nothing_is_not_told_of(database: AnyDatabase, cast: Cast) -> None:
    file_id = await database.write(upload, cast.regular)
    number = await database.write(lambda tx: post(tx, cast.regular, cast.space_id, file_ids=[file_id]))
    for change in (StatusChange(), StatusChange("Good news"), StatusChange(embed_url=""), StatusChange(file_ids=[file_id])):
        await database.write(statuses.update_status, cast.regular, number, change, now=LATER)
    assert await types_told(database) == ["status.create"]


async def test_a_change_keeps_what_it_does_not_name(database: AnyDatabase, cast: Cast) -> None:
    more: dict[str, Any] = {"embed_url": "http://a.example/", "question": Question("Why?", ["So"])}
    number = await database.write(lambda tx: post(tx, cast.regular, cast.space_id, **more))
    after = await database.write(statuses.update_status, cast.regular, number, StatusChange("New"), now=LATER)
    assert (after.status.value, after.status.embed_url, after.status.question) == ("New", "http://a.example/", Question("Why?", ["So"]))
    after = await database.write(statuses.update_status, cast.regular, number, StatusChange("", None), now=LATER)
    assert (after.status.value, after.status.embed_url) == ("", None)


async def test_a_status_shows_its_files_and_what_was_said_about_it(database: AnyDatabase, cast: Cast) -> None:
    first, second = [await database.write(upload, cast.regular) for _ in range(2)]
    number = await database.write(lambda tx: post(tx, cast.regular, cast.space_id, "", file_ids=[first]))
    after = await database.write(statuses.update_status, cast.regular, number, StatusChange(file_ids=[second]), now=LATER)
    assert [file.file_id for file in after.files] == [first, second]
    assert await types_told(database) == ["status.create", "status.update"]
    for text in ("Really?", "Really!"):
        await database.write(comments.create_comment, cast.light, "status", number, NewComment(text), now=LATER)
    shown = await database.read(statuses.get_status, cast.light, number)
    assert [view.comment.value for view in shown.comments] == ["Really?", "Really!"]
    assert shown.rights == ("view",)


async def test_a_status_shows_the_tasks_that_hang_on_it(database: AnyDatabase, cast: Cast) -> None:
    number = await database.write(post, cast.regular, cast.space_id)
    parts = TaskParts(text="Tell everybody", ref_type="status", ref_id=number)
    await database.write(create_tasks, cast.regular, parts, now=NOW)
    shown = await database.read(statuses.get_status, cast.light, number)
    assert [view.task.text for view in shown.tasks] == ["Tell everybody"]


async def test_a_deleted_status_is_gone_with_what_was_said_about_it(database: AnyDatabase, cast: Cast) -> None:
    number = await database.write(post, cast.regular, cast.space_id)
    said = await database.write(comments.create_comment, cast.light, "status", number, NewComment("Oh"), now=NOW)
    await database.write(statuses.delete_status, cast.admin, number, now=LATER)
    for reading in (
        database.read(statuses.get_status, cast.regular, number),
        database.read(comments.get_comment, cast.light, said.comment.comment_id),
        database.write(statuses.delete_status, cast.admin, number, now=LATER),
    ):
        with pytest.raises(Gone):
            await reading


async def test_what_cannot_be_posted_is_refused_by_name_and_nothing_is_written(database: AnyDatabase, cast: Cast) -> None:
    wrong: list[tuple[NewStatus, str]] = [
        (NewStatus(" "), "value"),
        (NewStatus("x" * (comments.VALUE_LIMIT + 1)), "value"),
        (NewStatus("x", "ftp://a.example/"), "embed_url"),
        (NewStatus("x", None, Question(" ", ["a"])), "question.text"),
        (NewStatus("x", None, Question("x" * 256, ["a"])), "question.text"),
        (NewStatus("x", None, Question("?", [])), "question.options"),
        (NewStatus("x", None, Question("?", ["a", ""])), "question.options"),
        (NewStatus("x", None, Question("?", ["a"] * 101)), "question.options"),
    ]
    for new, field in wrong:
        with pytest.raises(Invalid) as raised:
            await database.write(statuses.create_status, cast.regular, cast.space_id, new, now=NOW)
        assert (raised.value.parameters["field"], raised.value.description.startswith(field)) == (field, True)
    foreign = await database.write(upload, cast.light)
    with pytest.raises(NotFound):
        await database.write(lambda tx: post(tx, cast.regular, cast.space_id, file_ids=[foreign]))
    assert await types_told(database) == []


async def test_the_events_of_one_status_lie_in_the_order_of_their_commits(database: AnyDatabase, cast: Cast) -> None:
    number = await database.write(post, cast.regular, cast.space_id)
    changes = [database.write(statuses.update_status, cast.regular, number, StatusChange(f"{n}"), now=LATER) for n in range(8)]
    await asyncio.gather(*changes, database.write(statuses.delete_status, cast.admin, number, now=LATER), return_exceptions=True)
    told = await types_told(database)
    assert (told[0], told[-1], told.count("status.delete")) == ("status.create", "status.delete", 1)
