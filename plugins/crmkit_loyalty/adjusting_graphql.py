"""Adjusting points by hand; every rule is elsewhere."""

from typing import Any

import strawberry
from strawberry import Info

from crmkit_loyalty import adjusting_models
from crmkit_loyalty.adjusting import adjust
from crmkit_loyalty.adjusting_errors import UnknownReasonCode
from crmkit_loyalty.entry_graphql import LoyaltyEntry
from crmkit_loyalty.expiry_graphql import settings_of
from crmkit_loyalty.point_kinds import POINTS
from crmkit_loyalty.proposing_graphql import ProposedAdjustment
from crmkit_loyalty.redeeming_graphql import InsufficientPointsProblem
from crmkit_loyalty.redemption_graphql import customer_id_of
from crmkit_schema import PUBLIC, Long, mutation, object_type, problem_type, related


@strawberry.input(description="Points to give or take by hand.")
class AdjustPointsInput:
    """One adjustment."""

    customer_id: strawberry.ID = strawberry.field(description="Whose points.")
    points: Long = strawberry.field(description="How many; negative takes them.")
    point_kind: str = strawberry.field(default=POINTS, description="Which kind of points.")
    reason_code: str = strawberry.field(
        description="Which of the reasons in the settings, such as goodwill or correction."
    )
    reason: str = strawberry.field(description="Why, in words; the customer may read it.")
    idempotency_key: str = strawberry.field(
        description="Made by the caller, once for each adjustment of the customer; sending it "
        "again gives the first answer."
    )


@object_type(None, permission=PUBLIC)
class AdjustPointsSuccess:
    """The adjustment, as it was answered the first time."""

    entry_id: strawberry.Private[Any]
    entry: LoyaltyEntry = related("The entry it led to.", parent="entry_id")


@object_type(None, permission=PUBLIC)
class AdjustPointsProposed:
    """No points have moved: somebody else has to approve it."""

    proposal_id: strawberry.Private[Any]
    proposal: ProposedAdjustment = related(
        "What waits, or what became of it.", parent="proposal_id"
    )


@problem_type(UnknownReasonCode)
class UnknownReasonCodeProblem:
    """The settings do not list this reason."""

    reason_code: str = strawberry.field(description="What was sent.")
    known: list[str] = strawberry.field(description="The codes that can be used.")


@strawberry.type
class AdjustingMutation:
    """Adjusting points by hand."""

    @mutation(
        "Give points to a customer, or take them; above a limit somebody else has to approve it.",
        permission="loyalty.adjust",
        problems=(InsufficientPointsProblem, UnknownReasonCodeProblem),
    )
    def adjust_points(
        self, info: Info, input: AdjustPointsInput
    ) -> AdjustPointsSuccess | AdjustPointsProposed:
        """Adjust points."""
        context = info.context
        customer_id = customer_id_of(input.customer_id, context)
        answer = context.crm.write(
            lambda session: adjust(
                session,
                customer_id,
                input.points,
                point_kind=input.point_kind,
                reason_code=input.reason_code,
                reason=input.reason,
                key=input.idempotency_key,
                actor=context.actor.name,
                now=context.now,
                settings=settings_of(context),
            )
        )
        if isinstance(answer, adjusting_models.ProposedAdjustment):
            return AdjustPointsProposed(proposal_id=answer.id)
        return AdjustPointsSuccess(entry_id=answer.id)
