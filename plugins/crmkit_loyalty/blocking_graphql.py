"""Blocks of points as GraphQL gives them; every rule is elsewhere."""

from datetime import datetime
from typing import Any
from uuid import UUID

import strawberry
from sqlalchemy import ColumnElement, FromClause, select
from strawberry import Info

from crmkit import table_of
from crmkit_loyalty.blocking import set_block
from crmkit_loyalty.blocking_errors import AlreadyBlocked
from crmkit_loyalty.blocking_models import PointsBlock
from crmkit_loyalty.redemption_graphql import customer_id_of
from crmkit_schema import PUBLIC, mapped, mutation, object_type, problem_type, related


def _blocks() -> FromClause:
    """Blocks, each with what lifted it."""
    block, lift = table_of(PointsBlock).alias("block"), table_of(PointsBlock).alias("lift")
    return (
        select(
            block.c.id,
            block.c.customer_id,
            block.c.reason,
            block.c.actor.label("blocked_by"),
            block.c.recorded_at.label("blocked_at"),
            lift.c.reason.label("lift_reason"),
            lift.c.actor.label("lifted_by"),
            lift.c.recorded_at.label("lifted_at"),
        )
        .select_from(block.outerjoin(lift, lift.c.lifts_block_id == block.c.id))
        .where(block.c.lifts_block_id.is_(None))
        .subquery("blocks")
    )


@object_type(_blocks(), permission="loyalty.read", sorted_by=("-blocked_at", "-id"))
class LoyaltyBlock:
    """A time in which nobody could spend a customer's points."""

    reason: str = mapped("Why they were blocked.")
    blocked_by: str = mapped("Who blocked them.", filter=True)
    blocked_at: datetime = mapped("When.", filter=True, sort=True)
    lift_reason: str | None = mapped("Why the block was lifted; null while it is in force.")
    lifted_by: str | None = mapped("Who lifted it.")
    lifted_at: datetime | None = mapped("When.", filter=True)


def is_in_force(block: FromClause) -> ColumnElement[bool]:
    """Return the condition that nothing has lifted a block."""
    return block.c.lifted_at.is_(None)


@strawberry.input(description="Points to block, or to unblock.")
class BlockPointsInput:
    """One request."""

    customer_id: strawberry.ID = strawberry.field(description="Whose points.")
    reason: str = strawberry.field(description="Why, in words.")
    idempotency_key: str = strawberry.field(
        description="Made by the caller, once for each request about the customer's block; "
        "sending it again changes nothing."
    )


@object_type(None, permission=PUBLIC)
class BlockPointsSuccess:
    """It was done, now or the first time."""

    block_id: strawberry.Private[Any]
    block: LoyaltyBlock = related("The block, as it is now.", parent="block_id")


@problem_type(AlreadyBlocked)
class AlreadyBlockedProblem:
    """There is a block already."""

    blocked_by: str = strawberry.field(description="Who blocked the points.")
    blocked_at: datetime = strawberry.field(description="When.")


@strawberry.type
class BlockingMutation:
    """Blocking points."""

    @mutation(
        "Let nobody spend, hold or transfer a customer's points; they are still earned.",
        permission="loyalty.block",
        problems=(AlreadyBlockedProblem,),
    )
    def block_points(self, info: Info, input: BlockPointsInput) -> BlockPointsSuccess:
        """Block points."""
        return BlockPointsSuccess(block_id=_set_block(info, input, blocks=True))

    @mutation("Lift the block of a customer's points.", permission="loyalty.block")
    def unblock_points(self, info: Info, input: BlockPointsInput) -> BlockPointsSuccess:
        """Unblock points."""
        return BlockPointsSuccess(block_id=_set_block(info, input, blocks=False))


def _set_block(info: Info, input: BlockPointsInput, *, blocks: bool) -> UUID:
    context = info.context
    customer_id = customer_id_of(input.customer_id, context)
    block_id: UUID = context.crm.write(
        lambda session: set_block(
            session,
            customer_id,
            blocks=blocks,
            reason=input.reason,
            key=input.idempotency_key,
            actor=context.actor.name,
            now=context.now,
        )
    )
    return block_id
