"""Reading the body of a request within a size and a time."""

import anyio
from starlette.requests import ClientDisconnect, Request

from crmkit_schema import refusals


async def read_body(request: Request, bytes_max: int, seconds_max: float) -> bytes:
    """Return the whole body.

    Args:
        request: whose body was not read yet.
        bytes_max: largest body taken; what is announced counts as well as what arrives.
        seconds_max: longest time until the last byte, in seconds.

    Raises:
        RequestRefused: the body is larger, slower, compressed, or ends too soon.
    """
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise refusals.unsupported_media_type()
    announced = request.headers.get("content-length", "0")
    if not (announced.isascii() and announced.isdigit()):
        raise refusals.bad_request("Content-Length is not a number")
    if len(announced) > 18 or int(announced) > bytes_max:
        raise refusals.too_large(bytes_max)
    with anyio.move_on_after(seconds_max):
        return await _collect(request, bytes_max)
    raise refusals.too_slow(seconds_max)


async def _collect(request: Request, bytes_max: int) -> bytes:
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > bytes_max:
                raise refusals.too_large(bytes_max)
    except ClientDisconnect:
        raise refusals.bad_request("the connection ended before the body did") from None
    return bytes(body)
