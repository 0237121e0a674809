import time
from collections.abc import Awaitable, Callable

import anyio
import pytest
from starlette.types import Message

from crmkit_schema.body import read_body
from crmkit_schema.heads import read_head
from crmkit_schema.refusals import RequestRefused

Headers = list[tuple[bytes, bytes]]


def read(receive: Callable[[], Awaitable[Message]], headers: Headers, seconds: float = 5) -> bytes:
    return anyio.run(read_body, read_head(headers), receive, 10, seconds)


def arriving(*chunks: bytes) -> Callable[[], Awaitable[Message]]:
    """Return a connection on which these chunks come, and then the end."""
    left = list(chunks)

    async def receive() -> Message:
        body = left.pop(0)
        return {"type": "http.request", "body": body, "more_body": bool(left)}

    return receive


async def never() -> Message:
    await anyio.sleep_forever()
    raise AssertionError("unreachable")


def test_a_body_in_pieces_is_put_together() -> None:
    assert read(arriving(b"12345", b"", b"67890"), []) == b"1234567890"


def test_a_body_that_grows_past_the_limit_is_cut_there() -> None:
    with pytest.raises(RequestRefused) as refused:
        read(arriving(b"12345", b"678901", b"is never asked for"), [])

    assert (refused.value.status, refused.value.error_code) == (413, "BODY_TOO_LARGE")


@pytest.mark.parametrize("length", [b"11", b"9" * 5_000])
def test_a_body_announced_too_large_is_not_waited_for(length: bytes) -> None:
    with pytest.raises(RequestRefused) as refused:
        read(never, [(b"content-length", length)])

    assert (refused.value.status, refused.value.headers) == (413, {"Connection": "close"})


@pytest.mark.parametrize("length", [b"-1", b"ten", b"1.5", b"\xb2"])
def test_a_length_that_is_no_number_is_refused(length: bytes) -> None:
    with pytest.raises(RequestRefused) as refused:
        read(never, [(b"content-length", length)])

    assert refused.value.status == 400


def test_a_slow_body_is_cut_after_its_time() -> None:
    started = time.monotonic()

    with pytest.raises(RequestRefused) as refused:
        read(never, [], seconds=0.05)

    assert (refused.value.status, refused.value.error_code) == (408, "REQUEST_TIMEOUT")
    assert time.monotonic() - started < 3


def test_a_client_that_leaves_halfway_gets_no_further() -> None:
    async def receive() -> Message:
        return {"type": "http.disconnect"}

    with pytest.raises(RequestRefused) as refused:
        read(receive, [])

    assert refused.value.status == 400
