"""The days that a rehearsal tells of."""

import calendar
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import ClassVar, NamedTuple
from zoneinfo import ZoneInfo

from crmkit.errors import Refused

MONTHS_MAX = 120
_DAY = timedelta(days=1)


class BadPeriod(Refused):
    """The days of a rehearsal: the last lies before the first or in the future, or too far off.

    Attributes:
        first: first day.
        last: last day.
    """

    code: ClassVar[str] = "BAD_PERIOD"

    def __init__(self, first: date, last: date, advice: str) -> None:
        self.first, self.last = first, last
        super().__init__(f"{first} to {last} is no period to tell of: {advice}")


class Period(NamedTuple):
    """Some business days, both included.

    Attributes:
        zone: where days begin.
    """

    first: date
    last: date
    zone: ZoneInfo

    @property
    def until(self) -> datetime:
        """The first instant after the period."""
        return self.start_of(self.last + _DAY)

    def start_of(self, day: date) -> datetime:
        """Return the first instant of a day, in UTC."""
        return datetime.combine(day, time(), self.zone).astimezone(UTC)

    def month_ends(self) -> list[date]:
        """Return the last day of each month, as far as it lies in the period."""
        ends, month = [], self.first.replace(day=1)
        while month <= self.last:
            end = month.replace(day=calendar.monthrange(month.year, month.month)[1])
            ends.append(min(end, self.last))
            month = end + _DAY
        return ends


def told_of(period: Period, rules: Path) -> str:
    """Return the sentence that stands above what a rehearsal found."""
    return f"{period.first} to {period.last}: today's rules beside those of {rules.name}."


def read_period(first: date, last: date, now: datetime, zone: ZoneInfo) -> Period:
    """Return a period that is over, or that ends today.

    Raises:
        BadPeriod: it is none, is not over, or has more than 120 months.
    """
    period = Period(first, last, zone)
    if last < first:
        raise BadPeriod(first, last, "the last day lies before the first")
    if last > now.astimezone(zone).date():
        raise BadPeriod(first, last, "the last day lies in the future, of which nothing is known")
    if len(period.month_ends()) > MONTHS_MAX:
        raise BadPeriod(first, last, f"take at most {MONTHS_MAX} months")
    return period
