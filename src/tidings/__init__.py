"""Webhooks for apps and spaces: a server that tells your URLs the moment an item changes."""

__version__ = "0.1.0"
