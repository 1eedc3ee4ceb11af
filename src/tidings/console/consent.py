"""May this program act for you? The page where a user lets an API client have a code or a token (contract section 4.2).

A request from a client that we do not know, or that would send the answer to a place that is not the client's, is answered
with a page and never with a redirect: such a request may be somebody else's. Any other fault is the client's to hear, by
redirect, with its `state`. What the form brings back is judged anew from the beginning, so nothing of it is believed
because it was once shown; and the form is read only if we gave it to this very session.
"""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import urlencode

from starlette.responses import Response

from tidings.console.desk import Desk, Visit, check_form, go_to, show
from tidings.console.sign_in import ask_to_sign_in
from tidings.errors import Invalid, InvalidScope
from tidings.workspace.access import Caller
from tidings.workspace.accounts.auth_codes import Challenge, give_code, read_challenge
from tidings.workspace.accounts.clients import Client, find_client
from tidings.workspace.accounts.redirects import Place, find_place, with_fragment, with_query
from tidings.workspace.accounts.scopes import checked_scope, read_scope
from tidings.workspace.accounts.tokens import Lives, issue

PATH = "/oauth/authorize"
ASKED = ("client_id", "redirect_uri", "response_type", "scope", "state", "code_challenge", "code_challenge_method")
LONGEST_STATE = 4_000  # characters
RESPONSE_TYPES = ("code", "token")

WORDS = {
    "global": "everything you can reach",
    "user": "your account and your API clients",
    "org": "your organizations",
    "space": "your spaces, their members, contacts and status messages, and what hangs on them",
    "app": "your apps and their items, and what hangs on them",
}
VERBS = (("read", "see"), ("write", "make"), ("write", "change"), ("delete", "delete"))


class Ask(NamedTuple):
    """Who asks, and where the answer goes."""

    client: Client
    redirect_uri: str
    place: Place
    response_type: str
    state: str

    def answer_url(self, answer: dict[str, str]) -> str:
        """The redirect that brings `answer` to the client: in the query, or for a token in the fragment."""
        answer |= {"state": self.state} if self.state else {}
        return (with_fragment if self.response_type == "token" else with_query)(self.redirect_uri, answer)


class Wish(NamedTuple):
    """What is asked for."""

    scope: str
    challenge: Challenge | None


# --- the two pages -----------------------------------------------------------------------------------------------------


async def show_consent(desk: Desk, visit: Visit) -> Response:
    """`GET /oauth/authorize`. Raises `Invalid` for a request that must not be answered by a redirect."""
    asked = {name: visit.query[name] for name in ASKED if visit.query.get(name)}
    ask = await _who_asks(desk, asked)
    wish = _read_wish(asked)
    if isinstance(wish, dict):
        return go_to(ask.answer_url(wish))
    if visit.user is None:
        return ask_to_sign_in(desk, visit, _again(asked))
    shown = {"client": ask.client, "origin": ask.place.origin, "asked": asked, "wishes": _in_words(wish.scope), "again": _again(asked)}
    return show(desk, visit, "consent.html", shown, leads_to=_source(ask.place))


async def decide(desk: Desk, visit: Visit) -> Response:
    """`POST /oauth/authorize`, with `decision` in the form. Raises `Invalid` as `show_consent`, and for a form that is not ours."""
    asked = {name: visit.form[name] for name in ASKED if visit.form.get(name)}
    ask = await _who_asks(desk, asked)
    wish = _read_wish(asked)
    if isinstance(wish, dict):
        return go_to(ask.answer_url(wish))
    if visit.user is None:
        return ask_to_sign_in(desk, visit, _again(asked))
    check_form(visit)
    if visit.form.get("decision") != "allow":
        denied = {"error": "access_denied", "error_reason": "user_denied", "error_description": "The user denied access"}
        return go_to(ask.answer_url(denied))
    caller = Caller("user", visit.user.user_id, ask.client.auth_client_id)
    return go_to(ask.answer_url(await _give(desk, ask, wish, caller, visit.now)))


async def _give(desk: Desk, ask: Ask, wish: Wish, caller: Caller, now: int) -> dict[str, str]:
    if ask.response_type == "code":
        return {"code": await desk.database.write(give_code, caller, ask.redirect_uri, wish.scope, wish.challenge, now=now)}
    lives = Lives(desk.settings.access_token_life, desk.settings.refresh_token_life)
    pair = await desk.database.write(issue, caller, now=now, lives=lives, scope=wish.scope)
    return {
        "access_token": pair.access_token,
        "token_type": "bearer",
        "expires_in": str(int(lives.access)),
        "refresh_token": pair.refresh_token,
        "scope": pair.scope,
    }


# --- judging a request -------------------------------------------------------------------------------------------------


async def _who_asks(desk: Desk, asked: dict[str, str]) -> Ask:
    client = await desk.database.read(find_client, asked.get("client_id", ""))
    if client is None:
        raise Invalid("The program that sent you here is not known to this server (client_id).")
    redirect_uri = asked.get("redirect_uri", "")
    place = find_place(redirect_uri, client.domains)
    if place is None:
        raise Invalid(f"{client.name} asked to send you to an address that is not registered for it (redirect_uri).")
    state = asked.get("state", "")
    if len(state) > LONGEST_STATE:
        raise Invalid(f"{client.name} sent more than {LONGEST_STATE} characters of state.")
    return Ask(client, redirect_uri, place, asked.get("response_type", "code"), state)


def _read_wish(asked: dict[str, str]) -> Wish | dict[str, str]:
    """What is asked for, or the error that the client hears (RFC 6749, section 4.1.2.1)."""
    if asked.get("response_type", "code") not in RESPONSE_TYPES:
        return _fault("unsupported_response_type", "response_type: must be code or token")
    try:
        scope = checked_scope(asked.get("scope", ""))
        challenge = read_challenge(asked.get("code_challenge", ""), asked.get("code_challenge_method", ""))
    except InvalidScope as error:
        return _fault("invalid_scope", error.description)
    except Invalid as error:
        return _fault("invalid_request", error.description)
    return Wish(scope, challenge)


def _fault(error: str, description: str) -> dict[str, str]:
    return {"error": error, "error_description": description}


def _again(asked: dict[str, str]) -> str:
    return f"{PATH}?{urlencode(asked)}"


def _source(place: Place) -> str:
    """The place as a content security policy names it, which has no words for an IPv6 address."""
    return f"{place.scheme}:" if place.host.startswith("[") else place.origin


def _in_words(scope: str) -> list[str]:
    """What a scope lets a program do, a sentence a noun."""
    held = read_scope(scope)
    verbs = {noun: [verb for permission, verb in VERBS if (noun, permission) in held] for noun in WORDS}
    return [f"{', '.join(done[:-1])}{' and ' if len(done) > 1 else ''}{done[-1]} {WORDS[noun]}" for noun, done in verbs.items() if done]
