"""Threads that run synchronous work for the asynchronous edge, never more than a fixed number."""

import asyncio
import threading
from collections.abc import Callable
from typing import TypeVar

import anyio
import anyio.to_thread

ResultT = TypeVar("ResultT")


class WorkersBusy(Exception):
    """No worker became free in time; the work was not begun and never will be."""


class WorkOverran(Exception):
    """The work was begun and is still running; its result will be thrown away."""


class Workers:
    """A bounded pool of threads.

    Work that overruns its time keeps its thread until it really ends: a thread cannot be
    stopped, and lending its place out would let the number of threads grow without bound.
    """

    def __init__(self, count: int) -> None:
        self._limiter = anyio.CapacityLimiter(count)
        self._running: set[asyncio.Task[object]] = set()

    async def run(self, work: Callable[[], ResultT], deadline: float) -> ResultT:
        """Run `work` in a thread and return its result.

        Work that was not begun when the caller is cancelled never will be.

        Args:
            work: a synchronous function.
            deadline: the moment to give up, in seconds of `anyio.current_time`.

        Raises:
            WorkersBusy: the work was not begun before the deadline.
            WorkOverran: the work was begun and did not end before the deadline.
        """
        # Whoever takes the ticket first decides: the thread begins, or the waiter gives up.
        ticket = threading.Lock()

        def begin() -> ResultT:
            if not ticket.acquire(blocking=False):
                raise WorkersBusy
            return work()

        task = asyncio.create_task(anyio.to_thread.run_sync(begin, limiter=self._limiter))
        self._running.add(task)
        task.add_done_callback(self._forget)
        try:
            await asyncio.wait({task}, timeout=max(0.0, deadline - anyio.current_time()))
        except asyncio.CancelledError:
            if ticket.acquire(blocking=False):
                task.cancel()
            raise
        if task.done():
            return task.result()
        if ticket.acquire(blocking=False):
            task.cancel()
            raise WorkersBusy
        raise WorkOverran

    def _forget(self, task: "asyncio.Task[object]") -> None:
        self._running.discard(task)
        if not task.cancelled():
            task.exception()  # marks a failure that nobody waits for any more as seen
