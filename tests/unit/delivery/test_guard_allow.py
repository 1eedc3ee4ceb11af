"""What an operator's allow-list opens, and what it leaves closed."""

from __future__ import annotations

from contextlib import suppress
from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidings.delivery.allow import AllowList, parse_allow
from tidings.delivery.destination import Destination
from tidings.delivery.guard import judge_address, judge_destination
from tidings.errors import Invalid


def opens(entries: list[str] | str, host: str, port: int, scheme: str = "http", at: str | None = None) -> bool:
    """Whether `entries` let a hook go to `host` and `port`, the host being or resolving to the address `at`."""
    allow = parse_allow([entries] if isinstance(entries, str) else entries)
    destination = Destination(scheme, host, port)
    if judge_destination(destination, allow) is not None:
        return False
    return judge_address(ip_address(at or host), destination, allow) is None


def test_an_address_opens_itself_on_the_rules_own_ports() -> None:
    assert opens("10.0.0.1", "10.0.0.1", 80)
    assert opens("10.0.0.1", "10.0.0.1", 443, "https")
    assert not opens("10.0.0.1", "10.0.0.1", 443)
    assert not opens("10.0.0.1", "10.0.0.1", 80, "https")
    assert not opens("10.0.0.1", "10.0.0.1", 8080)
    assert not opens("10.0.0.1", "10.0.0.2", 80)


def test_a_network_opens_its_addresses_on_the_given_ports_and_both_schemes() -> None:
    for scheme in ("http", "https"):
        assert opens("10.0.0.0/8:8000-9000", "10.255.255.255", 8000, scheme)
        assert opens("10.0.0.0/8:8000-9000", "10.0.0.0", 9000, scheme)
        assert not opens("10.0.0.0/8:8000-9000", "10.0.0.0", 7999, scheme)
        assert not opens("10.0.0.0/8:8000-9000", "10.0.0.0", 9001, scheme)
        assert not opens("10.0.0.0/8:8000-9000", "11.0.0.0", 8000, scheme)
    assert not opens("10.0.0.0/8:8000-9000", "10.0.0.1", 80)


def test_a_star_opens_every_port() -> None:
    for port in (1, 22, 80, 443, 65_535):
        assert opens("127.0.0.1:*", "127.0.0.1", port)
        assert opens("[::1]:*", "::1", port)
    assert not opens("127.0.0.1:*", "127.0.0.2", 80)
    assert not opens("127.0.0.1:*", "::1", 80)


def test_a_network_opens_names_that_resolve_into_it() -> None:
    assert opens("10.0.0.0/8:8000", "hooks.internal", 8000, at="10.1.2.3")
    assert not opens("10.0.0.0/8:8000", "hooks.internal", 8000, at="192.168.0.1")
    assert not opens("10.0.0.0/8:8000", "hooks.internal", 8000, at="8.8.8.8")
    assert not opens("10.0.0.0/8:8000", "hooks.internal", 8001, at="10.1.2.3")


def test_a_name_is_opened_wherever_it_resolves_to_and_opens_nothing_else() -> None:
    for address in ("10.0.0.1", "127.0.0.1", "::1", "8.8.8.8", "::ffff:10.0.0.1"):
        assert opens("hooks.internal:8080", "hooks.internal", 8080, at=address)
    assert not opens("hooks.internal:8080", "hooks.internal", 80, at="10.0.0.1")
    assert not opens("hooks.internal:8080", "other.internal", 8080, at="10.0.0.1")
    assert not opens("hooks.internal:8080", "a.hooks.internal", 8080, at="10.0.0.1")
    assert not opens("hooks.internal:8080", "10.0.0.1", 8080)


def test_a_name_without_ports_is_opened_on_the_rules_own() -> None:
    assert opens("hooks.internal", "hooks.internal", 80, at="10.0.0.1")
    assert opens("hooks.internal", "hooks.internal", 443, "https", at="10.0.0.1")
    assert not opens("hooks.internal", "hooks.internal", 443, at="10.0.0.1")
    assert not opens("hooks.internal", "hooks.internal", 8080, at="10.0.0.1")


def test_a_name_is_the_same_however_it_is_written() -> None:
    assert opens("Hooks.INTERNAL.:*", "hooks.internal", 1, at="10.0.0.1")
    assert opens("bücher.internal:*", "xn--bcher-kva.internal", 1, at="10.0.0.1")


def test_a_star_in_front_opens_every_name_below_and_not_the_name_itself() -> None:
    assert opens("*.internal:*", "a.internal", 9000, at="10.0.0.1")
    assert opens("*.internal:*", "a.b.internal", 9000, at="10.0.0.1")
    assert not opens("*.internal:*", "internal", 9000, at="10.0.0.1")
    assert not opens("*.internal:*", "ainternal", 9000, at="10.0.0.1")
    assert not opens("*.internal:*", "internal.example", 9000, at="10.0.0.1")


def test_opening_ipv4_does_not_open_its_disguises() -> None:
    for disguise in ("::ffff:10.0.0.1", "::10.0.0.1", "64:ff9b::10.0.0.1", "2002:a00:1::1"):
        assert not opens("10.0.0.0/8:*", "hooks.internal", 80, at=disguise)
    assert opens("::ffff:0:0/96", "hooks.internal", 80, at="::ffff:10.0.0.1")


def test_everything_can_be_opened_but_not_a_scope() -> None:
    everything = ["0.0.0.0/0:*", "[::/0]:*"]
    assert opens(everything, "169.254.169.254", 1)
    assert opens(everything, "fe80::1", 1)
    assert not opens(everything, "hooks.internal", 1, at="fe80::1%eth0")
    assert not opens("hooks.internal:*", "hooks.internal", 1, at="fe80::1%eth0")


def test_an_entry_closes_nothing() -> None:
    assert opens("10.0.0.0/8:8000", "8.8.8.8", 80)
    assert opens("example.com:8000", "example.com", 443, "https", at="8.8.8.8")
    assert opens("example.com:8000", "example.com", 80, at="8.8.8.8")


def test_ipv6_is_written_with_or_without_brackets() -> None:
    for entry in ("::1", "[::1]", "::1/128", "[::1/128]", "[0::1]"):
        assert opens(entry, "::1", 80)
        assert not opens(entry, "::1", 8080)
    assert opens("[fd00::/8]:8000-8001", "fd12::1", 8001)
    assert opens("fd00::/8", "fd12::1", 80)


def test_an_empty_list_opens_nothing() -> None:
    assert parse_allow([]) == AllowList()
    assert not opens([], "10.0.0.1", 80)


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ("", "host"),
        (":80", "host"),
        ("*", "host"),
        ("*:80", "host"),
        ("*.", "host"),
        ("a.*.b", "host"),
        ("*.10.0.0.1", "before a name"),
        ("*.[::1]", "before a name"),
        ("http://example.com", "neither a host"),
        ("example.com/path", "neither a host"),
        ("example.com:", "ports are"),
        ("example.com:http", "ports are"),
        ("example.com:80,443", "ports are"),
        ("example.com:80-", "ports are"),
        ("example.com:-80", "ports are"),
        ("example.com:0", "between 1 and 65535"),
        ("example.com:90000", "between 1 and 65535"),
        ("example.com:90-80", "the lower one first"),
        ("10.0.0.0/33", "neither a host"),
        ("10.0.0.1/8", "did you mean 10.0.0.0/8"),
        ("fd00::1/8", "did you mean fd00::/8"),
        ("10.0.0.0/8/8", "neither a host"),
        ("127.1", "an unusual way to write the address 127.0.0.1"),
        ("2130706433:*", "an unusual way"),
        ("10.0.0.256", "neither an IPv4 address"),
        ("[::1", "brackets"),
        ("[::1]80", "brackets"),
        ("[10.0.0.1]:80", "brackets"),
        ("[]:80", "brackets"),
        ("::1:80:*", "neither a host"),
        ("fe80::1%eth0", "scope"),
        ("[fe80::1%eth0]:*", "scope"),
        ("user@example.com", "host"),
    ],
)
def test_an_entry_that_cannot_be_read_is_named(entry: str, words: str) -> None:
    with pytest.raises(Invalid, match=words) as refused:
        parse_allow(["127.0.0.1:*", entry])
    assert repr(entry) in refused.value.description
    assert refused.value.parameters == {"allow": entry}


@given(st.text("0123456789abf:.*[]/%- \x00\xdf", max_size=30))
def test_any_text_is_an_entry_or_invalid(entry: str) -> None:
    with suppress(Invalid):
        parse_allow([entry])
