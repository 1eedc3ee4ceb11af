"""Text, phone numbers, e-mail addresses, links, locations."""

from __future__ import annotations

import pytest

from tests.unit.workspace.test_values import rule
from tidings.errors import Invalid
from tidings.workspace.values.addresses import ADDRESS_LIMIT
from tidings.workspace.values.links import URL_LIMIT
from tidings.workspace.values.locations import LOCATION_LIMIT
from tidings.workspace.values.rule import KEY_LENGTH, NOTHING_KNOWN, Value
from tidings.workspace.values.text import TEXT_LIMIT


def test_a_text_has_a_hundred_thousand_characters_at_most() -> None:
    assert rule("text").read("ä" * TEXT_LIMIT, ()) == {"value": "ä" * TEXT_LIMIT}
    with pytest.raises(Invalid, match=r"Invalid value '(ä){60}...' \(string\): must be text of at most 100000 characters"):
        rule("text").read("ä" * (TEXT_LIMIT + 1), ())


def test_a_text_is_kept_letter_for_letter() -> None:
    assert rule("text").read("  <p>ÄÖ</p>\n\t ", ()) == {"value": "  <p>ÄÖ</p>\n\t "}


@pytest.mark.parametrize("broken", ["a\0b", "a\ud800b", "\udfff"])
def test_a_text_that_a_database_cannot_keep_is_refused_in_a_sentence_that_can_be_sent(broken: str) -> None:
    with pytest.raises(Invalid, match="without NUL characters and lone surrogates") as raised:
        rule("text").read(broken, ())
    assert "\0" not in raised.value.description
    raised.value.description.encode()


def test_texts_are_compared_by_their_beginning_whatever_the_case() -> None:
    assert rule("text").key({"value": "ÄB" + "C" * 300}) == (None, "äb" + "c" * (KEY_LENGTH - 2))


def test_a_phone_number_has_a_kind_of_those_that_the_field_offers() -> None:
    phone = rule("phone", {"possible_types": ["work", "mobile"]})
    assert phone.read("+45 12", ()) == {"type": "work", "value": "+45 12"}
    assert phone.read({"type": "mobile", "value": "12"}, ()) == {"type": "mobile", "value": "12"}
    with pytest.raises(Invalid, match=r"must be one of \{work,mobile\}"):
        phone.read({"type": "home", "value": "12"}, ())
    assert phone.read({"type": "home", "value": "12"}, [{"type": "home", "value": "12"}])["type"] == "home"


@pytest.mark.parametrize("written", ["none", {"type": "work"}, {"value": 12}, "1" * (ADDRESS_LIMIT + 1), {"type": [], "value": "12"}])
def test_what_is_no_phone_number_is_refused(written: object) -> None:
    with pytest.raises(Invalid, match=r"must be (a phone number|one of)"):
        rule("phone").read(written, ())


@pytest.mark.parametrize("written", ["none", "a@", "@b", "a@b@c", "a b@c", {"value": 5}])
def test_what_is_no_mail_address_is_refused(written: object) -> None:
    with pytest.raises(Invalid, match="must be an e-mail address"):
        rule("email").read(written, ())


# --- links ---


@pytest.mark.parametrize(
    "written",
    [
        "https://example.org/a?b=c#d",
        {"url": "https://example.org/a?b=c#d"},
        {"embed": "https://example.org/a?b=c#d"},
        {"embed": {"url": "https://example.org/a?b=c#d"}},
        {"embed": {"original_url": "https://example.org/a?b=c#d"}, "file": None},
        {"value": "https://example.org/a?b=c#d"},
    ],
)
def test_a_link_is_read_however_clients_write_it(written: object) -> None:
    assert rule("embed").read(written, ()) == {"url": "https://example.org/a?b=c#d"}


@pytest.mark.parametrize(
    "written",
    [
        "example.org", "ftp://example.org", "javascript:alert(1)", "http://", "https://exa mple.org", "http://[::1", "http://a:99999",
        "http://a:0", "http://a/\nb", {"embed": {}}, {"url": 1.5}, "https://example.org/" + "a" * URL_LIMIT,
    ],
)  # fmt: skip
def test_what_is_no_link_is_refused(written: object) -> None:
    with pytest.raises(Invalid, match="must be a link that begins with http:// or https://"):
        rule("embed").read(written, ())


def test_a_client_that_writes_back_the_ids_of_links_keeps_them() -> None:
    link = rule("embed")
    held: list[Value] = [{"url": "https://example.org/a"}, {"url": "https://example.org/b"}]
    shown = link.show(held[1], NOTHING_KNOWN)
    embed = shown["embed"]
    assert isinstance(embed, dict)
    assert link.read({"embed": embed["embed_id"], "file": None}, held) == held[1]  # podio-php, podio-dotnet
    with pytest.raises(Invalid, match="embeds are not made beforehand here"):
        link.read({"embed": embed["embed_id"]}, ())


def test_a_link_with_a_picture_is_refused_as_there_are_no_files() -> None:
    with pytest.raises(Invalid, match="files are not offered yet"):
        rule("embed").read({"embed": "https://example.org", "file": 5}, ())


# --- locations ---


def test_a_location_keeps_its_parts() -> None:
    parts = {"value": "Main Street 1, Aarhus", "city": "Aarhus", "country": "Denmark", "lat": 56.15, "lng": "10.2"}
    assert rule("location").read(parts, ()) == {**parts, "lat": 56.15, "lng": 10.2}


def test_a_location_without_a_value_is_called_by_what_else_it_says() -> None:
    assert rule("location").read({"formatted": "Aarhus, Denmark"}, ())["value"] == "Aarhus, Denmark"
    assert rule("location").read({"lat": 56, "lng": 10.5}, ())["value"] == "56.0, 10.5"


@pytest.mark.parametrize("written", [{"city": "Aarhus"}, {"lat": 56}, 5, ["x"], {"value": 5}, {"value": "x" * (LOCATION_LIMIT + 1)}])
def test_what_is_no_location_is_refused(written: object) -> None:
    with pytest.raises(Invalid, match=r"must be (a location|text, as value)"):
        rule("location").read(written, ())


@pytest.mark.parametrize(("name", "degrees"), [("lat", 90.5), ("lat", -91), ("lng", 181), ("lng", "east")])
def test_degrees_off_the_globe_are_refused(name: str, degrees: object) -> None:
    with pytest.raises(Invalid, match="must be a number"):
        rule("location").read({"value": "x", name: degrees}, ())
