"""The hook endpoints (contract section 2, and section 0, decisions 13 to 19)."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterable
from typing import Any

import httpx
import pytest
import trustme

from tests.support.databases import AnyDatabase
from tests.support.house import Api, open_api
from tidings.clock import SECOND
from tidings.delivery import guard
from tidings.events.types import EVENT_TYPES
from tidings.hooks.signing_keys import rotate_keys
from tidings.store.database import Tx
from tidings.workspace.access import Caller
from tidings.workspace.apps import create_app
from tidings.workspace.spaces import create_space

URL = "https://example.org/in?key=k"
FORM = {"content-type": "application/x-www-form-urlencoded"}


async def make(api: Api, url: str = URL, type: str = "item.create", *, ref: str = "", access: str = "ada", **more: Any) -> httpx.Response:
    return await api.post(f"/hook/{ref or f'app/{api.people.app_id}'}", {"url": url, "type": type, **more}, access=access)


async def hook_id_of(api: Api, **more: Any) -> int:
    answer = await make(api, **more)
    assert answer.status_code == 200, answer.text
    number: int = answer.json()["hook_id"]
    return number


async def hooks_of(api: Api, ref: str = "", access: str = "ada") -> list[dict[str, Any]]:
    answer = await api.get(f"/hook/{ref or f'app/{api.people.app_id}'}", access=access)
    assert answer.status_code == 200, answer.text
    hooks: list[dict[str, Any]] = answer.json()
    return hooks


async def code_of(api: Api, hook_id: int) -> str:
    def read(tx: Tx) -> str:
        return str(tx.exec_driver_sql(f"SELECT verify_code FROM hooks WHERE hook_id = {hook_id}").scalar_one())

    return await api.house.database.read(read)


async def codes_sent(api: Api, hook_id: int) -> int:
    def read(tx: Tx) -> int:
        return int(tx.exec_driver_sql(f"SELECT count(*) FROM events WHERE type = 'hook.verify' AND hook_id = {hook_id}").scalar_one())

    return await api.house.database.read(read)


async def validate(api: Api, hook_id: int, code: str, access: str = "ada") -> httpx.Response:
    return await api.post(f"/hook/{hook_id}/verify/validate", {"code": code}, access=access)


# --- create ------------------------------------------------------------------------------------------------------------


async def test_a_hook_is_made_inactive_and_its_secret_is_shown_once(api: Api) -> None:
    answer = await make(api)
    assert answer.status_code == 200
    assert sorted(answer.json()) == ["hook_id", "secret"]
    assert answer.json()["secret"].startswith("whsec_")
    [hook] = await hooks_of(api)
    assert (hook["hook_id"], hook["status"], hook["reason"]) == (answer.json()["hook_id"], "inactive", "unverified")
    assert answer.json()["secret"] not in str(hook)


async def test_the_same_hook_again_is_the_one_that_is_there_without_its_secret(api: Api) -> None:
    first = await make(api)
    again = await make(api)
    assert (again.status_code, again.json()) == (200, {"hook_id": first.json()["hook_id"]})
    other = await make(api, type="item.update")
    assert other.json()["hook_id"] != first.json()["hook_id"]
    assert len(await hooks_of(api)) == 2


async def test_a_verification_goes_out_on_create_and_on_each_request(api: Api) -> None:
    hook_id = await hook_id_of(api)
    assert await codes_sent(api, hook_id) == 1
    await api.post(f"/hook/{hook_id}/verify/request")
    assert await codes_sent(api, hook_id) == 2


async def test_every_event_type_hangs_on_the_objects_of_its_scopes_and_on_no_other(api: Api, subtests: pytest.Subtests) -> None:
    field_id = next(iter(api.people.fields.values()))
    refs = {"app": f"app/{api.people.app_id}", "app_field": f"app_field/{field_id}", "space": f"space/{api.people.space_id}"}
    for event_type in EVENT_TYPES.values():
        for scope, ref in refs.items():
            with subtests.test(type=event_type.name, scope=scope):
                answer = await make(api, type=event_type.name, ref=ref)
                if scope in event_type.scopes:
                    assert answer.status_code == 200
                elif event_type.scopes:
                    assert answer.status_code == 400
                    sentence = f"Hook type {event_type.name} is not allowed for this object"
                    assert answer.json()["error_description"] == sentence
                else:
                    assert answer.status_code == 400


async def test_an_unknown_ref_type_is_told_which_there_are(api: Api, subtests: pytest.Subtests) -> None:
    cases: list[str] = ["org", "item", "hook", "App", "x" * 300, "%20", "123"]
    for ref_type in cases:
        with subtests.test(ref_type=ref_type):
            for answer in (await make(api, ref=f"{ref_type}/1"), await api.get(f"/hook/{ref_type}/1")):
                assert (answer.status_code, answer.json()["error"]) == (400, "invalid_value")
                assert answer.json()["error_description"].endswith("must be one of {'app','app_field','space'}")
                assert answer.json()["error_parameters"] == {"ref_type": ["app", "app_field", "space"]}


async def test_a_body_that_is_wrong_is_told_where(api: Api, subtests: pytest.Subtests) -> None:
    cases: list[tuple[object, str]] = [
        ({}, "url: is missing"),
        ([], "url: is missing"),
        ({"url": URL}, "type: is missing"),
        ({"url": 7, "type": "item.create"}, "url: must be text, not a whole number"),
        ({"url": URL, "type": None}, "type: must be text, not null"),
        ({"url": URL, "type": "item.explode"}, "must be one of {'item.create'"),
        ({"url": URL, "type": "hook.verify"}, "must be one of {'item.create'"),
        ({"url": URL, "type": "item.create", "order": "app"}, "order"),
        ({"url": URL, "type": "item.create", "preserve_query": 1}, "preserve_query: must be true or false"),
        ({"url": URL, "type": "item.create", "concurrency": 0}, "concurrency: must be a whole number >= 1"),
        ({"url": URL, "type": "item.create", "concurrency": 1001}, "concurrency: must be a whole number <= 1000"),
        ({"url": URL, "type": "item.create", "ca": "no pem"}, "ca"),
        ({"url": URL, "type": "item.create", "ca": "x" * 70_000}, "ca"),
    ]
    before = await api.written()
    for body, said in cases:
        with subtests.test(body=str(body)[:80]):
            answer = await api.post(f"/hook/app/{api.people.app_id}", body)
            assert (answer.status_code, answer.json()["error"]) == (400, "invalid_value")
            assert said in answer.json()["error_description"]
    assert await api.written() == before


async def test_the_options_of_a_hook_are_kept(api: Api) -> None:
    pem = trustme.CA().cert_pem.bytes().decode()
    hook_id = await hook_id_of(api, order="object", preserve_query=True, concurrency=3, ca=pem)

    def read(tx: Tx) -> tuple[object, ...]:
        columns = "delivery_order, preserve_query, concurrency, ca"
        return tuple(tx.exec_driver_sql(f"SELECT {columns} FROM hooks WHERE hook_id = {hook_id}").one())

    order, preserve_query, concurrency, ca = await api.house.database.read(read)
    assert (order, bool(preserve_query), concurrency, ca) == ("object", True, 3, pem)


async def test_the_eleventh_hook_of_one_type_on_one_object_is_refused(api: Api) -> None:
    for number in range(10):
        await hook_id_of(api, url=f"https://example.org/{number}")
    answer = await make(api, url="https://example.org/11")
    assert (answer.status_code, answer.json()["error"], answer.json()["error_parameters"]) == (400, "invalid_value", {"limit": 10})
    assert (await make(api, url="https://example.org/3")).status_code == 200  # it is there already
    assert (await make(api, url="https://example.org/11", type="item.update")).status_code == 200


async def test_how_many_hooks_an_object_may_have_is_a_setting(database: AnyDatabase) -> None:
    async with open_api(database, settings={"hook_limit": 1}) as api:
        await hook_id_of(api)
        assert (await make(api, url="https://example.org/2")).json()["error_parameters"] == {"limit": 1}


async def test_a_body_with_escaped_slashes_is_read_as_php_writes_it(api: Api) -> None:
    body = b'{"url":"https:\\/\\/example.org\\/in","type":"item.create"}'
    answer = await api.send("POST", f"/hook/app/{api.people.app_id}/", content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 200
    assert (await hooks_of(api))[0]["url"] == "https://example.org/in"


# --- the URL -----------------------------------------------------------------------------------------------------------


async def test_a_url_that_the_rule_refuses_is_refused_at_create_and_told_why(api: Api, subtests: pytest.Subtests) -> None:
    cases = [
        ("http://127.0.0.1/", "127.0.0.1"),
        ("http://[::1]/", "::1"),
        ("http://169.254.169.254/latest", "169.254.169.254"),
        ("http://10.1.2.3/", "10.1.2.3"),
        ("https://[::ffff:10.1.2.3]/", "disguise"),
        ("http://0/", "0.0.0.0"),
        ("http://2130706433/", "127.0.0.1"),
        ("http://example.org:8080/", "8080"),
        ("https://example.org:80/", "80"),
        ("ftp://example.org/", "scheme"),
        ("example.org/in", "form"),
        ("", "form"),
        ("https://user:pass@example.org/", "user name"),
        ("https://example.org/#x", "fragment"),
        ("https://example.org/a b", "space"),
        ("https://example.org/\n", "control"),
        ("https://example.org/" + "x" * 3000, "longer"),
        ("https:///x", "host"),
        ("https://exa_mple..org/", "host"),
    ]
    before = await api.written()
    for url, said in cases:
        with subtests.test(url=url[:60]):
            answer = await make(api, url=url)
            assert (answer.status_code, answer.json()["error"]) == (400, "invalid_value")
            assert said in answer.json()["error_description"]
            assert "rule" in answer.json()["error_parameters"]
    assert await api.written() == before


async def test_a_name_that_resolves_to_a_private_address_is_refused(api: Api) -> None:
    api.names.known["inside.example"] = ["93.184.215.14", "10.0.0.7"]
    answer = await make(api, url="https://inside.example/in")
    assert answer.status_code == 400
    assert "10.0.0.7" in answer.json()["error_description"]
    assert await hooks_of(api) == []


async def test_a_name_that_does_not_resolve_yet_is_let_through(api: Api) -> None:
    assert (await make(api, url="https://not-yet.example/in")).status_code == 200


async def test_a_name_that_takes_too_long_is_let_through(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    may_go_on = threading.Event()

    def slow(_self: object, _host: str) -> Iterable[str]:
        may_go_on.wait(10)
        return ["10.0.0.7"]

    monkeypatch.setattr(guard, "RESOLVE_SECONDS", 0.05)
    monkeypatch.setattr(type(api.names), "__call__", slow)
    try:
        assert (await asyncio.wait_for(make(api), 5)).status_code == 200
    finally:
        may_go_on.set()


async def test_names_are_resolved_only_for_those_who_may_add_hooks(api: Api) -> None:
    assert (await make(api, url="https://inside.example/", access="bob")).status_code == 404
    assert (await make(api, url="https://inside.example/", ref="app/999")).status_code == 404
    assert api.names.asked == []


async def test_an_operator_may_open_addresses_and_ports(database: AnyDatabase) -> None:
    async with open_api(database, allow=["127.0.0.1:*", "*.internal:8000-9000"]) as api:
        api.names.known["a.internal"] = ["10.0.0.7"]
        assert (await make(api, url="http://127.0.0.1:4711/in")).status_code == 200
        assert (await make(api, url="http://a.internal:8080/in")).status_code == 200
        assert (await make(api, url="http://a.internal:9999/in")).status_code == 400
        assert (await make(api, url="http://127.0.0.2/in")).status_code == 400


# --- list --------------------------------------------------------------------------------------------------------------


async def test_a_hook_is_listed_as_podio_writes_it(api: Api) -> None:
    await hook_id_of(api)
    await hook_id_of(api, url="https://example.org/app", access="app")
    by_user, by_app = await hooks_of(api)
    assert by_user["created_on"] == "2026-01-02 03:00:00"
    assert (by_user["type"], by_user["url"]) == ("item.create", URL)
    nothing = {"avatar": None, "avatar_type": None, "avatar_id": None, "image": None}
    ada, app = api.people.ada.id, api.people.app_id
    assert by_user["created_by"] == {"type": "user", "id": ada, "name": "Ada", "url": f"http://tidings.test/user/{ada}", **nothing}
    assert by_app["created_by"] == {"type": "app", "id": app, "name": "Parts", "url": f"http://tidings.test/app/{app}", **nothing}
    client = api.people.client.auth_client_id
    via = {"id": client, "auth_client_id": client, "name": "A client", "url": "http://client.test", "display": False}
    assert by_user["created_via"] == by_app["created_via"] == via


async def test_a_hook_that_the_command_line_made_is_listed_too(api: Api) -> None:
    hook_id = await hook_id_of(api)
    await api.house.database.write(lambda tx: tx.exec_driver_sql(f"UPDATE hooks SET created_by = 'system:0@0' WHERE hook_id = {hook_id}"))
    [hook] = await hooks_of(api)
    assert (hook["created_by"]["type"], hook["created_by"]["id"]) == ("system", 0)
    assert (hook["created_via"]["id"], hook["created_via"]["display"]) == (0, False)


async def test_hooks_are_listed_per_object_in_the_order_they_were_made(api: Api) -> None:
    made = [await hook_id_of(api, url=f"https://example.org/{number}") for number in range(3)]
    await hook_id_of(api, ref=f"space/{api.people.space_id}", type="app.create")
    assert [hook["hook_id"] for hook in await hooks_of(api)] == made
    [of_space] = await hooks_of(api, f"space/{api.people.space_id}")
    assert (of_space["type"], of_space["ref_type"]) == ("app.create", "space")
    assert await hooks_of(api, f"app_field/{next(iter(api.people.fields.values()))}") == []


# --- verify ------------------------------------------------------------------------------------------------------------


async def test_the_right_code_makes_a_hook_active_and_says_nothing_more(api: Api) -> None:
    hook_id = await hook_id_of(api)
    code = await code_of(api, hook_id)
    answer = await validate(api, hook_id, code)
    assert (answer.status_code, answer.content) == (204, b"")
    [hook] = await hooks_of(api)
    assert (hook["status"], hook["reason"], hook["activated_on"]) == ("active", None, "2026-01-02 03:00:00")
    assert (await validate(api, hook_id, code)).status_code == 204  # once more is harmless


async def test_a_wrong_code_is_a_400_and_five_of_them_kill_the_right_one(api: Api) -> None:
    hook_id = await hook_id_of(api)
    code = await code_of(api, hook_id)
    for _ in range(5):
        answer = await validate(api, hook_id, "abc")
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_value")
    assert (await validate(api, hook_id, code)).status_code == 400
    await api.post(f"/hook/{hook_id}/verify/request")
    fresh = await code_of(api, hook_id)
    assert fresh != code
    assert (await validate(api, hook_id, fresh)).status_code == 204


async def test_a_code_is_text(api: Api) -> None:
    hook_id = await hook_id_of(api)
    bodies: list[object] = [{}, [], {"code": 7}, {"code": None}, {"code": ["x"]}, {"code": "a\0"}]
    for body in bodies:
        answer = await api.post(f"/hook/{hook_id}/verify/validate", body)
        assert answer.status_code == 400
        assert "code" in answer.json()["error_description"]
    assert (await validate(api, hook_id, "ß" * 100_000)).status_code == 400


async def test_a_verification_is_requested_with_whatever_body_clients_send(api: Api) -> None:
    hook_id = await hook_id_of(api)
    bodies: list[dict[str, Any]] = [
        {},
        {"content": b"{}", "headers": {"content-type": "application/json"}},
        {"content": b"[]", "headers": {"content-type": "application/json"}},
        {"content": b"", "headers": {"content-type": "application/json", "content-length": "0"}},
        {"content": b"", "headers": {**FORM, "content-length": "0"}},
    ]
    for body in bodies:
        for slash in ("", "/"):
            answer = await api.send("POST", f"/hook/{hook_id}/verify/request{slash}", **body)
            assert (answer.status_code, answer.content) == (204, b"")


async def test_an_app_verifies_its_own_hook(api: Api) -> None:
    hook_id = await hook_id_of(api, access="app")
    assert (await api.post(f"/hook/{hook_id}/verify/request", access="app")).status_code == 204
    assert (await validate(api, hook_id, await code_of(api, hook_id), access="app")).status_code == 204


# --- delete ------------------------------------------------------------------------------------------------------------


async def test_a_deleted_hook_is_not_found_any_more(api: Api) -> None:
    hook_id = await hook_id_of(api)
    answer = await api.send("DELETE", f"/hook/{hook_id}", headers={**FORM, "content-length": "0"})
    assert (answer.status_code, answer.content) == (204, b"")
    assert await hooks_of(api) == []
    for method, path in (("DELETE", ""), ("POST", "/verify/request"), ("POST", "/verify/validate")):
        assert (await api.send(method, f"/hook/{hook_id}{path}", {"code": "x"})).status_code == 404
    assert (await make(api)).json()["hook_id"] != hook_id


async def test_an_app_deletes_its_own_hook_but_not_a_users(api: Api) -> None:
    own, users = await hook_id_of(api, access="app"), await hook_id_of(api, url="https://example.org/2")
    assert (await api.delete(f"/hook/{own}", access="app")).status_code == 204
    answer = await api.delete(f"/hook/{users}", access="app")
    assert (answer.status_code, answer.json()["error"]) == (403, "forbidden")
    assert (await api.delete(f"/hook/{users}")).status_code == 204


# --- rights ------------------------------------------------------------------------------------------------------------


async def every_hook_call(api: Api, ref: str, hook_id: int, access: str) -> set[int]:
    answers = [
        await make(api, ref=ref, access=access),
        await api.get(f"/hook/{ref}", access=access),
        await api.post(f"/hook/{hook_id}/verify/request", access=access),
        await validate(api, hook_id, "x", access=access),
        await api.delete(f"/hook/{hook_id}", access=access),
    ]
    return {answer.status_code for answer in answers}


async def test_what_belongs_to_another_organization_is_not_found(api: Api) -> None:
    hook_id = await hook_id_of(api)
    assert await every_hook_call(api, f"app/{api.people.app_id}", hook_id, "bob") == {404}
    assert await every_hook_call(api, "app/999", 999, "ada") == {404}
    assert await every_hook_call(api, "app_field/999", 999, "ada") == {404}
    assert await every_hook_call(api, "space/99999999999", 2_147_483_648, "ada") == {404}


async def test_an_apps_token_reaches_no_other_app_and_no_space(api: Api) -> None:
    people, database = api.people, api.house.database
    other = await database.write(create_app, people.ada, people.space_id, {"name": "Other"}, keyring=api.house.keyring, now=api.clock())
    ref = f"app/{other.app_id}"
    assert await every_hook_call(api, ref, await hook_id_of(api, ref=ref), "app") == {403}
    ref = f"space/{people.space_id}"
    assert await every_hook_call(api, ref, await hook_id_of(api, ref=ref, type="app.create"), "app") <= {400, 403}


async def test_only_admins_have_the_right_to_add_hooks(api: Api) -> None:
    people, database = api.people, api.house.database
    await database.write(lambda tx: tx.exec_driver_sql(f"INSERT INTO org_members VALUES ({people.org_id}, {people.bob.id}, 'regular', 0)"))
    await database.write(
        lambda tx: tx.exec_driver_sql(f"INSERT INTO space_members VALUES ({people.space_id}, {people.bob.id}, 'regular', 0)")
    )
    hook_id = await hook_id_of(api)
    assert await every_hook_call(api, f"app/{people.app_id}", hook_id, "bob") == {403}


async def test_two_spaces_hooks_are_their_own(api: Api) -> None:
    people: Any = api.people
    ada: Caller = people.ada
    second = await api.house.database.write(create_space, ada, people.org_id, {"name": "Second"}, now=api.clock())
    first_ref, second_ref = f"space/{people.space_id}", f"space/{second.space_id}"
    made = [await hook_id_of(api, ref=ref, type="app.create") for ref in (first_ref, second_ref)]
    assert made[0] != made[1]
    assert [hook["hook_id"] for hook in await hooks_of(api, second_ref)] == [made[1]]


# --- format and signing ------------------------------------------------------------------------------------------------


async def test_a_hook_is_told_in_podios_form_and_signed_for_with_its_secret_unless_it_says_otherwise(api: Api) -> None:
    await make(api)
    await make(api, url="https://example.org/full", format="cloudevents", signing="ed25519")
    told = [(hook["format"], hook["signing"]) for hook in await hooks_of(api)]
    assert told == [("podio", "hmac"), ("cloudevents", "ed25519")]


async def test_a_hook_that_the_server_signs_for_has_no_secret_to_show(api: Api) -> None:
    assert sorted((await make(api, signing="ed25519")).json()) == ["hook_id"]


@pytest.mark.parametrize("wrong", [{"format": "xml"}, {"format": 1}, {"signing": "v1a"}, {"signing": ""}])
async def test_a_format_or_signature_that_there_is_not_is_refused(api: Api, wrong: dict[str, Any]) -> None:
    answer = await make(api, **wrong)
    assert (answer.status_code, answer.json()["error_parameters"]) == (400, {"field": next(iter(wrong))})


async def test_the_same_hook_again_in_another_format_is_a_conflict_and_without_one_is_that_hook(api: Api) -> None:
    hook_id = await hook_id_of(api, format="json")
    assert (await make(api, format="podio")).status_code == 409
    assert (await make(api)).json() == {"hook_id": hook_id}


async def test_a_renewed_secret_is_shown_once_with_the_end_of_the_former_one(api: Api) -> None:
    made = (await make(api)).json()
    answer = await api.post(f"/hook/{made['hook_id']}/secret", {"overlap": 60})
    assert (answer.status_code, sorted(answer.json())) == (200, ["former_until", "hook_id", "secret"])
    assert answer.json()["former_until"] == "2026-01-02 03:01:00"
    assert answer.json()["secret"] not in (made["secret"], str(await hooks_of(api)))
    assert (await api.post(f"/hook/{made['hook_id']}/secret")).json()["former_until"] == "2026-01-03 03:00:00"


@pytest.mark.parametrize("overlap", [-1, 30 * 86_400 + 1, "a day", 1.5])
async def test_an_overlap_that_cannot_be_is_refused(api: Api, overlap: Any) -> None:
    answer = await api.post(f"/hook/{await hook_id_of(api)}/secret", {"overlap": overlap})
    assert (answer.status_code, answer.json()["error_parameters"]) == (400, {"field": "overlap"})


async def test_who_may_not_add_hooks_may_not_renew_a_secret(api: Api) -> None:
    hook_id = await hook_id_of(api)
    assert (await api.post(f"/hook/{hook_id}/secret", access="bob")).status_code == 404
    assert (await api.post("/hook/99/secret")).status_code == 404
    assert (await api.post(f"/hook/{hook_id}/secret", access=None)).status_code == 401


async def test_the_public_keys_are_for_anybody(api: Api) -> None:
    assert (await api.get("/.well-known/tidings-keys", access=None)).json() == {"keys": []}
    await make(api, signing="ed25519")
    answer = await api.get("/.well-known/tidings-keys", access=None)
    [key] = answer.json()["keys"]
    assert sorted(key) == ["alg", "crv", "kid", "kty", "use", "whpk", "x"]
    house = api.house
    await house.database.write(rotate_keys, house.keyring, overlap=60 * SECOND, now=api.clock())
    [_, former] = (await api.get("/.well-known/tidings-keys", access=None)).json()["keys"]
    assert former == {**key, "exp": (api.clock() // SECOND) + 60}
    api.clock.turn(60)
    assert len((await api.get("/.well-known/tidings-keys", access=None)).json()["keys"]) == 1
