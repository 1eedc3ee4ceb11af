"""The pages that people see in a browser: to sign in, and to let a program act for them.

Pages are made on the server and work without scripts. Nothing on them comes from elsewhere, and no page may be framed.
"""

from __future__ import annotations

from tidings.console.desk import Desk, Page
from tidings.console.live import Streams
from tidings.console.pages import console_pages

__all__ = ["Desk", "Page", "Streams", "console_pages"]
