"""What a delivery is called, written and read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidings.wire.message_ids import MessageId, message_prefix, read_message_id


def test_what_is_written_is_read() -> None:
    assert read_message_id(f"{message_prefix('4f1c09ae', 5)}12") == MessageId("4f1c09ae", 5, 12)


@pytest.mark.parametrize(
    "text", ["", "msg_a_5", "msg_a_5_", "msg_a_0_1", "msg_a_5_0", "msg_a_5_1x", "msg_a_5_1\n", "msg_a_\u0665_1", f"msg_a_{10**9}_1"]
)
def test_anything_else_is_none(text: str) -> None:
    assert read_message_id(text) is None


@given(st.text())
def test_any_text_at_all_is_read_or_not(text: str) -> None:
    read_message_id(text)
