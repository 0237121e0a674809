"""Reading the body of a request within a size and a time."""

import asyncio

from starlette.types import Receive

from crmkit_schema import refusals
from crmkit_schema.heads import Head


async def read_body(head: Head, receive: Receive, bytes_max: int, seconds_max: float) -> bytes:
    """Return the whole body.

    Args:
        head: of the request.
        receive: gives the body, of which nothing was read yet.
        bytes_max: largest body taken; what is announced counts as well as what arrives.
        seconds_max: longest time until the last byte, in seconds.

    Raises:
        RequestRefused: the body is larger, slower, compressed, or ends too soon.
    """
    if head.content_encoding.lower() not in (b"", b"identity"):
        raise refusals.unsupported_media_type()
    announced = head.content_length
    if announced and not announced.isdigit():
        raise refusals.bad_request("Content-Length is not a number")
    if len(announced) > 18 or int(announced or b"0") > bytes_max:
        raise refusals.too_large(bytes_max)
    try:
        async with asyncio.timeout(seconds_max):
            return await _collect(receive, bytes_max)
    except TimeoutError:
        raise refusals.too_slow(seconds_max) from None


async def _collect(receive: Receive, bytes_max: int) -> bytes:
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise refusals.bad_request("the connection ended before the body did")
        body += message.get("body", b"")
        if len(body) > bytes_max:
            raise refusals.too_large(bytes_max)
        if not message.get("more_body", False):
            return bytes(body)
