"""What moving points between customers refuses."""

from typing import ClassVar

from crmkit_loyalty.errors import LoyaltyError


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


class NotMerged(LoyaltyError):
    """There is no merge to undo."""

    code: ClassVar[str] = "NOT_MERGED"

    def __init__(self) -> None:
        super().__init__("the customer's points are not merged; there is nothing to undo")
