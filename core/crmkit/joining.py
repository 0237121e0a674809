"""Requests that come in together are served as one batch.

What a write costs hardly depends on its rows: looking things up, hooks, statements and the commit
are paid once for each batch. So while one batch is being written, requests for the same kind of
write wait, and the next batch serves all of them. Nobody waits when nobody is there to wait for,
and no thread of our own does the work: the one that has waited longest does it for the others.
"""

import logging
from collections import deque
from collections.abc import Callable, Hashable, Sequence
from threading import Lock, local
from typing import Final, Generic, TypeVar

from crmkit.errors import Refused

log = logging.getLogger("crmkit")
ItemT = TypeVar("ItemT")
ResultT = TypeVar("ResultT")
Run = Callable[[Sequence[Sequence[ItemT]]], Sequence[ResultT]]
"""Serves several requests, each a sequence of items, and returns a result for each request."""


class Joining(Generic[ItemT, ResultT]):
    """Lets threads with the same kind of request share a batch.

    Attributes:
        batches_max: how many batches are under way at once.
        items_max: most items of requests that are put together; a larger one goes by itself.
        wait_seconds_max: how long a request waits for others to end before it goes by itself.
    """

    def __init__(self, batches_max: int) -> None:
        self.batches_max = batches_max
        self.items_max = 256
        self.wait_seconds_max = 1.0
        self._mutex = Lock()  # guards the queue and the number of batches
        self._queue: deque[_Ticket[ItemT, ResultT]] = deque()
        self._batches = 0
        self._thread = local()

    def serve(self, kind: Hashable, items: Sequence[ItemT], run: Run[ItemT, ResultT]) -> ResultT:
        """Serve one request, perhaps together with others.

        Args:
            kind: requests of equal kinds may share a batch.
            items: what the request is about.
            run: serves one request or several, whole or not at all. If it fails for several,
                each is served by itself, so that a failure reaches only who caused it.

        Raises:
            Exception: whatever `run` raises for this request.
        """
        if getattr(self._thread, "leads", False) or len(items) > self.items_max:
            return run([items])[0]
        ticket = _Ticket[ItemT, ResultT](kind, items)
        if not self._may_lead(ticket):
            self._wait(ticket)
        if ticket.state == _LEADS:
            self._lead(ticket, run)
        if ticket.state == _SERVED:
            return ticket.result
        return run([items])[0]

    def _may_lead(self, ticket: "_Ticket[ItemT, ResultT]") -> bool:
        with self._mutex:
            if self._batches < self.batches_max:
                self._batches += 1
                ticket.state = _LEADS
                return True
            self._queue.append(ticket)
            return False

    def _wait(self, ticket: "_Ticket[ItemT, ResultT]") -> None:
        """Wait to be served or to lead; who waits too long goes by itself."""
        try:
            if ticket.wait(self.wait_seconds_max) or self._left_queue(ticket):
                return
            ticket.wait(-1)  # a batch has taken it up
        except BaseException:
            if not self._left_queue(ticket) and ticket.wait(-1) and ticket.state == _LEADS:
                self._pass_on()
            raise

    def _left_queue(self, ticket: "_Ticket[ItemT, ResultT]") -> bool:
        with self._mutex:
            if ticket not in self._queue:
                return False
            self._queue.remove(ticket)
            return True

    def _lead(self, ticket: "_Ticket[ItemT, ResultT]", run: Run[ItemT, ResultT]) -> None:
        """Serve a request together with those of its kind that wait by now."""
        together = [ticket]
        self._thread.leads = True
        try:
            together += self._others(ticket)
            ticket.state = _ALONE
            if len(together) > 1:
                self._serve(together, run)
            else:
                ticket.result = run([ticket.items])[0]
                ticket.state = _SERVED
        finally:
            self._thread.leads = False
            self._pass_on()
            for each in together[1:]:
                each.call(_SERVED if ticket.state == _SERVED else _ALONE)

    def _serve(
        self, together: "Sequence[_Ticket[ItemT, ResultT]]", run: Run[ItemT, ResultT]
    ) -> None:
        try:
            results = run([each.items for each in together])
        except Refused:
            return  # each is served by itself and told its own refusal
        except Exception:
            log.warning("requests that came in together are served one by one", exc_info=True)
            return
        for each, result in zip(together, results, strict=True):
            each.result = result
        together[0].state = _SERVED

    def _others(self, ticket: "_Ticket[ItemT, ResultT]") -> "list[_Ticket[ItemT, ResultT]]":
        """Take those out of the queue that can be served with a request."""
        taken: list[_Ticket[ItemT, ResultT]] = []
        left: deque[_Ticket[ItemT, ResultT]] = deque()
        room = self.items_max - len(ticket.items)
        with self._mutex:
            for each in self._queue:
                if each.kind == ticket.kind and len(each.items) <= room:
                    room -= len(each.items)
                    taken.append(each)
                else:
                    left.append(each)
            self._queue = left
        return taken

    def _pass_on(self) -> None:
        """Let the request that has waited longest lead the next batch."""
        with self._mutex:
            if self._queue:
                self._queue.popleft().call(_LEADS)
            else:
                self._batches -= 1


_WAITS: Final = "waits"
_LEADS: Final = "leads"
_SERVED: Final = "served"
_ALONE: Final = "alone"


class _Ticket(Generic[ItemT, ResultT]):
    """One request, and where its thread waits.

    Attributes:
        state: whether it waits, leads a batch, was served, or must be served by itself.
        result: what it was served with.
    """

    __slots__ = ("_lock", "items", "kind", "result", "state")
    result: ResultT

    def __init__(self, kind: Hashable, items: Sequence[ItemT]) -> None:
        self.kind, self.items, self.state = kind, items, _WAITS
        self._lock = Lock()
        self._lock.acquire()

    def wait(self, seconds: float) -> bool:
        """Wait to be called; false if that takes too long."""
        return self._lock.acquire(timeout=seconds)

    def call(self, state: str) -> None:
        """Let the thread go on."""
        self.state = state
        self._lock.release()
