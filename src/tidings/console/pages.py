"""The table of pages, and what a visitor sees when something is wrong: a page too, and never more than a sentence."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response

from tidings import errors
from tidings.console import consent, sign_in
from tidings.console.desk import STYLE_SHEET, Desk, Page, Visit, give_style_sheet, read_visit, refuse

Answering = Callable[[Desk, Visit], Awaitable[Response]]

# Browsers and those who watch them know these; Podio's clients never come here.
STATUS: dict[type[errors.TidingsError], int] = {
    errors.Invalid: 400,
    errors.RateLimited: 429,
    errors.Unavailable: 503,
}

_PAGES: list[tuple[str, str, Answering]] = [
    ("GET", sign_in.PATH, sign_in.show_sign_in),
    ("POST", sign_in.PATH, sign_in.sign_in),
    ("POST", "/sign-out", sign_in.sign_out),
    ("GET", consent.PATH, consent.show_consent),
    ("POST", consent.PATH, consent.decide),
]


def console_pages(desk: Desk) -> list[tuple[str, str, Page]]:
    """Method, path, and what answers there."""

    async def style_sheet(_request: Request, _body: bytes) -> Response:
        return give_style_sheet()

    return [*((method, path, _page(desk, answering)) for method, path, answering in _PAGES), ("GET", STYLE_SHEET, style_sheet)]


def _page(desk: Desk, answering: Answering) -> Page:
    async def answer(request: Request, body: bytes) -> Response:
        try:
            return await answering(desk, await read_visit(desk, request, body))
        except tuple(STATUS) as error:
            return refuse(error.description, status=STATUS[type(error)], retry_after=error.parameters.get("retry_after"))

    return answer
