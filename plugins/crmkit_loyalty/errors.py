"""What the points programme refuses."""

from collections.abc import Sequence
from typing import Any, ClassVar, NamedTuple

from crmkit import Refused


class LoyaltyError(Refused):
    """Parent of every refusal of the points programme."""

    code: ClassVar[str] = "LOYALTY_REFUSED"


class NotRedeemable(LoyaltyError):
    """Points of this kind pay for nothing: the settings give no terms of redemption.

    Attributes:
        point_kind: the kind.
    """

    code: ClassVar[str] = "NOT_REDEEMABLE"

    def __init__(self, point_kind: str) -> None:
        self.point_kind = point_kind
        super().__init__(f"{point_kind!r} cannot be redeemed: it has no terms of redemption")


class RedemptionNotAllowed(LoyaltyError):
    """So many points must not be redeemed at once; nothing was changed.

    Attributes:
        requested: points that were to be redeemed.
        least: least points of a redemption.
        most: most points for this purchase; 0 if it cannot be paid by points.
        step: a redemption is a multiple of this.
    """

    code: ClassVar[str] = "REDEMPTION_NOT_ALLOWED"

    def __init__(self, requested: int, least: int, most: int, step: int) -> None:
        self.requested, self.least, self.most, self.step = requested, least, most, step
        allowed = f"redeem {least} to {most} points, in steps of {step}" if most else "redeem none"
        super().__init__(f"{requested} points must not be redeemed here; {allowed}")


class RedemptionEnded(LoyaltyError):
    """What was to be ended has ended before, by another request or because its time was over.

    Attributes:
        state: what has become of it.
    """

    code: ClassVar[str] = "REDEMPTION_ENDED"

    def __init__(self, state: str) -> None:
        self.state = state
        super().__init__(f"it is {state} already; ask for a new one")


class InsufficientPoints(LoyaltyError):
    """More points were to go than there are; nothing was changed.

    Attributes:
        available: points on the account.
        requested: points that were to go, as a positive number.
    """

    code: ClassVar[str] = "INSUFFICIENT_POINTS"

    def __init__(self, available: int, requested: int) -> None:
        self.available = available
        self.requested = requested
        super().__init__(
            f"the account has {available} points, {requested} were to go; take at most {available}"
        )


class RuleFault(LoyaltyError, ValueError):
    """An earning rule makes no sense, by itself or beside others; mend the field that it names.

    Attributes:
        field: of the rule; empty for the rule as a whole.
        value: what stands there.
        position: in the list of rules, from 0; None where the rule was looked at by itself.
        rule: its name.
        reason: what is wrong with it.
    """

    code: ClassVar[str] = "EARNING_RULE_FAULT"

    def __init__(
        self,
        reason: str,
        field: str = "",
        value: Any = None,
        position: int | None = None,
        rule: str = "",
    ) -> None:
        self.reason, self.field, self.value = reason, field, value
        self.position, self.rule = position, rule
        path = f"rules.{position} ({rule}){field and '.' + field}: "
        super().__init__(reason if position is None else path + reason)


class RuleMistake(NamedTuple):
    """One thing wrong with a list of earning rules that was sent.

    Attributes:
        position: of the rule, from 0; None if it is about the list.
        rule: the rule's name, if it has one.
        field: path inside the rule; empty for the rule as a whole.
        value: what stands there, as text, cut to 100 characters.
    """

    position: int | None
    rule: str | None
    field: str
    value: str | None
    message: str


class WrongEarningRules(LoyaltyError):
    """Earning rules that were sent make no sense; nothing was changed.

    Attributes:
        mistakes: everything that was found.
    """

    code: ClassVar[str] = "WRONG_EARNING_RULES"

    def __init__(self, mistakes: Sequence[RuleMistake]) -> None:
        self.mistakes = list(mistakes)
        first = self.mistakes[0]
        place = "rules" if first.position is None else f"rules.{first.position} ({first.rule})"
        path = f"{place}.{first.field}" if first.field else place
        more = f" (and {len(self.mistakes) - 1} more)" if len(self.mistakes) > 1 else ""
        super().__init__(f"{path}: {first.message}{more}")
