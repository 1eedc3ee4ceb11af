"""Any bytes are an answer, or a fault that has a name; and how they are cut makes no difference."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidings.client.exchange import Garbled
from tidings.client.http1 import LONGEST_HEAD, AnswerReader


def read(said: bytes, *cuts: int, method: str = "GET") -> tuple[AnswerReader, bytes]:
    reader, body = AnswerReader(method), b""
    points = sorted({0, *(cut % (len(said) + 1) for cut in cuts), len(said)})
    for start, end in pairwise(points):
        body += b"".join(reader.feed(said[start:end]))
    if not reader.done:
        reader.end()
    return reader, body


def framed(body: bytes, sizes: list[int]) -> bytes:
    """`body` in chunks."""
    said = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    for size in [*sizes, len(body)]:
        piece, body = body[:size], body[size:]
        said += b"%x\r\n%b\r\n" % (len(piece), piece) if piece else b""
    return said + b"0\r\n\r\n"


@given(body=st.binary(max_size=200), sizes=st.lists(st.integers(1, 50), max_size=5), cuts=st.lists(st.integers(0, 1000), max_size=8))
def test_a_body_in_chunks_comes_out_as_it_went_in(body: bytes, sizes: list[int], cuts: list[int]) -> None:
    reader, read_out = read(framed(body, sizes), *cuts)

    assert (reader.status, reader.done, reader.reusable, read_out) == (200, True, True, body)


@given(body=st.binary(max_size=200), cuts=st.lists(st.integers(0, 1000), max_size=8))
def test_a_body_of_a_known_length_comes_out_as_it_went_in(body: bytes, cuts: list[int]) -> None:
    reader, read_out = read(b"HTTP/1.1 201 Made\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body), *cuts)

    assert (reader.status, reader.done, reader.reusable, read_out) == (201, True, True, body)


PARTS = [
    b"HTTP/1.1 200 OK\r\n", b"HTTP/1.0 404 Not Found\r\n", b"HTTP/1.1 100 Continue\r\n\r\n",
    b"Content-Length: 5\r\n", b"content-length:3\r\n",
    b"Transfer-Encoding: chunked\r\n", b"Connection: close\r\n", b"\r\n", b"5\r\nhello\r\n", b"0\r\n\r\n", b"hello",
    b"\n", b"\r", b"X: \xff\r\n",
]  # fmt: skip


@given(
    said=st.one_of(st.binary(max_size=300), st.lists(st.sampled_from(PARTS), max_size=12).map(b"".join)),
    cuts=st.lists(st.integers(0, 1000), max_size=6),
)
def test_any_bytes_are_an_answer_or_garbled_however_they_are_cut(said: bytes, cuts: list[int]) -> None:
    def outcome(*where: int) -> object:
        try:
            reader, body = read(said, *where)
        except Garbled:
            return "garbled"
        return reader.status, reader.headers, body, reader.done

    whole = outcome()
    # What comes after a whole answer is nobody's: cut elsewhere, it may not have been seen.
    assert outcome(*cuts) == whole
    if whole != "garbled":
        assert isinstance(whole, tuple)
        assert 200 <= whole[0] <= 999
        assert whole[3]


@pytest.mark.parametrize("status", [204, 304])
def test_an_answer_that_has_no_body_ends_with_its_head(status: int) -> None:
    reader, body = read(b"HTTP/1.1 %d X\r\nContent-Length: 5\r\n\r\n" % status)

    assert (reader.status, reader.done, reader.reusable, body) == (status, True, True, b"")


def test_so_does_the_answer_to_a_head() -> None:
    reader, _ = read(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", method="HEAD")

    assert reader.done


@pytest.mark.parametrize(
    ("said", "reusable"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", True),
        (b"HTTP/1.1 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 0\r\n\r\n", True),
        (b"HTTP/1.1 200 OK\r\nConnection: Close\r\nContent-Length: 0\r\n\r\n", False),
        (b"HTTP/1.1 200 OK\r\nConnection: x, close\r\nContent-Length: 0\r\n\r\n", False),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", False),
        (b"HTTP/1.1 200 OK\r\n\r\nuntil the end", False),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nmore", False),
    ],
)
def test_a_connection_is_used_again_only_where_the_answer_allows_it(said: bytes, reusable: bool) -> None:
    assert read(said)[0].reusable is reusable


def test_headers_that_repeat_are_one_with_commas() -> None:
    assert read(b"HTTP/1.1 200 OK\r\nA: 1\r\na:  2 \r\nContent-Length: 0\r\n\r\n")[0].headers["a"] == "1, 2"


@pytest.mark.parametrize(
    "said",
    [
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * LONGEST_HEAD,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"0" * LONGEST_HEAD * 2,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n" + b"X: y\r\n" * LONGEST_HEAD,
        b"HTTP/1.1 200 OK\r\nContent-Length: 9" + b"9" * 20 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: \xc2\xb2\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5, 6\r\n\r\nhello!",
        b"HTTP/1.1 200 OK\r\nX\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: a\r\n folded\r\n\r\n",
        b"HTTP/2 200 OK\r\n\r\n",
        b"HTTP/1.1 099 X\r\n\r\n",
    ],
)
def test_what_no_server_of_ours_says_is_garbled(said: bytes) -> None:
    with pytest.raises(Garbled):
        read(said)


def test_words_on_the_way_without_end_are_dropped_as_they_come() -> None:
    reader = AnswerReader("GET")
    for _ in range(1000):
        assert reader.feed(b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n") == []
    assert (reader.status, reader.headers, len(reader._buffer)) == (0, {}, 0)
