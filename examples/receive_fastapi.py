"""Everything an app's hooks tell, in FastAPI (Starlette is the same).

uvicorn receive_fastapi:app --port 9000
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from tidings import AsyncClient
from tidings.receiver import Event, Receiver
from tidings.receiver.starlette import endpoint

client = AsyncClient(os.environ["TIDINGS_URL"], os.environ["CLIENT_ID"], os.environ["CLIENT_SECRET"])
hooks = Receiver(client, secrets=os.environ["HOOK_SECRETS"].split(","), expect=map(int, os.environ["HOOK_IDS"].split(",")))


@hooks.on("item.create", "item.update")
async def changed(event: Event) -> None:
    item = await client.items.get(event.item_id)
    print(event.type, item["title"])


@hooks.on("item.delete")
async def deleted(event: Event) -> None:
    print(event.type, event.item_id)


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    async with client:
        await client.authenticate_with_app(int(os.environ["APP_ID"]), os.environ["APP_TOKEN"])
        yield


app = FastAPI(lifespan=lifespan)
app.add_route("/hooks", endpoint(hooks), methods=["POST"])
