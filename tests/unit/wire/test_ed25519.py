"""Ed25519: what is signed is checked, and nothing else."""

from __future__ import annotations

import pytest

from tidings.wire.ed25519 import PrivateKey, SignersPublicKey, public_key_text
from tidings.wire.signing import Checker, SignatureError

# RFC 8032, section 7.1, test 1.
SEED = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
PUBLIC = bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")


def test_the_public_key_is_that_of_the_standard() -> None:
    assert PrivateKey(SEED).public == PUBLIC


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
