"""Secrets at rest, and the key that they are sealed under."""

from __future__ import annotations

import base64
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidings.errors import Invalid, Unavailable
from tidings.store.sealing import KEY_BYTES, Keyring, read_key

KEY = bytes(range(KEY_BYTES))
KEYRING = Keyring(KEY)


@given(secret=st.binary(), purpose=st.text(st.characters(exclude_categories=["Cs"])))
def test_what_was_sealed_opens_for_the_same_purpose(secret: bytes, purpose: str) -> None:
    assert KEYRING.open(KEYRING.seal(secret, purpose), purpose) == secret


def test_no_two_seals_are_alike() -> None:
    assert KEYRING.seal(b"secret", "hook") != KEYRING.seal(b"secret", "hook")


def test_a_seal_opens_for_no_other_purpose_and_under_no_other_key() -> None:
    sealed = KEYRING.seal(b"secret", "hook 1")
    with pytest.raises(Unavailable):
        KEYRING.open(sealed, "hook 2")
    with pytest.raises(Unavailable):
        Keyring(KEY[::-1]).open(sealed, "hook 1")


@given(place=st.integers(0, 200), bit=st.integers(0, 7))
def test_a_seal_that_was_tampered_with_does_not_open(place: int, bit: int) -> None:
    sealed = bytearray(KEYRING.seal(b"secret", "hook"))
    sealed[place % len(sealed)] ^= 1 << bit
    with pytest.raises(Unavailable):
        KEYRING.open(bytes(sealed), "hook")


@given(st.binary(max_size=40))
def test_any_bytes_that_are_no_seal_do_not_open(sealed: bytes) -> None:
    with pytest.raises(Unavailable):
        KEYRING.open(sealed, "hook")


def test_a_keyring_says_nothing_of_its_key() -> None:
    assert repr(KEY) not in repr(KEYRING)
    assert KEY.hex() not in repr(KEYRING)


def test_a_key_that_is_given_is_used_and_no_file_is_made(tmp_path: Path) -> None:
    assert read_key(base64.b64encode(KEY).decode(), tmp_path) == KEY
    assert list(tmp_path.iterdir()) == []


def test_without_one_a_key_is_made_once_readable_by_its_owner_alone(tmp_path: Path) -> None:
    data = tmp_path / "data"
    key = read_key("", data)
    assert len(key) == KEY_BYTES
    assert read_key("", data) == key
    assert [path.name for path in data.iterdir()] == ["key"]
    assert (data / "key").stat().st_mode & 0o777 == 0o600


def test_servers_that_start_at_once_agree_on_one_key(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as threads:
        keys = set(threads.map(lambda _: read_key("", tmp_path), range(32)))
    assert len(keys) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["key"]


@pytest.mark.parametrize("text", ["c2hvcnQ=", "not base64", "ä" * 44, "\ud800", base64.b64encode(KEY + b"x").decode()])
def test_a_key_of_another_form_is_refused_without_repeating_it(text: str, tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="32 bytes") as caught:
        read_key(text, tmp_path)
    assert text not in str(caught.value)
    assert caught.value.__cause__ is None
    with pytest.raises(Invalid):
        Keyring(b"short")


@pytest.mark.parametrize("content", [b"", b"c2hvcnQ=\n", b"\xff\xfe"])
def test_a_key_file_of_another_form_is_refused_and_left_as_it_is(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(content)
    with pytest.raises(Invalid):
        read_key("", tmp_path)
    assert (tmp_path / "key").read_bytes() == content


def test_a_key_file_that_cannot_be_made_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(Unavailable):
        read_key("", tmp_path / "file")
    (tmp_path / "key").mkdir()
    with pytest.raises(Unavailable):
        read_key("", tmp_path)
