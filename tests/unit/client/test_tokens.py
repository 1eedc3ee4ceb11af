"""Where tokens are kept."""

from __future__ import annotations

import json
import stat
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tidings.client.token_files import FileStore
from tidings.client.tokens import MemoryStore, Tokens, read_tokens
from tidings.errors import Invalid, TidingsError

NAMES = st.sampled_from(["access_token", "refresh_token", "scope", "ref", "ref_type", "type", "id"]) | st.text(max_size=5)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=5),
    max_leaves=8,
)
PAIR = Tokens("T1", "R1", "global:all", "app", 5)


def test_what_is_saved_is_loaded(tmp_path: Path) -> None:
    for store in (MemoryStore(), FileStore(tmp_path / "tokens.json")):
        assert store.load() is None
        store.save(PAIR)
        assert store.load() == PAIR


def test_the_file_is_its_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "tokens.json"
    path.write_text("{}")
    path.chmod(0o644)

    FileStore(path).save(PAIR)

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [each.name for each in tmp_path.iterdir()] == ["tokens.json"]


def test_a_second_store_on_the_file_sees_what_the_first_saved(tmp_path: Path) -> None:
    first, second = FileStore(tmp_path / "t"), FileStore(str(tmp_path / "t"))
    first.save(PAIR)
    first.save(Tokens("T2"))

    assert second.load() == Tokens("T2")


@pytest.mark.parametrize(
    "held", [b"", b"null", b"[]", b"\xff", b"{}", b'{"access_token": ""}', b'{"access_token": "T", "more": 1}', b"[" * 99_999]
)
def test_a_file_that_holds_no_tokens_counts_as_none(tmp_path: Path, held: bytes) -> None:
    (tmp_path / "t").write_bytes(held)

    assert FileStore(tmp_path / "t").load() is None


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=60) | JSON.map(lambda value: json.dumps(value).encode()))
def test_a_file_with_any_bytes_holds_tokens_or_none(tmp_path: Path, held: bytes) -> None:
    (tmp_path / "t").write_bytes(held)

    assert isinstance(FileStore(tmp_path / "t").load(), Tokens | None)


@given(JSON)
def test_any_answer_is_tokens_or_an_error_of_ours(answer: object) -> None:
    with suppress(TidingsError):
        assert read_tokens(answer).access_token


@pytest.mark.parametrize("token", ["", "a b", "a\r\nX: 1", "é", "\x7f"])
def test_what_no_header_can_hold_is_no_token(token: str) -> None:
    with pytest.raises(Invalid):
        Tokens(token)


def test_no_token_is_in_a_repr(tmp_path: Path) -> None:
    assert "T1" not in repr(PAIR)
    assert "R1" not in repr(PAIR)


def test_an_answer_is_read_as_far_as_it_goes() -> None:
    assert read_tokens({"access_token": "T", "refresh_token": None, "ref": None, "scope": 7}) == Tokens("T")
    assert read_tokens({"access_token": "T1", "refresh_token": "R1", "scope": "global:all", "ref": {"type": "app", "id": 5}}) == PAIR


@pytest.mark.parametrize(
    "answer", [None, [], {}, "T", {"access_token": None}, {"access_token": "a b"}, {"access_token": "T", "refresh_token": "\n"}]
)
def test_an_answer_without_a_usable_token_is_an_error(answer: object) -> None:
    with pytest.raises(TidingsError, match="no access token"):
        read_tokens(answer)
