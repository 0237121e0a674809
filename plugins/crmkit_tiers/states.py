"""What customers hold, and the moments at which that is looked at. Pure."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import NamedTuple

from crmkit_tiers.periods import DAY


class Cause(StrEnum):
    """Why a state changed."""

    JOINED = "joined"
    UPGRADE = "upgrade"
    AT_RISK = "at_risk"
    KEPT = "kept"
    DOWNGRADE = "downgrade"
    ASSIGNED = "assigned"
    ASSIGNMENT_ENDED = "assignment_ended"


class Source(StrEnum):
    """Who gave a tier."""

    RULE = "rule"
    MANUAL = "manual"


@dataclass(frozen=True, slots=True)
class State:
    """The tier that a customer holds in one tier set.

    Attributes:
        since_on: first day of the tier.
        joined_on: the customer's first business day.
        valid_until_on: last day before staying is looked at; None if no day is set.
        at_risk_on: day of the review that failed, while days of grace run.
        at_risk_until_on: last day of grace.
        locked_until_on: last day on which no rule lowers the tier.
        frozen_reason: why no rule moves the tier at all until that day; None if rules may.
    """

    tier: str
    since_on: date
    joined_on: date
    valid_until_on: date | None = None
    source: Source = Source.RULE
    at_risk_on: date | None = None
    at_risk_until_on: date | None = None
    locked_until_on: date | None = None
    frozen_reason: str | None = None

    @property
    def review_on(self) -> date | None:
        """Day at whose end staying is looked at; locks put it off."""
        ends = self.at_risk_until_on or self.valid_until_on
        if ends is not None and self.locked_until_on is not None:
            return max(ends, self.locked_until_on)
        return ends


class Moment(NamedTuple):
    """When a customer is looked at.

    Attributes:
        as_of_on: last day whose figures count.
        ends_period: the day is over and a period with it: what changes, changes the day after.
        is_review: staying is looked at, too.
    """

    as_of_on: date
    ends_period: bool = False
    is_review: bool = False

    @property
    def effective_on(self) -> date:
        """First day of what changes."""
        return self.as_of_on + DAY if self.ends_period else self.as_of_on


class Decision(NamedTuple):
    """A change of state."""

    cause: Cause
    state: State
