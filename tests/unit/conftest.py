"""A unit test knows no network: one that opens a socket fails."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import pytest_socket


@pytest.fixture(autouse=True, scope="module")
def no_network() -> Iterator[None]:
    """Refuse sockets. Unix sockets stay: an event loop wakes itself through a pair of them."""
    pytest_socket.disable_socket(allow_unix_socket=True)
    yield
    pytest_socket.enable_socket()
