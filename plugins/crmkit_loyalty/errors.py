"""What several parts of the points programme refuse."""

from typing import ClassVar
from uuid import UUID

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


class AccountBlocked(LoyaltyError):
    """Nobody may spend, hold or transfer the points of this customer.

    Attributes:
        customer_id: whose points they are.
    """

    code: ClassVar[str] = "ACCOUNT_BLOCKED"

    def __init__(self, customer_id: UUID) -> None:
        self.customer_id = customer_id
        super().__init__("the customer's points are blocked; unblock them first")


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
