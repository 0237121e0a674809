"""What time alone does to tiers: periods end, windows move on, rules change.

Progress lies in the rows: who was reviewed has a later day, and a sweep through all customers
notes how far it is. So the work can be stopped at any point, and done by two processes at once.
"""

from collections.abc import Mapping
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import select
from sqlmodel import Session

from crmkit import Job, JobRun, table_of
from crmkit_tiers import sweeping
from crmkit_tiers.deciding import Subject, decide
from crmkit_tiers.figures import Metrics
from crmkit_tiers.following import business_days
from crmkit_tiers.memberships import Held, lock_held, write
from crmkit_tiers.models import TierMembership, TierSweep
from crmkit_tiers.settings import TierSet, TiersSettings

PAGE = 1_000
_membership = table_of(TierMembership)


def review_job(settings: TiersSettings, metrics: Metrics) -> Job:
    """Return the job that is to be run every day."""

    def step(session: Session, run: JobRun) -> int:
        return review_page(session, settings, metrics, now=run.now, today=run.today)

    return Job(
        "tiers.review",
        "Reviews tiers whose period is over, and looks at everybody after a change of rules.",
        step,
    )


def review_page(
    session: Session, settings: TiersSettings, metrics: Metrics, *, now: datetime, today: date
) -> int:
    """Look at the next customers whose tiers time may have changed; returns how many they were.

    First those with a review that is due. Then, if the rules are others than those of the last
    sweep, or windows moved on that are looked at at once, all customers, a page at a time.

    Args:
        now: when what changes happens.
        today: the shops' calendar day.

    Returns:
        0 when nobody is left.
    """
    for name, tier_set in settings.sets.items():
        held = _due(session, name, today)
        if held:
            return _look(session, name, tier_set, metrics, list(held), held, now, today)
        looked = _sweep(session, name, tier_set, metrics, now, today)
        if looked:
            return looked
    return 0


def _due(session: Session, name: str, today: date) -> dict[UUID, Held]:
    """Return the next customers to review; those that another process has at hand are left out."""
    due = (
        select(_membership.c.customer_id)
        .where(_membership.c.tier_set == name, _membership.c.review_on < today)
        .limit(PAGE)
        .with_for_update(skip_locked=True)
    )
    return lock_held(session, name, list(session.scalars(due)))


def _sweep(
    session: Session,
    name: str,
    tier_set: TierSet,
    metrics: Metrics,
    now: datetime,
    today: date,
) -> int:
    """Go on with the sweep through all customers, if there is one; returns how many it passed."""
    sweep = session.get(TierSweep, name, with_for_update=True) or TierSweep(
        tier_set=name, rule_version="", swept_on=today
    )
    is_stale = tier_set.moves_daily and sweep.swept_on < today
    if sweep.rule_version != tier_set.version or (sweep.is_done and is_stale):
        sweep.rule_version, sweep.after_id, sweep.is_done = tier_set.version, None, False
        sweep.swept_on = today
    if sweep.is_done:
        return 0
    page = sweeping.next_page(session, sweep.after_id)
    found = sweeping.candidates(session, name, tier_set, metrics, page, today)
    held = lock_held(session, name, found)
    _look(session, name, tier_set, metrics, found, held, now, today)
    sweep.after_id, sweep.is_done = page.last, page.last is None
    session.add(sweep)
    return page.size


def _look(
    session: Session,
    name: str,
    tier_set: TierSet,
    metrics: Metrics,
    customers: list[UUID],
    held: Mapping[UUID, Held],
    now: datetime,
    today: date,
) -> int:
    days = business_days(session, [who for who in customers if who not in held])
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
        if who in held or who in days
    ]
    changes = decide(session, tier_set, metrics, subjects)
    write(session, name, tier_set, changes, dict(held), now)
    return len({change.subject.customer_id for change in changes})
