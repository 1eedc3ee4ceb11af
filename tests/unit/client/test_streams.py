"""Files on their way, up and down."""

from __future__ import annotations

import io
import stat
from pathlib import Path

import pytest

from tidings.client.streams import Multipart, landing
from tidings.errors import Invalid


def sent(form: Multipart) -> bytes:
    return b"".join(form.pieces())


def test_a_form_is_as_long_as_it_says(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"content")
    opened = io.BytesIO(b"xxcontent")
    opened.seek(2)
    for source in (b"content", tmp_path / "x", str(tmp_path / "x"), opened):
        form = Multipart(source, "ä.txt")
        assert len(sent(form)) == form.length
        assert b"\r\n\r\ncontent\r\n--" in sent(form)


def test_a_form_names_its_file_twice() -> None:
    form = Multipart(b"", 'a "b" ä.txt')

    boundary = form.content_type.partition("boundary=")[2].encode()
    _, named, file, end = sent(form).split(b"--" + boundary)
    assert named == b'\r\nContent-Disposition: form-data; name="filename"\r\n\r\na "b" \xc3\xa4.txt\r\n'
    assert file.startswith(b'\r\nContent-Disposition: form-data; name="source"; filename="a \\"b\\" \xc3\xa4.txt"\r\nContent-Type: ')
    assert end == b"--\r\n"


@pytest.mark.parametrize("name", ["", "a\r\nX: 1", "a\0", "\ud800"])
def test_a_name_that_cannot_be_written_is_refused(name: str) -> None:
    with pytest.raises(Invalid):
        Multipart(b"", name)


def test_what_cannot_go_back_is_sent_once() -> None:
    class Pipe:
        def __init__(self) -> None:
            self._left = [b"a", b"b", b""]

        def read(self, _: int) -> bytes:
            return self._left.pop(0)

    form = Multipart(Pipe(), "x")

    assert form.length is None
    assert b"\r\n\r\nab\r\n--" in sent(form)
    with pytest.raises(Invalid):
        sent(form)


def test_a_file_appears_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "x"
    with landing(path) as sink:
        sink(b"con")
        assert not path.exists()
        sink(b"tent")

    assert path.read_bytes() == b"content"
    assert stat.S_IMODE(path.stat().st_mode) & 0o600 == 0o600


def test_a_file_that_fails_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"before")

    def fail() -> None:
        with landing(path) as sink:
            sink(b"con")
            raise ValueError("midway")

    with pytest.raises(ValueError, match="midway"):
        fail()
    assert [each.read_bytes() for each in tmp_path.iterdir()] == [b"before"]


def test_an_open_file_stays_open() -> None:
    opened = io.BytesIO()
    with landing(opened) as sink:
        sink(b"content")

    assert opened.getvalue() == b"content"
