"""Signing in and out with a browser.

A username that does not exist and a wrong password are one answer, and take as long. At every sign-in the browser gets a
new session, and the one it had ends. Where somebody wanted to go before is kept as `next`, which is a path of ours: a text
that a browser could take for another host is not followed.
"""

from __future__ import annotations

import re

from starlette.responses import Response

from tidings.console.desk import Desk, Visit, check_form, forget_session, go_to, remember_session, show
from tidings.workspace.accounts.passwords import find_password
from tidings.workspace.accounts.sessions import begin_session, end_session

WRONG = "The username or the password is wrong."
PATH = "/sign-in"
HOME = "/console"

_OURS = re.compile(r"/(?![/\\])[!-\[\]-~]*", re.ASCII)  # one slash first, then what can be printed, and no backslash


async def show_sign_in(desk: Desk, visit: Visit) -> Response:
    """`GET /sign-in`: the form; or who is signed in, and a way out."""
    if visit.user is not None:
        return show(desk, visit, "signed_in.html", {})
    return ask_to_sign_in(desk, visit, visit.query.get("next", ""))


def ask_to_sign_in(desk: Desk, visit: Visit, onward: str, *, wrong: str = "", status: int = 200) -> Response:
    """The form, which leads `onward` from here."""
    username = visit.form.get("username", "")[:255]
    shown = {"next": _ours(onward), "wrong": wrong, "username": username}
    return show(desk, visit, "sign_in.html", shown, status=status)


async def sign_in(desk: Desk, visit: Visit) -> Response:
    """`POST /sign-in`. Raises `Invalid` for a form that is not ours, `RateLimited` after too many wrong passwords."""
    check_form(visit)
    username, password = visit.form.get("username", ""), visit.form.get("password", "")
    onward = visit.form.get("next", "")
    found = await desk.database.read(find_password, username)
    user_id, password_hash = found or (0, None)
    if not await desk.logins.is_right(username, visit.address, password, password_hash, now=visit.now):
        return ask_to_sign_in(desk, visit, onward, wrong=WRONG, status=403)
    token = await desk.database.write(begin_session, user_id, visit.cookie, now=visit.now)
    answer = go_to(_ours(onward))
    remember_session(desk, answer, token)
    return answer


async def sign_out(desk: Desk, visit: Visit) -> Response:
    """`POST /sign-out`. Raises `Invalid` for a form that is not ours."""
    check_form(visit)
    await desk.database.write(end_session, visit.cookie, now=visit.now)
    answer = go_to(_ours(visit.form.get("next", "")))
    forget_session(desk, answer)
    return answer


def _ours(path: str) -> str:
    """`path`, if it is one of ours; the first page otherwise, which asks who is not signed in to do so."""
    return path if _OURS.fullmatch(path) else HOME
