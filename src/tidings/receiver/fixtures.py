"""Fixtures for pytest: `pytest_plugins = ["tidings.receiver.fixtures"]` in a conftest.py brings them in.

def test_a_new_item_is_fetched(deliver):
    assert deliver(hooks, "item.create", item_id=42).status == 204
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from tidings.receiver.answers import Answer
from tidings.receiver.testing import deliver_to, deliver_to_async


@pytest.fixture
def deliver() -> Callable[..., Answer]:
    """Have a receiver take a sample delivery: see `tidings.receiver.testing.sample`."""
    return deliver_to


@pytest.fixture
def deliver_async() -> Callable[..., Awaitable[Answer]]:
    """The same, awaited on the test's own event loop."""
    return deliver_to_async
