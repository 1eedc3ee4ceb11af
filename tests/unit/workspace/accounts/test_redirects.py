"""Which redirect URIs are on a client's domains, and which only look so."""

from __future__ import annotations

from urllib.parse import urlsplit

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidings.errors import Invalid
from tidings.workspace.accounts.redirects import Place, checked_domains, find_place, with_fragment, with_query

DOMAINS = ["example.com", "sub.example.com", "tools.example.com:8443", "localhost", "127.0.0.1", "[::1]", "xn--mnchen-3ya.example"]


@pytest.mark.parametrize(
    "uri",
    [
        "https://example.com",
        "https://example.com/",
        "https://example.com/back?a=1&b=%20",
        "https://EXAMPLE.com/back",
        "HTTPS://example.com:443/back",
        "http://example.com/back",
        "http://example.com:80/back",
        "https://example.com?x=1",
        "https://sub.example.com/a/../b//c",
        "https://tools.example.com:8443/x",
        "http://localhost/cb",
        "http://localhost:51234/cb",
        "http://127.0.0.1:1/",
        "http://[::1]:8080/cb",
        "https://xn--mnchen-3ya.example/cb",
        "https://example.com/@evil.com",
        "https://example.com/?u=https://evil.com/",
    ],
)
def test_a_uri_on_a_registered_domain_is_allowed(uri: str) -> None:
    assert find_place(uri, DOMAINS) is not None


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "//example.com/cb",
        "/cb",
        "example.com/cb",
        "https:example.com",
        "https:/example.com",
        "https:///example.com/cb",
        "https://evil.com/",
        "https://evil.com/?example.com",
        "https://evil.com/example.com",
        "https://evil-example.com/",
        "https://evilexample.com/",
        "https://www.example.com/",
        "https://example.com.evil.com/",
        "https://example.com./",
        "https://example.com../",
        "https://example.com:8443/",
        "https://example.com:80/",
        "http://example.com:443/",
        "https://tools.example.com/",
        "https://tools.example.com:443/",
        "https://tools.example.com:08443:443/",
        "https://example.com:/",
        "https://example.com:0/",
        "https://example.com:99999/",
        "https://example.com@evil.com/",
        "https://example.com:x@evil.com/",
        "https://user@example.com/",
        "https://user:pass@example.com/",
        "https://evil.com\\@example.com/",
        "https://evil.com\\.example.com/",
        "https://example.com\\evil.com/",
        "https:\\\\example.com/",
        "https://example.com/\\evil",
        "https://example.com%2eevil.com/",
        "https://example%2ecom/",
        "https://example.com%00.evil.com/",
        "https://exampl\u0435.com/",  # a Cyrillic letter
        "https://\uff45xample.com/",  # full width
        "https://example\u3002com/",  # an ideographic full stop
        "https://m\u00fcnchen.example/cb",
        "https://example.com/#",
        "https://example.com/#x",
        "https://example.com#@evil.com/",
        "https://example.com/a b",
        " https://example.com/",
        "https://example.com/ ",
        "https://example.com/\r\nLocation: https://evil.com",
        "https://example.com/\n",
        "https://example.com/\t",
        "https://exa\tmple.com/",
        "https://example.com/\0",
        "https://example.com/ü",
        'https://example.com/"><script>',
        "javascript://example.com/%0aalert(1)",
        "javascript:alert(1)",
        "data:text/html,x",
        "ftp://example.com/",
        "file://localhost/etc/passwd",
        "app.example:/cb",
        "http://127.1/",
        "http://2130706433/",
        "http://0x7f.0.0.1/",
        "http://127.0.0.1.evil.com/",
        "http://localhost.evil.com/",
        "http://[::1/",
        "http://[::1]evil.com/",
        "http://[::ffff:127.0.0.1]/",
        "https://example.com/" + "x" * 2000,
    ],
)
def test_a_uri_elsewhere_or_one_that_a_browser_may_read_otherwise_is_not(uri: str) -> None:
    assert find_place(uri, DOMAINS) is None


PIECES = ["https://", "http://", "https:", "//", "/", "\\", "@", ":", "443", "80", "example.com", "evil.com", "#", "?", "%2f", "%40"]
PIECES += [".", "\t", "\r\n", " ", "[::1]", "[", "]", "%00", "é", "\u3002", "localhost", "&x=", ";", "x"]


@given(st.lists(st.sampled_from(PIECES), min_size=1, max_size=7).map("".join))
def test_what_is_allowed_leads_to_the_domain_whoever_reads_it(uri: str) -> None:
    if find_place(uri, ["example.com"]) is not None:
        assert urlsplit(uri).hostname == httpx.URL(uri).host == "example.com"
        assert not urlsplit(uri).fragment
        assert urlsplit(uri).username is None


def test_without_domains_nothing_is_allowed() -> None:
    assert find_place("https://example.com/", []) is None
    assert find_place("http://localhost/", ["example.com"]) is None


def test_a_loopback_domain_with_a_port_means_that_port() -> None:
    assert find_place("http://localhost:3000/", ["localhost:3000"]) is not None
    assert find_place("http://localhost:3001/", ["localhost:3000"]) is None


def test_a_place_is_written_as_a_browser_writes_an_origin() -> None:
    assert find_place("HTTPS://Example.com:443/cb", DOMAINS) == Place("https", "example.com", 443)
    assert Place("https", "example.com", 443).origin == "https://example.com"
    assert Place("http", "localhost", 3000).origin == "http://localhost:3000"


def test_domains_are_kept_in_lower_case_and_once() -> None:
    assert checked_domains([" Example.COM ", "example.com", "a.b:8080", "[::1]"]) == ["example.com", "a.b:8080", "[::1]"]


@pytest.mark.parametrize(
    "domain",
    [
        "",
        " ",
        "https://example.com",
        "example.com/",
        "a b",
        "*.example.com",
        ".example.com",
        "example.com.",
        "a..b",
        "a@b",
        "a:0",
        "a:99999",
        "a:b",
        "münchen.example",
        "-a",
        "a,b",
        "x" * 300,
        "[x]",
        "example.com:",
        "a\nb",
        "a;b",
    ],
)
def test_what_is_no_domain_is_refused(domain: str) -> None:
    with pytest.raises(Invalid, match="domains"):
        checked_domains([domain])


def test_there_is_an_end_to_domains() -> None:
    with pytest.raises(Invalid, match="at most 20"):
        checked_domains([f"h{n}.example" for n in range(21)])


def test_an_answer_goes_behind_the_uris_own_query_and_is_escaped() -> None:
    nasty = "a b&c=d#e\r\nSet-Cookie: x=é"
    assert with_query("https://a.example/cb", {"code": "1", "state": nasty}) == (
        "https://a.example/cb?code=1&state=a+b%26c%3Dd%23e%0D%0ASet-Cookie%3A+x%3D%C3%A9"
    )
    assert with_query("https://a.example/cb?x=1", {"code": "1"}) == "https://a.example/cb?x=1&code=1"
    assert with_fragment("https://a.example/cb?x=1", {"access_token": "1"}) == "https://a.example/cb?x=1#access_token=1"
