"""What redeeming points refuses."""

from typing import ClassVar

from crmkit_loyalty.errors import LoyaltyError


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
