"""The job `loyalty.birthdays`: points on customers' birthdays, once a year."""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, and_, exists, extract, or_, select
from sqlmodel import Session

from crmkit import Job, JobRun, Services, read_id, run_sql, table_of
from crmkit.models import Customer
from crmkit_loyalty import happening_posting
from crmkit_loyalty.earning import Cause
from crmkit_loyalty.earning_models import Birthday
from crmkit_loyalty.happenings import Happening
from crmkit_loyalty.programme import load_programme
from crmkit_loyalty.settings import LoyaltySettings

CUSTOMERS_MAX = 500
"""Customers that one step looks at; their accounts are locked meanwhile."""

DAYS_LATE_MAX = 7
"""Days for which a run makes up that should have been before it."""

_customer, _birthday = table_of(Customer), table_of(Birthday)
_CLAIM = """INSERT INTO loyalty_birthday (year, customer_id)
    SELECT ?, id FROM customer WHERE id IN ?ids ORDER BY id
    ON CONFLICT DO NOTHING RETURNING customer_id"""


class Celebration(NamedTuple):
    """The birthday of a customer in one year."""

    customer_id: UUID
    on: date
    created_at: datetime


def celebrated_on(birth_on: date, year: int) -> date:
    """Return the birthday in a year; of those born on 29 February the 28th in other years. Pure."""
    try:
        return birth_on.replace(year=year)
    except ValueError:
        return date(year, 2, 28)


def job(settings: LoyaltySettings, services: Services) -> Job:
    """Return the job with its settings."""
    return Job(
        "loyalty.birthdays",
        "Give points on birthdays.",
        lambda session, run: celebrate(session, run, settings, services),
    )


def celebrate(session: Session, run: JobRun, settings: LoyaltySettings, services: Services) -> int:
    """Give points to at most `CUSTOMERS_MAX` customers whose birthday it is, or was of late.

    A customer's year is marked, whether rules gave something or not, and is not looked at again.
    Points are given for the birthday itself, whenever the job runs.

    Returns:
        How many customers were dealt with.
    """
    zone, today = settings.zone, settings.day_of(run.now)
    span = [_midnight(today - timedelta(days=DAYS_LATE_MAX), zone), run.now]
    programme = load_programme(session, settings, span)
    if not any(rule.kind == "birthday" for rule in programme.happenings()):
        return 0
    due = list(_due(session, today, zone))
    marked = _mark(session, due)
    happened = [
        Happening(
            "birthday",
            Cause(
                "customer",
                each.customer_id,
                each.customer_id,
                _begins(each, settings.zone),
                each.on,
            ),
            line=each.on.year,
        )
        for each in marked
    ]
    happening_posting.post(session, happened, run.now, settings, services)
    # None are left to mark if another process was faster; there may be more to do all the same.
    return len(due)


def _due(session: Session, today: date, zone: ZoneInfo) -> Iterator[Celebration]:
    """Give birthdays of today and of the days before that were not dealt with."""
    days = [today - timedelta(days=late) for late in range(DAYS_LATE_MAX + 1)]
    born = _customer.c.birth_on
    day_of_year = extract("month", born) * 100 + extract("day", born)
    wanted = (
        select(_customer.c.id, born, _customer.c.created_at)
        .where(
            day_of_year.in_([code for day in days for code in _born_on(day)]),
            or_(*(_is_due(day_of_year, day, zone) for day in days)),
        )
        .order_by(_customer.c.id)
        .limit(CUSTOMERS_MAX)
    )
    for id_, birth_on, created_at in session.execute(wanted):
        (on,) = {celebrated_on(birth_on, day.year) for day in days}.intersection(days)
        yield Celebration(id_, on, created_at)


def _born_on(day: date) -> list[int]:
    """Return the days of birth that are celebrated on a day, as 100 x month + day."""
    code = day.month * 100 + day.day
    return [code, 229] if celebrated_on(date(2000, 2, 29), day.year) == day else [code]


def _is_due(day_of_year: ColumnElement[int], day: date, zone: ZoneInfo) -> ColumnElement[bool]:
    """Return the condition that a customer who was known by then has a birthday on a day."""
    marked = exists().where(_birthday.c.customer_id == _customer.c.id, _birthday.c.year == day.year)
    return and_(
        day_of_year.in_(_born_on(day)),
        _customer.c.birth_on < day,
        _customer.c.created_at < _midnight(day + timedelta(days=1), zone),
        ~marked,
    )


def _mark(session: Session, due: Sequence[Celebration]) -> list[Celebration]:
    """Claim birthdays; returns those that nobody else has claimed meanwhile."""
    marked: set[tuple[UUID, int]] = set()
    for year in sorted({each.on.year for each in due}):
        ids = [each.customer_id for each in due if each.on.year == year]
        rows = run_sql(session, _CLAIM, year, ids).fetchall()
        marked.update((read_id(id_), year) for (id_,) in rows)
    return [each for each in due if (each.customer_id, each.on.year) in marked]


def _begins(each: Celebration, zone: ZoneInfo) -> datetime:
    return max(_midnight(each.on, zone), each.created_at)


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone).astimezone(UTC)
