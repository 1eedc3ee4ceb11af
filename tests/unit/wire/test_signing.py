"""Signatures, checked by the packages that others check them with, in both directions; then every way to be wrong."""

from __future__ import annotations

import base64
from contextlib import suppress
from datetime import UTC, datetime

import pytest
import standardwebhooks
from hypothesis import given
from hypothesis import strategies as st

from tidings.wire.signing import SECRET_BYTES, SIGNATURES_READ, SignatureError, check, new_secret, secret_key, sign

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
KEY = secret_key(SECRET)
NOW = 1_767_323_045
BODY = b"item_id=1&item_revision_id=0&external_id=&type=item.create&hook_id=2"
Webhook = standardwebhooks.Webhook  # which is what Svix's own has inside: see tests/flow/test_engine.py


def headers(message_id: str, timestamp: int, signature: str) -> dict[str, str]:
    return {"webhook-id": message_id, "webhook-timestamp": str(timestamp), "webhook-signature": signature}


def checked(
    *,
    keys: list[bytes] | None = None,
    message_id: str = "msg_1",
    timestamp: str = str(NOW),
    signatures: str | None = None,
    body: bytes = BODY,
    now: float = NOW,
) -> None:
    """Check a message that is right but for what is given."""
    right = sign(KEY, "msg_1", NOW, BODY)
    check(
        [KEY] if keys is None else keys,
        message_id=message_id,
        timestamp=timestamp,
        signatures=right if signatures is None else signatures,
        body=body,
        now=now,
    )


# --- with the packages of others ------------------------------------------------------------------------------------


def test_what_we_sign_they_accept() -> None:
    now = int(datetime.now(UTC).timestamp())  # theirs reads the clock itself
    Webhook(SECRET).verify(BODY, headers("msg_1", now, sign(KEY, "msg_1", now, BODY)), json_parse=False)


def test_what_we_signed_for_another_body_they_refuse() -> None:
    now = int(datetime.now(UTC).timestamp())
    with pytest.raises(standardwebhooks.WebhookVerificationError):
        Webhook(SECRET).verify(BODY + b"0", headers("msg_1", now, sign(KEY, "msg_1", now, BODY)), json_parse=False)


@given(message_id=st.text(max_size=50), timestamp=st.integers(0, 10**10), body=st.text())
def test_they_and_we_sign_alike(message_id: str, timestamp: int, body: str) -> None:
    try:
        theirs = Webhook(SECRET).sign(message_id, datetime.fromtimestamp(timestamp, UTC), body)
    except UnicodeEncodeError:
        return  # half a character: nobody can send it
    assert sign(KEY, message_id, timestamp, body.encode()) == theirs
    check([KEY], message_id=message_id, timestamp=str(timestamp), signatures=theirs, body=body.encode(), now=timestamp)


# --- secrets --------------------------------------------------------------------------------------------------------


def test_a_new_secret_is_one_that_they_can_read_and_no_two_are_alike() -> None:
    secret = new_secret()
    assert secret.startswith("whsec_")
    assert len(secret_key(secret)) == SECRET_BYTES
    assert standardwebhooks.Webhook(secret)._whsecret == secret_key(secret)
    assert new_secret() != secret


@given(st.binary(min_size=1))
def test_a_secret_may_come_without_its_prefix_or_its_padding(key: bytes) -> None:
    text = base64.b64encode(key).decode()
    assert secret_key(text) == secret_key(text.rstrip("=")) == secret_key(f"whsec_{text}") == key


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_not base64", "whsec_ä", "whsec_=", "whsec_A", "whsec_\ud800", "whsec_QUJD\n"])
def test_what_is_no_secret_is_refused_without_repeating_it(secret: str) -> None:
    with pytest.raises(ValueError, match="a webhook secret") as caught:
        secret_key(secret)
    assert caught.value.__cause__ is None
    assert len(secret) <= len("whsec_") or secret.removeprefix("whsec_") not in str(caught.value)


@given(st.text() | st.binary(max_size=40).map(lambda raw: "whsec_" + raw.decode("latin-1")))
def test_any_text_is_a_secret_or_a_value_error(text: str) -> None:
    with suppress(ValueError):
        assert secret_key(text)


# --- checking -------------------------------------------------------------------------------------------------------


def test_what_was_signed_is_accepted() -> None:
    checked()


@pytest.mark.parametrize("late", [-300, -1, 0, 1, 300])
def test_a_message_of_the_last_or_the_next_five_minutes_is_accepted(late: int) -> None:
    checked(now=NOW + late)


@pytest.mark.parametrize("late", [-300.5, -301, 301, 86_400])
def test_a_message_of_another_time_is_refused(late: float) -> None:
    with pytest.raises(SignatureError, match="too far"):
        checked(now=NOW + late)


def test_any_of_several_keys_will_do() -> None:
    checked(keys=[b"old", KEY, b"new"])


def test_no_key_is_no_proof() -> None:
    with pytest.raises(SignatureError):
        checked(keys=[])


@pytest.mark.parametrize("signatures", ["v1,AAAA {}", "v1a,AAAA {} v2,", ",,, {}", "  {}", "\x00 {}"])
def test_one_right_signature_among_others_is_enough(signatures: str) -> None:
    checked(signatures=signatures.format(sign(KEY, "msg_1", NOW, BODY)))


def test_a_list_is_read_only_so_far() -> None:
    right = sign(KEY, "msg_1", NOW, BODY)
    checked(signatures=" ".join(["v1,AAAA"] * (SIGNATURES_READ - 1) + [right]))
    with pytest.raises(SignatureError):
        checked(signatures=" ".join(["v1,AAAA"] * SIGNATURES_READ + [right]))


@pytest.mark.parametrize(
    "changed",
    [
        {"message_id": "msg_2"},
        {"message_id": ""},
        {"timestamp": str(NOW + 1)},
        {"body": BODY + b" "},
        {"body": b""},
        {"keys": [KEY + b"x"]},
        {"signatures": ""},
        {"signatures": sign(KEY, "msg_1", NOW, BODY).removeprefix("v1,")},
        {"signatures": sign(KEY, "msg_1", NOW, BODY).replace("v1,", "v2,")},
        {"signatures": sign(KEY, "msg_1", NOW, BODY)[:-1]},
        {"signatures": sign(KEY, "msg_1", NOW, BODY) + "="},
        {"signatures": sign(KEY, "msg_1", NOW, BODY).replace(",", ", ")},
    ],
    ids=repr,
)
def test_whatever_was_changed_is_refused(changed: dict[str, object]) -> None:
    with pytest.raises(SignatureError):
        checked(**changed)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "timestamp", ["", "-1", f"{NOW}.0", f" {NOW}", f"{NOW}\n", "1e9", "0x10", "٣", "²", "nan", "inf", "9" * 13, "9" * 5000]
)
def test_a_timestamp_is_a_whole_number_of_seconds(timestamp: str) -> None:
    with pytest.raises(SignatureError, match="timestamp"):
        checked(timestamp=timestamp)


@given(message_id=st.text(), timestamp=st.text() | st.integers().map(str) | st.just(str(NOW)), signatures=st.text(), body=st.binary())
def test_any_text_and_bytes_raise_nothing_but_a_signature_error(message_id: str, timestamp: str, signatures: str, body: bytes) -> None:
    with pytest.raises(SignatureError):
        check([KEY], message_id=message_id, timestamp=timestamp, signatures=signatures, body=body, now=NOW)


@given(st.binary(max_size=100).map(lambda raw: raw.decode("latin-1")))
def test_headers_as_servers_hand_them_over_raise_nothing_else(header: str) -> None:
    for place in ("message_id", "timestamp", "signatures"):
        with pytest.raises(SignatureError):
            checked(**{place: header})  # type: ignore[arg-type]
