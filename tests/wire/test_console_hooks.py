"""The console's pages of webhooks, as a browser without scripts has them: what can be done, what is refused, and what others see."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from sqlalchemy import update

from tests.support.browsing import Browser, Page, signed_in
from tests.support.house import Api
from tests.support.past import make_past
from tests.support.world import World
from tidings.clock import DAY
from tidings.console import replays
from tidings.console.pages import console_rows
from tidings.hooks.registry import HookRecord, get_hook, list_place_hooks
from tidings.store import schema
from tidings.store.database import Tx
from tidings.workspace.fields.fields import NewField, create_field
from tidings.workspace.members import add_members

URL = "https://example.org/hooks"
NASTY = "\"><script>alert(1)</script><img src=x onerror='alert(2)'>"


def developer(api: Api) -> str:
    return f"/console/apps/{api.people.app_id}/developer"


async def add(api: Api, ada: Browser, **typed: str) -> Page:
    page = await ada.open(developer(api))
    return await ada.send(page, f"/console/apps/{api.people.app_id}/hooks", **{"url": URL, "type": "item.update", **typed})


async def hook_of(api: Api, hook_id: int = 1) -> HookRecord:
    return await api.house.database.read(get_hook, api.people.ada, hook_id)


async def code_of(api: Api, hook_id: int = 1) -> str:
    def read(tx: Tx) -> str:
        return str(tx.execute(schema.hooks.select().where(schema.hooks.c.hook_id == hook_id)).mappings().one()["verify_code"])

    return await api.house.database.read(read)


async def active(api: Api, ada: Browser) -> Page:
    """A hook that has been made and verified by hand; its page."""
    page = await add(api, ada)
    return await ada.send(page, "/console/hooks/1/validate", code=await code_of(api))


async def give_past(api: Api, *states: str, **answer: object) -> None:
    """The first hook has been told so much; each attempt went so."""

    def write(tx: Tx) -> None:
        people = api.people
        make_past(tx, World(people.ada, people.org_id, people.space_id, people.app_id, 0), 1, *states, first=1, at=api.clock())
        if answer:
            tx.execute(update(schema.attempts).values(**answer))

    await api.house.database.write(write)


# --- the developer page ------------------------------------------------------------------------------------------------


async def test_the_token_is_hidden_until_it_is_asked_for(api: Api, ada: Browser) -> None:
    page = await ada.open(developer(api))
    assert api.people.app_token not in page.text
    shown = await ada.send(page, f"/console/apps/{api.people.app_id}/token/reveal")
    assert api.people.app_token in shown.text
    assert api.people.app_token not in (await ada.open(developer(api))).text


async def test_a_new_token_ends_the_one_before_and_what_was_signed_in_with_it(api: Api, ada: Browser) -> None:
    page = await ada.open(developer(api))
    shown = await ada.send(page, f"/console/apps/{api.people.app_id}/token/renew")
    [token] = set(re.findall(r"<code>([0-9a-f]{32})</code>", shown.text))
    assert token != api.people.app_token
    client = {"client_id": api.people.client.client_id, "client_secret": api.people.client.client_secret}
    grant = {"grant_type": "app", "app_id": str(api.people.app_id), **client}
    assert (await api.http.post("/oauth/token", data={**grant, "app_token": api.people.app_token})).status_code == 400
    assert (await api.http.post("/oauth/token", data={**grant, "app_token": token})).status_code == 200
    assert (await api.get(f"/app/{api.people.app_id}", access="app")).status_code == 401


async def test_fields_stand_there_with_their_ids_and_an_example(api: Api, ada: Browser) -> None:
    page = await ada.open(developer(api))
    assert f'Title title {api.people.fields["title"]} text "A short text"' in page.words
    assert f"/item/app/{api.people.app_id}/" in page.text


# --- making a hook -----------------------------------------------------------------------------------------------------


async def test_a_new_hook_shows_its_secret_once_and_says_what_comes_next(api: Api, ada: Browser) -> None:
    page = await add(api, ada)
    assert re.search(r"whsec_[A-Za-z0-9+/=]{32,}", page.text)
    assert "One step left" in page.words
    assert 'data-here="/console/hooks/1"' in page.text
    again = await add(api, ada)
    assert again.url.startswith("/console/hooks/1")
    assert "whsec_" not in again.text
    assert "whsec_" not in (await ada.open("/console/hooks/1/settings")).text


async def test_a_hook_is_made_as_it_was_asked_for(api: Api, ada: Browser) -> None:
    field_id = api.people.fields["title"]
    page = await add(api, ada, on=f"field-{field_id}", format="cloudevents", order="object", signing="ed25519")
    hook = await hook_of(api)
    assert (hook.ref_type, hook.ref_id, hook.type, hook.url) == ("app_field", field_id, "item.update", URL)
    assert (hook.format, hook.order, hook.signing) == ("cloudevents", "object", "ed25519")
    assert "on the field Title" in page.words
    assert "whsec_" not in page.text


async def test_what_is_wrong_stands_beside_the_form_and_what_was_typed_stays(api: Api, ada: Browser, subtests: pytest.Subtests) -> None:
    cases: list[tuple[dict[str, str], str]] = [
        ({"url": "http://127.0.0.1/in"}, "127.0.0.1 is"),
        ({"url": "https://example.org:8443/"}, "port 443 only"),
        ({"url": "not a url"}, "URL"),
        ({"type": "hook.verify"}, "must be one of"),
        ({"type": "comment.create", "on": f"field-{api.people.fields['title']}"}, "not allowed for this object"),
        ({"on": "field-999"}, "Must be the app, or one of its fields"),
        ({"format": "xml"}, "Must be one of podio"),
    ]
    for typed, sentence in cases:
        with subtests.test(typed=typed):
            page = await add(api, ada, **typed)
            assert page.status == 400
            assert sentence in page.words
            kept = page.form(f"/console/apps/{api.people.app_id}/hooks").fields
            assert kept["url"] == typed.get("url", URL)
    assert await api.house.database.read(list_place_hooks, api.people.ada, api.people.app_id) == []


async def test_the_space_has_hooks_of_its_own(api: Api, ada: Browser) -> None:
    path = f"/console/spaces/{api.people.space_id}/hooks"
    page = await ada.send(await ada.open(path), path, url=URL, type="task.create")
    assert "on the whole space" in page.words
    await add(api, ada)
    assert "task.create" in (await ada.open(path)).words
    assert "Parts: the whole app" in (await ada.open(path)).words
    wrong = await ada.send(await ada.open(path), path, url="http://10.0.0.1/", type="task.create")
    assert wrong.status == 400


async def test_many_hooks_come_page_by_page(api: Api, ada: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("hook_list", "developer", "space_hooks"):
        monkeypatch.setattr(f"tidings.console.{module}.PAGE", 1)
    await add(api, ada)
    await add(api, ada, type="item.create")
    for path in (developer(api), f"/console/spaces/{api.people.space_id}/hooks"):
        first = await ada.open(path)
        assert re.findall(r'<tr id="hook-(\d+)"', first.text) == ["1"]
        second = await ada.open(f"{path}?after=1")
        assert f"{path}?after=1" in first.links
        assert re.findall(r'<tr id="hook-(\d+)"', second.text) == ["2"]
        assert not any("?after=" in link for link in second.links)
        assert (await ada.open(f"{path}?after=x")).status == 400


# --- what is done to a hook --------------------------------------------------------------------------------------------


async def test_a_code_verifies_and_a_wrong_one_is_counted(api: Api, ada: Browser) -> None:
    page = await add(api, ada)
    wrong = await ada.send(page, "/console/hooks/1/validate", code="0" * 32)
    assert wrong.status == 400
    assert "not the code that was sent" in wrong.words
    assert "4 tries left" in wrong.words
    right = await ada.send(wrong, "/console/hooks/1/validate", code=f" {await code_of(api)} ")
    assert "Verified. From now on it is told." in right.words
    assert (await hook_of(api)).status == "active"


async def test_the_code_is_on_no_page(api: Api, ada: Browser) -> None:
    page = await add(api, ada)
    code = await code_of(api)
    await give_past(api, "delivered", sent=f"POST / HTTP/1.1\r\n\r\ncode={code}".encode(), answer_body=code.encode())
    verification = update(schema.events).where(schema.events.c.type == "hook.verify").values(parameters=f'{{"code": "{code}"}}')
    await api.house.database.write(lambda tx: tx.execute(verification).rowcount)
    for path in ("", "/deliveries/1", "/settings", "/diagnosis"):
        assert code not in (await ada.open(f"/console/hooks/1{path}")).text
    assert code not in page.text


async def test_a_code_is_sent_again(api: Api, ada: Browser) -> None:
    page = await add(api, ada)
    before = (await api.written())["events"]
    assert "The code has been sent." in (await ada.send(page, "/console/hooks/1/verify")).words
    assert (await api.written())["events"] == before + 1


async def test_a_hook_that_has_failed_is_brought_back_by_a_verification(api: Api, ada: Browser) -> None:
    await active(api, ada)
    failing = update(schema.hooks).values(status="inactive", reason="failing", deactivated_at=api.clock())
    await api.house.database.write(lambda tx: tx.execute(failing).rowcount)
    page = await ada.open("/console/hooks/1")
    assert "50 attempts in a row had failed" in page.words
    assert not page.has_form("/console/hooks/1/validate")
    asked = await ada.send(page, "/console/hooks/1/verify")
    assert "A verification is under way" in asked.words
    await ada.send(asked, "/console/hooks/1/validate", code=await code_of(api))
    assert (await hook_of(api)).status == "active"


async def test_a_code_that_is_too_old_is_said_to_be(api: Api, ada: Browser) -> None:
    await add(api, ada)
    api.clock.turn(7 * 86_400)
    async with signed_in(api) as later:
        page = await later.open("/console/hooks/1")
        assert "no longer good" in page.words
        assert "no longer good" not in (await later.send(page, "/console/hooks/1/verify")).words


async def test_a_hook_is_paused_tried_and_resumed(api: Api, ada: Browser) -> None:
    page = await active(api, ada)
    page = await ada.send(page, "/console/hooks/1/test")
    assert "A test is on its way." in page.words
    page = await ada.send(page, "/console/hooks/1/pause")
    assert (await hook_of(api)).paused_at == api.clock()
    assert not page.has_form("/console/hooks/1/test")
    refused = await ada.post("/console/hooks/1/test", page.form("/console/hooks/1/resume").fields)
    assert refused.status == 409
    assert "resume it first" in refused.words
    await ada.send(refused, "/console/hooks/1/resume")
    assert (await hook_of(api)).paused_at is None


async def test_a_url_is_used_when_it_has_proved_itself(api: Api, ada: Browser) -> None:
    await active(api, ada)
    settings = await ada.open("/console/hooks/1/settings")
    refused = await ada.send(settings, "/console/hooks/1/url", url="http://192.168.0.1/")
    assert refused.status == 400
    assert refused.form("/console/hooks/1/url").fields["url"] == "http://192.168.0.1/"
    moving = await ada.send(settings, "/console/hooks/1/url", url=f"{URL}/2")
    assert "Moving to another URL" in moving.words
    assert ((await hook_of(api)).url, (await hook_of(api)).next_url) == (URL, f"{URL}/2")
    stayed = await ada.send(moving, "/console/hooks/1/url")
    assert "It stays at its URL." in stayed.words
    await ada.send(settings, "/console/hooks/1/url", url=f"{URL}/2")
    await ada.send(moving, "/console/hooks/1/validate", code=await code_of(api))
    assert ((await hook_of(api)).url, (await hook_of(api)).next_url) == (f"{URL}/2", None)


async def test_settings_are_changed_and_their_faults_said(api: Api, ada: Browser) -> None:
    await active(api, ada)
    settings = await ada.open("/console/hooks/1/settings")
    wrong = await ada.send(settings, "/console/hooks/1/settings", concurrency="0")
    assert wrong.status == 400
    assert "from 1 to 1000" in wrong.words
    changed = await ada.send(settings, "/console/hooks/1/settings", format="json", order="object", concurrency="3", preserve_query="on")
    assert "The settings have been saved." in changed.words
    hook = await hook_of(api)
    assert (hook.format, hook.order, hook.concurrency, hook.preserve_query) == ("json", "object", 3, True)
    await ada.send(changed, "/console/hooks/1/settings", concurrency="")
    assert (await hook_of(api)).concurrency is None


async def test_a_new_secret_is_shown_once_and_the_former_signs_for_a_while(api: Api, ada: Browser) -> None:
    await active(api, ada)
    settings = await ada.open("/console/hooks/1/settings")
    page = await ada.send(settings, "/console/hooks/1/secret", overlap="24")
    assert page.text.count("whsec_") >= 1
    assert (await hook_of(api)).former_secret_until == api.clock() + DAY
    assert (await ada.post("/console/hooks/1/secret", {**settings.form("/console/hooks/1/secret").fields, "overlap": "7"})).status == 400


async def test_a_hook_is_deleted_and_its_page_is_gone(api: Api, ada: Browser) -> None:
    await active(api, ada)
    page = await ada.send(await ada.open("/console/hooks/1/settings"), "/console/hooks/1/delete")
    assert page.url.startswith(developer(api))
    assert "The webhook has been deleted." in page.words
    assert (await ada.open("/console/hooks/1")).status == 404


# --- its deliveries ----------------------------------------------------------------------------------------------------


async def test_deliveries_are_listed_and_filtered(api: Api, ada: Browser) -> None:
    await active(api, ada)
    await give_past(api, "delivered", "delivered", "exhausted", "cancelled", "pending")
    page = await ada.open("/console/hooks/1")
    assert re.findall(r'<tr id="delivery-(\d+)"', page.text) == ["5", "4", "3", "2", "1"]
    assert re.findall(r'<tr id="delivery-(\d+)"', (await ada.open("/console/hooks/1?state=undelivered")).text) == ["4", "3"]
    assert re.findall(r'<tr id="delivery-(\d+)"', (await ada.open("/console/hooks/1?object=item+2")).text) == ["2"]
    assert "Nothing matches" in (await ada.open("/console/hooks/1?state=sending")).words
    for wrong in ("state=lost", "since=soon", "object=x"):
        assert 'role="alert"' in (await ada.open(f"/console/hooks/1?{wrong}")).text


async def test_a_delivery_shows_its_attempts_and_is_sent_again(api: Api, ada: Browser) -> None:
    await active(api, ada)
    sent = b"POST /hooks HTTP/1.1\r\nHost: example.org\r\n\r\nitem_id=2"
    await give_past(api, "delivered", "exhausted", sent=sent, answer_head=b"HTTP/1.1 500 No\r\n\r\n", answer_body=b"broken", status=500)
    page = await ada.open("/console/hooks/1/deliveries/2")
    assert "2 attempts" in page.words
    assert "POST /hooks HTTP/1.1" in page.words
    assert 'HTTP/1.1 500 No</code><code class="wire-body">broken</code>' in page.text
    assert "curl --globoff" in page.words
    again = await ada.send(page, "/console/hooks/1/deliveries/2/redeliver")
    assert "It is sent again." in again.words
    assert "Pending" in again.words
    assert not (await ada.open("/console/hooks/1/deliveries/1")).has_form("/console/hooks/1/deliveries/1/redeliver")
    assert (await ada.open("/console/hooks/1/deliveries/99")).status == 404


async def test_a_delivery_that_cannot_be_sent_again_says_why(api: Api, ada: Browser) -> None:
    await add(api, ada)
    await give_past(api, "delivered", "cancelled")
    page = await ada.open("/console/hooks/1/deliveries/2")
    refused = await ada.send(page, "/console/hooks/1/deliveries/2/redeliver")
    assert refused.status == 409
    assert "The hook is inactive" in refused.words


async def test_what_has_not_arrived_of_an_app_is_one_list(api: Api, ada: Browser) -> None:
    await active(api, ada)
    path = f"/console/apps/{api.people.app_id}/undelivered"
    assert "Everything has arrived" in (await ada.open(path)).words
    await give_past(api, "delivered", "delivered", "exhausted", "pending")
    listed = (await ada.open(path)).links
    assert [link for link in listed if "/deliveries/" in link] == ["/console/hooks/1/deliveries/4", "/console/hooks/1/deliveries/3"]
    assert (await ada.open(f"{path}?since=soon")).status == 400


async def test_an_item_says_which_hooks_were_told_and_why_none_was(api: Api, ada: Browser) -> None:
    await active(api, ada)
    item_id = (await api.post(f"/item/app/{api.people.app_id}/", {"fields": {"title": "one"}})).json()["item_id"]
    ledger = await ada.open(f"/console/items/{item_id}")
    assert "Ledger item.create" in ledger.words
    assert "hook" in ledger.words.partition("Ledger")[2].lower()


# --- replays -----------------------------------------------------------------------------------------------------------


async def test_a_replay_is_planned_begun_and_stopped(api: Api, ada: Browser) -> None:
    await active(api, ada)
    await give_past(api, "delivered", "delivered", "exhausted", "exhausted", "cancelled")
    assert "First see what it comes to" in (await ada.open("/console/hooks/1/replay")).words
    plan = await ada.open("/console/hooks/1/replay?state_exhausted=on&state_cancelled=on&rate=2")
    assert "3 deliveries in about 1 s, at 2 a second" in plan.words
    start = [form for form in plan.forms if form.action == "/console/hooks/1/replay" and form.method == "post"]
    begun = await ada.post("/console/hooks/1/replay", start[0].fields)
    assert "The replay has begun." in begun.words
    assert "0 of 3 deliveries" in begun.words
    second = await ada.post("/console/hooks/1/replay", start[0].fields)
    assert second.status == 409
    stopped = await ada.send(begun, "/console/replays/1/stop")
    assert "Stopped" in stopped.words
    assert "Replay 1" in (await ada.open("/console/hooks/1/replay")).words


async def test_a_plan_of_very_many_says_that_there_are_at_least_so_many(api: Api, ada: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    await active(api, ada)
    await give_past(api, "exhausted", "exhausted", "cancelled")
    monkeypatch.setattr(replays, "COUNTED", 1)
    plan = await ada.open("/console/hooks/1/replay?state_exhausted=on&state_cancelled=on&rate=2")
    assert "At least 2 deliveries in at least 1 s" in plan.words
    assert "1 or more" in plan.words


async def test_a_replay_of_nothing_or_of_nonsense_is_refused(api: Api, ada: Browser) -> None:
    await active(api, ada)
    for query, sentence in (
        ("rate=5", "Choose at least one"),
        ("state_exhausted=on&rate=0", "from 1 to 1000"),
        ("state_exhausted=on&rate=many", "from 1 to 1000"),
        ("state_exhausted=on&rate=5&since=x", "Must be a moment"),
        ("state_exhausted=on&rate=5", "Nothing is meant"),
    ):
        assert sentence in (await ada.open(f"/console/hooks/1/replay?{query}")).words, query


# --- the diagnosis -----------------------------------------------------------------------------------------------------


async def test_the_diagnosis_is_made_when_it_is_asked_for(api: Api, ada: Browser) -> None:
    await add(api, ada, url="https://nobody.example/")
    page = await ada.open("/console/hooks/1/diagnosis")
    asked = len(api.names.asked)
    found = await ada.send(page, "/console/hooks/1/diagnosis")
    assert len(api.names.asked) > asked
    assert re.search(r'data-cause="[a-z_]+"', found.text)
    assert "nobody.example" in found.words


# --- what others try ---------------------------------------------------------------------------------------------------


def hook_paths(wanted: str) -> list[tuple[str, str]]:
    mine = re.compile(r"/console/(hooks|replays|apps/\{app_id:int\}/(developer|token|hooks|undelivered)|spaces/\{space_id:int\}/hooks)")
    return [(method, re.sub(r"\{[^}]*\}", "1", path)) for method, path in console_rows() if method == wanted and mine.match(path)]


async def test_nobody_elses_page_can_do_anything_to_a_hook(api: Api, ada: Browser) -> None:
    await active(api, ada)
    await give_past(api, "delivered", "exhausted")
    before = await hook_of(api), await api.written()
    for _, path in hook_paths("POST"):
        for csrf in ({}, {"csrf": "0" * 64}):
            page = await ada.post(path, {"url": f"{URL}/evil", "code": "x", **csrf})
            assert page.status == 400, path
            assert "This form is too old" in page.words, path
    assert (await hook_of(api), await api.written()) == before


async def test_somebody_of_another_organization_sees_and_does_nothing(api: Api, ada: Browser, bob: Browser) -> None:
    page = await active(api, ada)
    await give_past(api, "delivered", "exhausted")
    plan = await ada.open("/console/hooks/1/replay?state_exhausted=on&rate=2")
    await ada.post("/console/hooks/1/replay", plan.forms[-1].fields)
    before = await hook_of(api), await api.written()
    csrf = (await bob.open("/console")).forms[0].fields["csrf"]
    form = {"url": URL, "type": "item.update", "code": "x", "overlap": "24", "rate": "2", "state_exhausted": "on", "csrf": csrf}
    for method, path in hook_paths("GET") + hook_paths("POST"):
        seen = await (bob.post(path, form) if method == "POST" else bob.open(path))
        assert seen.status == 404, path
        assert URL not in seen.text
    assert (await hook_of(api), await api.written()) == before
    assert page.status == 200


async def test_a_member_who_is_no_admin_is_told_so(api: Api, ada: Browser, bob: Browser) -> None:
    await active(api, ada)
    await api.house.database.write(add_members, api.people.ada, api.people.space_id, "regular", [api.people.bob.id], now=api.clock())
    for path in (developer(api), "/console/hooks/1", "/console/hooks/1/live"):
        assert (await bob.open(path)).status == 403


def _nothing_inline(text: str) -> bool:
    """Whether there is no style, and nothing to do in an attribute."""
    reader = _Attributes()
    reader.feed(text)
    return not any(name == "style" or name.startswith("on") for name in reader.names)


class _Attributes(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names |= {tag, *(name for name, _ in attrs)}


async def test_whatever_strangers_say_is_text(api: Api, ada: Browser) -> None:
    app_id, write = api.people.app_id, api.house.database.write
    await write(create_field, api.people.ada, app_id, NewField("text", {"label": NASTY}), now=api.clock())
    await add(api, ada, url="https://example.org/<script>alert(1)</script>?a='%22\"")
    await add(api, ada, url=URL)
    nasty = NASTY.encode()
    head = b"HTTP/1.1 500 <script>\r\nX: " + nasty + b"\r\n\r\n"
    await give_past(
        api, "delivered", "exhausted", answer_head=head, answer_body=nasty + b"\xff\x00</pre></code>", detail=NASTY, reason="tls"
    )
    paths = [path for method, path in hook_paths("GET") if not path.endswith("/live")]
    for path in (*paths, "/console/hooks/1/deliveries/2", f"/console/hooks/1?object={NASTY}"):
        page = await ada.open(path)
        assert "<script>" not in page.text, path
        assert "<img src=x" not in page.text, path
        assert _nothing_inline(page.text), path
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in (await ada.open("/console/hooks/1/deliveries/2")).text


async def test_a_page_of_hooks_runs_our_scripts_alone(api: Api, ada: Browser) -> None:
    page = await active(api, ada)
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self'; connect-src 'self'" in policy
    assert "unsafe" not in policy
    assert re.findall(r"<script src=\"/console/(\w+)\.js", page.text) == ["console", "live"]
