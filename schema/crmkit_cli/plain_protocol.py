"""HTTP by h11, which bounds headers itself, with a time for them to arrive."""

from uvicorn.protocols.http.h11_impl import H11Protocol

from crmkit_cli.head_deadline import HeadDeadline


class PlainProtocol(HeadDeadline, H11Protocol):
    """Hangs up on a request whose headers take too long."""
