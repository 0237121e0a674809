"""Adjustments that wait for a second person."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Index
from sqlmodel import Field, SQLModel

from crmkit import Instant, new_id


class ProposalState(StrEnum):
    """What became of a proposed adjustment."""

    PROPOSED = "proposed"
    APPROVED = "approved"
    REJECTED = "rejected"


class ProposedAdjustment(SQLModel, table=True):
    """An adjustment that moves points when somebody else approves it; decided once.

    Attributes:
        idempotency_key: as stored with entries; unique for the customer.
        fingerprint: digest of the request, to tell a repeat from a contradiction.
        proposed_by: who asked for it.
        decided_by: who approved or rejected it.
        decision_note: what they had to say.
    """

    __tablename__ = "loyalty_proposed_adjustment"
    __table_args__ = (
        CheckConstraint("points <> 0", name="ck_loyalty_proposal_points"),
        CheckConstraint(
            "(state = 'proposed') = (decided_by IS NULL)", name="ck_loyalty_proposal_decided"
        ),
        CheckConstraint(
            "state <> 'approved' OR decided_by <> proposed_by", name="ck_loyalty_proposal_persons"
        ),
        Index("uq_loyalty_proposal_key", "customer_id", "idempotency_key", unique=True),
        Index("ix_loyalty_proposal_state", "state", "proposed_at", "id"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    customer_id: UUID = Field(foreign_key="customer.id")
    point_kind: str
    points: int = Field(sa_type=BigInteger)
    reason_code: str
    reason: str
    idempotency_key: str
    fingerprint: str
    proposed_by: str
    proposed_at: datetime = Field(sa_type=Instant)
    state: str = ProposalState.PROPOSED
    decided_by: str | None = None
    decided_at: datetime | None = Field(default=None, sa_type=Instant)
    decision_note: str | None = None
