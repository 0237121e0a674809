"""The bearer token of a request, read from its Authorization header."""

import re

from crmkit_schema.refusals import unauthenticated

_BEARER = re.compile(rb"bearer +([A-Za-z0-9._~+/-]{1,512}=*)", re.IGNORECASE)


def bearer_token(authorization: tuple[bytes, ...]) -> str:
    """Return the token out of the Authorization headers of one request.

    Raises:
        RequestRefused: there is not exactly one header, or it is no bearer token.
    """
    found = _BEARER.fullmatch(authorization[0].strip()) if len(authorization) == 1 else None
    if found is None:
        raise unauthenticated()
    return found[1].decode()
