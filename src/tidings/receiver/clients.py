"""What a receiver asks of a client: any that has these calls will do, whether they answer at once or are awaited."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol


class Hooks(Protocol):
    """The calls of a client that a receiver makes."""

    @property
    def create(self) -> Callable[..., Any]:
        """Make a hook: answers its `hook_id` and its `secret`."""

    @property
    def validate(self) -> Callable[[int, str], Any]:
        """Make a hook active, with its code."""


class MadeHook(Protocol):
    """A new hook."""

    @property
    def hook_id(self) -> int:
        """Its id."""

    @property
    def secret(self) -> str | None:
        """What signs its deliveries; None where it was there already, and for Podio."""


class HooksClient(Protocol):
    """A client, whose calls answer at once or are awaited: `tidings.Client`, `tidings.AsyncClient`."""

    @property
    def hooks(self) -> Hooks:
        """Its calls about hooks."""
