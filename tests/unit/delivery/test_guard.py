"""May a hook go there: the rule `public`, told by the URL alone and by each address that its name resolves to."""

from __future__ import annotations

from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidings.delivery.allow import AllowList, parse_allow
from tidings.delivery.destination import Destination
from tidings.delivery.guard import judge_address, judge_url, read_proxy
from tidings.errors import Invalid

NOTHING = AllowList()


@pytest.mark.parametrize(
    ("url", "destination"),
    [
        ("http://example.com/hook", Destination("http", "example.com", 80)),
        ("https://example.com/hook", Destination("https", "example.com", 443)),
        ("http://example.com:80/", Destination("http", "example.com", 80)),
        ("https://8.8.8.8/", Destination("https", "8.8.8.8", 443)),
        ("https://[2606:4700::1111]/", Destination("https", "2606:4700::1111", 443)),
    ],
)
def test_public_destinations_on_the_rules_own_ports_pass(url: str, destination: Destination) -> None:
    assert judge_url(url, NOTHING) == destination


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://example.com:443/", "http goes to port 80 only, not to 443"),
        ("https://example.com:80/", "https goes to port 443 only, not to 80"),
        ("http://example.com:8080/", "http goes to port 80 only, not to 8080"),
        ("http://8.8.8.8:6379/", "http goes to port 80 only, not to 6379"),
        ("http://127.0.0.1/", "127.0.0.1 is loopback"),
        ("http://127.255.255.254/", "is loopback"),
        ("http://[::1]/", "::1 is loopback"),
        ("http://0.0.0.0/", "means none"),
        ("http://[::]/", "means none"),
        ("https://10.0.0.1/", "a private network"),
        ("https://169.254.169.254/latest/meta-data/", "cloud metadata"),
        ("https://[fd00:ec2::254]/", "cloud metadata"),
        ("https://100.100.100.200/", "cloud metadata"),
        ("https://168.63.129.16/", "Azure"),
        ("http://[::ffff:127.0.0.1]/", "in disguise"),
        ("http://[::127.0.0.1]/", "in disguise"),
        ("http://[64:ff9b::127.0.0.1]/", "in disguise"),
        ("http://[2002:7f00:1::]/", "in disguise"),
        ("http://\uff11\uff12\uff17.\uff10.\uff10.\uff11/", "is loopback"),
        ("http://127.0.0.1./", "is loopback"),
        ("http://10.0.0.1:8080/", "a private network"),
    ],
)
def test_what_the_rule_refuses_is_refused_by_the_url_alone(url: str, words: str) -> None:
    with pytest.raises(Invalid) as refused:
        judge_url(url, NOTHING)
    assert words in refused.value.description
    assert refused.value.description.startswith("The rule `public` refuses this URL: ")
    assert refused.value.code == "invalid_value"
    assert refused.value.parameters == {"rule": "public"}


def test_the_certificates_of_a_hook_are_part_of_its_destination() -> None:
    assert judge_url("https://example.com/", NOTHING, "PEM").ca == "PEM"


def test_a_name_on_another_port_passes_where_it_may_yet_resolve_to_what_is_opened() -> None:
    allow = parse_allow(["10.0.0.0/8:8000-9000"])
    destination = judge_url("http://hooks.internal:8080/", allow)
    assert judge_address(ip_address("10.0.0.1"), destination, allow) is None
    assert judge_address(ip_address("8.8.8.8"), destination, allow) == "http goes to port 80 only, not to 8080"
    with pytest.raises(Invalid):
        judge_url("http://hooks.internal:7000/", allow)


def test_an_address_that_a_name_resolves_to_is_named_with_it() -> None:
    destination = judge_url("http://example.com/", NOTHING)
    assert judge_address(ip_address("8.8.8.8"), destination, NOTHING) is None
    refusal = judge_address(ip_address("10.0.0.1"), destination, NOTHING)
    assert refusal == "example.com resolves to 10.0.0.1, which is a private network"


@given(st.ip_addresses(), st.sampled_from(["http", "https"]), st.integers(1, 65_535))
def test_an_address_in_a_url_is_judged_as_the_same_address_of_a_name(address: object, scheme: str, port: int) -> None:
    host = f"[{address}]" if ":" in str(address) else str(address)
    by_name = judge_address(ip_address(str(address)), Destination(scheme, "example.com", port), NOTHING)
    try:
        judge_url(f"{scheme}://{host}:{port}/", NOTHING)
    except Invalid:
        assert by_name is not None
    else:
        assert by_name is None


@pytest.mark.parametrize(
    ("url", "host", "port"),
    [
        ("http://proxy.internal:3128", "proxy.internal", 3128),
        ("http://10.0.0.1:3128/", "10.0.0.1", 3128),
        ("http://[::1]:80", "::1", 80),
        ("http://proxy.internal", "proxy.internal", 80),
        ("HTTP://Proxy.internal:80/", "proxy.internal", 80),
    ],
)
def test_a_proxy_is_a_host_and_a_port_and_is_not_judged(url: str, host: str, port: int) -> None:
    assert read_proxy(url) == Destination("http", host, port)


@pytest.mark.parametrize(
    "url",
    ["https://proxy:3128", "socks5://proxy:1080", "proxy:3128", "http://user:pass@proxy:3128", "http://proxy:3128/path", "http://proxy?x"],
)
def test_a_proxy_of_another_kind_is_refused(url: str) -> None:
    with pytest.raises(Invalid, match="The setting proxy") as refused:
        read_proxy(url)
    assert "pass" not in refused.value.description.replace("password", "")
