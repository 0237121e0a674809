"""Transferring points; every rule is elsewhere."""

from typing import Any

import strawberry
from sqlalchemy import ColumnElement, FromClause, and_, literal_column
from strawberry import Info

from crmkit_loyalty.entry_graphql import LoyaltyEntry
from crmkit_loyalty.expiry_graphql import settings_of
from crmkit_loyalty.models import EntryKind
from crmkit_loyalty.moving_errors import TransferLimitReached
from crmkit_loyalty.point_kinds import POINTS
from crmkit_loyalty.redeeming_graphql import InsufficientPointsProblem
from crmkit_loyalty.redemption_graphql import customer_id_of
from crmkit_loyalty.transferring import Transfer, transfer
from crmkit_schema import PUBLIC, Long, mutation, object_type, problem_type, related


def _is_received(entry: FromClause) -> ColumnElement[bool]:
    # Literal, for the partial index on sources to be used.
    is_no_accrual = entry.c.kind != literal_column("'accrual'")
    return and_(is_no_accrual, entry.c.kind == EntryKind.TRANSFER_IN)


@strawberry.input(description="Points that one customer gives to another.")
class TransferPointsInput:
    """One transfer."""

    from_customer_id: strawberry.ID = strawberry.field(description="Whose points go.")
    to_customer_id: strawberry.ID = strawberry.field(description="Who gets them.")
    points: Long = strawberry.field(description="How many.")
    point_kind: str = strawberry.field(default=POINTS, description="Which kind of points.")
    reason: str = strawberry.field(description="Why, in words; both may read it.")
    idempotency_key: str = strawberry.field(
        description="Made by the caller, once for each transfer of the giver; sending it again "
        "gives the first answer."
    )


@object_type(None, permission=PUBLIC)
class TransferPointsSuccess:
    """The transfer, as it was answered the first time."""

    entry_id: strawberry.Private[Any]
    transfer_id: strawberry.Private[Any]
    given: LoyaltyEntry = related("The giver's entry.", parent="entry_id")
    received: list[LoyaltyEntry] = related(
        "The receiver's entries: one for all points of the same dates.",
        parent="transfer_id",
        child="source_id",
        where=_is_received,
        order=("line",),
    )


@problem_type(TransferLimitReached)
class TransferLimitReachedProblem:
    """More points than may be transferred."""

    requested: Long = strawberry.field(description="Points that were to go.")
    most: Long = strawberry.field(description="As many could go now.")


@strawberry.type
class TransferringMutation:
    """Transferring points."""

    @mutation(
        "Move points that can be spent from one customer to another; they keep their dates.",
        permission="loyalty.transfer",
        problems=(InsufficientPointsProblem, TransferLimitReachedProblem),
    )
    def transfer_points(self, info: Info, input: TransferPointsInput) -> TransferPointsSuccess:
        """Transfer points."""
        context = info.context
        giver = customer_id_of(input.from_customer_id, context)
        receiver = customer_id_of(input.to_customer_id, context)
        asked = Transfer(
            giver, receiver, input.point_kind, input.points, input.reason, input.idempotency_key
        )
        entry = context.crm.write(
            lambda session: transfer(
                session,
                asked,
                actor=context.actor.name,
                now=context.now,
                settings=settings_of(context),
            )
        )
        return TransferPointsSuccess(entry_id=entry.id, transfer_id=entry.source_id)
