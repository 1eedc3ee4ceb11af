"""A password against those who guess: the token endpoint and the sign-in page both ask here, and nothing else compares one.

A comparison takes a while on purpose. It runs on a thread of its own, outside of any transaction, since neither the event
loop nor the one SQLite writer may wait for it; `AT_ONCE` run at the same time, and where `WAITING` wait, the next is sent
away. Of wrong passwords for one username, `FROM_ONE_PLACE` may come from one address and `FROM_ANYWHERE` in all within
`SPAN`; then every answer is `RateLimited`, right or wrong. The first number keeps guessing slow, and that there are two
keeps a stranger from locking somebody out. A try is counted before it is compared, so that many at once are no way around.

A username that does not exist is counted, and compared with a hash that nothing has, so that it looks and takes the same.
Counts are in memory, each process has its own.
"""

from __future__ import annotations

import asyncio
import hashlib
from concurrent.futures import ThreadPoolExecutor

from tidings.clock import MINUTE
from tidings.cores import roam
from tidings.errors import RateLimited, Unavailable
from tidings.workspace.accounts.passwords import is_password
from tidings.workspace.accounts.windows import Windows

SPAN = 15 * MINUTE
FROM_ONE_PLACE = 10
FROM_ANYWHERE = 100
KNOWN_AT_ONCE = 20_000  # counts; about 6 MB

AT_ONCE = 2  # passwords compared at the same time: each takes a core and 19 MiB meanwhile
WAITING = 50  # comparisons that wait for those: the last waits for about a second

_slowly = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="tidings-passwords", initializer=roam)


class Logins:
    """Compares passwords and counts the wrong ones. Used on the event loop's thread only."""

    def __init__(self) -> None:
        self._windows = Windows(SPAN, KNOWN_AT_ONCE)
        self._waiting = 0

    async def is_right(self, username: str, address: str, password: str, password_hash: str | None, *, now: int) -> bool:
        """Whether `password` is the one that was hashed; None stands for a username that does not exist.

        Raises `RateLimited` when there were too many wrong ones, `Unavailable` when too many others wait.
        """
        if self._waiting >= AT_ONCE + WAITING:
            raise Unavailable("Too many people are signing in at the moment. Please try again.")
        name = hashlib.sha256(username.encode()).digest()
        here, anywhere = self._windows.of((name, address), now), self._windows.of(name, now)
        for window, most in ((here, FROM_ONE_PLACE), (anywhere, FROM_ANYWHERE)):
            if window.count >= most:
                raise _too_many(window.seconds_left(now))
        here.count += 1
        anywhere.count += 1
        right = await self._compare(password, password_hash)
        if right:
            here.count = 0
            anywhere.count = max(0, anywhere.count - 1)
        return right

    async def _compare(self, password: str, password_hash: str | None) -> bool:
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(_slowly, is_password, password, password_hash)
        finally:
            self._waiting -= 1


def _too_many(seconds: int) -> RateLimited:
    return RateLimited("Too many wrong passwords. Please wait before trying again.", parameters={"retry_after": seconds})
