"""HTTP by httptools, which takes headers of any size, with a limit on them."""

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from crmkit_cli.head_deadline import HeadDeadline
from crmkit_cli.serving import HEAD_BYTES_MAX


class LimitedProtocol(HeadDeadline, HttpToolsProtocol):
    """Refuses a request whose headers do not end within `HEAD_BYTES_MAX`."""

    _head_bytes = 0
    _is_in_head = True

    def data_received(self, data: bytes) -> None:
        """Parse what arrived, and hang up on endless headers."""
        super().data_received(data)
        if self._is_in_head and not self.transport.is_closing():
            self._head_bytes += len(data)
            if self._head_bytes > HEAD_BYTES_MAX:
                self.send_400_response("The headers are too large.")

    def on_message_begin(self) -> None:
        """Begin counting."""
        super().on_message_begin()
        self._is_in_head, self._head_bytes = True, 0

    def on_headers_complete(self) -> None:
        """Stop counting."""
        self._is_in_head = False
        super().on_headers_complete()
