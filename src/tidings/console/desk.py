"""What every page stands on: the desk that serves it, the visit it answers, and how an answer leaves the house.

What is always true of an answer: it may load nothing but our own files, be in no frame, send no form but to us (and, where
a page leads there, to the one place named), leave no referrer, and be kept by nobody; the narrow pages, where people name
themselves, run no script, the others our own. Whatever is put into a page is escaped. A form carries a token drawn from the
visitor's own cookie, and without it is not read: so nobody else's page can send one (`check_form`). Cookies are for us
alone, and where our address is https, for https alone.
"""

from __future__ import annotations

import gzip
import hashlib
import hmac
import re
import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from typing import NamedTuple
from urllib.parse import parse_qsl, quote

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import Response

from tidings.clock import SECOND, Clock
from tidings.console import words
from tidings.console.filled import NOTHING_FILLED, Filled
from tidings.console.live import Streams
from tidings.console.notices import NOTICES
from tidings.delivery.allow import AllowList
from tidings.delivery.engine import Engine
from tidings.delivery.guard import Guard
from tidings.errors import Invalid, NotFound
from tidings.settings import Settings
from tidings.store.database import Database
from tidings.store.sealing import Keyring
from tidings.workspace.access import Caller
from tidings.workspace.accounts.logins import Logins
from tidings.workspace.accounts.sessions import SESSION_LIFE, SignedIn, find_session

SESSION, VISIT = "tidings_session", "tidings_visit"
CSRF = "csrf"
MOST_FIELDS = 5_000  # of a form or a query: an app has up to 500 fields, and some take several inputs
LONGEST_FIELD = 100_000  # characters: the longest text that an item holds
GREATEST_ID = 2**31 - 1  # contract section 0, decision 23
FURTHEST_PAGE = 100_000  # of a list
TOKEN = re.compile(r"[0-9a-f]{64}", re.ASCII)
YEAR_SECONDS = 31_536_000
_GZIP = re.compile(r"\bgzip\b(?!\s*;\s*q=0(?:\.0*)?\s*(?:,|$))", re.IGNORECASE)  # a quality of 0 says no

_pages = Environment(
    loader=PackageLoader("tidings.console"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    auto_reload=False,
)
_pages.filters |= words.FILTERS
_MEDIA_TYPES = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
_static = {file.name: file.read_bytes() for file in (files("tidings.console") / "static").iterdir()}
_zipped = {name: gzip.compress(content, mtime=0) for name, content in _static.items()}
_static_urls = {name: f"/console/{name}?v={hashlib.sha256(content).hexdigest()[:10]}" for name, content in _static.items()}
_pages.globals["static"] = _static_urls


@dataclass(frozen=True, slots=True)
class Desk:
    """Made once, in `server.py`."""

    database: Database
    settings: Settings = field(repr=False)  # it holds the key
    clock: Clock
    logins: Logins
    keyring: Keyring
    allow: AllowList
    guard: Guard
    engine: Engine | None = None  # None where nothing is delivered from here
    streams: Streams = field(default_factory=Streams)

    @property
    def is_secure(self) -> bool:
        """Whether people reach us over https."""
        return self.settings.public_url.lower().startswith("https://")


class Visit(NamedTuple):
    """One request: who is signed in, what they ask for, and what they sent. Nothing of it is to be believed but `user`."""

    user: SignedIn | None
    cookie: str  # the token of the session, or of a visitor who is not signed in; empty where there is neither
    query: dict[str, str]
    form: dict[str, str]
    address: str
    now: int
    path: str  # as it stood on the request line, without its query
    ids: dict[str, int]  # the ids of the path, by name
    request: Request

    @property
    def caller(self) -> Caller:
        """The user who is signed in, as the floors below ask for them. For pages that need a sign-in."""
        assert self.user is not None
        return Caller("user", self.user.user_id)

    def page(self, name: str) -> int:
        """Which page of a list the query asks for by `name`, from 1; the first for what is no number."""
        text = self.query.get(name, "")
        return min(int(text), FURTHEST_PAGE) if text.isascii() and text.isdigit() and len(text) <= 9 and int(text) else 1


Page = Callable[[Request, bytes], Awaitable[Response]]
"""It answers one request, whose body has been read."""


# --- what comes in -----------------------------------------------------------------------------------------------------


async def read_visit(desk: Desk, request: Request, body: bytes) -> Visit:
    """What was sent, its path's ids not read yet. Raises `Invalid` for a query or a form that is no text, too long, or names
    something twice."""
    now = desk.clock()
    session = _cookie(desk, request, SESSION)
    user = await desk.database.read(find_session, session, now=now) if session else None
    address = request.client.host if request.client else ""
    query, form = _read_fields(request.scope["query_string"], "The query"), _read_fields(body, "The form")
    cookie = session if user else _cookie(desk, request, VISIT)
    return Visit(user, cookie, query, form, address, now, quote(request.scope["path"]), {}, request)


def read_ids(visit: Visit) -> Visit:
    """The visit with the ids of its path. Raises `NotFound` for what can be none."""
    return visit._replace(ids={name: _read_id(name, text) for name, text in visit.request.path_params.items()})


def _read_id(name: str, text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 10 and 0 < int(text) <= GREATEST_ID):
        raise NotFound(parameters={name: text[:60]})
    return int(text)


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
    """A narrow page with `shown` on it. `leads_to` is the origin that its form may be sent on to, beside our own."""
    cookie = visit.cookie or secrets.token_hex(32)
    answer = _rendered(template, {**shown, "csrf": csrf_token(cookie), "user": visit.user}, status)
    seal(answer, f"'self' {leads_to}".strip())
    if not visit.cookie:
        _set_cookie(desk, answer, VISIT, cookie)
    return answer


def show_section(
    desk: Desk, visit: Visit, template: str, shown: Mapping[str, object], *, filled: Filled = NOTHING_FILLED, status: int = 0
) -> Response:  # fmt: skip
    """A wide page, for who is signed in: its template extends `section.html`.

    `filled` is a form that is shown again, with what was typed and what was wrong with it, and gives the status then. The
    template has also `csrf`, `user`, `now`, `path`, `filled`, `notice` and `base_url`.
    """
    around = {
        "csrf": csrf_token(visit.cookie),
        "user": visit.user,
        "now": visit.now,
        "path": visit.path,
        "filled": filled,
        "notice": NOTICES.get(visit.query.get("done", ""), ""),
        "base_url": desk.settings.public_url,
    }
    answer = _rendered(template, {**around, **shown}, status or filled.status)
    seal(answer, "'self'", scripts=True)
    return answer


def render(template: str, shown: Mapping[str, object]) -> str:
    """A piece of a page, for a page that is open already to take in."""
    return _pages.get_template(template).render(**shown)


def _rendered(template: str, shown: Mapping[str, object], status: int) -> Response:
    return Response(render(template, shown), status_code=status, media_type="text/html")


def refuse(sentence: str, *, status: int = 400, title: str = "This did not work", retry_after: object = None) -> Response:
    """A page that says what is wrong, and leads nowhere."""
    answer = _rendered("refused.html", {"sentence": sentence, "title": title, "user": None}, status)
    seal(answer, "'none'")
    if retry_after is not None:
        answer.headers["retry-after"] = str(retry_after)
    return answer


def go_to(url: str) -> Response:
    """To another page, by GET whatever brought us here. `url` has no character that a header could not have."""
    answer = Response(status_code=303, headers={"location": url})
    seal(answer, "'none'")
    return answer


def done(path: str, notice: str = "") -> Response:
    """What a form was sent for is done: on to `path`, which then says so in the words of `NOTICES[notice]`.

    Raises KeyError for a notice that is not there.
    """
    if not notice:
        return go_to(path)
    assert NOTICES[notice]
    return go_to(f"{path}{'&' if '?' in path else '?'}done={notice}")


STATIC_PATHS = [f"/console/{name}" for name in _static]


def give_static(request: Request) -> Response:
    """One of our files, at one of `STATIC_PATHS`; under the name of its very content it may be kept for good.

    They alone are compressed: from the length of a page that is, somebody who has words of their own put into it could guess
    what else it says.
    """
    name = request.scope["path"].rstrip("/").rpartition("/")[2]
    zips = _GZIP.search(request.headers.get("accept-encoding", "")) is not None
    answer = Response((_zipped if zips else _static)[name], media_type=_MEDIA_TYPES[name.rpartition(".")[2]])
    seal(answer, "'none'")
    answer.headers["vary"] = "accept-encoding"
    if zips:
        answer.headers["content-encoding"] = "gzip"
    is_by_content = _static_urls[name].endswith(f"?{request.url.query}")
    answer.headers["cache-control"] = f"public, max-age={YEAR_SECONDS}, immutable" if is_by_content else "public, max-age=3600"
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


def seal(answer: Response, form_action: str, *, scripts: bool = False) -> None:
    """What every answer of ours says to the browser; `form_action` is where its forms may be sent."""
    policy = f"default-src 'none'; style-src 'self'; form-action {form_action}; frame-ancestors 'none'; base-uri 'none'; img-src 'self'"
    if scripts:
        policy += "; script-src 'self'; connect-src 'self'"
    answer.headers.update(
        {
            "content-security-policy": policy,
            "x-content-type-options": "nosniff",
            "x-frame-options": "DENY",
            "referrer-policy": "no-referrer",
            "cache-control": "no-store",
        }
    )
