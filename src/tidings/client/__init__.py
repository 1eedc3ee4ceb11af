"""For those who call: make items, make hooks, prove who listens. Needs nothing but Python.

What is named here is imported when it is first used: a program that blocks never loads asyncio.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tidings.client.async_client import AsyncClient
    from tidings.client.client import Client
    from tidings.client.objects import NewHook
    from tidings.client.token_files import FileStore
    from tidings.client.tokens import MemoryStore, Tokens, TokenStore
    from tidings.wire.cause import cause

__all__ = ["AsyncClient", "Client", "FileStore", "MemoryStore", "NewHook", "TokenStore", "Tokens", "cause"]

_HOMES = {
    "AsyncClient": "tidings.client.async_client",
    "Client": "tidings.client.client",
    "FileStore": "tidings.client.token_files",
    "MemoryStore": "tidings.client.tokens",
    "NewHook": "tidings.client.objects",
    "TokenStore": "tidings.client.tokens",
    "Tokens": "tidings.client.tokens",
    "cause": "tidings.wire.cause",
}

if not TYPE_CHECKING:  # for a checker, what is named above is all there is

    def __getattr__(name: str) -> object:
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(importlib.import_module(_HOMES[name]), name)
