"""A form as it arrives: the same parts however it is cut, and nothing but `Invalid` for what is none."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidings.api.multipart import PARTS, Multipart
from tidings.errors import Invalid

Sent = tuple[str, str | None, bytes]  # a part's name, the name of its file, its bytes


def form(parts: Sequence[Sent]) -> bytes:
    pieces = []
    for name, filename, content in parts:
        said = f'; filename="{filename}"' if filename else ""
        pieces.append(f'--b\r\nContent-Disposition: form-data; name="{name}"{said}\r\n\r\n'.encode() + content + b"\r\n")
    return b"".join(pieces) + b"--b--\r\n"


async def cut(raw: bytes, size: int) -> AsyncIterator[bytes]:
    for start in range(0, len(raw), size):
        yield raw[start : start + size]


async def read(raw: bytes, size: int, *, skip: bool = False) -> list[Sent]:
    parts = Multipart("multipart/form-data; boundary=b", cut(raw, size)).parts()
    return [(part.name, part.filename, b"" if skip else b"".join([chunk async for chunk in part.chunks])) async for part in parts]


sent = st.lists(st.tuples(st.sampled_from(["source", "filename", "ü"]), st.sampled_from([None, "a.txt", "日本"]), st.binary()), max_size=5)


@given(parts=sent, size=st.integers(1, 200))
def test_the_parts_are_the_same_however_the_form_is_cut(parts: list[Sent], size: int) -> None:
    if any(b"\r\n--b" in content or content.startswith(b"--b") for _, _, content in parts):
        return
    assert asyncio.run(read(form(parts), size)) == parts


@given(raw=st.binary(max_size=300), size=st.integers(1, 300))
def test_any_bytes_are_a_form_or_invalid(raw: bytes, size: int) -> None:
    with suppress(Invalid):
        asyncio.run(read(b"--b\r\n" + raw, size))


async def test_what_is_not_read_of_a_part_is_skipped() -> None:
    parts: list[Sent] = [("a", None, b"x" * 1000), ("b", None, b"y")]
    assert await read(form(parts), 7, skip=True) == [("a", None, b""), ("b", None, b"")]


async def test_a_form_of_endless_parts_is_refused() -> None:
    with pytest.raises(Invalid, match=f"more than {PARTS} parts"):
        await read(form([("n", None, b"")] * (PARTS + 1)), 1000)


async def test_a_text_that_is_too_long_is_refused_by_its_name() -> None:
    async for part in Multipart("multipart/form-data; boundary=b", cut(form([("filename", None, b"x" * 50)]), 10)).parts():
        with pytest.raises(Invalid, match="filename: must have at most 20 bytes"):
            await part.text(20)
