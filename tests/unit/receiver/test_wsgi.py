"""Whatever a WSGI server hands over, an answer comes of it."""

from __future__ import annotations

import io

from hypothesis import given
from hypothesis import strategies as st

from tidings.receiver import Receiver, wsgi
from tidings.receiver.testing import SECRET, sample

RECEIVER = Receiver(secret=SECRET, longest_body=1_000)
LENGTHS = st.text(max_size=30) | st.integers(-10, 2_000).map(str) | st.sampled_from(["9" * 18, "9" * 19, "1e3", "٣", "+5", " 5"])
NAMES = st.sampled_from(["HTTP_WEBHOOK_ID", "HTTP_WEBHOOK_TIMESTAMP", "HTTP_WEBHOOK_SIGNATURE", "HTTP_CONTENT_ENCODING", "CONTENT_TYPE"])


@given(length=LENGTHS, ended=st.booleans(), body=st.binary(max_size=1_500), headers=st.dictionaries(NAMES, st.text(max_size=20)))
def test_any_request_of_a_stranger_is_refused(length: str, ended: bool, body: bytes, headers: dict[str, str]) -> None:
    environ = {
        **headers,
        "REQUEST_METHOD": "POST",
        "CONTENT_LENGTH": length,
        "wsgi.input_terminated": ended,
        "wsgi.input": io.BytesIO(body),
    }

    assert 400 <= wsgi.answer(RECEIVER, environ).status < 500


@given(cut=st.integers(1, 50))
def test_a_body_is_put_together_from_its_pieces(cut: int) -> None:
    class Pieces(io.BytesIO):
        def read(self, most: int | None = -1) -> bytes:
            return super().read(min(cut, most or cut))

    headers, body = sample("item.create")
    environ = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()}

    said = wsgi.answer(RECEIVER, {**environ, "REQUEST_METHOD": "POST", "CONTENT_LENGTH": str(len(body)), "wsgi.input": Pieces(body)})

    assert said.status == 204
