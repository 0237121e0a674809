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
        segments: names of the segments; None if nobody knows.
    """

    tiers: Mapping[str, str] | None
    segments: frozenset[str] | None


def load_standings(
    session: Session,
    services: Services,
    rules: Iterable[EarningRule],
    wanted: Sequence[tuple[UUID, datetime]],
) -> list[Standing]:
    """Return what customers were just before some moments, as far as rules ask for it."""
    asked = [(bool(rule.tiers), rule.segments is not None) for rule in rules]
    by_tiers = services.find("tiers.held", 1) if any(tiers for tiers, _ in asked) else None
    by_segments = services.find("segments.held", 1) if any(some for _, some in asked) else None
    nothing: list[None] = [None] * len(wanted)
    tiers = by_tiers(session, wanted) if by_tiers else nothing
    segments = by_segments(session, wanted) if by_segments else nothing
    return [Standing(*each) for each in zip(tiers, segments, strict=True)]
