"""Recording a shop's history in a copy that has certain rules for points."""

import heapq
from datetime import datetime, timedelta
from typing import cast

from sqlalchemy import insert, select
from sqlmodel import Session

from crmkit import Crm, JobRun, table_of
from crmkit.rehearsing import Period, replay
from crmkit_loyalty.earning_models import EarningRulesVersion
from crmkit_loyalty.expiry import expire
from crmkit_loyalty.kept_entries import kept_entries
from crmkit_loyalty.kept_redemptions import kept_cancellations, kept_redemptions
from crmkit_loyalty.settings import LoyaltySettings

_version = table_of(EarningRulesVersion)


def rehearse(shop: Session, copy: Crm, period: Period) -> LoyaltySettings:
    """Record everything that happened until the end of a period in a copy; returns its settings.

    Args:
        shop: reading session of the shop.
        copy: an empty one.
    """
    settings = cast(LoyaltySettings, copy.registry["loyalty"].settings)
    by_hand = [
        each(shop, period.until, settings)
        for each in (kept_entries, kept_redemptions, kept_cancellations)
    ]
    replay(shop, copy, period.until, heapq.merge(*by_hand, key=lambda fact: fact.at))
    run = JobRun(last_instant(period), period.last)
    while copy.write(lambda session: expire(session, run, settings)):
        pass
    return settings


def copy_set_rules(shop: Session, copy: Crm) -> None:
    """Give a copy the earning rules that were set besides the settings, with their times."""
    rows = [dict(row) for row in shop.execute(select(_version)).mappings()]
    if rows:
        copy.write(lambda session: session.execute(insert(_version), rows))


def last_instant(period: Period) -> datetime:
    """Return the end of a period; what is good until its last day has not expired yet."""
    return period.until - timedelta(microseconds=1)
