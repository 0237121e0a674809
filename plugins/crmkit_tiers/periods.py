"""Days: where windows begin, when periods end. Pure; all days are business days."""

import calendar
from datetime import date, timedelta

from crmkit_tiers.conditions import FigureKey
from crmkit_tiers.settings import TierSet

DAY = timedelta(days=1)
EVER = date(1900, 1, 1)
"""Before any transaction that can be recorded."""


def window_start(key: FigureKey, anchor: date, joined_on: date, since_on: date) -> date:
    """Return the first day that counts for a figure.

    Args:
        anchor: the day the window belongs to; while days of grace run, the day of the review.
        since_on: the day the present tier was entered.
    """
    if key.window == "calendar_year":
        return date(anchor.year, 1, 1)
    if key.days is not None:
        return anchor - (key.days - 1) * DAY
    if key.window == "since_joining":
        return joined_on
    return since_on if key.window == "since_tier" else EVER


def period_end(tier_set: TierSet, from_on: date, joined_on: date) -> date | None:
    """Return the last day of the period that a day belongs to; None if reviews are at once.

    Args:
        from_on: first day of a tier, or of what is left of a period.
    """
    if tier_set.review == "at_once":
        return None
    if tier_set.review == "tier_anniversary":
        return _same_day(from_on, from_on.year + 1) - DAY
    if tier_set.review == "membership_anniversary":
        end = _same_day(joined_on, from_on.year) - DAY
        return end if end >= from_on else _same_day(joined_on, from_on.year + 1) - DAY
    end = date.fromisoformat(f"{from_on.year:04}-{tier_set.review_on}")
    return end if end >= from_on else end.replace(year=end.year + 1)


def _same_day(day: date, year: int) -> date:
    """Return the anniversary of a day in a year; of a 29 February, the 1 March."""
    if (day.month, day.day) == (2, 29) and not calendar.isleap(year):
        return date(year, 3, 1)
    return day.replace(year=year)
