"""Any bytes at all, to any operation: a clear error or a plain answer, never a 5xx, and nothing written by what is refused.

These tests walk the whole route table, so a new operation is attacked the day it is added.
"""

from __future__ import annotations

import re
import string
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from typing import Annotated, Any, TypeVar

import hypothesis
import msgspec
import pytest
from hypothesis import strategies as st
from msgspec import Meta, Struct

from tests.support.databases import AnyDatabase
from tests.support.house import Api, open_api
from tidings.api.bodies import DEPTH, read_body
from tidings.api.routes import ROUTES, Row
from tidings.errors import Invalid
from tidings.store import schema
from tidings.store.database import Tx
from tidings.workspace.fields.settings import SETTINGS

T = TypeVar("T")

JSON = {"content-type": "application/json"}
FORM = {"content-type": "application/x-www-form-urlencoded"}

# Never anything but 400, whatever the operation: each holds what must go nowhere, or is no JSON.
MALFORMED = {
    "not json": b"{",
    "half a text": b'{"a": "',
    "a form": b"url=http%3A%2F%2Fexample.org&type=item.create",
    "two values": b"{} {}",
    "a trailing comma": b'{"a": 1,}',
    "NaN": b'{"a": NaN}',
    "not utf-8": b'{"a": "\xff"}',
    "a raw NUL": b'{"a": "\x00"}',
    "a byte order mark": b"\xef\xbb\xbf{}",
    "utf-16": '{"a": 1}'.encode("utf-16"),
    "a NUL": b'{"a": "x\\u0000y"}',
    "a NUL deep inside": b'{"a": [{"b": ["\\u0000"]}]}',
    "a NUL in a name": b'{"a\\u0000": 1}',
    "a lone high surrogate": b'{"a": "\\ud800"}',
    "a lone low surrogate": b'{"a": "\\udc00x"}',
    "surrogates the wrong way round": b'{"a": "\\udc00\\ud800"}',
    "a lone surrogate in a name": b'{"\\ud83d": 1}',
    "an encoded surrogate": b'{"a": "\xed\xa0\x80"}',
    "an infinite number": b'{"a": 1e400}',
    "a number of 400 digits": b'{"a": 1' + b"0" * 400 + b"}",
    "a number of 5000 digits": b'{"a": -1' + b"0" * 5000 + b"}",
    "a number beyond 64 bits": b'{"a": 9223372036854775808}',
    "10,000 lists": b'{"a":' + b"[" * 10_000 + b"]" * 10_000 + b"}",
    "10,000 objects": b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
    "10,000 open lists": b"[" * 10_000,
    "a few levels too many": b'{"a":' + b"[" * (DEPTH + 1) + b"1" + b"]" * (DEPTH + 1) + b"}",
}

# Well-formed, and wrong for most operations.
ODD: list[object] = [
    None,
    True,
    0,
    -1,
    1.5,
    2**31,
    2**53,
    -(2**63),
    "text",
    "",
    [],
    [[]],
    [None],
    ["x", 1],
    {},
    {"": ""},
    {"a": {"b": {}}},
    {"\U0001f600": "\U0001f600"},
]


@pytest.fixture
async def api(database: AnyDatabase) -> AsyncIterator[Api]:
    async with open_api(database, settings={"body_limit": 200_000}) as opened:
        hook = await opened.post(f"/hook/app/{opened.people.app_id}", {"url": "https://example.org/", "type": "item.create"})
        assert hook.status_code == 200
        item = await opened.post(f"/item/app/{opened.people.app_id}", {"fields": {"title": "One"}, "external_id": "one"})
        assert item.status_code in (200, 404)
        yield opened


@pytest.fixture
async def on_sqlite(sqlite: AnyDatabase) -> AsyncIterator[Api]:
    """One engine is enough for what never reaches it."""
    async with open_api(sqlite) as opened:
        yield opened


def path_of(row: Row, api: Api) -> str:
    """The row's path, on what is there where the row names it."""
    there = {
        "org_id": api.people.org_id,
        "space_id": api.people.space_id,
        "app_id": api.people.app_id,
        "field_id": next(iter(api.people.fields.values())),
        "user_id": api.people.ada.id,
        "user_ids": api.people.ada.id,
        "ref_type": "app",
        "ref_id": api.people.app_id,
    }
    return re.sub(r"\{(\w+)(:int)?\}", lambda match: str(there.get(match[1], 1)), row.path)


def everything(tx: Tx) -> list[object]:
    """All rows of all tables. By the driver: we look hundreds of times."""
    cursor = tx.connection.cursor()
    rows: list[object] = []
    for name in schema.metadata.tables:
        cursor.execute(f"SELECT * FROM {name} ORDER BY 1")
        rows += cursor.fetchall()
    return rows


class Attack:
    """Sends bodies, and looks that what is refused writes nothing. Nobody else writes meanwhile."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._there: list[object] | None = None  # as it was when we looked last

    async def __call__(self, row: Row, bodies: list[bytes], headers: dict[str, str]) -> list[int]:
        """Send each body; answers the statuses."""
        self._there = self._there or await self._look()
        statuses = []
        for body in bodies:
            answer = await self._api.send(row.method, path_of(row, self._api), content=body, headers=headers)
            assert answer.status_code < 500, (row.method, row.path, body[:100], answer.text)
            assert "No matching operation" not in answer.text, row
            statuses.append(answer.status_code)
            if answer.status_code >= 400:
                assert set(answer.json()) >= {"error", "error_description", "request"}
                assert answer.json()["error_description"]
            else:
                self._there = await self._look()
        before, self._there = self._there, await self._look()
        assert self._there == before, (row.method, row.path)
        return statuses

    async def _look(self) -> list[object]:
        return await self._api.house.database.read(everything)


CHANGING = [row for row in ROUTES if row.method in ("POST", "PUT")]
THOROUGH = hypothesis.settings().max_examples > 1_000


def some(cases: Sequence[T], row: Row) -> list[T]:
    """A quarter of `cases`, by turns: the next operation of the table gets the next quarter. All operations are read by the
    same few functions, so that between them each case meets all of the code. The thorough profile tries everything."""
    return list(cases) if THOROUGH else list(cases[ROUTES.index(row) % 4 :: 4])


async def test_no_operation_answers_without_a_token(on_sqlite: Api, subtests: pytest.Subtests) -> None:
    before = await on_sqlite.house.database.read(everything)
    for row in ROUTES:
        with subtests.test(row=f"{row.method} {row.path}"):
            for slash in ("", "/"):
                answer = await on_sqlite.send(row.method, path_of(row, on_sqlite) + slash, access=None)
                without = 200 if row.method == "GET" else 400  # public keys are for anybody; who wants a token must name themselves
                assert answer.status_code == (without if row.open else 401)
                if not row.open:
                    assert (answer.json()["error"], answer.json()["error_description"]) == ("unauthorized", "invalid_request")
    assert await on_sqlite.house.database.read(everything) == before


async def test_what_is_not_clean_json_is_refused_by_every_operation_that_reads_a_body(on_sqlite: Api, subtests: pytest.Subtests) -> None:
    attack = Attack(on_sqlite)
    for row in CHANGING:
        with subtests.test(row=f"{row.method} {row.path}"):
            statuses = await attack(row, some([*MALFORMED.values()], row), JSON)
            refused = {status for status in statuses if status >= 400}
            # An operation that reads no body does its work; one that is not permitted says so. Nothing in between.
            assert set(statuses) == refused or not refused


async def test_odd_bodies_are_refused_or_do_their_work(api: Api, subtests: pytest.Subtests) -> None:
    bodies = [b"", b" ", b"\r\n", b" [ ] ", *(msgspec.json.encode(value) for value in ODD)]
    attack = Attack(api)
    for row in CHANGING:
        with subtests.test(row=f"{row.method} {row.path}"):
            await attack(row, some(bodies, row), JSON)
            await attack(row, [b"", b"a=b", b"%00=%ff&;"], FORM)
            await attack(row, [b"--x\r\n"], {"content-type": "multipart/form-data; boundary=x"})


async def test_hostile_parts_of_a_path_are_refused(api: Api, subtests: pytest.Subtests) -> None:
    hostile = [
        "0",
        "2147483648",
        "9" * 30,
        "9" * 4000,
        "-1",
        "%00",
        "a%00",
        "%ff",
        "%ED%A0%80",
        "%2F",
        "%2E%2E",
        "%",
        "%zz",
        "x" * 3000,
        "'",
        "٣",
        "1,2,%00",
    ]
    before = await api.house.database.read(everything)
    for row in ROUTES:
        if "{" not in row.path:
            continue
        with subtests.test(row=f"{row.method} {row.path}"):
            for text in some(hostile, row):
                parts = [text if part.startswith("{") else part for part in row.path.split("/")]
                answer = await api.send(row.method, "/".join(parts), {})
                assert 400 <= answer.status_code < 500, (row.path, text)
                if row.path.endswith("}") and not (text == "0" and "revision" in row.path):  # revisions count from 0
                    answer = await api.send(row.method, f"{path_of(row, api).rpartition('/')[0]}/{text}", {})
                    assert 400 <= answer.status_code < 500, (row.path, text)
    assert await api.house.database.read(everything) == before


async def test_hostile_queries_never_break_anything(api: Api, subtests: pytest.Subtests) -> None:
    names = ("hook", "silent", "limit", "offset", "fields", "url", "sort_by", "order", "include_inactive", "delete_values", "text")
    values = ("%00", "%ff", "-1", "9" * 30, "x" * 5000, "%ED%A0%80", "", "null", "[]", "%F0%9F%98%80")
    for row in ROUTES:
        if row.method != "GET":
            continue
        with subtests.test(row=f"{row.method} {row.path}"):
            for value in some(values, row):
                answer = await api.get(path_of(row, api) + "?" + "&".join(f"{name}={value}" for name in names))
                assert answer.status_code < 500
                if value in ("%00", "%ff", "%ED%A0%80"):
                    assert answer.status_code == 400


# --- made by a machine -------------------------------------------------------------------------------------------------

TEXTS = st.one_of(
    st.text(max_size=20),
    st.text(alphabet=string.printable, max_size=300),
    st.sampled_from(
        ["https://example.org/", "item.create", "app", "text", "number", "admin", "2026-01-02", "2026-01-02 03:04:05", "x" * 70_000]
    ),
)
NUMBERS = st.one_of(
    st.integers(), st.integers(-5, 5), st.floats(allow_nan=False, allow_infinity=False), st.sampled_from([2**31, 2**63, 1e308])
)
LEAVES = st.one_of(st.none(), st.booleans(), NUMBERS, TEXTS)
WORDS = (
    "url type order preserve_query concurrency ca code name logo org_id space_id privacy auto_join config fields external_id label "
    "settings required delta mapping item_name role users mails profiles message tags file_ids reminder revision filters sort_by "
    "sort_desc limit offset value values start end title status field_id app_id options id text allowed_values item_ids"
)
NAMES = st.sampled_from(WORDS.split())
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.one_of(NAMES, st.text(max_size=5)), inner, max_size=6)),
    max_leaves=25,
)
BODIES = st.dictionaries(NAMES, VALUES, max_size=8)


@hypothesis.settings(max_examples=80, suppress_health_check=list(hypothesis.HealthCheck))
@hypothesis.given(st.sampled_from(CHANGING), st.one_of(BODIES, VALUES))
async def test_any_json_at_all_is_refused_or_does_its_work(api: Api, row: Row, body: Any) -> None:
    await Attack(api)(row, [msgspec.json.encode(body)], JSON)


KEYS = "value start end start_date currency type url id item_id user_id lat lng street_address from to"
VALUE_KEYS = st.sampled_from(KEYS.split())
FIELD_VALUES = st.recursive(
    LEAVES, lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(VALUE_KEYS, inner, max_size=4)), max_leaves=8
)
ITEMS = st.dictionaries(st.sampled_from(sorted(SETTINGS)), FIELD_VALUES, max_size=4)


@pytest.fixture
async def with_all_fields(database: AnyDatabase) -> AsyncIterator[Api]:
    """An app with a field of every type, each named after its type, and one item."""
    async with open_api(database) as opened:
        for field_type in SETTINGS:
            answer = await opened.post(f"/app/{opened.people.app_id}/field", {"type": field_type, "config": {"label": field_type}})
            assert answer.status_code == 200, answer.text
        assert (await opened.post(f"/item/app/{opened.people.app_id}", {"fields": {"title": "One"}})).status_code == 200
        yield opened


@hypothesis.settings(max_examples=60, suppress_health_check=list(hypothesis.HealthCheck))
@hypothesis.given(ITEMS, st.dictionaries(st.one_of(NAMES, st.sampled_from(sorted(SETTINGS))), FIELD_VALUES, max_size=2))
async def test_any_values_of_any_field_are_refused_or_kept(with_all_fields: Api, values: Any, filters: Any) -> None:
    api, app = with_all_fields, with_all_fields.people.app_id
    made = await api.post(f"/item/app/{app}", {"fields": values})
    assert made.status_code < 500, made.text
    if made.status_code == 200:
        assert (await api.get(f"/item/{made.json()['item_id']}")).status_code == 200
    changed = await api.put("/item/1", {"fields": values})
    assert changed.status_code < 500, changed.text
    found = await api.post(f"/item/app/{app}/filter", {"filters": filters, "sort_by": next(iter(filters), None)})
    assert found.status_code < 500, found.text
    for answer in (await api.get("/item/1"), await api.get("/item/1/revision")):
        assert answer.status_code == 200


# --- the sentences -----------------------------------------------------------------------------------------------------


class Inner(Struct):
    name: Annotated[str, Meta(max_length=5)]
    count: int = 0


class Shape(Struct):
    config: Inner
    tags: list[str] = []
    fields: dict[str, int] = {}
    anything: Any = None


@pytest.mark.parametrize(
    ("body", "said", "field"),
    [
        (b"{}", "config: is missing", "config"),
        (b"", "config: is missing", "config"),
        (b"[]", "config: is missing", "config"),
        (b'{"config": {}}', "config.name: is missing", "config.name"),
        (b'{"config": {"name": 7}}', "config.name: must be text, not a whole number", "config.name"),
        (b'{"config": {"name": "long one"}}', "config.name: must be text of length <= 5", "config.name"),
        (b'{"config": {"name": "a", "count": 1.5}}', "config.count: must be a whole number, not a number", "config.count"),
        (b'{"config": []}', "config: must be an object, not a list", "config"),
        (b'{"config": {"name": "a"}, "tags": ["a", 1]}', "tags[1]: must be text, not a whole number", "tags[1]"),
        (b'{"config": {"name": "a"}, "fields": {"a": "b"}}', "fields[...]: must be a whole number, not text", "fields[...]"),
        (b'{"config": {"name": "a"}, "anything": [{"x": "\\u0000"}]}', "anything[0].x: must not contain a NUL character", "anything[0].x"),
        (b'{"config": {"name": "a"}, "anything": 9223372036854775808}', "anything: the number is too large", "anything"),
        (b'{"config": {"name": "a"}, "ignored": 9223372036854775808}', "ignored: the number is too large", "ignored"),
        (b'"text"', "The body: must be an object, not text", None),
        (b"[1]", "The body: must be an object, not a list", None),
        (b"{", "The body is not JSON: Input data was truncated", None),
    ],
)
def test_an_error_names_what_was_wrong(body: bytes, said: str, field: str | None) -> None:
    with pytest.raises(Invalid) as caught:
        read_body(body, Shape)
    assert caught.value.description == said
    assert caught.value.parameters == ({"field": field} if field else {})


def test_a_form_where_json_is_expected_is_called_so() -> None:
    with pytest.raises(Invalid, match="The body is a form; this operation takes JSON"):
        read_body(b"a=b", Shape, content_type="Application/X-WWW-Form-Urlencoded; charset=utf-8")


def test_json_is_read_whatever_its_content_type_says() -> None:
    body = b'{"config": {"name": "a\\/b"}}'
    assert read_body(body, Shape, content_type="application/x-www-form-urlencoded").config.name == "a/b"
    assert read_body(b" \r\n[ ] ", dict[str, int]) == {}
    assert read_body(b"[]", list[int]) == []


def test_what_is_odd_and_clean_passes() -> None:
    body = '{"a\\\\u0000": "\\\\u0000 \\ud83d\\ude00 ß \\u0001", "n": 9223372036854775807, "f": 0.30000000000000000001, "e": 1e+300}'
    assert read_body(body.encode(), dict[str, Any])["a\\u0000"].startswith("\\u0000 \U0001f600 ß")
    deep = b"[" * (DEPTH - 1) + b"]" * (DEPTH - 1)
    assert read_body(b'{"a":' + deep + b"}", dict[str, Any])["a"]
    assert len(read_body(b'{"a":' + b"[" + b"[]," * 10_000 + b"[]" + b"]}", dict[str, Any])["a"]) == 10_001


@hypothesis.given(st.binary())
def test_any_bytes_are_read_or_refused(raw: bytes) -> None:
    for shape in (Shape, dict[str, Any], list[Any], Any):
        with suppress(Invalid):
            msgspec.json.encode(read_body(raw, shape))
