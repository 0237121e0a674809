"""How long points are good. Pure."""

import calendar
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

Period = Literal["day", "month", "quarter", "year"]
_MONTHS: dict[Period, int] = {"month": 1, "quarter": 3, "year": 12}


@dataclass(frozen=True, slots=True)
class Lifetime:
    """When points expire; with nothing given, never.

    Attributes:
        months: calendar months after they were earned.
        days: calendar days after they were earned.
        ends_with: the lifetime is rounded up to the end of the day, month, quarter or year in
            which it ends.
        restarts: each purchase that earns gives all points of the customer their lifetime anew.
        last_day: points earned until then are good until its end; later ones for ever.
        zone: where days begin and end.
    """

    months: int | None = None
    days: int | None = None
    ends_with: Period | None = None
    restarts: bool = False
    last_day: date | None = None
    zone: str = "UTC"

    def expires_at(self, earned_at: datetime) -> datetime | None:
        """Return the first instant, in UTC, at which points are worth nothing; None means never."""
        local = earned_at.astimezone(ZoneInfo(self.zone))
        if self.last_day is not None:
            return self._end_of(self.last_day) if local.date() <= self.last_day else None
        if self.months is not None:
            end = months_later(local, self.months)
        elif self.days is not None:
            end = local + timedelta(days=self.days)
        else:
            return None
        if self.ends_with is None:
            return end.astimezone(UTC)
        return self._end_of(last_day_of(end.date(), self.ends_with))

    def _end_of(self, day: date) -> datetime:
        midnight = datetime.combine(day + timedelta(days=1), time(), ZoneInfo(self.zone))
        return midnight.astimezone(UTC)


def months_later(at: datetime, months: int) -> datetime:
    """Return the same time some calendar months later; the 31st becomes a shorter month's last."""
    years, month = divmod(at.month - 1 + months, 12)
    last = calendar.monthrange(at.year + years, month + 1)[1]
    return at.replace(year=at.year + years, month=month + 1, day=min(at.day, last))


def last_day_of(day: date, period: Period) -> date:
    """Return the last day of the day, month, quarter or year that a day belongs to."""
    if period == "day":
        return day
    length = _MONTHS[period]
    month = (day.month - 1) // length * length + length
    return day.replace(month=month, day=calendar.monthrange(day.year, month)[1])
