"""Instants and days from outside, and the business day they belong to."""

from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlmodel import select

from crmkit.crm import Crm
from crmkit.errors import shown
from crmkit.models import Transaction
from crmkit.testing import CrmFactory, sale
from crmkit.times import TimeError, parse_date, parse_instant


class _Vague(tzinfo):
    """A zone that does not know its offset."""

    def utcoffset(self, _at: datetime | None) -> None:
        return None

    def dst(self, _at: datetime | None) -> None:
        return None

    def tzname(self, _at: datetime | None) -> None:
        return None


NOT_INSTANTS: list[Any] = [
    "", "now", "2026-01-01", "2026-01-01T00:00:00", "2026-01-01T00:00", "20260101T000000Z",
    "2026-02-30T00:00:00Z", "2025-02-29T00:00:00Z", "2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z",
    "2026-01-01T24:00:00Z", "2026-01-01T23:60:00Z", "2026-01-01T23:59:60Z", "2026-01-01T00:00:00z",
    "2026-01-01T00:00:00+24:00", "2026-01-01T00:00:00+99:99", "2026-01-01T00:00:00.1234567Z",
    "２０２６-01-01T00:00:00Z", "٢٠٢٦-01-01T00:00:00Z", "2026-01-01T00:00:00Z\n",
    " 2026-01-01T00:00Z",
    "2026-W01-1T00:00:00Z", "0000-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z",
    "9999-12-31T23:59:59-23:59", "1899-12-31T23:59:59Z", "2200-01-01T00:00:00Z",
    "\x00", "\ud800", "2" * 10_000_000, None, 0, 1767225600, 1.5, True, [], {}, date(2026, 1, 1),
    datetime(2026, 1, 1), datetime(2026, 1, 1, tzinfo=_Vague()),  # noqa: DTZ001 naive on purpose
    datetime.min.replace(tzinfo=timezone(timedelta(hours=14))),
    datetime.max.replace(tzinfo=timezone(timedelta(hours=-12))),
]  # fmt: skip
NOT_DAYS: list[Any] = [
    "", "2026-02-30", "2025-02-29", "2026-1-1", "20260101", "2026-W01-1", "01/02/2026",
    "２０２６-01-01",
    "2026-01-01\n", "2026-01-01T00:00:00Z", None, 5, True, [], {}, datetime(2026, 1, 1, tzinfo=UTC),
]  # fmt: skip


@pytest.mark.parametrize("value", NOT_INSTANTS, ids=lambda value: repr(shown(value))[:30])
def test_nothing_outside_the_grammar_is_an_instant(value: Any) -> None:
    with pytest.raises(TimeError):
        parse_instant(value)


@pytest.mark.parametrize("value", NOT_DAYS, ids=lambda value: repr(shown(value))[:30])
def test_nothing_outside_the_grammar_is_a_day(value: Any) -> None:
    with pytest.raises(TimeError):
        parse_date(value)


@settings(deadline=None)  # the first example loads tables
@given(st.datetimes(datetime(1901, 1, 1), datetime(2198, 1, 1), timezones=st.timezones()))  # noqa: DTZ001
def test_an_instant_means_the_same_as_text_and_as_datetime(at: datetime) -> None:
    offset = at.utcoffset() or timedelta()
    at = at.astimezone(timezone(timedelta(minutes=offset // timedelta(minutes=1))))

    assert parse_instant(at.isoformat()) == parse_instant(at) == at
    assert parse_instant(at).tzinfo is UTC


def test_a_leap_day_is_a_day() -> None:
    assert parse_date("2024-02-29") == parse_date(date(2024, 2, 29)) == date(2024, 2, 29)


@pytest.mark.parametrize(
    ("zone", "occurred_at", "day"),
    [
        ("Asia/Shanghai", "2026-06-14T15:59:59.999999Z", "2026-06-14"),
        ("Asia/Shanghai", "2026-06-14T16:00:00Z", "2026-06-15"),
        ("Asia/Shanghai", "2026-06-15T00:00:00+08:00", "2026-06-15"),
        ("UTC", "2026-06-14T16:00:00Z", "2026-06-14"),
        ("Europe/London", "2026-03-29T00:59:59Z", "2026-03-29"),  # clocks go forward at one
        ("Europe/London", "2026-06-30T23:00:00Z", "2026-07-01"),
        ("Europe/London", "2026-12-31T23:00:00Z", "2026-12-31"),
        ("America/New_York", "2026-11-01T05:30:00Z", "2026-11-01"),  # 01:30, the first of two
        ("America/New_York", "2026-11-01T06:30:00Z", "2026-11-01"),  # 01:30, the second
        ("America/New_York", "2026-11-02T04:59:59Z", "2026-11-01"),  # a day of 25 hours
        ("America/New_York", "2026-11-02T05:00:00Z", "2026-11-02"),
        ("Pacific/Kiritimati", "2199-12-31T23:59:59Z", "2200-01-01"),
        ("Pacific/Pago_Pago", "1900-01-01T00:00:00Z", "1899-12-31"),
    ],
)
def test_a_sale_belongs_to_the_day_on_the_shops_calendar(
    crm_factory: CrmFactory, zone: str, occurred_at: str, day: str
) -> None:
    crm: Crm = crm_factory(timezone=zone)

    crm.record_transactions([sale("1", occurred_at=occurred_at)])

    with crm.read() as session:
        stored = session.exec(select(Transaction)).one()
    assert stored.business_on == date.fromisoformat(day)
    assert stored.occurred_at == parse_instant(occurred_at)
