"""Every error has its status and Podio's envelope (contract section 5), and says nothing that it should not."""

from __future__ import annotations

import sqlite3
from collections.abc import Awaitable, Callable

import pytest
from structlog.testing import capture_logs

from tests.support.databases import AnyDatabase
from tests.support.house import open_api
from tidings import errors
from tidings.api.call import Call
from tidings.api.errors import STATUS, without_secrets
from tidings.api.routes import Row


def raising(error: Exception) -> Callable[[Call], Awaitable[object]]:
    async def operation(_call: Call) -> object:
        raise error

    return operation


def every_error(root: type[errors.TidingsError] = errors.TidingsError) -> list[type[errors.TidingsError]]:
    return [root, *(each for child in root.__subclasses__() for each in every_error(child))]


def test_every_error_has_a_status() -> None:
    assert set(every_error()) - set(STATUS) == {errors.TidingsError}


async def test_every_error_comes_in_podios_envelope(database: AnyDatabase, subtests: pytest.Subtests) -> None:
    rows = [
        Row("GET", f"/{kind.__name__}", raising(kind("A sentence", detail="a.detail", parameters={"field": "x"})), open=True)
        for kind in every_error()
    ]
    async with open_api(database, rows=rows) as api:
        for kind in every_error():
            with subtests.test(kind=kind.__name__):
                answer = await api.get(f"/{kind.__name__}?a=1&oauth_token=secret")
                assert answer.status_code == STATUS.get(kind, 500)
                assert answer.headers["content-type"] == "application/json"
                assert answer.json() == {
                    "error": kind.code,
                    "error_detail": "a.detail",
                    "error_description": "A sentence",
                    "error_parameters": {"field": "x"},
                    "error_propagate": False,
                    "request": {"url": f"/{kind.__name__}", "query_string": "a=1&oauth_token=***", "method": "GET"},
                }


async def test_an_error_without_a_sentence_has_its_kinds_own(database: AnyDatabase) -> None:
    async with open_api(database, rows=[Row("GET", "/x", raising(errors.NotFound()), open=True)]) as api:
        answer = (await api.get("/x")).json()
    assert (answer["error_description"], answer["error_detail"], answer["error_parameters"]) == ("Object not found", None, {})


async def test_a_defect_is_a_500_that_says_nothing_and_a_log_line_without_secrets(database: AnyDatabase) -> None:
    async def broken(call: Call) -> object:
        raise RuntimeError(f"cannot cope with {call.raw_body!r} of {call.request.headers['authorization']}")

    async with open_api(database, rows=[Row("POST", "/x/{id:int}", broken)]) as api:
        with capture_logs() as lines:
            answer = await api.post("/x/7?code=c0de", {"password": "hunter2"})
        access = api.people.ada_access
    assert answer.status_code == 500
    assert answer.json()["error"] == "unexpected"
    assert "RuntimeError" not in answer.text
    [line] = [line for line in lines if line["event"] == "defect"]
    assert (line["event"], line["log_level"], line["error"], line["path"]) == ("defect", "error", "RuntimeError", "/x/7")
    assert any("broken" in frame for frame in line["frames"])
    assert not any(secret in str(line) + answer.text for secret in ("hunter2", "c0de", access))


async def test_what_the_database_cannot_do_is_a_503_and_a_log_line(database: AnyDatabase) -> None:
    async def full(call: Call) -> object:
        def fail(_tx: object) -> None:
            raise errors.Unavailable("the disk is full") from sqlite3.OperationalError()

        return await call.write(fail)

    async with open_api(database, rows=[Row("POST", "/x", full, open=True)]) as api:
        with capture_logs() as lines:
            answer = await api.post("/x")
    assert (answer.status_code, answer.json()["error"]) == (503, "unavailable")
    assert int(answer.headers["retry-after"]) > 0
    assert [line["why"] for line in lines if line["event"] == "unavailable"] == ["the disk is full"]


async def test_an_answer_that_cannot_be_written_as_json_is_a_500(database: AnyDatabase) -> None:
    async def odd(_call: Call) -> object:
        return {"a": "\ud800"}

    async with open_api(database, rows=[Row("GET", "/x", odd, open=True)]) as api:
        assert (await api.get("/x")).status_code == 500


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("", ""),
        ("a=1", "a=1"),
        ("oauth_token=s", "oauth_token=***"),
        ("a=1&OAuth_Token=s&b", "a=1&OAuth_Token=***&b"),
        ("%6fauth_token=s", "%6fauth_token=***"),
        ("client_secret=s=t&code", "client_secret=***&code***"),
        ("password=s;x", "password=***"),
    ],
)
def test_the_values_of_secret_parameters_are_not_repeated(query: str, said: str) -> None:
    assert without_secrets(query) == said
