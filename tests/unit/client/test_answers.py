"""What a server says becomes a value or the error that it meant."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidings import errors
from tidings.client.answers import read_answer
from tidings.client.exchange import Answer
from tidings.errors import TidingsError
from tidings.wire.podio import error_envelope


def refusal(status: int, error: str, description: str = "why", **more: object) -> Answer:
    envelope = error_envelope(
        error=error, description=description, detail=None, parameters={}, path="/item/1", query_string="", method="GET"
    )
    return Answer(status, json.dumps(envelope | more).encode())


@pytest.mark.parametrize("status", [200, 201, 204])
def test_an_answer_without_a_body_is_none(status: int) -> None:
    assert read_answer(Answer(status, b"")) is None


def test_an_answer_is_its_json() -> None:
    assert read_answer(Answer(200, b'{"hook_id": 7}')) == {"hook_id": 7}


@pytest.mark.parametrize("kind", TidingsError.__subclasses__())
def test_every_error_of_the_server_arrives_as_itself(kind: type[TidingsError]) -> None:
    with pytest.raises(kind) as caught:
        read_answer(refusal(499, kind.code, "the sentence", error_detail="x.y", error_parameters={"field": "url"}))

    assert type(caught.value) is kind
    assert (caught.value.description, caught.value.detail, caught.value.parameters) == ("the sentence", "x.y", {"field": "url"})
    assert caught.value.status == 499


def test_an_error_says_all_that_the_answer_said() -> None:
    body = json.dumps({"error": "requestable_forbidden", "error_description": "Ask for it"}).encode()
    with pytest.raises(errors.Forbidden, match="Ask for it") as caught:
        read_answer(Answer(403, body, {"x-podio-request-id": "r-7"}))

    assert (caught.value.status, caught.value.code, caught.value.request_id) == (403, "requestable_forbidden", "r-7")
    assert errors.Forbidden.code == "forbidden"


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, errors.Invalid),
        (401, errors.Unauthorized),
        (403, errors.Forbidden),
        (404, errors.NotFound),
        (409, errors.Conflict),
        (410, errors.Gone),
        (420, errors.RateLimited),
        (429, errors.RateLimited),
        (503, errors.Unavailable),
        (504, errors.Unavailable),
        (402, errors.PaymentRequired),
        (406, errors.NotAcceptable),
        (418, errors.Invalid),
        (500, errors.ServerFailed),
        (502, errors.Unavailable),
        (599, errors.ServerFailed),
        (302, TidingsError),
    ],
)
@pytest.mark.parametrize("body", [b"", b"<html>Bad gateway</html>", b"[]", b'{"error": "a word that nobody knows"}'])
def test_without_a_word_that_we_know_the_status_decides(status: int, kind: type[TidingsError], body: bytes) -> None:
    with pytest.raises(TidingsError) as caught:
        read_answer(Answer(status, body))

    assert type(caught.value) is kind
    assert caught.value.description == f"HTTP {status}"


def test_the_word_says_more_than_the_status() -> None:
    with pytest.raises(errors.NotFound):
        read_answer(refusal(400, "not_found", "Invalid reference"))  # contract section 5.2


@pytest.mark.parametrize("body", [b"<html>", b"\xff", b"[" * 100_000])
def test_a_success_that_is_no_json_is_an_error_of_ours(body: bytes) -> None:
    with pytest.raises(TidingsError, match="not JSON"):
        read_answer(Answer(200, body))


@given(status=st.integers(100, 599), body=st.binary(max_size=100))
def test_any_answer_is_a_value_or_an_error_of_ours(status: int, body: bytes) -> None:
    try:
        read_answer(Answer(status, body))
    except TidingsError:
        return
    assert 200 <= status <= 299


def test_an_answer_does_not_show_its_body() -> None:
    assert "hunter2" not in repr(Answer(200, b'{"access_token": "hunter2"}'))
