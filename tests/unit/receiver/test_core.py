"""A delivery is read only from bytes that are signed and of now, and whatever else comes is refused in our own words."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from standardwebhooks import Webhook

from tidings.receiver import Delivery, Forged, Malformed, Refused, Unsigned, read_delivery
from tidings.wire.signing import new_secret, secret_key, sign

SECRET = new_secret()
NOW = 1_767_323_045
BODY = b"item_id=42&item_revision_id=0&external_id=ERP-9&type=item.create&hook_id=7&key=k"


def signed(body: bytes, *, secret: str = SECRET, at: int = NOW) -> dict[str, str]:
    """The headers of a delivery, as the sender writes them."""
    signature = sign(secret_key(secret), "msg_a_7_3", at, body)
    return {"webhook-id": "msg_a_7_3", "webhook-timestamp": str(at), "webhook-signature": signature}


def read(headers: dict[str, str], body: bytes = BODY, *, secrets: tuple[str, ...] = (SECRET,), now: float = NOW) -> Delivery:
    return read_delivery(headers, body, secrets, now=now)


def test_a_signed_delivery_is_read() -> None:
    headers = signed(BODY) | {"Tidings-Attempt": "2", "Tidings-Sequence": "3"}

    assert read(headers) == Delivery(
        type="item.create",
        hook_id=7,
        parameters={"item_id": "42", "item_revision_id": "0", "external_id": "ERP-9", "key": "k"},
        id="msg_a_7_3",
        attempt=2,
        sequence=3,
    )


def test_a_delivery_signed_by_the_specifications_own_library_is_read() -> None:
    signature = Webhook(SECRET).sign("msg_1", datetime.fromtimestamp(NOW, UTC), BODY.decode())

    delivery = read({"webhook-id": "msg_1", "webhook-timestamp": str(NOW), "webhook-signature": signature})

    assert delivery.type == "item.create"


def test_header_names_may_be_written_in_any_case() -> None:
    headers = {name.title(): value for name, value in signed(BODY).items()}

    assert read(headers).hook_id == 7


@pytest.mark.parametrize("missing", ["webhook-id", "webhook-timestamp", "webhook-signature"])
def test_a_request_without_one_of_the_three_headers_is_unsigned(missing: str) -> None:
    headers = signed(BODY)
    del headers[missing]

    with pytest.raises(Unsigned):
        read(headers)


def test_a_body_that_was_changed_by_one_byte_is_forged() -> None:
    with pytest.raises(Forged):
        read(signed(BODY), BODY.replace(b"item_id=42", b"item_id=43"))


def test_another_secrets_signature_is_forged() -> None:
    with pytest.raises(Forged):
        read(signed(BODY, secret=new_secret()))


@pytest.mark.parametrize("away", [-301, 301])
def test_a_delivery_that_is_not_of_now_is_forged(away: int) -> None:
    with pytest.raises(Forged):
        read(signed(BODY, at=NOW + away))


def test_while_a_secret_is_changed_both_are_good() -> None:
    old, new = new_secret(), new_secret()

    for secret in (old, new):
        assert read(signed(BODY, secret=secret), secrets=(new, old)).hook_id == 7


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff\xfe=1",
        b"%ff=1&type=item.create&hook_id=7",
        b"item_id=1&hook_id=7",
        b"type=item.create",
        b"type=x&hook_id=seven",
        b"type=x&hook_id=",
    ],
)
def test_a_signed_body_that_is_no_delivery_is_malformed(body: bytes) -> None:
    with pytest.raises(Malformed):
        read(signed(body), body)


def test_of_a_name_that_repeats_the_first_counts() -> None:
    body = b"item_id=1&type=item.create&hook_id=7&item_id=2&type=item.delete&hook_id=8"

    delivery = read(signed(body), body)

    assert (delivery.type, delivery.hook_id, delivery.parameters) == ("item.create", 7, {"item_id": "1"})


@pytest.mark.parametrize("text", ["", "two", "-1", "1e3", "٣", "9" * 19])
def test_a_hint_that_is_no_number_is_none(text: str) -> None:
    delivery = read(signed(BODY) | {"Tidings-Attempt": text, "Tidings-Sequence": text})

    assert (delivery.attempt, delivery.sequence) == (None, None)


@pytest.mark.parametrize("secrets", [(), ("",), ("whsec_",), ("whsec_!!!",)])
def test_without_a_usable_secret_nothing_is_read(secrets: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="secret"):
        read(signed(BODY), secrets=secrets)


def test_a_verification_code_is_not_in_the_repr() -> None:
    body = b"code=b9079247&type=hook.verify&hook_id=1"

    assert "b9079247" not in repr(read(signed(body), body))


@settings(max_examples=50)
@given(
    body=st.binary(max_size=50),
    headers=st.dictionaries(
        st.sampled_from(["webhook-id", "webhook-timestamp", "Webhook-Signature", "tidings-attempt"]),
        st.sampled_from([str(NOW), "v1,", "v1,x", "v1,a,b", "garbage", "\ud800"])
        | st.binary(max_size=40).map(lambda raw: raw.decode("latin-1")),
    ),
)
def test_any_request_of_a_stranger_is_refused(body: bytes, headers: dict[str, str]) -> None:
    with pytest.raises(Refused):
        read(headers, body)


PIECES = st.sampled_from([b"type", b"hook_id", b"=", b"&", b"1", b"%", b"%ff", b"\xff"])


@given(body=st.binary(max_size=200) | st.lists(PIECES, max_size=12).map(b"".join))
def test_any_signed_bytes_are_a_delivery_or_malformed(body: bytes) -> None:
    try:
        delivery = read(signed(body), body)
    except Malformed:
        return
    assert delivery.type
