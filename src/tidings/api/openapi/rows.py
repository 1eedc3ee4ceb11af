"""What Tidings says of itself: the OpenAPI document, and the same as a page for people.

Both are made once for a table of rows, when somebody first asks, on a thread of their own: it takes a third of a second.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from functools import cache

from starlette.responses import Response

from tidings.api.call import Call, json_bytes
from tidings.api.operations import answers
from tidings.api.routes import Row

KEPT = "public, max-age=300"  # the document changes with the server's version alone


def docs_rows(rows: Iterable[Row]) -> list[Row]:
    """The two operations that tell of `rows`, and of themselves."""

    @cache
    def written(public_url: str) -> tuple[bytes, bytes, dict[str, str]]:
        from tidings.api.openapi.document import document  # noqa: PLC0415 (with what they need, a tenth of a server's start)
        from tidings.api.openapi.page import POLICY, page  # noqa: PLC0415

        described = document(all_rows, public_url=public_url)
        return json_bytes(described), page(described).encode(), POLICY

    @answers("application/json", dict[str, object])
    async def get_openapi(call: Call) -> Response:
        """`GET /openapi.json`: this document, OpenAPI 3.1."""
        document_, _, _ = await asyncio.to_thread(written, call.house.settings.public_url)
        return Response(document_, media_type="application/json", headers={"cache-control": KEPT})

    @answers("text/html; charset=utf-8")
    async def get_docs(call: Call) -> Response:
        """`GET /docs`: the same as a page. It needs no script and loads nothing from elsewhere."""
        _, page_, policy = await asyncio.to_thread(written, call.house.settings.public_url)
        return Response(page_, media_type="text/html", headers={"cache-control": KEPT, **policy})

    own = [Row("GET", "/openapi.json", get_openapi, open=True), Row("GET", "/docs", get_docs, open=True)]
    all_rows = [*rows, *own]
    return own
