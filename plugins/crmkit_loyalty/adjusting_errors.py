"""What adjusting points refuses."""

from collections.abc import Sequence
from typing import ClassVar

from crmkit.errors import shown
from crmkit_loyalty.adjusting_models import ProposalState
from crmkit_loyalty.errors import LoyaltyError


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
