"""What time alone does to tiers: periods end, windows move on, rules change.

Progress lies in the rows: whoever was looked at is not found again that day, so that the work can
be stopped at any point, and done by two processes at once.
"""

from collections.abc import Mapping
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import exists, or_, select
from sqlmodel import Session

from crmkit import Job, JobRun, table_of
from crmkit.models import CustomerDay
from crmkit_tiers.deciding import Subject, decide
from crmkit_tiers.figures import Metrics
from crmkit_tiers.following import business_days
from crmkit_tiers.memberships import Held, lock_held, note_looked, write
from crmkit_tiers.models import TierMembership
from crmkit_tiers.settings import TierSet, TiersSettings

PAGE = 1_000
_day, _membership = table_of(CustomerDay), table_of(TierMembership)


def job(settings: TiersSettings, metrics: Metrics) -> Job:
    """Return the review as a job, to be run every day."""

    def step(session: Session, run: JobRun) -> int:
        return review_page(session, settings, metrics, now=run.now, today=run.today)

    return Job("tiers.review", "Review tiers whose period has ended or whose figures move.", step)


def review_page(
    session: Session, settings: TiersSettings, metrics: Metrics, *, now: datetime, today: date
) -> int:
    """Look at the next customers whose tiers time may have changed; returns how many they were.

    They are those with a review or a moving window that is due, those who were last looked at
    by other rules, and those who bought but were never looked at.

    Args:
        now: when what changes happens.
        today: the shops' calendar day.

    Returns:
        0 when nobody is left.
    """
    for name, tier_set in settings.sets.items():
        held = _due(session, name, tier_set, today)
        customers = sorted(held) or _never_looked_at(session, name)
        if customers:
            _look(session, name, tier_set, metrics, customers, held, now, today)
            return len(customers)
    return 0


def _due(session: Session, name: str, tier_set: TierSet, today: date) -> dict[UUID, Held]:
    """Return the next customers to look at; those that another process has at hand are left out."""
    due = (
        select(_membership.c.customer_id)
        .where(
            _membership.c.tier_set == name,
            or_(_membership.c.look_on <= today, _membership.c.rule_version != tier_set.version),
        )
        .limit(PAGE)
        .with_for_update(skip_locked=True)
    )
    return lock_held(session, name, list(session.scalars(due)))


def _never_looked_at(session: Session, name: str) -> list[UUID]:
    known = exists().where(
        _membership.c.customer_id == _day.c.customer_id, _membership.c.tier_set == name
    )
    return list(session.scalars(select(_day.c.customer_id).distinct().where(~known).limit(PAGE)))


def _look(
    session: Session,
    name: str,
    tier_set: TierSet,
    metrics: Metrics,
    customers: list[UUID],
    held: Mapping[UUID, Held],
    now: datetime,
    today: date,
) -> None:
    unknown = [who for who in customers if who not in held]
    days = business_days(session, unknown)
    subjects = [
        Subject(
            who,
            held[who].state if who in held else None,
            today,
            held[who].state.joined_on if who in held else days[who][0],
            now,
            tier_set.review == "at_once",
        )
        for who in customers
    ]
    changes = decide(session, tier_set, metrics, subjects)
    changed = {change.subject.customer_id for change in changes}
    write(session, name, tier_set, changes, dict(held), now)
    same = [(who, each, today) for who, each in held.items() if who not in changed]
    note_looked(session, name, tier_set, same)
