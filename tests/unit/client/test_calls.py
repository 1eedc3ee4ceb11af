"""The calls as data: where each goes, in Podio's own spelling, and how what comes back is read."""

from __future__ import annotations

import inspect
import re
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidings.client import Client
from tidings.client.calls import Call, Deed, Noun, Operation, Pages, Paging, anything, many, one, path
from tidings.client.login import Login
from tidings.client.nouns import apps, contacts, deliveries, files, hooks, items, places, talk, tasks
from tidings.errors import Invalid, TidingsError

ROOT = Path(__file__).parents[3]

NOUNS = [each for module in (apps, contacts, deliveries, files, hooks, items, places, talk, tasks) for each in vars(module).values()]


def described() -> dict[str, Operation[..., Any] | Paging[..., Any]]:
    """Every operation there is, by its name."""
    nouns = [each for each in NOUNS if isinstance(each, type) and issubclass(each, Noun) and each is not Noun]
    return {
        f"{noun.__name__.lower()}.{name}": each
        for noun in nouns
        for name, each in vars(noun).items()
        if isinstance(each, Operation | Paging)
    }


OPERATIONS = described()


def call(name: str, *args: object, **named: object) -> Call[Any]:
    """What an operation describes."""
    found: Any = OPERATIONS[name].describe(None, *args, **named)
    return found.at(0) if isinstance(found, Pages) else found


# As Podio's documentation writes them: a list ends in a slash, a single thing does not (contract section 6).
PODIOS: list[tuple[str, tuple[Any, ...], str]] = [
    ("hooks.create", ("app", 5, "u", "item.create"), "POST /hook/app/5/"),
    ("hooks.list", ("app", 5), "GET /hook/app/5/"),
    ("hooks.get", (7,), "GET /hook/7"),
    ("hooks.update", (7,), "PUT /hook/7"),
    ("hooks.diagnose", (7,), "GET /hook/7/diagnosis"),
    ("hooks.pause", (7,), "POST /hook/7/pause"),
    ("hooks.resume", (7,), "POST /hook/7/resume"),
    ("hooks.test", (7,), "POST /hook/7/test"),
    ("hooks.verify", (7,), "POST /hook/7/verify/request"),
    ("hooks.validate", (7, "c"), "POST /hook/7/verify/validate"),
    ("hooks.renew_secret", (7,), "POST /hook/7/secret"),
    ("hooks.delete", (7,), "DELETE /hook/7"),
    ("deliveries.list", (7,), "GET /hook/7/delivery"),
    ("deliveries.get", (7, 3), "GET /hook/7/delivery/3"),
    ("deliveries.health", (7,), "GET /hook/7/health"),
    ("deliveries.ledger", (42,), "GET /item/42/ledger"),
    ("deliveries.undelivered", (5,), "GET /app/5/undelivered"),
    ("deliveries.redeliver", (7, 3), "POST /hook/7/delivery/3/redeliver"),
    ("replays.plan", (7,), "POST /hook/7/replay"),
    ("replays.start", (7,), "POST /hook/7/replay"),
    ("replays.get", (8,), "GET /replay/8"),
    ("replays.list", (7,), "GET /hook/7/replay"),
    ("replays.stop", (8,), "POST /replay/8/stop"),
    ("items.create", (5, {}), "POST /item/app/5/"),
    ("items.get", (42,), "GET /item/42"),
    ("items.get_by_app_item_id", (5, 2), "GET /app/5/item/2"),
    ("items.get_by_external_id", (5, "a/b ?#é"), "GET /item/app/5/external_id/a%2Fb%20%3F%23%C3%A9"),
    ("items.get_next", (42,), "GET /item/42/next"),
    ("items.get_previous", (42,), "GET /item/42/previous"),
    ("items.update", (42, {}), "PUT /item/42"),
    ("items.update_values", (42, {}), "PUT /item/42/value"),
    ("items.update_field_value", (42, "title", 1), "PUT /item/42/value/title"),
    ("items.get_values", (42,), "GET /item/42/value"),
    ("items.get_field_values", (42, 3), "GET /item/42/value/3"),
    ("items.delete", (42,), "DELETE /item/42"),
    ("items.delete_many", (5, [1]), "POST /item/app/5/delete"),
    ("items.filter", (5,), "POST /item/app/5/filter/"),
    ("items.iterate", (5,), "POST /item/app/5/filter/"),
    ("items.list_revisions", (42,), "GET /item/42/revision/"),
    ("items.get_revision", (42, 0), "GET /item/42/revision/0"),
    ("items.compare_revisions", (42, 0, 3), "GET /item/42/revision/0/3"),
    ("items.revert_revision", (42, 3), "DELETE /item/42/revision/3"),
    ("items.revert_to_revision", (42, 3), "POST /item/42/revision/3/revert_to"),
    ("items.clone", (42,), "POST /item/42/clone"),
    ("items.count", (5,), "GET /item/app/5/count"),
    ("apps.get", (5,), "GET /app/5"),
    ("apps.list", (2,), "GET /app/space/2/"),
    ("apps.list_own", (), "GET /app/v2/"),
    ("apps.get_by_label", (2, "bugs"), "GET /app/space/2/bugs"),
    ("apps.create", (2, {}), "POST /app/"),
    ("apps.update", (5,), "PUT /app/5"),
    ("apps.delete", (5,), "DELETE /app/5"),
    ("apps.install", (5, 2), "POST /app/5/install"),
    ("apps.activate", (5,), "POST /app/5/activate"),
    ("apps.deactivate", (5,), "POST /app/5/deactivate"),
    ("apps.create_field", (5, "text", {}), "POST /app/5/field/"),
    ("apps.get_field", (5, 3), "GET /app/5/field/3"),
    ("apps.update_field", (5, 3, {}), "PUT /app/5/field/3"),
    ("apps.delete_field", (5, 3), "DELETE /app/5/field/3"),
    ("orgs.list", (), "GET /org/"),
    ("orgs.get", (1,), "GET /org/1"),
    ("orgs.create", ("n",), "POST /org/"),
    ("orgs.get_by_url", ("http://x",), "GET /org/url?url=http%3A%2F%2Fx"),
    ("orgs.update", (1,), "PUT /org/1"),
    ("spaces.list_top", (), "GET /space/top"),
    ("spaces.list", (1,), "GET /space/org/1/"),
    ("spaces.get", (2,), "GET /space/2"),
    ("spaces.get_by_url", ("http://x/a b",), "GET /space/url?url=http%3A%2F%2Fx%2Fa+b"),
    ("spaces.create", (1, "n"), "POST /space/"),
    ("spaces.update", (2,), "PUT /space/2"),
    ("spaces.delete", (2,), "DELETE /space/2"),
    ("spaces.join", (2,), "POST /space/2/join"),
    ("spaces.leave", (2,), "POST /space/2/leave"),
    ("members.list", (2,), "GET /space/2/member/"),
    ("members.get", (2, 6), "GET /space/2/member/6"),
    ("members.add", (2, "light"), "POST /space/2/member/"),
    ("members.set_role", (2, [6, 7], "admin"), "PUT /space/2/member/6,7"),
    ("members.remove", (2, [6, 7]), "DELETE /space/2/member/6,7"),
    ("users.get", (), "GET /user/"),
    ("users.get_profile", (), "GET /user/profile/"),
    ("comments.create", ("item", 42, "v"), "POST /comment/item/42/"),
    ("comments.list", ("item", 42), "GET /comment/item/42/"),
    ("comments.iterate", ("item", 42), "GET /comment/item/42/?limit=100&offset=0"),
    ("comments.get", (9,), "GET /comment/9"),
    ("comments.update", (9, "v"), "PUT /comment/9"),
    ("comments.delete", (9,), "DELETE /comment/9"),
    ("files.upload", (b"", "x"), "POST /file/"),
    ("files.get", (7,), "GET /file/7"),
    ("files.attach", (7, "item", 42), "POST /file/7/attach"),
    ("files.replace", (8, 7), "POST /file/8/replace"),
    ("files.copy", (7,), "POST /file/7/copy"),
    ("files.describe", (7, "d"), "PUT /file/7"),
    ("files.delete", (7,), "DELETE /file/7"),
    ("files.list_in_app", (5,), "GET /file/app/5/"),
    ("files.list_in_space", (2,), "GET /file/space/2/"),
    ("files.iterate", ("app", 5), "GET /file/app/5/?limit=100&offset=0"),
    ("tasks.create", ("t",), "POST /task/"),
    ("tasks.create_on", ("item", 42, "t"), "POST /task/item/42/"),
    ("tasks.get", (7,), "GET /task/7"),
    ("tasks.list", (), "GET /task/"),
    ("tasks.iterate", (), "GET /task/?limit=100&offset=0"),
    ("tasks.list_on", ("item", 42), "GET /task/item/42/"),
    ("tasks.count_on", ("item", 42), "GET /task/item/42/count"),
    ("tasks.update", (7,), "PUT /task/7"),
    ("tasks.assign", (7, 6), "POST /task/7/assign"),
    ("tasks.complete", (7,), "POST /task/7/complete"),
    ("tasks.incomplete", (7,), "POST /task/7/incomplete"),
    ("tasks.remove_ref", (7,), "DELETE /task/7/ref"),
    ("tasks.delete", (7,), "DELETE /task/7"),
    ("statuses.create", (2, "v"), "POST /status/space/2/"),
    ("statuses.get", (3,), "GET /status/3"),
    ("statuses.update", (3, "v"), "PUT /status/3"),
    ("statuses.delete", (3,), "DELETE /status/3"),
    ("tags.add", ("item", 42, ["a"]), "POST /tag/item/42/"),
    ("tags.set", ("item", 42, ["a"]), "PUT /tag/item/42/"),
    ("tags.remove", ("item", 42, "a&b"), "DELETE /tag/item/42?text=a%26b"),
    ("tags.list", (5,), "GET /tag/app/5/"),
    ("contacts.create", (2, "n"), "POST /contact/space/2/"),
    ("contacts.list", (2,), "GET /contact/space/2/"),
    ("contacts.iterate", (2,), "GET /contact/space/2/?limit=100&offset=0"),
    ("contacts.get", (9,), "GET /contact/9/v2"),
    ("contacts.get_many", ([9, 8],), "GET /contact/9,8/v2"),
    ("contacts.get_user", (6,), "GET /contact/user/6"),
    ("contacts.update", (9,), "PUT /contact/9"),
    ("contacts.delete", (9,), "DELETE /contact/9"),
    ("forms.create", (5, {}), "POST /form/app/5/"),
    ("forms.get", (3,), "GET /form/3"),
    ("forms.list", (5,), "GET /form/app/5/"),
    ("forms.update", (3,), "PUT /form/3"),
    ("forms.delete", (3,), "DELETE /form/3"),
    ("forms.activate", (3,), "POST /form/3/activate"),
    ("forms.deactivate", (3,), "POST /form/3/deactivate"),
]


@pytest.mark.parametrize(("name", "arguments", "target"), PODIOS, ids=[name for name, *_ in PODIOS])
def test_a_call_goes_where_podios_documentation_says(name: str, arguments: tuple[Any, ...], target: str) -> None:
    made = call(name, *arguments)

    assert f"{made.method} {made.target}" == target


def test_every_operation_is_in_the_table() -> None:
    assert OPERATIONS
    assert set(OPERATIONS) == {name for name, *_ in PODIOS}


def test_every_change_may_be_made_without_hooks_and_without_people() -> None:
    # What tells nobody: hooks about hooks, uploads, copies, descriptions, and what has no event.
    quiet = {
        "hooks.create",
        "hooks.update",
        "hooks.pause",
        "hooks.resume",
        "hooks.test",
        "hooks.verify",
        "hooks.validate",
        "hooks.delete",
        "hooks.renew_secret",
        "deliveries.redeliver",
        "replays.plan",
        "replays.start",
        "replays.stop",
        "files.upload",
        "files.copy",
        "files.describe",
    }
    quiet |= {"orgs.create", "orgs.update", "spaces.create", "spaces.update", "members.set_role", "items.filter", "items.iterate"}
    for name, arguments, _ in PODIOS:
        made = call(name, *arguments)
        if made.method == "GET" or name in quiet:
            continue
        heard = call(name, *arguments, hook=False, silent=True)
        assert heard.target == f"{made.target}{'&' if '?' in made.target else '?'}hook=false&silent=true"
        assert heard.body == made.body


def test_only_what_may_be_is_sent_twice() -> None:
    never = {name for name, arguments, _ in PODIOS if not call(name, *arguments).is_repeatable}

    assert {name for name in never if call_of(name).method != "POST"} == {"items.revert_revision"}
    assert {name for name, *_ in PODIOS if call_of(name).method == "POST"} - never == {
        "hooks.pause",
        "hooks.resume",
        "items.filter",
        "items.iterate",
        "replays.plan",
        "replays.stop",
        "tags.add",
    }
    assert not call("items.update", 42, {}, revision=3).is_repeatable
    assert not call("apps.update", 5, fields=[{"type": "text"}]).is_repeatable
    assert not call("comments.update", 9, "v", file_ids=[1]).is_repeatable


def test_the_documentation_names_every_call_and_no_other() -> None:
    section = (ROOT / "docs" / "client.md").read_text().partition("\n## The calls\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| `(\w+)` \| (`.*) \|$", section, re.MULTILINE)
    told = {f"{noun}.{name}" for noun, calls in rows for name in re.findall(r"`(\w+)`", calls)}

    assert told == set(OPERATIONS) | {"files.download", "files.read"}


def test_the_examples_of_the_documentation_are_python() -> None:
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "client.md").read_text(), re.DOTALL)

    assert len(blocks) == 2
    for block in blocks:
        compile(block, "docs/client.md", "exec")


def call_of(name: str) -> Call[Any]:
    return next(call(name, *arguments) for each, arguments, _ in PODIOS if each == name)


def test_a_body_says_what_was_given_and_no_more() -> None:
    assert call("items.create", 5, {"title": "x"}).body == {"fields": {"title": "x"}}
    assert call("items.create", 5, {}, external_id="E", file_ids=(1,), tags=("a",)).body == {
        "fields": {}, "external_id": "E", "file_ids": [1], "tags": ["a"],
    }  # fmt: skip
    assert call("items.update", 42, {"title": None}, revision=0).body == {"fields": {"title": None}, "revision": 0}
    assert call("items.update_field_value", 42, "title", None).body is None
    assert call("hooks.create", "app", 5, "u", "t", order="object").body == {"url": "u", "type": "t", "order": "object"}
    assert call("tasks.create", "t", due_date="2026-01-02").body == {"text": "t", "due_date": "2026-01-02"}
    assert call("tasks.assign", 7, None).body == {"responsible": None}
    assert call("contacts.update", 9, phone=None).body == {"phone": None}


@pytest.mark.parametrize("page", [0, -1, 501])
def test_a_page_has_a_size_that_every_server_gives(page: int) -> None:
    with pytest.raises(Invalid, match="page"):
        call("items.iterate", 5, page=page)


def test_flags_are_0_and_1_where_something_is_read() -> None:
    assert call("tasks.list", completed=False, space=2).target == "/task/?completed=0&space=2"
    assert call("tasks.list", responsible=[6, 7]).target == "/task/?responsible=6%2C7"
    assert call("apps.list", 2, include_inactive=True).target == "/app/space/2/?include_inactive=1"


@given(part=st.text(st.characters(exclude_categories=["Cs"])))
def test_a_part_of_a_path_never_reaches_beyond_itself(part: str) -> None:
    if part in ("", ".", ".."):
        with pytest.raises(Invalid):
            path("/item/app/{}/external_id/{}", 5, part)
    else:
        made = path("/item/app/{}/external_id/{}", 5, part)
        assert made.count("/") == 5
        assert not set(made) & set("?#\r\n ")


def test_an_operation_looks_like_the_function_that_describes_it() -> None:
    update = Client("http://127.0.0.1:1").items.update

    assert update.__name__ == "update"
    assert (update.__doc__ or "").startswith("Set the fields named")
    assert [*inspect.signature(update).parameters][:3] == ["item_id", "fields", "revision"]
    with pytest.raises(TypeError, match="hok"):
        update(42, {}, hok=False)  # type: ignore[call-arg]


def test_what_both_clients_have_is_described_once() -> None:
    assert all(isinstance(vars(Login)[name], Deed) for name in vars(Login) if name.startswith("authenticate"))


# --- answers -----------------------------------------------------------------------------------------------------------

KEYS = st.sampled_from(["item_id", "items", "total", "count", "x"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=6,
)


@given(value=JSON, described=st.sampled_from(PODIOS))
def test_any_json_is_an_answer_or_an_error_of_ours(value: Any, described: tuple[str, tuple[Any, ...], str]) -> None:
    name, arguments, _ = described
    with suppress(TidingsError):
        call(name, *arguments).read(value)


def test_what_an_answer_must_have_is_looked_for() -> None:
    read, read_many = one(dict, "item_id"), many(dict, "item_id")

    assert read({"item_id": 42, "more": 1}) == {"item_id": 42, "more": 1}
    assert read_many([{"item_id": 1}]) == [{"item_id": 1}]
    wrongs: list[Any] = [None, [], 7, "x", {}, {"item_id": "42"}, {"item_id": True}, {"item_id": None}]
    for wrong in wrongs:
        with pytest.raises(TidingsError):
            read(wrong)
        with pytest.raises(TidingsError):
            read_many([wrong])
        with pytest.raises(TidingsError):
            read_many({"item_id": 1})
    assert anything(7) == 7


@pytest.mark.parametrize(
    ("url", "page"),
    [("https://api.podio.com", "https://podio.com/oauth/authorize"), ("http://127.0.0.1:8000", "http://127.0.0.1:8000/oauth/authorize")],
)
def test_people_are_sent_where_they_sign_in(url: str, page: str) -> None:
    client = Client(url, "my-client", "hunter2")

    plain = client.authorize_url("https://me.example/back?a=1")
    assert plain == f"{page}?client_id=my-client&redirect_uri=https%3A%2F%2Fme.example%2Fback%3Fa%3D1&response_type=code"
    # The challenge is that of RFC 7636, appendix B.
    more = client.authorize_url("https://me", scope="app:read", state="s", code_verifier="dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")
    assert more.endswith("&scope=app%3Aread&state=s&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256")
