"""Times as tills write them: local, without an offset, in the formats of their country. Pure."""

import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from crmkit.times import TimeError

_ISO = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?"
    r"(Z|[+-][0-9]{2}:?[0-9]{2})?)?",
    re.ASCII,
)


def parse_local(text: str, formats: tuple[str, ...], zone: ZoneInfo) -> datetime:
    """Return an aware instant in UTC.

    A time without an offset is local. One that the clock showed twice, in autumn, is the first of
    the two; one that it skipped, in spring, is read as if it had not been put forward yet.

    Args:
        formats: strptime formats that are tried after ISO 8601.

    Raises:
        TimeError: no format fits, or there is no such day or hour.
    """
    try:
        at = datetime.fromisoformat(text) if _ISO.fullmatch(text) else _by_format(text, formats)
        return (at if at.tzinfo else at.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise TimeError(f"no such time: {error}") from None


def _by_format(text: str, formats: tuple[str, ...]) -> datetime:
    if all(character.isascii() or not character.isdecimal() for character in text):
        for each in formats:
            try:
                return datetime.strptime(text, each)  # noqa: DTZ007 the caller adds the zone
            except ValueError:
                continue
    known = ", ".join(("2026-11-21 09:30:00", *formats))
    raise TimeError(f"write it like {known}")
