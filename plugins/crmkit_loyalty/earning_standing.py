"""What customers were when something happened, as other plugins tell it: tiers and segments.

Whoever offers `tiers.held` or `segments.held` decides; without it nothing is filtered by it.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlmodel import Session

from crmkit import Services
from crmkit_loyalty.earning_rules import EarningRule


class Standing(NamedTuple):
    """What a customer was just before some moment.

    Attributes:
        tiers: the tier held, by tier set; None if nobody knows.
    """

    tiers: Mapping[str, str] | None = None


def load_standings(
    session: Session,
    services: Services,
    rules: Iterable[EarningRule],
    wanted: Sequence[tuple[UUID, datetime]],
) -> list[Standing]:
    """Return what customers were just before some moments, as far as rules ask for it."""
    rules = list(rules)
    held = services.find("tiers.held", 1)
    tiers: Sequence[Mapping[str, str] | None] = [None] * len(wanted)
    if held is not None and any(rule.tiers for rule in rules):
        tiers = held(session, wanted)
    return [Standing(each) for each in tiers]
