"""The mutation that gives a tier by hand."""

from typing import Any

import strawberry
from strawberry import Info

from crmkit import NotFound
from crmkit_schema import PUBLIC, DateInput, mutation, object_type, related
from crmkit_schema.nodes import stored_id
from crmkit_tiers.assigning import assign, read_assignment
from crmkit_tiers.graphql_changes import TierChange


@strawberry.input(description="A tier to give by hand.")
class AssignTierInput:
    """One assignment."""

    customer_id: strawberry.ID = strawberry.field(description="Whose tier.")
    tier_set: str = strawberry.field(description="The tier set.")
    tier: str = strawberry.field(description="The tier.")
    until_on: DateInput = strawberry.field(
        description="Last day on which no rule lowers it; then it is reviewed."
    )
    reason: str = strawberry.field(description="Why; the customer may read it.")
    freezes: bool = strawberry.field(
        default=False, description="Whether no rule moves it at all until then, not even up."
    )
    idempotency_key: str = strawberry.field(
        description="Made by the caller, once for each assignment of the customer; sending it "
        "again gives the first answer."
    )


@object_type(None, permission=PUBLIC)
class AssignTierSuccess:
    """The assignment, as it was answered the first time."""

    change_id: strawberry.Private[Any]
    change: TierChange = related("The change it led to.", parent="change_id")


@strawberry.type
class TiersMutation:
    """What can be done with tiers."""

    @mutation("Give a customer a tier until a day.", permission="tiers.assign")
    def assign_tier(self, info: Info, input: AssignTierInput) -> AssignTierSuccess:
        """Assign a tier."""
        context = info.context
        settings = context.crm.registry["tiers"].settings
        customer_id = stored_id("cus")(input.customer_id, context)
        if customer_id is None:
            raise NotFound("customer", input.customer_id)
        wanted = read_assignment(
            settings,
            input.tier_set,
            input.tier,
            input.until_on,
            input.reason,
            input.idempotency_key,
            freezes=input.freezes,
        )
        change = context.crm.write(
            lambda session: assign(
                session,
                customer_id,
                wanted,
                actor=context.actor.name,
                now=context.now,
                today=context.today,
                settings=settings,
                metrics=context.crm.registry.metrics,
            )
        )
        return AssignTierSuccess(change_id=change.id)
