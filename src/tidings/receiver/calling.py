"""The steps of an answer, and who takes them: a thread, or an event loop.

What to do is a generator of `Step`s, written once. `take_steps` takes them in the thread that asks, and lends it an
event loop where a function is `async`; `take_steps_async` takes them on the loop it runs on, and lends a thread where a
function is not. What a step raises is raised inside the generator, at the step.

asyncio is imported by who uses it, since it takes longer to import than all the rest of the kit.
"""

from __future__ import annotations

import inspect
import threading
from collections.abc import Awaitable, Callable, Generator
from contextvars import copy_context
from typing import TYPE_CHECKING, Any, TypeVar, Union, cast

if TYPE_CHECKING:
    import asyncio
    from concurrent.futures import Executor, Future

Step = Union[Callable[[], Any], "Future[Any]", Awaitable[Any]]
"""To be called, which may take long; or being done elsewhere already: for a thread a `Future`, for a loop what it can await."""

T = TypeVar("T")
Steps = Generator[Step, Any, T]


class OwnLoop:
    """An event loop in a thread of its own, made when it is first needed, for those who have none."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._making = threading.Lock()

    def submit(self, awaitable: Awaitable[T]) -> Future[T]:
        """Have it awaited there."""
        import asyncio  # noqa: PLC0415 (see above)

        return asyncio.run_coroutine_threadsafe(_whole(awaitable), self.running())

    def running(self) -> asyncio.AbstractEventLoop:
        """The loop, which runs."""
        import asyncio  # noqa: PLC0415 (see above)

        with self._making:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                self._thread = threading.Thread(target=self._loop.run_forever, name="tidings-receiver", daemon=True)
                self._thread.start()
            return self._loop

    def close(self) -> None:
        """Stop it, if it was ever made."""
        with self._making:
            loop, thread, self._loop = self._loop, self._thread, None
        if loop is not None and thread is not None:
            loop.call_soon_threadsafe(loop.stop)
            thread.join()
            loop.close()


def take_steps(steps: Steps[T], loop: OwnLoop) -> T:
    """Take them all, here and now."""
    try:
        step = next(steps)
        while True:
            try:
                value = step() if callable(step) else cast("Future[Any]", step).result()
                if inspect.isawaitable(value):
                    value = loop.submit(value).result()
            except Exception as error:  # noqa: BLE001 (it is raised where it belongs)
                step = steps.throw(error)
            else:
                step = steps.send(value)
    except StopIteration as end:
        answer: T = end.value
        return answer
    finally:
        steps.close()


async def take_steps_async(steps: Steps[T], threads: Executor | None = None) -> T:
    """Take them all, on this loop. `threads` runs what is not `async`; None is the loop's own."""
    try:
        step = next(steps)
        while True:
            try:
                value = await _take(step, threads)
            except Exception as error:  # noqa: BLE001 (it is raised where it belongs)
                step = steps.throw(error)
            else:
                step = steps.send(value)
    except StopIteration as end:
        answer: T = end.value
        return answer
    finally:
        steps.close()


async def _take(step: Step, threads: Executor | None) -> Any:
    import asyncio  # noqa: PLC0415 (see above)

    if not callable(step):
        return await (step if inspect.isawaitable(step) else asyncio.wrap_future(step))
    if is_async(step):
        return await step()
    value = await asyncio.get_running_loop().run_in_executor(threads, copy_context().run, step)
    return await value if inspect.isawaitable(value) else value


def is_async(function: Callable[..., Any]) -> bool:
    """Whether a call of it answers what is to be awaited, and returns at once."""
    inner = getattr(function, "func", function)  # what `partial` holds
    return inspect.iscoroutinefunction(inner) or inspect.iscoroutinefunction(getattr(inner, "__call__", None))  # noqa: B004 (asked of what it is)


async def _whole(awaitable: Awaitable[T]) -> T:
    return await awaitable
