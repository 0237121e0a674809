"""How memberships follow from changes."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy import Select, func, select
from sqlmodel import Session

from crmkit import Difference, Rebuilder, differences, table_of
from crmkit_tiers.models import TierChange, TierMembership

_change, _membership = table_of(TierChange), table_of(TierMembership)
_SAME = (
    "customer_id", "tier_set", "since_on", "joined_on", "valid_until_on", "source", "at_risk_on",
    "at_risk_until_on", "locked_until_on", "frozen_reason", "number", "effective_at",
)  # fmt: skip

REBUILDER_NAME = "tier memberships"


def rebuilder() -> Rebuilder:
    """Return how memberships are checked and mended."""
    return Rebuilder(REBUILDER_NAME, check, rebuild)


def _last_changes() -> Select[Any]:
    """The definition of a membership: the last change of a customer in a set."""
    ends = func.coalesce(_change.c.at_risk_until_on, _change.c.valid_until_on)
    locked = _change.c.locked_until_on
    later = _change.alias("later")
    return select(
        *(_change.c[name] for name in _SAME),
        _change.c.to_tier.label("tier"),
        sa.case((locked > ends, locked), else_=ends).label("review_on"),
    ).where(
        ~sa.exists().where(
            later.c.customer_id == _change.c.customer_id,
            later.c.tier_set == _change.c.tier_set,
            later.c.number > _change.c.number,
        )
    )


def check(session: Session) -> list[Difference]:
    """Return every membership that is not its customer's last change."""
    return differences(session, TierMembership, _last_changes())


def rebuild(session: Session) -> int:
    """Make every membership its customer's last change; returns how many there are."""
    session.execute(sa.delete(_membership))
    source = _last_changes()
    names = [column.name for column in source.selected_columns]
    session.execute(sa.insert(_membership).from_select(names, source))
    return session.scalar(select(func.count()).select_from(_membership)) or 0
