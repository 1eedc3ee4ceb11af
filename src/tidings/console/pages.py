"""The table of pages, and what a visitor sees when something is wrong: a page too, and never more than a sentence.

A page is for those who are signed in, unless its row says `open`; everybody else is asked to sign in first, and comes back
to where they wanted to go.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import NamedTuple
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response

from tidings.console import (
    apps,
    consent,
    deliveries,
    developer,
    diagnosis,
    fields,
    hangings,
    home,
    hook_page,
    hook_settings,
    hook_stream,
    hooks,
    items,
    replays,
    sign_in,
    space_hooks,
    spaces,
    undelivered,
)
from tidings.console.desk import STATIC_PATHS, Desk, Page, Visit, give_static, go_to, read_ids, read_visit, refuse, show_section
from tidings.console.filled import STATUS
from tidings.errors import NotFound, TidingsError

Answering = Callable[[Desk, Visit], Awaitable[Response]]

DEEPEST = 7  # parts of a path below /console: one that is not in the table is a page that says so


class PageRow(NamedTuple):
    """One page, or what a form is sent to: how it is asked for, and what answers. `{app_id:int}` in the path is `visit.ids["app_id"]`."""

    method: str
    path: str
    answering: Answering
    open: bool = False  # also for those who are not signed in


_PAGES: list[PageRow] = [
    PageRow("GET", sign_in.PATH, sign_in.show_sign_in, open=True),
    PageRow("POST", sign_in.PATH, sign_in.sign_in, open=True),
    PageRow("POST", "/sign-out", sign_in.sign_out, open=True),
    PageRow("GET", consent.PATH, consent.show_consent, open=True),
    PageRow("POST", consent.PATH, consent.decide, open=True),
    # organizations and spaces
    PageRow("GET", "/", home.go_home),
    PageRow("GET", home.PATH, home.show_home),
    PageRow("POST", "/console/orgs", home.make_org),
    PageRow("POST", "/console/orgs/{org_id:int}/spaces", home.make_space),
    PageRow("GET", "/console/spaces/{space_id:int}", spaces.show_space),
    PageRow("POST", "/console/spaces/{space_id:int}", spaces.change_space),
    PageRow("POST", "/console/spaces/{space_id:int}/delete", spaces.drop_space),
    PageRow("POST", "/console/spaces/{space_id:int}/apps", spaces.make_app),
    PageRow("POST", "/console/spaces/{space_id:int}/join", spaces.join),
    PageRow("POST", "/console/spaces/{space_id:int}/leave", spaces.leave),
    PageRow("POST", "/console/spaces/{space_id:int}/members", spaces.add_member),
    PageRow("POST", "/console/spaces/{space_id:int}/members/{user_id:int}", spaces.change_member),
    PageRow("POST", "/console/spaces/{space_id:int}/members/{user_id:int}/remove", spaces.remove_member),
    # apps and items
    PageRow("GET", "/console/apps/{app_id:int}", apps.show_app),
    PageRow("POST", "/console/apps/{app_id:int}", fields.change_app),
    PageRow("POST", "/console/apps/{app_id:int}/delete", apps.drop_app),
    PageRow("GET", "/console/apps/{app_id:int}/fields", fields.show_fields),
    PageRow("POST", "/console/apps/{app_id:int}/fields", fields.add_field),
    PageRow("GET", "/console/apps/{app_id:int}/fields/{field_id:int}", fields.show_field),
    PageRow("POST", "/console/apps/{app_id:int}/fields/{field_id:int}", fields.change_field),
    PageRow("POST", "/console/apps/{app_id:int}/fields/{field_id:int}/delete", fields.drop_field),
    PageRow("GET", "/console/apps/{app_id:int}/items/new", items.show_new_item),
    PageRow("POST", "/console/apps/{app_id:int}/items", items.make_item),
    PageRow("GET", "/console/items/{item_id:int}", items.show_item),
    PageRow("POST", "/console/items/{item_id:int}", items.change_item),
    PageRow("POST", "/console/items/{item_id:int}/delete", items.drop_item),
    PageRow("POST", "/console/items/{item_id:int}/tags", hangings.add_tag),
    PageRow("POST", "/console/items/{item_id:int}/tags/remove", hangings.drop_tag),
    PageRow("POST", "/console/items/{item_id:int}/comments", hangings.add_comment),
    PageRow("POST", "/console/items/{item_id:int}/comments/{comment_id:int}/delete", hangings.drop_comment),
    # an app's developer page, and webhooks
    PageRow("GET", "/console/apps/{app_id:int}/developer", developer.show_developer),
    PageRow("POST", "/console/apps/{app_id:int}/token/reveal", developer.reveal_token),
    PageRow("POST", "/console/apps/{app_id:int}/token/renew", developer.renew_token),
    PageRow("POST", "/console/apps/{app_id:int}/hooks", developer.make_hook),
    PageRow("GET", "/console/apps/{app_id:int}/undelivered", undelivered.show_undelivered),
    PageRow("GET", "/console/spaces/{space_id:int}/hooks", space_hooks.show_space_hooks),
    PageRow("POST", "/console/spaces/{space_id:int}/hooks", space_hooks.make_space_hook),
    PageRow("GET", "/console/hooks/{hook_id:int}", hook_page.show_hook),
    PageRow("GET", "/console/hooks/{hook_id:int}/live", hook_stream.stream_hook),
    PageRow("POST", "/console/hooks/{hook_id:int}/verify", hooks.ask_verification),
    PageRow("POST", "/console/hooks/{hook_id:int}/validate", hooks.enter_code),
    PageRow("POST", "/console/hooks/{hook_id:int}/pause", hooks.pause),
    PageRow("POST", "/console/hooks/{hook_id:int}/resume", hooks.resume),
    PageRow("POST", "/console/hooks/{hook_id:int}/test", hooks.send_test),
    PageRow("GET", "/console/hooks/{hook_id:int}/settings", hook_settings.show_settings),
    PageRow("POST", "/console/hooks/{hook_id:int}/settings", hooks.change),
    PageRow("POST", "/console/hooks/{hook_id:int}/url", hooks.move),
    PageRow("POST", "/console/hooks/{hook_id:int}/secret", hooks.renew),
    PageRow("POST", "/console/hooks/{hook_id:int}/delete", hooks.delete),
    PageRow("GET", "/console/hooks/{hook_id:int}/diagnosis", diagnosis.show_diagnosis),
    PageRow("POST", "/console/hooks/{hook_id:int}/diagnosis", diagnosis.run_diagnosis),
    # deliveries and replays
    PageRow("GET", "/console/hooks/{hook_id:int}/deliveries/{sequence:int}", deliveries.show_delivery),
    PageRow("GET", "/console/hooks/{hook_id:int}/deliveries/{sequence:int}/live", deliveries.stream_delivery),
    PageRow("POST", "/console/hooks/{hook_id:int}/deliveries/{sequence:int}/redeliver", deliveries.redeliver_one),
    PageRow("GET", "/console/hooks/{hook_id:int}/replay", replays.show_replay_form),
    PageRow("POST", "/console/hooks/{hook_id:int}/replay", replays.start),
    PageRow("GET", "/console/replays/{replay_id:int}", replays.show_replay),
    PageRow("GET", "/console/replays/{replay_id:int}/live", replays.stream_replay),
    PageRow("POST", "/console/replays/{replay_id:int}/stop", replays.stop),
]


async def _nowhere(_desk: Desk, _visit: Visit) -> Response:
    raise NotFound


_PAGES += [
    PageRow("GET", "/console/" + "/".join(f"{{part_{number}}}" for number in range(depth)), _nowhere) for depth in range(1, DEEPEST + 1)
]  # fmt: skip


def console_rows() -> list[tuple[str, str]]:
    """Method and path of every page, for those who walk them all."""
    return [(row.method, row.path) for row in _PAGES]


def console_pages(desk: Desk) -> list[tuple[str, str, Page]]:
    """Method, path, and what answers there."""

    async def static(request: Request, _body: bytes) -> Response:
        return give_static(request)

    return [*((row.method, row.path, _page(desk, row)) for row in _PAGES), *(("GET", path, static) for path in STATIC_PATHS)]


def _page(desk: Desk, row: PageRow) -> Page:
    async def answer(request: Request, body: bytes) -> Response:
        visit: Visit | None = None
        try:
            visit = await read_visit(desk, request, body)
            if visit.user is None and not row.open:
                return _to_sign_in(visit, row.method)
            return await row.answering(desk, read_ids(visit))
        except tuple(STATUS) as error:
            return _refused(desk, row, visit, error)

    return answer


def _to_sign_in(visit: Visit, method: str) -> Response:
    """To the sign-in, and from there back; a form that was sent meanwhile is lost, and its page can be anywhere."""
    query = visit.request.url.query
    onward = f"{visit.path}{'?' if query else ''}{query}" if method == "GET" else home.PATH
    return go_to(f"{sign_in.PATH}?next={quote(onward, safe='/')}")


TITLES = {403: "This is not for you", 404: "There is nothing here", 410: "This is gone", 503: "The server is busy"}
SENTENCES = {404: "It does not exist, or it belongs to an organization that you are not in.", 410: "It has been deleted."}


def _refused(desk: Desk, row: PageRow, visit: Visit | None, error: TidingsError) -> Response:
    status = STATUS[type(error)]
    title, sentence = TITLES.get(status, "This did not work"), SENTENCES.get(status, error.description)
    if row.open or visit is None or visit.user is None:
        return refuse(error.description, status=status, retry_after=error.parameters.get("retry_after"))
    return show_section(desk, visit, "sorry.html", {"title": title, "sentence": sentence}, status=status)
