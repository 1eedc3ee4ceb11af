"""Everything an app's hooks tell, in a plain ASGI application. What has come is in `inbox.db` before it is answered.

uvicorn receive_asgi:app --lifespan on --port 9000
"""

import os
from typing import Any

from tidings import AsyncClient
from tidings.receiver import Event, Receiver, asgi
from tidings.receiver.inbox import Inbox

client = AsyncClient(os.environ["TIDINGS_URL"], os.environ["CLIENT_ID"], os.environ["CLIENT_SECRET"])
hooks = Receiver(
    client, secrets=os.environ["HOOK_SECRETS"].split(","), expect=map(int, os.environ["HOOK_IDS"].split(",")), inbox=Inbox("inbox.db")
)


@hooks.on("item.create", "item.update")
async def changed(event: Event) -> None:
    item = await client.items.get(event.item_id)
    print(event.type, item["title"])


@hooks.on("item.delete")
async def deleted(event: Event) -> None:
    print(event.type, event.item_id)


receiving = asgi.app(hooks)


async def app(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "lifespan":  # once, when the server starts
        await client.authenticate_with_app(int(os.environ["APP_ID"]), os.environ["APP_TOKEN"])
    await receiving(scope, receive, send)
