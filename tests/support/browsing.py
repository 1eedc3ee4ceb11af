"""A browser without a screen, for the console's pages: it follows no script, sends what a form on the page would send, and keeps
cookies.

`page = await browser.open("/console")`, `page = await browser.send(page, "/console/orgs", name="New")`: the answer to a form
is what its redirect leads to.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cached_property
from html.parser import HTMLParser

import httpx

from tests.support.house import Api
from tests.support.in_process import InProcess
from tidings.console.desk import SESSION
from tidings.workspace.access import Caller
from tidings.workspace.accounts.sessions import begin_session


@dataclass
class PageForm:
    """A form of a page, with what it would send as it stands."""

    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)
    offered: dict[str, list[str]] = field(default_factory=dict)  # the values that a select has, or buttons of one name


@dataclass
class Page:
    """What came. Its text is read when somebody asks what is in it: many a page is only passed through."""

    url: str
    status: int
    text: str
    headers: httpx.Headers

    @cached_property
    def words(self) -> str:
        """What people read, without tags, blanks made one."""
        return " ".join("".join(self._read.said).split())

    @property
    def forms(self) -> list[PageForm]:
        """All of them, in their order."""
        return self._read.forms

    @property
    def links(self) -> list[str]:
        """Where its links lead."""
        return self._read.links

    @cached_property
    def _read(self) -> _Reader:
        reader = _Reader()
        reader.feed(self.text)
        return reader

    def form(self, action: str) -> PageForm:
        """The form that is sent to `action`."""
        return next(form for form in self.forms if form.action == action)

    def has_form(self, action: str) -> bool:
        """Whether there is such a form."""
        return any(form.action == action for form in self.forms)


@dataclass
class Browser:
    """Somebody's browser."""

    http: httpx.AsyncClient

    async def open(self, path: str) -> Page:
        """The page at `path`, wherever it leads."""
        return _page(await self.http.get(path, follow_redirects=True))

    async def send(self, page: Page, action: str, **typed: str) -> Page:
        """Fill in the form of `page` that goes to `action`, and send it. A name is written `f1_0_value` for `f1.0.value`.

        Raises KeyError for an input that the form does not have.
        """
        form = page.form(action)
        names = {name.replace(".", "_").replace("-", "_"): name for name in [*form.offered, *form.fields]}
        filled = {**form.fields, **{names[name]: text for name, text in typed.items()}}
        return await self.post(action, {name: text for name, text in filled.items() if text is not UNTICKED})

    async def post(self, path: str, fields: dict[str, str]) -> Page:
        """Send these fields, whatever the page has."""
        return _page(await self.http.post(path, data=fields, follow_redirects=True))


UNTICKED = "\N{BALLOT BOX}"
"""What a checkbox holds that is not ticked: it is not sent."""


@asynccontextmanager
async def signed_in(api: Api, user: Caller | None = None) -> AsyncIterator[Browser]:
    """The browser of somebody who has signed in: Ada, unless told otherwise."""
    token = await api.house.database.write(begin_session, (user or api.people.ada).id, "", now=api.clock())
    async with httpx.AsyncClient(transport=InProcess(api.app), base_url=str(api.http.base_url)) as http:
        http.cookies.set(SESSION, token)
        yield Browser(http)


def _page(answer: httpx.Response) -> Page:
    return Page(answer.url.raw_path.decode(), answer.status_code, answer.text, answer.headers)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[PageForm] = []
        self.links: list[str] = []
        self.said: list[str] = []
        self._select = ""
        self._area = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        match tag:
            case "a" if "href" in given:
                self.links.append(given["href"])
            case "form":
                self.forms.append(PageForm(given.get("action", ""), given.get("method", "get")))
            case "input" if "name" in given:
                self._take_input(given)
            case "select" if "name" in given:
                self._select = given["name"]
                self.forms[-1].offered[self._select] = []
            case "option" if self._select:
                self._take_option(given)
            case "button" if "name" in given:
                self.forms[-1].offered.setdefault(given["name"], []).append(given.get("value", ""))
            case "textarea":
                self._area = given["name"]
                self.forms[-1].fields[self._area] = ""

    def _take_input(self, given: dict[str, str]) -> None:
        value = given.get("value", "")
        is_off = given.get("type") == "checkbox" and "checked" not in given
        self.forms[-1].fields[given["name"]] = UNTICKED if is_off else value

    def _take_option(self, given: dict[str, str]) -> None:
        form, value = self.forms[-1], given.get("value", "")
        form.offered[self._select].append(value)
        if "selected" in given or self._select not in form.fields:
            form.fields[self._select] = value

    def handle_data(self, data: str) -> None:
        if self._area:
            self.forms[-1].fields[self._area] += data.removeprefix("\n")  # the first line break is not of the text
        self.said.append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag == "select":
            self._select = ""
        if tag == "textarea":
            self._area = ""
        if tag in ("p", "li", "td", "th", "dt", "dd", "label", "h1", "h2", "option", "button", "a", "span"):
            self.said.append(" ")
