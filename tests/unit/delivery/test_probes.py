"""What is read in a certificate, whatever its bytes are."""

from __future__ import annotations

import ssl

import pytest
import trustme
from hypothesis import given
from hypothesis import strategies as st

from tidings.delivery.evidence import Certificate
from tidings.delivery.probes import MOST_NAMES, read_certificate

AUTHORITY = trustme.CA(organization_name="Acme \x1b[31mTrust")


def der(*names: str) -> bytes:
    return ssl.PEM_cert_to_DER_cert(AUTHORITY.issue_cert(*names).cert_chain_pems[0].bytes().decode())


GOOD = der("a.test", "10.0.0.7")


def test_a_certificate_is_read_as_text_that_does_nothing_to_a_screen() -> None:
    found = read_certificate(GOOD)
    assert found is not None
    assert (found.names, found.issuer) == (("a.test", "10.0.0.7"), "Acme [31mTrust")
    assert found.begins_at < found.ends_at


def test_of_many_names_some_are_kept() -> None:
    found = read_certificate(der(*(f"h{number}.test" for number in range(MOST_NAMES + 5))))
    assert found is not None
    assert len(found.names) == MOST_NAMES


@given(st.integers(0, len(GOOD) - 1), st.binary(max_size=4))
@pytest.mark.filterwarnings("ignore")  # of certificates that are only just one
def test_whatever_the_bytes_are_it_is_a_certificate_or_none(place: int, bytes_there: bytes) -> None:
    assert isinstance(read_certificate(GOOD[:place] + bytes_there + GOOD[place + len(bytes_there) :]), Certificate | None)
