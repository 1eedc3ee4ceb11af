"""The durable inbox: a delivery is kept before it is answered, and dealt with after. Needs nothing but Python for a SQLite file."""

from tidings.receiver.inbox.inbox import Inbox
from tidings.receiver.inbox.rows import Kept

__all__ = ["Inbox", "Kept"]
