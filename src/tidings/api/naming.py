"""Who is calling: the access token of a request, and its holder.

A token comes in the authorization header, as `OAuth2` or `Bearer`; as `oauth_token` in the query; or as `oauth_token` in a form
(contract section 4.3). The last is looked for only where the other two are not, and in a body of `FORM_LIMIT` at most, whose
length is said beforehand: nobody who has not named themselves makes us read much.
"""

from __future__ import annotations

from contextlib import suppress

from starlette.requests import Request

from tidings.api.bodies import FORM, read_pairs
from tidings.api.call import House, header
from tidings.api.callers import Known
from tidings.api.limits import read_rates
from tidings.errors import Invalid, Unauthorized
from tidings.workspace.accounts.scopes import EVERYTHING
from tidings.workspace.accounts.tokens import Holder, find_holder, hash_token

FORM_LIMIT = 16 * 1024  # bytes
IN_FORM = "oauth_token"


async def name_caller(house: House, token: str | None, now: int) -> Known:
    """The holder of an access token.

    Raises `Unauthorized` as Podio words it: `invalid_request` without a token, `expired_token` for one that is unknown,
    revoked or expired (contract section 4.3).
    """
    if token is None:
        raise Unauthorized
    access_hash = hash_token(token)
    known = house.callers.recall(access_hash, now)
    if known is None:
        holder = await house.database.glance(find_holder, access_hash, now=now)
        if holder is None:
            raise Unauthorized("expired_token")
        known = _known(house, holder)
        house.callers.remember(access_hash, known, holder.expires_at, now)
    return known


def _known(house: House, holder: Holder) -> Known:
    rates = read_rates(holder.calls_per_hour, holder.limited_calls_per_hour, house.settings)
    return Known(holder.caller, None if holder.scope == EVERYTHING else holder.scope, rates)


def find_token(request: Request) -> str | None:
    """The token of the header or the query. Raises `Invalid` for an authorization header with nothing in it."""
    scheme, _, token = header(request, b"authorization").strip().partition(" ")
    if scheme.lower() not in ("oauth2", "bearer"):
        return request.query_params.get(IN_FORM) or None if request.scope["query_string"] else None
    if not token.strip():
        raise Invalid("Invalid authorization header")
    return token.strip()


def may_hold_token(request: Request) -> bool:
    """Whether the body is a form that may be read to find a token in it."""
    length = request.headers.get("content-length", "")
    is_form = request.headers.get("content-type", "").lower().startswith(FORM)
    return is_form and length.isdigit() and len(length) <= 5 and 0 < int(length) <= FORM_LIMIT


def take_token(form: bytes) -> tuple[str | None, bytes]:
    """The token that a form holds, and the body that is left: none, where the token was all."""
    with suppress(Invalid):
        fields = read_pairs(form, "The body")
        tokens = [value for name, value in fields if name == IN_FORM and value]
        return (tokens[0] if tokens else None), (form if len(fields) > 1 else b"")
    return None, form
