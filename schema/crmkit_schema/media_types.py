"""Which media types GraphQL over HTTP takes and gives."""

import re
from functools import lru_cache

from starlette.datastructures import Headers

JSON = "application/json"
GRAPHQL_RESPONSE = "application/graphql-response+json"
HTML = "text/html"
EVENT_STREAM = "text/event-stream"

_QUALITY = re.compile(r"0(\.\d{0,3})?|1(\.0{0,3})?")


def utf8(media_type: str) -> str:
    """Return a media type with the charset we always write."""
    return f"{media_type}; charset=utf-8"


def accept_header(headers: Headers) -> str | None:
    """Return all Accept headers of a request as one, None if there is none."""
    return ",".join(headers.getlist("accept")) if "accept" in headers else None


@lru_cache(maxsize=256)
def is_json(content_types: tuple[bytes, ...]) -> bool:
    """Tell whether the Content-Type headers are one `application/json`, in UTF-8 if said."""
    if len(content_types) != 1:
        return False
    media_type, parameters = _split(content_types[0].decode("latin-1"))
    return media_type == JSON and all(
        name == "charset" and value == "utf-8" for name, value in parameters
    )


@lru_cache(maxsize=256)
def answer_type(accept: str | None) -> str | None:
    """Choose the media type of the answer from the Accept header; None if neither suits.

    Without a wish it is `application/json`, which every client understands; a client that names
    both with the same weight gets `application/graphql-response+json`.
    """
    if accept is None or not accept.strip():
        return JSON
    ranges = [_range(part) for part in accept.split(",")]
    wishes = []
    for media_type in (JSON, GRAPHQL_RESPONSE):
        precision, quality = max(
            (_precision(wanted, media_type), quality) for wanted, quality in ranges
        )
        if precision and quality:
            prefers_graphql = (media_type == GRAPHQL_RESPONSE) == (precision == 3)
            wishes.append((quality, precision, prefers_graphql, media_type))
    return max(wishes)[-1] if wishes else None


def names_html(accept: str | None) -> bool:
    """Tell whether the Accept header asks for a page by name, as browsers do."""
    return _names(accept, HTML)


def names_events(accept: str | None) -> bool:
    """Tell whether the Accept header asks for server-sent events by name."""
    return _names(accept, EVENT_STREAM)


def _names(accept: str | None, wanted: str) -> bool:
    ranges = (_range(part) for part in (accept or "").split(","))
    return any(media_type == wanted and quality for media_type, quality in ranges)


def _precision(wanted: str, media_type: str) -> int:
    """Say how exactly a media range names a media type: 3 exactly, 1 hardly, 0 not."""
    return {media_type: 3, "application/*": 2, "*/*": 1}.get(wanted, 0)


def _range(part: str) -> tuple[str, float]:
    """Return a media range and its weight, 0 if it cannot be served as asked."""
    media_type, parameters = _split(part)
    quality = 1.0
    for name, value in parameters:
        if name == "q":
            quality = float(value) if _QUALITY.fullmatch(value) else 0.0
        elif name == "charset" and value != "utf-8":
            return "", 0.0
    return media_type, quality


def _split(header: str) -> tuple[str, list[tuple[str, str]]]:
    """Split a media type from its parameters; names and values in lower case."""
    media_type, *parameters = (part.strip().lower() for part in header.split(";"))
    pairs = (parameter.partition("=") for parameter in parameters if parameter)
    return media_type, [(name.strip(), value.strip().strip('"')) for name, _, value in pairs]
