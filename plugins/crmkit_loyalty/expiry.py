"""The job `loyalty.expiry`: one entry for what is left of each lot that has expired."""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import select, text
from sqlmodel import Session

from crmkit import Job, JobRun, table_of
from crmkit_loyalty import ledger
from crmkit_loyalty.models import Lot
from crmkit_loyalty.settings import LoyaltySettings

LOTS_MAX = 500
"""Lots that one step looks at; their customers' accounts are locked meanwhile."""

_lot = table_of(Lot)
# Literal, for the partial index to be used.
_OPEN = text("NOT loyalty_lot.is_expired")


def job(settings: LoyaltySettings) -> Job:
    """Return the job with its settings."""
    return Job(
        "loyalty.expiry",
        "Let points expire whose time has come.",
        lambda session, run: expire(session, run, settings),
    )


def expire(session: Session, run: JobRun, settings: LoyaltySettings) -> int:
    """Let the lots that expired first lapse, at most `LOTS_MAX` of them.

    Whether a lot has expired follows from its date and the run's time alone, so a late run posts
    what a punctual one would have. All lots of a customer that are due lapse together; then they
    are marked, and not looked at again.

    Returns:
        How many lots were dealt with; some may have had nothing left.
    """
    due = list(
        session.scalars(
            select(_lot.c.customer_id)
            .where(_OPEN, _lot.c.expires_at <= run.now)
            .order_by(_lot.c.expires_at, _lot.c.id)
            .limit(LOTS_MAX)
        )
    )
    customers = set(due)
    book = ledger.open_book(session, customers, customers, run.now, settings)
    for account in book.accounts():
        book.let_lapse(account, run.now)
    ledger.write(session, book)
    # None are left to mark if another process was faster; there may be more to do all the same.
    return _mark(session, customers, run.now) or len(due)


def _mark(session: Session, customers: set[UUID], now: datetime) -> int:
    mine = _lot.c.customer_id.in_(sorted(customers))
    due = sa.update(_lot).where(mine, _OPEN, _lot.c.expires_at <= now)
    return session.connection().execute(due.values(is_expired=True)).rowcount
