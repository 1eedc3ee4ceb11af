"""The one tree of errors that Tidings raises for a caller.

Each class has a `code`, the short word that Podio's envelope carries as `error` (contract section 5.2), and its
docstring is its default sentence. `api/errors.py` holds the only table from these to an HTTP status. Whatever is not
of this tree is a defect, and a caller hears nothing of it. What a destination does is never an error: it is an
`Outcome` (see `delivery/decide.py`).

The client raises the same tree, from the answers of Tidings and of Podio alike, and says what the answer said beside:
its `status`, the word of its envelope as `code`, and the id that the server gave the request, if it gave one.
"""

from __future__ import annotations

from collections.abc import Mapping


class TidingsError(Exception):
    """Something went wrong."""

    code: str = "unexpected"
    status: int | None = None  # of the answer, for who asked a server; None where there was none
    request_id: str | None = None  # likewise

    def __init__(
        self,
        description: str | None = None,
        *,
        detail: str | None = None,
        parameters: Mapping[str, object] | None = None,
    ) -> None:
        """`description` is for people, `detail` a second machine word or None, `parameters` name what was wrong."""
        self.description = description or (type(self).__doc__ or "").strip()
        self.detail = detail
        self.parameters = dict(parameters or {})
        super().__init__(self.description)


class Invalid(TidingsError):
    """The request is not valid."""

    code = "invalid_value"


class InvalidGrant(TidingsError):
    """The grant is not valid: it is unknown, used, expired or for another client."""

    code = "invalid_grant"


class InvalidClient(TidingsError):
    """Sorry, you've supplied an invalid client id or secret."""

    code = "invalid_client"


class InvalidScope(TidingsError):
    """The scope is not valid."""

    code = "invalid_scope"


class Unauthorized(TidingsError):
    """invalid_request"""

    # The sentence is a code here because Podio's clients key on it (contract section 4.3).
    code = "unauthorized"


class PaymentRequired(TidingsError):
    """What is asked for has to be paid for."""

    code = "payment_required"


class Forbidden(TidingsError):
    """You do not have the right to do this."""

    code = "forbidden"


class NotFound(TidingsError):
    """Object not found"""

    code = "not_found"


class NotAcceptable(TidingsError):
    """A limit of the account does not allow this."""

    # Podio answers 406 where an account has all the contacts that it may have.
    code = "not_acceptable"


class Conflict(TidingsError):
    """The object has changed since you read it."""

    code = "conflict"


class Gone(TidingsError):
    """The object has been deleted."""

    code = "gone"


class TooLarge(TidingsError):
    """The request body is too large."""

    code = "too_large"


class RateLimited(TidingsError):
    """You have hit the rate limit. Please wait before trying again."""

    code = "rate_limit"


class ServerFailed(TidingsError):
    """The server has failed."""

    code = "server_error"


class Unavailable(TidingsError):
    """The server cannot store anything at the moment. Please try again."""

    code = "unavailable"
