"""What the points programme refuses."""

from typing import ClassVar

from crmkit import Refused


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
