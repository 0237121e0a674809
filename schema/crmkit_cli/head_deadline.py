"""A time within which the head of each request must arrive."""

import asyncio
from typing import Any, Final

HEAD_SECONDS_MAX: Final = 10.0


class HeadDeadline(asyncio.Protocol):
    """Part of a protocol of uvicorn that hangs up on clients who are slow to ask.

    It counts from the beginning of the connection, and again from the first byte of each further
    request; connections that nothing arrives on between two requests are uvicorn's to close.
    """

    loop: asyncio.AbstractEventLoop
    transport: asyncio.Transport
    cycle: Any
    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to wait."""
        super().connection_made(transport)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no longer."""
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what arrived, which may end the waiting or begin it anew."""
        super().data_received(data)
        if not self._is_waiting():
            self._stop_waiting()
        elif self._deadline is None:
            self._wait()

    def _is_waiting(self) -> bool:
        """Tell whether no request is under way; another protocol takes upgraded connections."""
        is_idle = self.cycle is None or self.cycle.response_complete
        return is_idle and self.transport.get_protocol() is self

    def _wait(self) -> None:
        self._deadline = self.loop.call_later(HEAD_SECONDS_MAX, self._hang_up)

    def _stop_waiting(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _hang_up(self) -> None:
        self._deadline = None
        if self._is_waiting():
            self.transport.abort()
