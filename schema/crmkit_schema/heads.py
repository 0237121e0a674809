"""What the endpoint needs of a request's headers, read in one pass."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(slots=True)
class Head:
    """The headers of one request that count, as they came.

    Attributes:
        authorization: every header of that name.
        content_type: every header of that name.
        accept: all of them as one, None if there is none.
        content_encoding: empty if there is none.
        content_length: empty if there is none.
    """

    authorization: tuple[bytes, ...] = ()
    content_type: tuple[bytes, ...] = ()
    accept: str | None = None
    content_encoding: bytes = b""
    content_length: bytes = b""


def read_head(headers: Iterable[tuple[bytes, bytes]]) -> Head:
    """Return what counts of the headers of an ASGI scope, whose names are in lower case."""
    head = Head()
    for name, value in headers:
        if name == b"authorization":
            head.authorization += (value,)
        elif name == b"content-type":
            head.content_type += (value,)
        elif name == b"accept":
            text = value.decode("latin-1")
            head.accept = text if head.accept is None else f"{head.accept},{text}"
        elif name == b"content-encoding":
            head.content_encoding = value
        elif name == b"content-length":
            head.content_length = value
    return head
