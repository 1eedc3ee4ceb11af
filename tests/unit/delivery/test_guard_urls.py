"""Reading a URL strictly: one way to write a destination, and a sentence for everything else."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidings.delivery.destination import URL_LIMIT, Destination, read_url
from tidings.errors import Invalid


@pytest.mark.parametrize(
    ("url", "destination", "authority"),
    [
        ("http://example.com", Destination("http", "example.com", 80), "example.com"),
        ("https://example.com/a/b?c=d&e", Destination("https", "example.com", 443), "example.com"),
        ("HTTPS://EXAMPLE.com./", Destination("https", "example.com", 443), "example.com"),
        ("http://example.com:8080/", Destination("http", "example.com", 8080), "example.com:8080"),
        ("http://example.com:443/", Destination("http", "example.com", 443), "example.com:443"),
        ("https://example.com:443", Destination("https", "example.com", 443), "example.com"),
        ("https://example.com?x=1", Destination("https", "example.com", 443), "example.com"),
        ("http://1.2.3.4/", Destination("http", "1.2.3.4", 80), "1.2.3.4"),
        ("http://1.2.3.4./", Destination("http", "1.2.3.4", 80), "1.2.3.4"),
        ("http://[2606:4700:0::1111]/", Destination("http", "2606:4700::1111", 80), "[2606:4700::1111]"),
        ("http://[2606:4700:0::1111]:81/", Destination("http", "2606:4700::1111", 81), "[2606:4700::1111]:81"),
        ("http://[::ffff:1.2.3.4]/", Destination("http", "::ffff:102:304", 80), "[::ffff:102:304]"),
        ("http://bücher.example/", Destination("http", "xn--bcher-kva.example", 80), "xn--bcher-kva.example"),
        ("http://\uff45xample。com/", Destination("http", "example.com", 80), "example.com"),
        ("http://under_score.example/", Destination("http", "under_score.example", 80), "under_score.example"),
        ("http://localhost/", Destination("http", "localhost", 80), "localhost"),
        ("http://a.b-c.3d/", Destination("http", "a.b-c.3d", 80), "a.b-c.3d"),
        ("http://example.com/%20%7B?q=%ff", Destination("http", "example.com", 80), "example.com"),
    ],
)
def test_a_destination_is_written_in_one_way(url: str, destination: Destination, authority: str) -> None:
    assert read_url(url) == destination
    assert read_url(url).authority == authority


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("", "of the form"),
        ("example.com", "of the form"),
        ("//example.com/", "of the form"),
        ("http:/example.com/", "of the form"),
        ("http:example.com", "of the form"),
        ("ftp://example.com/", "neither http nor https"),
        ("file:///etc/passwd", "neither http nor https"),
        ("gopher://example.com:70/", "neither http nor https"),
        ("javascript://example.com/%0aalert(1)", "neither http nor https"),
        ("unix:///var/run/docker.sock", "neither http nor https"),
        ("http:///path", "it has no host"),
        ("http://?x", "it has no host"),
        ("http://user@example.com/", "user name or password"),
        ("http://user:pass@example.com/", "user name or password"),
        ("http://@example.com/", "user name or password"),
        ("http://example.com@127.0.0.1/", "user name or password"),
        ("http://127.0.0.1:80@example.com:80/", "user name or password"),
        ("http://example.com/#fragment", "fragment"),
        ("http://example.com#@127.0.0.1/", "fragment"),
        ("http://exa mple.com/", "a space"),
        ("http://example.com/a b", "a space"),
        (" http://example.com/", "a space"),
        ("http://example.com/\r\nHost: evil", "a space, a control character"),
        ("http://example.com/\t", "a control character"),
        ("http://example.com/\x00", "a control character"),
        ("http://example.com/\x7f", "a control character"),
        ("http://example.com\\@127.0.0.1/", "backslash"),
        ("http:\\\\example.com/", "backslash"),
        ("http://example.com/ü", "percent-encoded"),
        ("http://example.com/\u2028", "percent-encoded"),
        ("http://example.com/\ud800", "percent-encoded"),
        ("http://example.com/<b>", "percent-encoded"),
        ('http://example.com/"', "percent-encoded"),
        ("http://example.com/{id}", "percent-encoded"),
        ("http://example.com:/", "port"),
        ("http://example.com:0/", "port"),
        ("http://example.com:65536/", "port"),
        ("http://example.com:-80/", "port"),
        ("http://example.com:80a/", "port"),
        ("http://example.com:\uff18\uff10/", "port"),
        ("http://example.com:80:80/", "port"),
        ("http://example.com:000080/", "port"),
        ("http://-example.com/", "is not a host name"),
        ("http://example-.com/", "is not a host name"),
        ("http://example..com/", "is not a host name"),
        ("http://example.com../", "is not a host name"),
        ("http://.example.com/", "is not a host name"),
        ("http://./", "is not a host name"),
        ("http://exam%70le.com/", "is not a host name"),
        ("http://ex*mple.com/", "is not a host name"),
        ("http://exa\u00admple\u2100.com/", "is not a host name"),
        (f"http://{'a' * 64}.com/", "is not a host name"),
        (f"http://{'a.' * 130}com/", "is not a host name"),
        ("http://\ud800.com/", "is not a host name"),
        (f"http://example.com/{'a' * URL_LIMIT}", "longer than"),
        ("http://[::1/", "in brackets"),
        ("http://::1/", "in brackets"),
        ("http://[1.2.3.4]/", "is not an IPv6 address"),
        ("http://[example.com]/", "is not an IPv6 address"),
        ("http://[]/", "is not an IPv6 address"),
        ("http://[::1]x/", "in brackets"),
        ("http://[[::1]]/", "in brackets"),
        ("http://x[::1]/", "in brackets"),
        ("http://[fe80::1%eth0]/", "scope id"),
        ("http://[fe80::1%25eth0]/", "scope id"),
        ("http://[::1%00]/", "scope id"),
    ],
)
def test_what_could_be_read_in_two_ways_is_refused_with_a_sentence(url: str, words: str) -> None:
    with pytest.raises(Invalid, match=words) as refused:
        read_url(url)
    assert refused.value.code == "invalid_value"
    assert refused.value.parameters == {"rule": "syntax"}


@pytest.mark.parametrize(
    ("host", "meant"),
    [
        ("2130706433", "127.0.0.1"), ("0177.0.0.1", "127.0.0.1"), ("0177.1", "127.0.0.1"), ("0x7f.1", "127.0.0.1"),
        ("0x7f000001", "127.0.0.1"), ("127.1", "127.0.0.1"), ("127.0.1", "127.0.0.1"), ("0", "0.0.0.0"), ("0x0", "0.0.0.0"),
        ("017700000001", "127.0.0.1"), ("127.0.0.01", "127.0.0.1"), ("0x7F.0.0.1", "127.0.0.1"), ("134744072", "8.8.8.8"),
        ("2852039166", "169.254.169.254"), ("\uff11\uff12\uff17.\uff11", "127.0.0.1"), ("127。1", "127.0.0.1"),
        ("2130706433.", "127.0.0.1"), ("0xa9fea9fe", "169.254.169.254"),
    ],
)  # fmt: skip
def test_an_unusual_way_to_write_an_address_is_refused_by_what_it_means(host: str, meant: str) -> None:
    with pytest.raises(Invalid, match="an unusual way to write the address " + meant.replace(".", r"\.")):
        read_url(f"http://{host}/")


@pytest.mark.parametrize(
    "host", ["1.2.3.4.5", "256.1.1.1", "1.2.3.0x100", "99999999999", "a.1", "example.com.0x", "1.2.3.08", "0x", "-1.2.3.4"]
)
def test_a_host_that_ends_in_a_number_and_is_no_address_is_refused(host: str) -> None:
    with pytest.raises(Invalid):
        read_url(f"http://{host}/")


def test_full_width_digits_are_the_address_that_they_look_like() -> None:
    assert read_url("http://\uff11\uff12\uff17.\uff10.\uff10.\uff11/").host == "127.0.0.1"


SECRET = "s3cr3t"


@pytest.mark.parametrize(
    "url",
    [
        f"http://user:{SECRET}@example.com/", f"http://example.com/{SECRET} ", f"http://example.com/?key={SECRET}#", f"ftp://h/{SECRET}",
        f"http://example.com:x/{SECRET}", f"http://[::1/{SECRET}", f"http://127.1/{SECRET}", f"http://ex..com/?{SECRET}", f"http://h/{SECRET}<",
    ],
)  # fmt: skip
def test_a_refusal_repeats_nothing_of_the_path_the_query_or_a_password(url: str) -> None:
    with pytest.raises(Invalid) as refused:
        read_url(url)
    assert SECRET not in refused.value.description


@given(st.text("htps:/.[]@%#?\\0127fx-_\n \u3002\uff11\u2100\xdf\ud800", max_size=40).map("http://".__add__))
def test_any_text_is_a_destination_or_invalid(text: str) -> None:
    try:
        destination = read_url(text)
    except Invalid:
        return
    assert destination.host.isascii()
    assert destination.host == destination.host.lower()
    assert 1 <= destination.port <= 65_535
    # Python's own parser reads the same host and port: the request is built with it.
    parts = urlsplit(text)
    assert (parts.scheme, parts.port) == (destination.scheme, parts.port and destination.port)
    assert parts.hostname is not None
    # What was read, written out, is read as the same again.
    assert read_url(f"{destination.scheme}://{destination.host_in_url}:{destination.port}/") == destination


def test_a_destination_shows_no_certificates() -> None:
    destination = read_url("https://example.com/", "-----BEGIN CERTIFICATE-----")
    assert repr(destination) == "Destination(https://example.com:443, own ca)"
    assert destination != read_url("https://example.com/")
    assert hash(destination) == hash(read_url("https://example.com/other", "-----BEGIN CERTIFICATE-----"))
