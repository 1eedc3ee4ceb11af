"""What every page stands on: the desk that serves it, the visit it answers, and how an answer leaves the house.

What is always true of an answer: it may load nothing but our own style sheet, run no script, be in no frame, send no form
but to us (and, where a page leads there, to the one place named), leave no referrer, and be kept by nobody. Whatever is
put into a page is escaped. A form carries a token drawn from the visitor's own cookie, and without it is not read: so
nobody else's page can send one (`read_form`). Cookies are for us alone, and where our address is https, for https alone.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import NamedTuple
from urllib.parse import parse_qsl

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import Response

from tidings.clock import SECOND, Clock
from tidings.errors import Invalid
from tidings.settings import Settings
from tidings.store.database import Database
from tidings.workspace.accounts.logins import Logins
from tidings.workspace.accounts.sessions import SESSION_LIFE, SignedIn, find_session

SESSION, VISIT = "tidings_session", "tidings_visit"
CSRF = "csrf"
MOST_FIELDS = 50  # of a form or a query
LONGEST_FIELD = 32_768  # characters: the longest request for consent, escaped
TOKEN = re.compile(r"[0-9a-f]{64}", re.ASCII)
STYLE_SHEET = "/console/console.css"

_pages = Environment(
    loader=PackageLoader("tidings.console"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
)
_style_sheet = (files("tidings.console") / "static" / "console.css").read_bytes()


@dataclass(frozen=True, slots=True)
class Desk:
    """Made once, in `server.py`."""

    database: Database
    settings: Settings
    clock: Clock
    logins: Logins

    @property
    def is_secure(self) -> bool:
        """Whether people reach us over https."""
        return self.settings.public_url.lower().startswith("https://")


class Visit(NamedTuple):
    """One request: who is signed in, and what they sent. Nothing of it is to be believed but `user`."""

    user: SignedIn | None
    cookie: str  # the token of the session, or of a visitor who is not signed in; empty where there is neither
    query: dict[str, str]
    form: dict[str, str]
    address: str
    now: int


Page = Callable[[Request, bytes], Awaitable[Response]]
"""It answers one request, whose body has been read."""


# --- what comes in -----------------------------------------------------------------------------------------------------


async def read_visit(desk: Desk, request: Request, body: bytes) -> Visit:
    """Raises `Invalid` for a query or a form that is no text, too long, or names something twice."""
    now = desk.clock()
    session = _cookie(desk, request, SESSION)
    user = await desk.database.read(find_session, session, now=now) if session else None
    address = request.client.host if request.client else ""
    query, form = _read_fields(request.scope["query_string"], "The query"), _read_fields(body, "The form")
    return Visit(user, session if user else _cookie(desk, request, VISIT), query, form, address, now)


def _cookie(desk: Desk, request: Request, name: str) -> str:
    token = request.cookies.get(_cookie_name(desk, name), "")
    return token if TOKEN.fullmatch(token) else ""


def _cookie_name(desk: Desk, name: str) -> str:
    return f"__Host-{name}" if desk.is_secure else name  # with this prefix, no other host of the domain can set it


def _read_fields(raw: bytes, where: str) -> dict[str, str]:
    try:
        pairs = parse_qsl(raw.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=MOST_FIELDS)
    except ValueError:
        raise Invalid(f"{where} cannot be read") from None
    fields = dict(pairs)
    if len(fields) < len(pairs):
        raise Invalid(f"{where} names a parameter twice")
    if any(len(text) > LONGEST_FIELD or "\0" in text for pair in pairs for text in pair):
        raise Invalid(f"{where} cannot be read")
    return fields


def check_form(visit: Visit) -> None:
    """Raises `Invalid` unless the form is of a page that we gave to this visitor."""
    if not visit.cookie or not hmac.compare_digest(csrf_token(visit.cookie).encode(), visit.form.get(CSRF, "").encode()):
        raise Invalid("This form is too old, or your browser keeps no cookies. Please go back, load the page again and try once more.")


def csrf_token(cookie: str) -> str:
    """What a form carries for the holder of this cookie: who does not know the cookie cannot know it."""
    return hashlib.sha256(f"tidings csrf {cookie}".encode()).hexdigest()


# --- what goes out -----------------------------------------------------------------------------------------------------


def show(desk: Desk, visit: Visit, template: str, shown: Mapping[str, object], *, status: int = 200, leads_to: str = "") -> Response:
    """A page with `shown` on it. `leads_to` is the origin that its form may be sent on to, beside our own."""
    cookie = visit.cookie or secrets.token_hex(32)
    page = _pages.get_template(template).render(csrf=csrf_token(cookie), user=visit.user, style_sheet=STYLE_SHEET, **shown)
    answer = Response(page, status_code=status, media_type="text/html")
    _seal(answer, f"'self' {leads_to}".strip())
    if not visit.cookie:
        _set_cookie(desk, answer, VISIT, cookie)
    return answer


def refuse(sentence: str, *, status: int = 400, retry_after: object = None) -> Response:
    """A page that says what is wrong, and leads nowhere."""
    answer = Response(
        _pages.get_template("refused.html").render(sentence=sentence, style_sheet=STYLE_SHEET, user=None),
        status_code=status,
        media_type="text/html",
    )
    _seal(answer, "'none'")
    if retry_after is not None:
        answer.headers["retry-after"] = str(retry_after)
    return answer


def go_to(url: str) -> Response:
    """To another page, by GET whatever brought us here. `url` has no character that a header could not have."""
    answer = Response(status_code=303, headers={"location": url})
    _seal(answer, "'none'")
    return answer


def give_style_sheet() -> Response:
    """The one style sheet."""
    answer = Response(_style_sheet, media_type="text/css")
    _seal(answer, "'none'")
    answer.headers["cache-control"] = "public, max-age=3600"
    return answer


def remember_session(desk: Desk, answer: Response, token: str) -> None:
    """Sign the browser in; what it was before is gone."""
    _set_cookie(desk, answer, SESSION, token, seconds=SESSION_LIFE // SECOND)
    _set_cookie(desk, answer, VISIT, "", seconds=0)


def forget_session(desk: Desk, answer: Response) -> None:
    """Sign the browser out."""
    _set_cookie(desk, answer, SESSION, "", seconds=0)


def _set_cookie(desk: Desk, answer: Response, name: str, value: str, *, seconds: int | None = None) -> None:
    answer.set_cookie(_cookie_name(desk, name), value, max_age=seconds, path="/", secure=desk.is_secure, httponly=True, samesite="lax")


def _seal(answer: Response, form_action: str) -> None:
    policy = f"default-src 'none'; style-src 'self'; form-action {form_action}; frame-ancestors 'none'; base-uri 'none'"
    answer.headers.update(
        {
            "content-security-policy": policy,
            "x-content-type-options": "nosniff",
            "x-frame-options": "DENY",
            "referrer-policy": "no-referrer",
            "cache-control": "no-store",
        }
    )
