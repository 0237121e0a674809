"""Which web pages may open a socket: browsers let any page try, and say which it is."""

from collections.abc import Collection
from urllib.parse import urlsplit

from starlette.datastructures import Headers

from crmkit_schema.refusals import RequestRefused


def require_allowed(headers: Headers, allowed: Collection[str]) -> None:
    """Refuse a handshake unless it comes from no page, one of this host, or an allowed one.

    Raises:
        RequestRefused: it comes from another page.
    """
    host = headers.get("host", "").lower()
    origins = headers.getlist("origin")
    if any(each not in allowed and _host(each) != host for each in origins):
        raise RequestRefused(403, "FOREIGN_ORIGIN", "pages of that origin may not connect")


def _host(origin: str) -> str | None:
    try:
        parts = urlsplit(origin.lower())
    except ValueError:
        return None
    return parts.netloc if parts.scheme in ("http", "https") and parts.netloc else None
