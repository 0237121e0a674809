"""What the points programme refuses."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, ClassVar, NamedTuple
from uuid import UUID

from crmkit import Refused
from crmkit.errors import shown
from crmkit_loyalty.adjusting_models import ProposalState


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


class UnknownReasonCode(LoyaltyError):
    """The settings do not list this reason for adjusting points; nothing was changed.

    Attributes:
        reason_code: what was sent.
        known: the codes in `adjustment_reasons`.
    """

    code: ClassVar[str] = "UNKNOWN_REASON_CODE"

    def __init__(self, reason_code: str, known: Sequence[str]) -> None:
        self.reason_code = reason_code
        self.known = list(known)
        super().__init__(
            f"there is no reason code {shown(reason_code)!r}; use one of: {', '.join(known)}"
        )


class OwnProposal(LoyaltyError):
    """Whoever proposed an adjustment wants to approve it; it needs somebody else.

    Attributes:
        proposed_by: who it was.
    """

    code: ClassVar[str] = "OWN_PROPOSAL"

    def __init__(self, proposed_by: str) -> None:
        self.proposed_by = proposed_by
        super().__init__(f"{shown(proposed_by)} proposed it, so somebody else has to approve it")


class AdjustmentDecided(LoyaltyError):
    """A proposed adjustment was decided before, otherwise or by somebody else.

    Attributes:
        state: what was decided.
        decided_by: by whom.
    """

    code: ClassVar[str] = "ADJUSTMENT_DECIDED"

    def __init__(self, state: ProposalState, decided_by: str) -> None:
        self.state = state
        self.decided_by = decided_by
        super().__init__(f"{shown(decided_by)} has {state} it; propose it again if need be")


class AccountBlocked(LoyaltyError):
    """Nobody may spend, hold or transfer the points of this customer.

    Attributes:
        customer_id: whose points they are.
    """

    code: ClassVar[str] = "ACCOUNT_BLOCKED"

    def __init__(self, customer_id: UUID) -> None:
        self.customer_id = customer_id
        super().__init__("the customer's points are blocked; unblock them first")


class AlreadyBlocked(LoyaltyError):
    """The points of this customer are blocked already.

    Attributes:
        blocked_by: who did it.
        blocked_at: when.
    """

    code: ClassVar[str] = "ALREADY_BLOCKED"

    def __init__(self, blocked_by: str, blocked_at: datetime) -> None:
        self.blocked_by = blocked_by
        self.blocked_at = blocked_at
        super().__init__(f"{shown(blocked_by)} blocked the points before; lift that block first")


class NotBlocked(LoyaltyError):
    """There is no block to lift."""

    code: ClassVar[str] = "NOT_BLOCKED"

    def __init__(self) -> None:
        super().__init__("the customer's points are not blocked; there is nothing to lift")


class TransfersNotAllowed(LoyaltyError):
    """The settings do not allow customers to transfer points."""

    code: ClassVar[str] = "TRANSFERS_NOT_ALLOWED"

    def __init__(self) -> None:
        super().__init__("customers cannot transfer points here; see `transfers` in the settings")


class TransferLimitReached(LoyaltyError):
    """More points were to be transferred than the settings allow; nothing was changed.

    Attributes:
        requested: points that were to go.
        most: as many could go now.
    """

    code: ClassVar[str] = "TRANSFER_LIMIT_REACHED"

    def __init__(self, requested: int, most: int) -> None:
        self.requested = requested
        self.most = most
        super().__init__(f"{requested} points were to go; at most {most} can be transferred now")


class AccountMerged(LoyaltyError):
    """The points of this customer were merged into another's; use that customer.

    Attributes:
        customer_id: whose points they were.
        into: whose they are now.
    """

    code: ClassVar[str] = "ACCOUNT_MERGED"

    def __init__(self, customer_id: UUID, into: UUID) -> None:
        self.customer_id = customer_id
        self.into = into
        super().__init__(
            f"these points were merged into those of cus_{into.hex}; use that customer"
        )


class NotMerged(LoyaltyError):
    """There is no merge to undo."""

    code: ClassVar[str] = "NOT_MERGED"

    def __init__(self) -> None:
        super().__init__("the customer's points are not merged; there is nothing to undo")
