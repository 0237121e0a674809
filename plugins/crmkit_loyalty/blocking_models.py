"""Blocks of points: who, when and why."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from crmkit import Instant, new_id


class PointsBlock(SQLModel, table=True):
    """A customer's points were blocked, or a block was lifted; a fact.

    Attributes:
        lifts_block_id: the block that this lifts; null if it is a block itself.
        reason: why, in words.
        actor: who did it.
        idempotency_key: unique for the customer.
        fingerprint: digest of the request, to tell a repeat from a contradiction.
    """

    __tablename__ = "loyalty_points_block"
    __table_args__ = (
        Index("uq_loyalty_block_key", "customer_id", "idempotency_key", unique=True),
        Index("uq_loyalty_block_lifted", "lifts_block_id", unique=True),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    customer_id: UUID = Field(foreign_key="customer.id")
    lifts_block_id: UUID | None = Field(default=None, foreign_key="loyalty_points_block.id")
    reason: str
    actor: str
    idempotency_key: str
    fingerprint: str
    recorded_at: datetime = Field(sa_type=Instant)
