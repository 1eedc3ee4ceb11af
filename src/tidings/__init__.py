"""Webhooks for apps and spaces: a server that tells your URLs the moment an item changes.

`from tidings import Client` takes what is named below from where it lives, when it is first asked for: to import `tidings`
loads nothing.
"""

from __future__ import annotations

TYPE_CHECKING = False  # checkers take it for typing's, which takes longer to import than all the rest

if TYPE_CHECKING:
    from tidings.client import AsyncClient, Client
    from tidings.receiver import Receiver

__all__ = ["AsyncClient", "Client", "Receiver", "__version__"]
__version__ = "0.1.0"

_HOMES = {"AsyncClient": "tidings.client", "Client": "tidings.client", "Receiver": "tidings.receiver"}

if not TYPE_CHECKING:  # for a checker, what is named above is all there is

    def __getattr__(name: str) -> object:
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        import importlib  # noqa: PLC0415  the same

        return getattr(importlib.import_module(_HOMES[name]), name)
