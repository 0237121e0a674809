"""What the points programme refuses."""

from collections.abc import Sequence
from typing import ClassVar

from crmkit import Refused
from crmkit.errors import shown


class LoyaltyError(Refused):
    """Parent of every refusal of the points programme."""

    code: ClassVar[str] = "LOYALTY_REFUSED"


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
