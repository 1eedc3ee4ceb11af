"""Ed25519: what is signed is checked, and nothing else; and what we sign and check is what the standards and others do."""

from __future__ import annotations

import base64
import hashlib
from contextlib import suppress

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from tidings.wire.ed25519 import PrivateKey, SignersPublicKey, public_key_text
from tidings.wire.signing import Checker, SignatureError

# RFC 8032, section 7.1: tests 1, 2, 3 and SHA(abc). Seed, public key, message, signature.
OF_THE_STANDARD = [
    (
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    (
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
    (
        "833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42",
        "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
        hashlib.sha512(b"abc").hexdigest(),
        "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704",
    ),
]
SEED = bytes.fromhex(OF_THE_STANDARD[0][0])

# The vector for `v1a` that the Standard Webhooks project tests its own library (Go) with.
THEIRS = {"message_id": "msg_p5jXN8AQM9LWM0D4loKWxJek", "timestamp": 1_614_265_330, "body": b'{"test": 2432232314}'}
THEIR_SEED = base64.b64decode("VEVTVFNJR05JTkdLRVlET05PVFVTRVRISVNGT1JBTlk=")
THEIR_SIGNATURE = "v1a,tQ9V2XOqn7jL/DQenEFpqIugdBVtiMmER5mhSkXBNwM0mkATuDe6KYYUuxqtaiHeYGb7KaaBRdM5WqyeFiL8Ag=="


@pytest.mark.parametrize(("seed", "public", "message", "signature"), OF_THE_STANDARD, ids=["1", "2", "3", "sha-abc"])
def test_keys_and_proofs_are_those_of_the_standard(seed: str, public: str, message: str, signature: str) -> None:
    key, proof, said = PrivateKey(bytes.fromhex(seed)), bytes.fromhex(signature), bytes.fromhex(message)
    assert key.public == bytes.fromhex(public)
    checking = SignersPublicKey(public_key_text(key.public))

    assert checking.verifies(proof, said)
    assert not checking.verifies(proof, said + b"\0")
    assert not checking.verifies(bytes([proof[0] ^ 1]) + proof[1:], said)


def test_we_sign_as_the_standard_webhooks_project_does_and_accept_what_it_signs() -> None:
    key = PrivateKey(THEIR_SEED)

    assert key.sign(**THEIRS) == THEIR_SIGNATURE  # type: ignore[arg-type]  # the text, the number and the bytes, by name
    checker = Checker([], [SignersPublicKey(public_key_text(key.public))])
    told = {**THEIRS, "timestamp": str(THEIRS["timestamp"]), "now": THEIRS["timestamp"]}
    assert checker.check(**told, signatures=THEIR_SIGNATURE) == THEIRS["timestamp"]  # type: ignore[arg-type]  # as above
    with pytest.raises(SignatureError):
        checker.check(**{**told, "body": b'{"test": 2432232315}'}, signatures=THEIR_SIGNATURE)  # type: ignore[arg-type]  # as above


@given(seed=st.binary(min_size=32, max_size=32), message_id=st.text(st.characters(codec="ascii")), body=st.binary())
def test_the_package_everybody_uses_signs_the_same(seed: bytes, message_id: str, body: bytes) -> None:
    theirs = Ed25519PrivateKey.from_private_bytes(seed)
    signature = theirs.sign(message_id.encode() + b".7." + body)

    assert PrivateKey(seed).sign(message_id, 7, body) == f"v1a,{base64.b64encode(signature).decode()}"
    assert PrivateKey(seed).public == theirs.public_key().public_bytes_raw()
    assert SignersPublicKey(public_key_text(PrivateKey(seed).public)).verifies(signature, message_id.encode() + b".7." + body)


@given(signature=st.binary(max_size=80), body=st.binary())
def test_whatever_is_offered_as_a_signature_the_answer_is_no(signature: bytes, body: bytes) -> None:
    assert not SignersPublicKey(public_key_text(PrivateKey(SEED).public)).verifies(signature, body)


@given(st.text() | st.binary(max_size=50).map(lambda raw: "whpk_" + base64.b64encode(raw).decode()))
def test_any_text_is_a_public_key_or_a_value_error(text: str) -> None:
    with suppress(ValueError):
        assert not SignersPublicKey(text).verifies(b"", b"")


def test_what_one_side_signs_the_other_side_proves() -> None:
    private = PrivateKey.new()
    checker = Checker([], [SignersPublicKey(public_key_text(private.public))])
    signature = private.sign("msg_1", 1_700_000_000, b"body")
    assert signature.startswith("v1a,")
    told = {"message_id": "msg_1", "timestamp": "1700000000", "signatures": signature, "now": 1_700_000_000.0}
    assert checker.check(**told, body=b"body") == 1_700_000_000  # type: ignore[arg-type]  # the texts and the number, by name
    with pytest.raises(SignatureError):
        checker.check(**told, body=b"body.")  # type: ignore[arg-type]


def test_nothing_of_a_private_key_is_shown() -> None:
    assert SEED.hex()[:8] not in repr(PrivateKey(SEED))
