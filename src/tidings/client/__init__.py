"""For those who call: make items, make hooks, prove who listens. Needs nothing but Python."""

from tidings.client.client import Client, NewHook

__all__ = ["Client", "NewHook"]
