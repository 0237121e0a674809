"""Proposed adjustments: kept until somebody else decides, once."""

from datetime import datetime
from uuid import UUID

from sqlmodel import Session, col, select, update

from crmkit import NotFound, ValidationFailed
from crmkit.checking import Row
from crmkit_loyalty.adjusting_errors import AdjustmentDecided, OwnProposal
from crmkit_loyalty.adjusting_models import ProposalState, ProposedAdjustment
from crmkit_loyalty.adjustment import REASON_MAX, Adjustment
from crmkit_loyalty.lots import AccountKey

_OPEN = col(ProposedAdjustment.state) == ProposalState.PROPOSED


def propose(
    session: Session, account: AccountKey, request: Adjustment, actor: str, now: datetime
) -> ProposedAdjustment:
    """Keep an adjustment until somebody else decides; points stay where they are."""
    session.add(
        ProposedAdjustment(
            customer_id=account.customer_id,
            point_kind=account.point_kind,
            points=request.points,
            reason_code=request.reason_code,
            reason=request.reason,
            idempotency_key=request.key,
            fingerprint=request.fingerprint,
            proposed_by=actor,
            proposed_at=now,
        )
    )
    session.flush()
    return proposal_with(session, account.customer_id, request.key)  # type: ignore[return-value]


def proposal_with(session: Session, customer_id: UUID, key: str) -> ProposedAdjustment | None:
    """Return the proposal that a key led to, free of the session, so that it outlives it."""
    wanted = select(ProposedAdjustment).where(
        ProposedAdjustment.customer_id == customer_id, ProposedAdjustment.idempotency_key == key
    )
    found = session.exec(wanted).one_or_none()
    if found is not None:
        session.expunge(found)
    return found


def decide(
    session: Session,
    proposal_id: UUID,
    state: ProposalState,
    *,
    note: str | None,
    actor: str,
    now: datetime,
) -> ProposedAdjustment | None:
    """Approve or reject a proposal, by one conditional statement.

    Returns:
        The proposal; None if the same person had decided the same before.

    Raises:
        ValidationFailed: the note is too long.
        NotFound: there is no such proposal.
        OwnProposal: whoever proposed it wants to approve it.
        AdjustmentDecided: it was decided otherwise, or by somebody else.
    """
    row = Row(0)
    note = row.text("note", note, REASON_MAX)
    if row.problems:
        raise ValidationFailed(row.problems)
    changes = {"state": state, "decided_by": actor, "decided_at": now, "decision_note": note}
    mine = col(ProposedAdjustment.id) == proposal_id
    deciding = update(ProposedAdjustment).where(mine, _OPEN)
    if state == ProposalState.APPROVED:
        deciding = deciding.where(col(ProposedAdjustment.proposed_by) != actor)
    is_decided = session.connection().execute(deciding.values(changes)).rowcount == 1
    found = session.exec(select(ProposedAdjustment).where(mine)).one_or_none()
    if found is None:
        raise NotFound("proposed adjustment", proposal_id)
    if is_decided:
        return found
    if found.state == ProposalState.PROPOSED:
        raise OwnProposal(found.proposed_by)
    if (found.state, found.decided_by) != (state, actor):
        raise AdjustmentDecided(ProposalState(found.state), str(found.decided_by))
    return None
