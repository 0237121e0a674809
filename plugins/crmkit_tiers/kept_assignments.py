"""Tiers that were given by hand, to be given again in a rehearsal."""

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Row, select
from sqlmodel import Session

from crmkit import table_of
from crmkit.rehearsing import Fact
from crmkit_tiers.assigning import Assignment, assign
from crmkit_tiers.figures import Metrics
from crmkit_tiers.models import TierChange
from crmkit_tiers.settings import TiersSettings
from crmkit_tiers.states import Cause

_PAGE = 1_000
_change = table_of(TierChange)


class LeftOut(NamedTuple):
    """An assignment of a tier that the rehearsed rules do not have."""

    customer_id: UUID
    tier_set: str
    tier: str
    given_on: date


def kept_assignments(
    shop: Session,
    until: datetime,
    zone: ZoneInfo,
    settings: TiersSettings,
    metrics: Metrics,
    left_out: list[LeftOut],
) -> Iterator[Fact]:
    """Give the assignments before an instant, in their order.

    Args:
        settings: of the rehearsal.
        left_out: takes what cannot be given again.
    """
    statement = (
        select(_change)
        .where(_change.c.cause == Cause.ASSIGNED, _change.c.recorded_at < until)
        .order_by(_change.c.recorded_at, _change.c.id)
    )
    for row in shop.execute(statement, execution_options={"yield_per": _PAGE}):
        day = row.recorded_at.astimezone(zone).date()
        tier_set = settings.sets.get(row.tier_set)
        if tier_set is None or tier_set.rank(row.to_tier) < 0:
            left_out.append(LeftOut(row.customer_id, row.tier_set, row.to_tier, day))
        else:
            yield _again(row, day, settings, metrics)


def _again(row: Row[Any], day: date, settings: TiersSettings, metrics: Metrics) -> Fact:
    wanted = Assignment(
        row.tier_set,
        row.to_tier,
        row.locked_until_on,
        row.reason,
        row.frozen_reason is not None,
        row.idempotency_key,
        row.fingerprint,
    )

    def do(session: Session) -> None:
        assign(
            session,
            row.customer_id,
            wanted,
            actor=row.actor,
            now=row.recorded_at,
            today=day,
            settings=settings,
            metrics=metrics,
        )

    return Fact(row.recorded_at, frozenset({row.customer_id}), do)
