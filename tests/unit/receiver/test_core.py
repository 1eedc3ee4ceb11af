"""A delivery is read only from bytes that are signed and of now, and whatever else comes is refused in our own words."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import example, given, settings
from hypothesis import strategies as st
from standardwebhooks import Webhook

from tidings.receiver import (
    Event,
    Forged,
    Malformed,
    Receiver,
    ReceiverError,
    Stale,
    TooLarge,
    Unreadable,
    Unsigned,
    WrongMediaType,
    read_delivery,
)
from tidings.wire.signing import SIGNATURES_READ, new_secret, secret_key, sign

SECRET = new_secret()
NOW = 1_767_323_045
BODY = b"item_id=42&item_revision_id=0&external_id=ERP-9&type=item.create&hook_id=7&key=k"
PRIVATE = Ed25519PrivateKey.generate()
PUBLIC = "whpk_" + base64.b64encode(PRIVATE.public_key().public_bytes_raw()).decode()


def signed(body: bytes, *, secret: str = SECRET, at: int = NOW) -> dict[str, str]:
    """The headers of a delivery, as the sender writes them."""
    signature = sign(secret_key(secret), "msg_a_7_3", at, body)
    return {"webhook-id": "msg_a_7_3", "webhook-timestamp": str(at), "webhook-signature": signature}


def signed_by_key(body: bytes, key: Ed25519PrivateKey = PRIVATE) -> dict[str, str]:
    signature = key.sign(f"msg_a_7_3.{NOW}.".encode() + body)
    return signed(body) | {"webhook-signature": f"v1a,{base64.b64encode(signature).decode()}"}


def read(headers: dict[str, str], body: bytes = BODY, *, secrets: tuple[str, ...] = (SECRET,), now: float = NOW) -> Event:
    return read_delivery(headers, body, secrets, now=now)


def receiver(*, public_keys: tuple[str, ...] = (), secrets: tuple[str, ...] = (), **options: bool) -> Receiver:
    return Receiver(public_keys=public_keys, secrets=secrets, clock=lambda: NOW, **options)  # type: ignore[arg-type]


def test_a_signed_delivery_is_read() -> None:
    headers = signed(BODY) | {"Tidings-Attempt": "2", "Tidings-Sequence": "3"}

    event = read(headers)

    assert event == Event(
        type="item.create",
        hook_id=7,
        parameters={"item_id": "42", "item_revision_id": "0", "external_id": "ERP-9", "key": "k"},
        id="msg_a_7_3",
        timestamp=NOW,
    )
    assert (event.attempt, event.sequence) == (2, 3)


def test_a_delivery_signed_by_the_specifications_own_library_is_read() -> None:
    signature = Webhook(SECRET).sign("msg_1", datetime.fromtimestamp(NOW, UTC), BODY.decode())

    event = read({"webhook-id": "msg_1", "webhook-timestamp": str(NOW), "webhook-signature": signature})

    assert event.type == "item.create"


def test_header_names_may_be_written_in_any_case() -> None:
    headers = {name.title(): value for name, value in signed(BODY).items()}

    assert read(headers).hook_id == 7


# --- whom it believes -----------------------------------------------------------------------------------------------


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
def test_a_delivery_that_is_not_of_now_is_stale(away: int) -> None:
    with pytest.raises(Stale):
        read(signed(BODY, at=NOW + away))


@pytest.mark.parametrize("changed", [{"webhook-timestamp": "soon"}, {"webhook-id": "m" * 256}, {"webhook-signature": "v1,\xe9"}])
def test_headers_that_are_none_of_a_signature_are_malformed(changed: dict[str, str]) -> None:
    with pytest.raises(Malformed):
        read(signed(BODY) | changed)


def test_while_a_secret_is_changed_both_are_good() -> None:
    old, new = new_secret(), new_secret()

    for secret in (old, new):
        assert read(signed(BODY, secret=secret), secrets=(new, old)).hook_id == 7


@pytest.mark.parametrize("secrets", [(), ("",), ("whsec_",), ("whsec_!!!",)])
def test_without_a_usable_secret_nothing_is_read(secrets: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="secret"):
        read(signed(BODY), secrets=secrets)


def test_who_has_the_public_key_reads_what_its_owner_signed() -> None:
    assert receiver(public_keys=(PUBLIC,)).read(signed_by_key(BODY), BODY).item_id == 42


@pytest.mark.parametrize(
    "headers",
    [
        signed_by_key(BODY, Ed25519PrivateKey.generate()),
        signed_by_key(BODY + b"&"),
        signed(BODY) | {"webhook-signature": "v1a,"},
        signed(BODY) | {"webhook-signature": "v1a,AAAA"},
        signed(BODY) | {"webhook-signature": "v1a,!!!!"},
        signed(BODY) | {"webhook-signature": signed_by_key(BODY)["webhook-signature"].replace("v1a,", "v1,")},
    ],
    ids=range(6),
)
def test_what_is_not_by_the_public_keys_owner_is_forged(headers: dict[str, str]) -> None:
    with pytest.raises(Forged):
        receiver(public_keys=(PUBLIC,)).read(headers, BODY)


def test_which_kind_of_signature_counts_is_not_for_the_request_to_say() -> None:
    as_a_secret = "whsec_" + PUBLIC.removeprefix("whpk_")  # everybody has the public key
    with pytest.raises(Forged):
        receiver(public_keys=(PUBLIC,)).read(signed(BODY, secret=as_a_secret), BODY)
    with pytest.raises(Forged):
        receiver(secrets=(SECRET,)).read(signed_by_key(BODY), BODY)


def test_a_change_from_a_secret_to_a_key_needs_no_pause() -> None:
    both = receiver(secrets=(SECRET,), public_keys=(PUBLIC,))

    assert both.read(signed(BODY), BODY) == both.read(signed_by_key(BODY), BODY)


def test_of_public_key_signatures_too_only_so_many_are_read() -> None:
    right = signed_by_key(BODY)["webhook-signature"]
    headers = signed(BODY) | {"webhook-signature": " ".join(["v1a,AAAA"] * SIGNATURES_READ + [right])}

    with pytest.raises(Forged):
        receiver(public_keys=(PUBLIC,)).read(headers, BODY)


@pytest.mark.parametrize("key", ["", "whpk_", "whpk_AAAA", "whpk_!!", "whpk_" + "A" * 44, SECRET + "A"], ids=range(6))
def test_a_public_key_that_is_none_is_refused_at_once(key: str) -> None:
    with pytest.raises(ValueError, match="public key"):
        receiver(public_keys=(key,))


def test_a_sender_that_does_not_sign_is_believed_only_by_who_says_so() -> None:
    with pytest.raises(Unsigned):
        receiver(secrets=(SECRET,)).read({}, BODY)

    event = receiver(allow_unsigned=True).read({}, BODY)

    assert (event.item_id, event.timestamp) == (42, None)


def test_an_unsigned_item_event_is_known_again_by_its_revision_and_others_are_not() -> None:
    podio = receiver(allow_unsigned=True)
    status = b"status_id=55&type=status.update&hook_id=13"

    assert podio.read({}, BODY).id == podio.read({}, BODY).id != podio.read({}, BODY.replace(b"revision_id=0", b"revision_id=1")).id
    assert podio.read({}, status).id != podio.read({}, status).id


def test_who_believes_the_unsigned_cannot_pretend_to_check() -> None:
    with pytest.raises(ValueError, match="one Receiver for each"):
        receiver(secrets=(SECRET,), allow_unsigned=True)
    with pytest.raises(ValueError, match="allow_unsigned"):
        receiver()


# --- what it reads --------------------------------------------------------------------------------------------------


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
def test_a_signed_body_that_is_no_delivery_is_unreadable(body: bytes) -> None:
    with pytest.raises(Unreadable):
        read(signed(body), body)


def test_of_a_name_that_repeats_the_first_counts() -> None:
    body = b"item_id=1&type=item.create&hook_id=7&item_id=2&type=item.delete&hook_id=8"

    event = read(signed(body), body)

    assert (event.type, event.hook_id, event.parameters) == ("item.create", 7, {"item_id": "1"})


SAID = {
    "type": "item.update", "hook_id": 7, "item_id": 42, "item_revision_id": 3, "external_id": None, "app_id": 5, "depth": 1,
    "item": {"item_id": 42, "fields": [{"external_id": "title", "values": [{"value": "New"}]}]},
    "changes": [{"external_id": "title", "from": [{"value": "Old"}], "to": [{"value": "New"}]}],
}  # fmt: skip


@pytest.mark.parametrize(
    ("media_type", "said"),
    [("application/json; charset=utf-8", SAID), ("application/cloudevents+json", {"specversion": "1.0", "id": "msg_a_7_3", "data": SAID})],
)
def test_full_json_is_read_by_itself_and_in_a_cloudevent(media_type: str, said: dict[str, object]) -> None:
    body = json.dumps(said).encode()

    event = read(signed(body) | {"content-type": media_type}, body)

    assert (event.type, event.hook_id, event.item_id, event.app_id, event.external_id, event.depth) == ("item.update", 7, 42, 5, None, 1)
    assert event.fields == {"title": [{"value": "New"}]}
    assert event.changed == {"title": ([{"value": "Old"}], [{"value": "New"}])}
    assert event.changed["title"].before == [{"value": "Old"}]


def test_ids_alone_say_nothing_of_fields() -> None:
    event = read(signed(BODY))

    assert (event.item, event.fields, event.changed) == (None, None, None)


@pytest.mark.parametrize("odd", [[], {}, 7, None, [7], [{}], [{"external_id": 7}], {"fields": 7}, {"fields": [None]}])
def test_what_is_oddly_full_is_read_as_far_as_it_goes(odd: object) -> None:
    body = json.dumps({"type": "item.update", "hook_id": 7, "item": odd, "changes": odd}).encode()

    event = read(signed(body) | {"content-type": "application/json"}, body)

    assert (event.fields or {}, event.changed or {}) == ({}, {})


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"7", b'{"type": 7, "hook_id": 7}', b'{"type": "x", "hook_id": "x"}', b"[" * 100_000, b"\xff"]
)
def test_json_that_is_no_delivery_is_unreadable(body: bytes) -> None:
    with pytest.raises(Unreadable):
        read(signed(body) | {"content-type": "application/json"}, body)


@pytest.mark.parametrize(
    "headers", [{"content-type": "text/plain"}, {"content-type": "/"}, {"content-encoding": "gzip"}, {"Content-Encoding": "x"}]
)
def test_another_media_type_and_a_compressed_body_are_refused_however_well_signed(headers: dict[str, str]) -> None:
    with pytest.raises(WrongMediaType):
        read(signed(BODY) | headers)


def test_a_body_that_is_too_long_is_refused_however_well_signed() -> None:
    body = BODY + b"&x=" + b"1" * 1_048_576

    with pytest.raises(TooLarge):
        read(signed(body), body)


@pytest.mark.parametrize("text", ["", "two", "-1", "1e3", "٣", "9" * 19])
def test_a_hint_that_is_no_number_is_none(text: str) -> None:
    event = read(signed(BODY) | {"Tidings-Attempt": text, "Tidings-Sequence": text, "Tidings-App": text})

    assert (event.attempt, event.sequence, getattr(event, "app_id", None)) == (None, None, None)


# --- any bytes at all -----------------------------------------------------------------------------------------------

NAMES = ["webhook-id", "webhook-timestamp", "Webhook-Signature", "tidings-attempt", "content-type", "content-encoding"]
HEADERS = st.dictionaries(
    st.sampled_from(NAMES) | st.text(max_size=5),
    st.sampled_from([str(NOW), "v1,", "v1,x", "v1a,x v1a,AAAA", "v1,a,b", "garbage", "\ud800", "application/json"])
    | st.binary(max_size=40).map(lambda raw: raw.decode("latin-1")),
)


@settings(max_examples=50)
@given(body=st.binary(max_size=50), headers=HEADERS)
@pytest.mark.parametrize("believing", [receiver(secrets=(SECRET,)), receiver(public_keys=(PUBLIC,))], ids=["secret", "key"])
def test_any_request_of_a_stranger_is_refused(believing: Receiver, body: bytes, headers: dict[str, str]) -> None:
    with pytest.raises(ReceiverError):
        believing.read(headers, body)
    assert 400 <= believing.receive(headers, body).status < 500


PIECES = st.sampled_from([b"type", b"hook_id", b"=", b"&", b"1", b"%", b"%ff", b"\xff", b"{", b'"type":"x"', b",", b'"hook_id":1', b"}"])


@given(
    body=st.binary(max_size=200) | st.lists(PIECES, max_size=12).map(b"".join),
    media_type=st.sampled_from(["", "application/json", "application/cloudevents+json"]),
)
@example(body=b'{"type":"x","hook_id":' + b"1" * 5000 + b"}", media_type="application/json")
@example(body=b'{"type":"x","hook_id":1e999}', media_type="application/json")
def test_any_signed_bytes_are_an_event_or_unreadable(body: bytes, media_type: str) -> None:
    try:
        event = read(signed(body) | {"content-type": media_type}, body)
    except Unreadable:
        return
    assert event.type
    assert event.file_ids is not None
    assert event.external_id != ""
    assert repr(event)


SAID_NAMES = st.sampled_from(["item", "fields", "changes", "values", "from", "to", "external_id", "file_ids", "depth", "item_id"])
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(SAID_NAMES | st.text(max_size=5), inner, max_size=6),
    max_leaves=20,
)


@given(said=st.dictionaries(SAID_NAMES, ANYTHING))
def test_whatever_json_an_event_holds_it_can_be_asked_for_everything(said: dict[str, object]) -> None:
    body = json.dumps({**said, "type": "item.update", "hook_id": 7}).encode()

    event = read(signed(body) | {"content-type": "application/json"}, body)

    assert {type(value) for value in (getattr(event, "item_id", None), getattr(event, "app_id", None))} <= {int, type(None)}
    assert isinstance(event.fields, dict | None)
    assert isinstance(event.changed, dict | None)
    assert isinstance(event.external_id, str | None)
    assert all(isinstance(file_id, int) for file_id in event.file_ids)
    assert event.depth >= 0


HINTS = ["tidings-redelivery", "tidings-test", "tidings-attempt", "tidings-sequence", "tidings-app", "tidings-depth"]


@given(headers=st.dictionaries(st.sampled_from(HINTS), st.text()))
def test_whatever_stands_in_the_hints_an_event_can_be_asked_for_them(headers: dict[str, str]) -> None:
    event = read(signed(BODY) | headers)

    assert (event.test, event.redelivery) == (headers.get("tidings-test") == "true", headers.get("tidings-redelivery"))
    assert all(hint is None or hint >= 0 for hint in (event.attempt, event.sequence, event.depth, getattr(event, "app_id", None)))
