"""Visits that staff note: a metric for other plugins' rules, and a greeting as a service."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Date, Select, String, func, literal, null, select
from sqlmodel import Session

from crmkit import Metric, Plugin, Service, hookimpl, table_of
from crmkit.models import Interaction

plugin = Plugin("visits", "1.0", "Counts visits.")
contact = table_of(Interaction)


def daily() -> Select[tuple[Any, ...]]:
    """One row for each visit, by UTC days; a customer's day may have several."""
    day = func.date(contact.c.occurred_at, type_=Date()).label("business_on")
    nothing, one = null().cast(String).label("currency"), literal(1).label("value")
    known = contact.c.customer_id.is_not(None)
    return select(contact.c.customer_id, day, nothing, one).where(contact.c.kind == "visit", known)


def greeting(session: Session, customer_id: UUID) -> str:
    """Say how often somebody came."""
    visits = daily().where(contact.c.customer_id == customer_id).subquery()
    return f"visit number {session.scalar(select(func.count()).select_from(visits))}"


@hookimpl
def register_metrics() -> Sequence[Metric]:
    return [Metric("visits.count", "visits", "Visits that staff noted.", daily)]


@hookimpl
def register_services() -> Sequence[Service]:
    return [Service("visits.greeting", 1, "Takes a session and a customer's id.", greeting)]
