"""The OpenAPI document and the page made of it: true of the table, valid by the specification, and of one piece."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from html.parser import HTMLParser
from typing import Annotated, Any, TypedDict

import pytest
from msgspec import Meta, Struct
from openapi_spec_validator import OpenAPIV31SpecValidator
from starlette.responses import Response

from tests.support.house import Api
from tidings.api.call import Call
from tidings.api.health import health_rows
from tidings.api.openapi.document import document
from tidings.api.openapi.page import page
from tidings.api.openapi.rows import docs_rows
from tidings.api.openapi.schemas import description_of, prose
from tidings.api.operations import answers, takes
from tidings.api.routes import ROUTES, Row
from tidings.events.types import EVENT_TYPES
from tidings.telemetry.facts import Telemetry
from tidings.telemetry.metrics import Metrics

ALL = [*ROUTES, *health_rows(None, Metrics(Telemetry()))]


@cache
def whole() -> dict[str, Any]:
    return document([*ALL, *docs_rows(ALL)], public_url="http://tidings.test")


def operations(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for methods in document["paths"].values():
        yield from methods.values()


# --- of the table ------------------------------------------------------------------------------------------------------


def test_the_document_is_valid_openapi() -> None:
    OpenAPIV31SpecValidator(whole()).validate()


def test_every_row_is_in_it_once() -> None:
    described = sum(len(methods) for methods in whole()["paths"].values())
    assert described == len(ALL) + 2
    for row in ALL:
        form = re.sub(r"\{[^}]*\}", "{}", row.path)
        assert [
            path for path in whole()["paths"] if re.sub(r"\{[^}]*\}", "{}", path) == form and row.method.lower() in whole()["paths"][path]
        ]


def test_operation_ids_are_unique_and_words_of_programs() -> None:
    ids = [operation["operationId"] for operation in operations(whole())]
    assert len(set(ids)) == len(ids)
    assert all(each.isidentifier() for each in ids)


def test_the_rows_that_are_open_need_no_token_and_all_others_need_a_scope() -> None:
    assert whole()["paths"]["/oauth/token"]["post"]["security"] == []
    for method, scope in (("get", "app:read"), ("put", "app:write"), ("delete", "app:delete")):
        needed = whole()["paths"]["/item/{item_id}"][method]["security"]
        assert needed == [{scheme: [scope]} for scheme in whole()["components"]["securitySchemes"]]


def test_no_citation_and_no_class_of_ours_is_told_to_readers() -> None:
    told = [operation.get("description", "") for operation in operations(whole())]
    told += [schema.get("description", "") for schema in whole()["components"]["schemas"].values()]
    assert not [text for text in told if "section" in text or "Raises" in text]


def test_every_event_type_is_a_webhook_with_its_parameters() -> None:
    assert set(whole()["webhooks"]) == set(EVENT_TYPES)
    for name, event_type in EVENT_TYPES.items():
        form = whole()["webhooks"][name]["post"]["requestBody"]["content"]["application/x-www-form-urlencoded"]["schema"]
        assert form["required"] == [*event_type.parameters, "type", "hook_id"]


# --- of a signature ----------------------------------------------------------------------------------------------------


class Wanted(Struct):
    limit: Annotated[int, Meta(ge=1, le=500)] = 30
    name: str | None = None


class Thing(Struct):
    name: str


class ThingObject(TypedDict):
    """A thing (contract section 6.2)."""

    thing_id: int


async def make_thing(call: Call, body: Thing, query: Wanted) -> ThingObject:
    """`POST /thing/{thing_id}`, and `/v2` of it: what is made. Raises `Invalid` for a name that is none."""
    raise NotImplementedError


async def drop_thing(call: Call) -> None:
    raise NotImplementedError


async def find_thing(call: Call) -> ThingObject | None:
    raise NotImplementedError


@takes("multipart/form-data", Thing)
@answers("image/png")
@answers(None, status=302)
async def draw_thing(call: Call) -> Response:
    raise NotImplementedError


def described(*rows: Row) -> dict[str, Any]:
    whole = document(rows, public_url="http://tidings.test")
    OpenAPIV31SpecValidator(whole).validate()
    return whole


def test_an_operation_is_described_by_its_signature_and_its_docstring() -> None:
    made = described(Row("POST", "/thing/{thing_id:int}", make_thing, limited=True))["paths"]["/thing/{thing_id}"]["post"]
    assert (made["operationId"], made["summary"]) == ("make_thing", "Make thing")
    assert made["description"] == "What is made.\n\nCounts towards the lower rate limit as well."
    assert made["parameters"] == [
        {"name": "thing_id", "in": "path", "required": True, "schema": {"type": "integer", "minimum": 1, "maximum": 2147483647}},
        {"name": "limit", "in": "query", "required": False, "schema": {"type": "integer", "minimum": 1, "maximum": 500, "default": 30}},
        {"name": "name", "in": "query", "required": False, "schema": {"type": "string"}},
    ]
    assert made["requestBody"] == {"required": True, "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}}}
    assert made["responses"]["200"]["description"] == "A thing."
    assert list(made["responses"]) == ["200", "4XX", "420", "503"]


def test_what_answers_nothing_is_a_204() -> None:
    paths = described(Row("DELETE", "/thing", drop_thing), Row("GET", "/thing", find_thing))["paths"]
    assert "200" not in paths["/thing"]["delete"]["responses"]
    assert list(paths["/thing"]["get"]["responses"])[:2] == ["200", "204"]


def test_what_a_signature_cannot_say_is_said_beside_it() -> None:
    drawn = described(Row("POST", "/thing/drawing", draw_thing, streams=True))["paths"]["/thing/drawing"]["post"]
    assert drawn["requestBody"]["content"] == {"multipart/form-data": {"schema": {"$ref": "#/components/schemas/Thing"}}}
    assert drawn["responses"]["200"]["content"] == {"image/png": {}}
    assert "content" not in drawn["responses"]["302"]


def test_one_operation_at_several_paths_has_a_name_at_each() -> None:
    rows = [Row("GET", path, find_thing) for path in ("/thing", "/thing/v2", "/org/{org_id:int}/thing", "/thing/org/{org_id:int}")]
    assert [each["operationId"] for each in operations(described(*rows))] == [
        "find_thing",
        "find_thing_v2",
        "find_thing_org",
        "test_openapi_find_thing",
    ]


def test_paths_of_one_form_share_the_names_of_their_parts() -> None:
    paths = described(Row("GET", "/thing/{thing_id:int}", find_thing), Row("DELETE", "/thing/{thing_ids}", drop_thing))["paths"]
    assert list(paths) == ["/thing/{thing_id}"]
    assert paths["/thing/{thing_id}"]["delete"]["parameters"][0]["name"] == "thing_id"
    assert paths["/thing/{thing_id}"]["delete"]["parameters"][0]["schema"]["type"] == "string"


@pytest.mark.parametrize(
    ("docstring", "text"),
    [
        ("`GET /item/{item_id}`.", ""),
        ("`GET /item/{item_id}`, and `/basic` of it.", ""),
        ("`GET /item/{item_id}`: the item. Raises `NotFound`, `Gone`. It is whole.", "The item. It is whole."),
        ("`GET /space/url?url=`: by its address; or `?org_slug=`.", "By its address; or `?org_slug=`."),
        ("Anything (contract section 0, decisions 7 and 21).\n\n    And more\n    of it.", "Anything.\n\nAnd more of it."),
        (None, ""),
    ],
)
def test_a_docstring_is_told_without_what_only_our_readers_know(docstring: str | None, text: str) -> None:
    def operation() -> None: ...

    operation.__doc__ = docstring
    assert description_of(operation) == text


def test_text_that_cites_nothing_is_left_alone() -> None:
    assert prose("A section of it, as 4.5 says.") == "A section of it, as 4.5 says."


# --- over HTTP ---------------------------------------------------------------------------------------------------------


async def test_the_document_and_the_page_are_open_to_all(api: Api) -> None:
    for path, content_type in (("/openapi.json", "application/json"), ("/docs", "text/html; charset=utf-8")):
        answer = await api.get(path, access=None)
        assert (answer.status_code, answer.headers["content-type"]) == (200, content_type)
    assert (await api.get("/openapi.json", access=None)).json()["servers"] == [{"url": "http://tidings.test"}]


class Links(HTMLParser):
    """What a page names: its ids, and where it leads or loads from."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.targets: set[str] = set()
        self.tags: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        given = dict(attrs)
        self.ids += [given["id"] or ""] if "id" in given else []
        self.targets |= {given[name] or "" for name in ("href", "src") if name in given}


read_links = cache(Links)  # the page is long, and the same for all


async def test_the_page_loads_nothing_and_its_policy_forbids_it_to(api: Api) -> None:
    answer = await api.get("/docs", access=None)
    links = read_links(answer.text)
    assert not links.tags & {"script", "link", "img", "iframe", "form", "object"}
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert "url(" not in answer.text.partition("</style>")[0]


async def test_every_link_of_the_page_leads_somewhere_in_it(api: Api) -> None:
    links = read_links((await api.get("/docs", access=None)).text)
    assert len(set(links.ids)) == len(links.ids)
    assert links.targets - {"openapi.json"} <= {f"#{each}" for each in links.ids}


def test_every_operation_event_and_type_stands_on_the_page() -> None:
    ids = set(read_links(page(whole())).ids)
    assert {operation["operationId"] for operation in operations(whole())} <= ids
    assert {each["post"]["operationId"] for each in whole()["webhooks"].values()} <= ids
    assert set(whole()["components"]["schemas"]) <= ids


def test_what_the_document_says_is_escaped_on_the_page() -> None:
    whole = described(Row("GET", "/thing", find_thing))
    whole["paths"]["/thing"]["get"] |= {"summary": "<b>", "description": "`<script>` & <i>"}
    shown = page(whole)
    assert "<code>&lt;script&gt;</code> &amp; &lt;i&gt;" in shown
    assert "<b>" not in shown
