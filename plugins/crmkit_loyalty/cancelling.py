"""Taking a redemption back as a whole, when a purchase did not come about."""

from uuid import UUID

from sqlmodel import Session

from crmkit import ValidationFailed
from crmkit.checking import Row
from crmkit_loyalty import ledger
from crmkit_loyalty.adjustment import REASON_MAX
from crmkit_loyalty.entries import Posted
from crmkit_loyalty.giving_back import Cause, Spent
from crmkit_loyalty.models import EntryKind, LedgerEntry
from crmkit_loyalty.redeemed import Caller, kept, open_redemption
from crmkit_loyalty.redeeming_errors import RedemptionEnded
from crmkit_loyalty.redemption_models import Redemption, RedemptionState
from crmkit_loyalty.refunds import load_refunds
from crmkit_loyalty.reward_stock import put_back
from crmkit_loyalty.settings import LoyaltySettings


def cancel(
    session: Session, redemption_id: UUID, reason: str, caller: Caller, settings: LoyaltySettings
) -> Redemption:
    """Give back what has not come back yet of a redemption; doing it again changes nothing.

    Points go where those of a return go.

    Args:
        reason: why; the customer may read it.
        caller: needs no idempotency key.

    Raises:
        ValidationFailed: the reason is empty or too long.
        NotFound: there is no such redemption.
        RedemptionEnded: it is held or released, so that there is nothing to give back.
    """
    row = Row(0)
    reason = row.required_text("reason", reason, REASON_MAX)
    if row.problems:
        raise ValidationFailed(row.problems)
    book, made = open_redemption(session, redemption_id, caller, settings)
    if made.state == RedemptionState.CANCELLED:
        session.expunge(made)
        return made
    if made.state != RedemptionState.REDEEMED or made.entry_id is None:
        raise RedemptionEnded(made.state)
    stored = session.get_one(LedgerEntry, made.entry_id)
    entry = Posted(
        stored.id, made.customer_id, EntryKind.REDEMPTION, made.point_kind, stored.points_delta,
        None, None, None, None,
    )  # fmt: skip
    refunds = load_refunds(session, book, [Spent(redemption_id, entry, made.value_minor)])
    cause = Cause("redemption", redemption_id, caller.now, reason, caller.actor)
    refunds.give_all(book, entry, cause)
    ledger.write(session, book)
    if made.reward is not None:
        put_back(session, made.reward)
    made.state = RedemptionState.CANCELLED
    return kept(session, made)
