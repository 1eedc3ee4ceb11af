"""A uvicorn that stops as soon as it is told to: its own looks for that, and waits for its connections, a tenth of a second each,
which is more than most tests of it take."""

from __future__ import annotations

import asyncio
import socket

import uvicorn

STEP = 0.003  # seconds


class PromptServer(uvicorn.Server):
    """What is still open when it stops is waited for as ever."""

    async def main_loop(self) -> None:
        """Until `should_exit`."""
        await self.on_tick(0)  # what stands in the head of every answer
        while not self.should_exit:  # noqa: ASYNC110  another thread sets it
            await asyncio.sleep(STEP)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Whoever has just hung up is seen to have done so first."""
        await asyncio.sleep(STEP)
        if self.server_state.connections or self.server_state.tasks:
            await super().shutdown(sockets)
            return
        for server in self.servers:
            server.close()
        for listener in sockets or []:
            listener.close()
        await self.lifespan.shutdown()
