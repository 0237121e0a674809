"""Instants from outside: ISO 8601 with an offset, nothing looser."""

import re
from datetime import UTC, date, datetime

_INSTANT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?"
    r"(Z|[+-][0-9]{2}:[0-9]{2})",
    re.ASCII,
)
_YEARS = (1900, 2199)  # every zone and both databases can hold these
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)


class TimeError(ValueError):
    """A time that is not written in the grammar; the message says what is wrong."""


def parse_instant(value: datetime | str) -> datetime:
    """Return an aware instant in UTC.

    Args:
        value: an aware datetime, or text such as `2026-11-21T09:30:00+08:00`.

    Raises:
        TimeError: no offset, not ISO 8601, no such day or hour, or centuries away.
    """
    at = value if isinstance(value, datetime) else _read(value)
    if at.utcoffset() is None:
        raise TimeError("a time needs an offset, like 2026-11-21T09:30:00+08:00")
    try:
        at = at.astimezone(UTC)
    except OverflowError as error:
        raise TimeError(f"no such time: {error}") from None
    if not _YEARS[0] <= at.year <= _YEARS[1]:
        raise TimeError(f"a time lies between the years {_YEARS[0]} and {_YEARS[1]}")
    return at


def _read(value: object) -> datetime:
    if not isinstance(value, str) or not _INSTANT.fullmatch(value):
        raise TimeError("write it as ISO 8601 with an offset, like 2026-11-21T09:30:00+08:00")
    try:
        return datetime.fromisoformat(value)
    except ValueError as error:
        raise TimeError(f"no such time: {error}") from None


def parse_date(value: date | str) -> date:
    """Return a calendar date from text such as `1988-02-29`.

    Raises:
        TimeError: not that form, or no such day.
    """
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    if not isinstance(value, str) or not _DATE.fullmatch(value):
        raise TimeError("write it as year-month-day, like 1988-02-29")
    try:
        return date.fromisoformat(value)
    except ValueError as error:
        raise TimeError(f"no such day: {error}") from None
