"""What exchanging points for a reward refuses."""

from typing import ClassVar

from crmkit.errors import shown
from crmkit_loyalty.errors import LoyaltyError


class RewardNotAvailable(LoyaltyError):
    """The reward cannot be had: it is unknown, it is not its time, or none is left.

    Attributes:
        reward: its name.
        reason: `unknown`, `not_now` or `none_left`.
    """

    code: ClassVar[str] = "REWARD_NOT_AVAILABLE"

    def __init__(self, reward: str, reason: str) -> None:
        self.reward, self.reason = reward, reason
        super().__init__(f"the reward {shown(reward)!r} cannot be had: {reason.replace('_', ' ')}")
