"""What blocking points refuses."""

from datetime import datetime
from typing import ClassVar

from crmkit.errors import shown
from crmkit_loyalty.errors import LoyaltyError


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
