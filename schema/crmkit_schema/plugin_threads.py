"""Threads for the code of plugins, which may hang: whoever waits for it can give up."""

import logging
import threading
from collections import Counter
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Any, Final

logger = logging.getLogger("crmkit")
ABANDONED_MAX: Final = 8
_IDLE_SECONDS_MAX: Final = 10.0


class Abandoned(Exception):
    """The work took too long. It goes on, and its result will be thrown away."""


class TooManyAbandoned(Exception):
    """So much work of the plugin was abandoned and still runs that no more is begun."""


class PluginThreads:
    """Threads that each run one piece of work at a time, and are used again.

    A thread cannot be stopped. Abandoned work keeps its own until it ends, if ever; a plugin with
    `ABANDONED_MAX` of those gets no more. So there are never more threads than callers, and that
    number for each plugin. They do not keep the process from ending.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._idle: list[_Thread] = []
        self._abandoned: Counter[str] = Counter()

    @property
    def abandoned_count(self) -> int:
        """How much abandoned work still runs."""
        return self._abandoned.total()

    def run(
        self,
        plugin: str,
        work: Callable[[], Any],
        seconds_max: float,
        after_abandoned: Callable[[], None],
    ) -> Any:
        """Run `work` in a thread and return its result.

        Args:
            plugin: whose work it is.
            seconds_max: longest time to wait, in seconds.
            after_abandoned: called in the thread when work that was abandoned has ended.

        Raises:
            Abandoned: it did not end in time.
            TooManyAbandoned: it was not begun.
            BaseException: what the work raised.
        """
        call = _Call(work)
        with self._lock:
            if self._abandoned[plugin] >= ABANDONED_MAX:
                raise TooManyAbandoned
            thread = self._idle.pop() if self._idle else None
        (thread or _Thread(self)).inbox.put(call)
        if not call.ended.acquire(timeout=seconds_max):
            with self._lock:
                # Whoever takes the lock first decides: the work has ended, or it is abandoned.
                if not call.is_over:
                    self._abandoned[plugin] += 1
                    call.after_abandoned = lambda: self._ended_late(plugin, after_abandoned)
                    raise Abandoned
        if call.error is not None:
            raise call.error
        return call.result

    def _ended_late(self, plugin: str, after_abandoned: Callable[[], None]) -> None:
        try:
            after_abandoned()
        except Exception:
            logger.warning("what plugin %r left behind cannot be closed", plugin, exc_info=True)
        with self._lock:
            self._abandoned[plugin] -= 1

    def end(self, call: "_Call", thread: "_Thread") -> None:
        """Note that a call is over and its thread free for the next one."""
        with self._lock:
            call.is_over = True
        call.after_abandoned()
        with self._lock:
            self._idle.append(thread)
        call.ended.release()

    def retire(self, thread: "_Thread") -> bool:
        """Take a thread that has been idle for long out; False if it was just given work."""
        with self._lock:
            if thread not in self._idle:
                return False
            self._idle.remove(thread)
            return True


class _Call:
    """One piece of work and what became of it."""

    __slots__ = ("after_abandoned", "ended", "error", "is_over", "result", "work")

    def __init__(self, work: Callable[[], Any]) -> None:
        self.work = work
        self.result: Any = None
        self.error: BaseException | None = None
        self.is_over = False
        self.after_abandoned: Callable[[], None] = lambda: None
        self.ended = threading.Lock()
        self.ended.acquire()

    def run(self) -> None:
        try:
            self.result = self.work()
        except BaseException as error:  # also sys.exit(), which would end the thread unheard
            self.error = error


class _Thread:
    """A thread that waits for calls."""

    def __init__(self, pool: PluginThreads) -> None:
        self.inbox: SimpleQueue[_Call] = SimpleQueue()
        self._pool = pool
        threading.Thread(target=self._work, name="crmkit-plugin", daemon=True).start()

    def _work(self) -> None:
        while True:
            try:
                call = self.inbox.get(timeout=_IDLE_SECONDS_MAX)
            except Empty:
                if self._pool.retire(self):
                    return
                continue
            call.run()
            self._pool.end(call, self)
            del call
