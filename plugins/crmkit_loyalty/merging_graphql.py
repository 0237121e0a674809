"""Merging points of customers; every rule is elsewhere."""

from typing import Any
from uuid import UUID

import strawberry
from strawberry import Info

from crmkit_loyalty.expiry_graphql import settings_of
from crmkit_loyalty.merging import Merge, merge
from crmkit_loyalty.redemption_graphql import customer_id_of
from crmkit_schema import PUBLIC, Customer, mutation, object_type, related


@strawberry.input(description="Points of one customer that become another's.")
class MergePointsInput:
    """One merge."""

    from_customer_id: strawberry.ID = strawberry.field(description="Whose points go.")
    into_customer_id: strawberry.ID = strawberry.field(description="Whose they become.")
    reason: str = strawberry.field(description="Why, in words.")
    idempotency_key: str = strawberry.field(
        description="Made by the caller, once for each merge of the customer and its undoing; "
        "sending it again changes nothing."
    )


@strawberry.input(description="A merge to undo.")
class UnmergePointsInput:
    """One merge that was wrong."""

    from_customer_id: strawberry.ID = strawberry.field(description="Whose points went.")
    reason: str = strawberry.field(description="Why, in words.")
    idempotency_key: str = strawberry.field(
        description="Made by the caller, once for each merge of the customer and its undoing; "
        "sending it again changes nothing."
    )


@object_type(None, permission=PUBLIC)
class MergePointsSuccess:
    """It was done, now or the first time."""

    from_id: strawberry.Private[Any]
    from_customer: Customer = related("Whose points went.", parent="from_id")


@strawberry.type
class MergingMutation:
    """Merging points."""

    @mutation(
        "Let all points and debts of a customer be another's, now and whatever comes later.",
        permission="loyalty.merge",
    )
    def merge_points(self, info: Info, input: MergePointsInput) -> MergePointsSuccess:
        """Merge points."""
        return _merge(info, input, customer_id_of(input.into_customer_id, info.context))

    @mutation(
        "Undo the merge of a customer's points: what is left of them goes back.",
        permission="loyalty.merge",
    )
    def unmerge_points(self, info: Info, input: UnmergePointsInput) -> MergePointsSuccess:
        """Undo a merge."""
        return _merge(info, input, None)


def _merge(
    info: Info, input: MergePointsInput | UnmergePointsInput, receiver: UUID | None
) -> MergePointsSuccess:
    context = info.context
    giver = customer_id_of(input.from_customer_id, context)
    asked = Merge(giver, receiver, input.reason, input.idempotency_key)
    context.crm.write(
        lambda session: merge(
            session,
            asked,
            actor=context.actor.name,
            now=context.now,
            settings=settings_of(context),
        )
    )
    return MergePointsSuccess(from_id=giver)
