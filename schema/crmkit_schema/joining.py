"""Requests that come in together are served as one batch, by one thread.

What a write costs hardly depends on its rows: a thread, look-ups, hooks, statements and the commit
are paid once for each batch. So while one batch is served, requests of the same kind wait, and are
the next batch. Whoever was served a moment ago is likely to come again, so the next batch also
waits a moment for as many requests as were there last time; without that every other batch would
be of one. Nobody waits when nobody is there to wait for.
"""

import asyncio
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from typing import Final

from crmkit_schema.requests import Joint
from crmkit_schema.workers import Workers, WorkOverran

REQUESTS_MAX: Final = 64
"""Most requests of one batch."""
WAIT_SECONDS_MAX: Final = 1.0
"""How long a request waits for a batch to end before it goes by itself."""
GATHER_PART: Final = 0.5
"""How long after a batch the next one waits for as many requests, as a part of the batch's time."""
GATHER_SECONDS_MAX: Final = 0.05
"""The same in seconds, at most."""


@dataclass(slots=True, eq=False)
class _Place:
    """One request, and where its answer will be."""

    joint: Joint
    deadline: float
    future: asyncio.Future[bytes]


@dataclass(slots=True, eq=False)
class _Line:
    """The requests of one kind.

    Attributes:
        crowd: how many requests were there when the last batch ended.
        batches: how many were begun.
    """

    waiting: list[_Place] = field(default_factory=list)
    is_busy: bool = False
    crowd: int = 1
    batches: int = 0


class Joining:
    """Lets requests of the same kind share a batch; used from the event loop only.

    Args:
        workers: the threads that serve the batches.
    """

    def __init__(self, workers: Workers) -> None:
        self._workers = workers
        self._lines: dict[Hashable, _Line] = {}
        self._batches: set[asyncio.Task[None]] = set()

    async def serve(self, joint: Joint, deadline: float) -> bytes | None:
        """Return the answer to a request, None if it should rather be served by itself.

        Args:
            deadline: the moment to give up, in the loop's seconds.

        Raises:
            WorkOverran: the batch was begun and did not end before the deadline.
            Exception: what serving it raised.
        """
        loop = asyncio.get_running_loop()
        place = _Place(joint, deadline, loop.create_future())
        line = self._lines.setdefault(joint.kind, _Line())
        line.waiting.append(place)
        if not line.is_busy and len(line.waiting) >= line.crowd:
            self._begin(line)
        try:
            async with asyncio.timeout_at(min(deadline, loop.time() + WAIT_SECONDS_MAX)):
                return await asyncio.shield(place.future)
        except TimeoutError:
            if place in line.waiting:
                return None
        finally:
            if place in line.waiting:
                line.waiting.remove(place)
        try:
            async with asyncio.timeout_at(deadline):
                return await place.future
        except TimeoutError:
            raise WorkOverran from None

    def _begin(self, line: _Line) -> None:
        """Serve those who wait."""
        batch, line.waiting = line.waiting[:REQUESTS_MAX], line.waiting[REQUESTS_MAX:]
        line.is_busy = True
        line.batches += 1
        task = asyncio.get_running_loop().create_task(self._serve(line, batch))
        self._batches.add(task)
        task.add_done_callback(self._batches.discard)

    async def _serve(self, line: _Line, batch: Sequence[_Place]) -> None:
        joint, deadline = batch[0].joint, max(each.deadline for each in batch)
        items = [each.joint.item for each in batch]
        found: Sequence[bytes | Exception]
        loop = asyncio.get_running_loop()
        begun_at = loop.time()
        try:
            found = await self._workers.run(lambda: joint.serve(items), deadline)
        except Exception as error:
            found = [error] * len(batch)
        for each, answer in zip(batch, found, strict=True):
            _tell(each.future, answer)
        line.is_busy = False
        line.crowd = len(batch) + len(line.waiting)
        patience = min(GATHER_SECONDS_MAX, GATHER_PART * (loop.time() - begun_at))
        loop.call_later(patience, self._gathered, joint.kind, line, line.batches)

    def _gathered(self, kind: Hashable, line: _Line, batches: int) -> None:
        """Wait no longer for those who were there when a batch ended."""
        if line.batches != batches:
            return
        if line.waiting:
            self._begin(line)
        else:
            del self._lines[kind]


def _tell(future: asyncio.Future[bytes], answer: bytes | Exception) -> None:
    if future.done():
        return  # nobody waits for it any more
    if isinstance(answer, Exception):
        future.set_exception(answer)
    else:
        future.set_result(answer)
