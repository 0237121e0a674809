"""Until when points are good: an example of each policy that a shopkeeper can check, and rules."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmkit_loyalty.lifetime import Lifetime, Period, last_day_of, months_later

TillFactory: TypeAlias = Callable[..., Any]

SHANGHAI = "Asia/Shanghai"


def shop_time(text: str) -> datetime:
    """Return an instant given in the shop's time."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(SHANGHAI))


EARNED = shop_time("2026-08-31 18:30")
# Earned on the evening of 31 August 2026 in Shanghai; the first instant without value.
EXAMPLES: dict[str, tuple[dict[str, Any], str | None]] = {
    "never": ({}, None),
    "18 months": ({"lifetime_months": 18}, "2028-02-29 18:30"),
    "90 days": ({"lifetime_days": 90}, "2026-11-29 18:30"),
    "90 whole days": ({"lifetime_days": 90, "lifetime_ends_with": "day"}, "2026-11-30 00:00"),
    "end of month": ({"lifetime_months": 6, "lifetime_ends_with": "month"}, "2027-03-01 00:00"),
    "end of quarter": ({"lifetime_months": 6, "lifetime_ends_with": "quarter"}, "2027-04-01 00:00"),
    "end of next year": ({"lifetime_months": 12, "lifetime_ends_with": "year"}, "2028-01-01 00:00"),
    "end of this year": ({"lifetime_days": 0, "lifetime_ends_with": "year"}, "2027-01-01 00:00"),
    "fixed day": ({"last_day": "2027-06-30"}, "2027-07-01 00:00"),
    "after the fixed day": ({"last_day": "2026-08-30"}, None),
    "on the fixed day": ({"last_day": "2026-08-31"}, "2026-09-01 00:00"),
}


@pytest.mark.parametrize(("options", "expected"), EXAMPLES.values(), ids=EXAMPLES)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_points_earned_on_an_evening_in_august_expire(
    till_factory: TillFactory, options: dict[str, Any], expected: str | None
) -> None:
    till = till_factory(timezone=SHANGHAI, **options)

    till.sell("ann", ("tea", "1", "30.00"), occurred_at=EARNED)

    ((_, _, expires_at),) = till.lots("ann")
    assert expires_at == (shop_time(expected) if expected else None)


def test_the_job_goes_by_midnight_in_the_shop(till_factory: TillFactory) -> None:
    till = till_factory(timezone=SHANGHAI, lifetime_days=30, lifetime_ends_with="month")
    till.sell("ann", ("tea", "1", "30.00"), occurred_at=shop_time("2026-06-15 12:00"))
    last_moment = shop_time("2026-07-31 23:59:59") - till.crm.clock.now()

    till.crm.clock.advance(last_moment)
    assert till.crm.run_job("loyalty.expiry") == 0
    till.crm.clock.advance(timedelta(seconds=1))
    assert till.crm.run_job("loyalty.expiry") == 1

    assert till.balance("ann") == 0


instants = st.datetimes(datetime(2000, 1, 1), datetime(2150, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 hypothesis wants naive bounds
periods = st.sampled_from(["day", "month", "quarter", "year"])
zones = st.sampled_from(["UTC", SHANGHAI, "America/New_York", "Pacific/Apia"])


@given(at=instants, months=st.integers(1, 240), period=periods, zone=zones)
def test_rounding_up_never_shortens_and_ends_at_the_period_s_last_midnight(
    at: datetime, months: int, period: Period, zone: str
) -> None:
    exact = Lifetime(months=months, zone=zone).expires_at(at)
    rounded = Lifetime(months=months, ends_with=period, zone=zone).expires_at(at)

    assert exact is not None
    assert rounded is not None
    assert exact < rounded
    assert rounded - exact <= timedelta(days=367)
    last = (rounded - timedelta(microseconds=1)).astimezone(ZoneInfo(zone)).date()
    assert last == last_day_of(last, period)
    assert last_day_of(exact.astimezone(ZoneInfo(zone)).date(), period) == last


@given(first=instants, second=instants, days=st.integers(1, 3_650), period=st.none() | periods)
def test_what_is_earned_later_expires_no_sooner(
    first: datetime, second: datetime, days: int, period: Period | None
) -> None:
    lifetime = Lifetime(days=days, ends_with=period, zone=SHANGHAI)
    earlier, later = sorted((first, second))

    until = [lifetime.expires_at(each) for each in (earlier, later)]

    assert until[0] is not None
    assert until[1] is not None
    assert earlier < until[0] <= until[1]


@given(at=instants, months=st.integers(0, 240))
def test_months_later_is_the_same_day_or_the_last_of_a_shorter_month(
    at: datetime, months: int
) -> None:
    then = months_later(at, months)

    assert (then.year * 12 + then.month) - (at.year * 12 + at.month) == months
    assert then.day == at.day or (then.day < at.day and (then + timedelta(days=1)).day == 1)


@pytest.mark.parametrize(
    ("day", "period", "last"),
    [
        ("2028-02-01", "month", "2028-02-29"),
        ("2026-03-31", "quarter", "2026-03-31"),
        ("2026-04-01", "quarter", "2026-06-30"),
        ("2026-12-31", "year", "2026-12-31"),
        ("2026-12-31", "day", "2026-12-31"),
    ],
)
def test_the_last_day_of_a_period(day: str, period: Period, last: str) -> None:
    assert last_day_of(date.fromisoformat(day), period) == date.fromisoformat(last)
