"""A receiver in a process of its own, to be killed: `receiving_child.py FOLDER PORT`. What it has done is in FOLDER/told."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import uvicorn

from tidings.receiver import Event, Receiver
from tidings.receiver.asgi import app
from tidings.receiver.inbox import Inbox
from tidings.receiver.testing import SECRET

folder, port = Path(sys.argv[1]), int(sys.argv[2])
hooks = Receiver(secret=SECRET, inbox=Inbox(folder / "inbox.db", lease=0.5, poll=0.05, concurrency=4))


@hooks.on("item.create")
async def work(event: Event) -> None:
    await asyncio.sleep(0.002)
    with (folder / "told").open("a") as told:
        told.write(f"{event.id}\n")


uvicorn.run(app(hooks), port=port, log_level="error")
