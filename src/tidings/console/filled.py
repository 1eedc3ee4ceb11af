"""A form that is shown again, because something in it was wrong: what was typed stays, and each complaint stands beside its field.

A page can hold several forms; each has a name of its own on the page, and only the one that was sent is filled. An error
names a field by its parameter `field` (`config.name` is the input `name`); what names no input of the form is said above
it. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tidings import errors
from tidings.errors import TidingsError

# Browsers and those who watch them know these; Podio's clients never come here.
STATUS: dict[type[TidingsError], int] = {
    errors.Invalid: 400,
    errors.Forbidden: 403,
    errors.NotFound: 404,
    errors.Conflict: 409,
    errors.Gone: 410,
    errors.TooLarge: 413,
    errors.RateLimited: 429,
    errors.Unavailable: 503,
}

# --- for a form that is shown again ------------------------------------------------------------------------------------

FAULTS = (errors.Invalid, errors.Conflict)
"""What whoever filled in a form can mend there: caught by what reads the form, which is then shown again."""


@dataclass(frozen=True, slots=True)
class Form:
    """One form of a page, as its template asks for it."""

    typed: Mapping[str, str] | None = None  # None: it was not sent
    faults: Mapping[str, str] = field(default_factory=dict)  # by the name of the input; "" is the form itself

    @property
    def was_sent(self) -> bool:
        """Whether it is shown again."""
        return self.typed is not None

    def text(self, name: str, otherwise: object = "") -> str:
        """What an input holds: what was typed, or `otherwise` before anything was."""
        if self.typed is None:
            return "" if otherwise is None else str(otherwise)
        return self.typed.get(name, "")

    def fault(self, name: str) -> str:
        """What is wrong with an input; empty where nothing is."""
        return self.faults.get(name, "")

    @property
    def sentence(self) -> str:
        """What is wrong with the form as a whole."""
        return self.faults.get("", "")


@dataclass(frozen=True, slots=True)
class Filled:
    """The form of a page that was sent, if any."""

    name: str = ""
    form: Form = field(default_factory=Form)
    status: int = 200

    def of(self, name: str) -> Form:
        """The form of this name: filled, if it is the one."""
        return self.form if name == self.name else _EMPTY


_EMPTY = Form()
NOTHING_FILLED = Filled()


def filled_again(name: str, typed: Mapping[str, str], error: TidingsError, *, inputs: Mapping[str, str] | None = None) -> Filled:
    """The form `name` with what was typed, and with `error` beside the input that it names.

    `inputs` says which input is meant by what the error names, where that is not the last part of it.
    """
    named = str(error.parameters.get("field", ""))
    meant = (inputs or {}).get(named) or named.rpartition(".")[2]
    is_there = meant in typed
    return Filled(name, Form(typed, {meant if is_there else "": _sentence(error, named if is_there else "")}), STATUS[type(error)])


def _sentence(error: TidingsError, named: str) -> str:
    """The error's sentence; beside an input without the name of the input, which the page says better."""
    sentence = error.description.removeprefix(f"{named}: ") if named else error.description
    return f"{sentence[:1].upper()}{sentence[1:]}"
