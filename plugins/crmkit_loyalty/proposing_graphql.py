"""Adjustments that wait for a second person, and deciding on them; every rule is elsewhere."""

from datetime import datetime
from typing import Any
from uuid import UUID

import strawberry
from sqlalchemy import ColumnElement, FromClause, literal_column
from strawberry import Info

from crmkit import NotFound
from crmkit_loyalty import adjusting_models, proposing
from crmkit_loyalty.adjusting import approve
from crmkit_loyalty.adjusting_errors import AdjustmentDecided, OwnProposal
from crmkit_loyalty.adjusting_models import ProposalState
from crmkit_loyalty.entry_graphql import LoyaltyEntry
from crmkit_loyalty.expiry_graphql import settings_of
from crmkit_loyalty.redeeming_graphql import InsufficientPointsProblem
from crmkit_schema import (
    PUBLIC,
    Connection,
    Customer,
    Long,
    connection,
    mapped,
    mutation,
    object_type,
    problem_type,
    related,
)
from crmkit_schema.nodes import stored_id

strawberry.enum(ProposalState, description="What became of a proposed adjustment.")


def _is_no_accrual(entry: FromClause) -> ColumnElement[bool]:
    # Literal, for the partial index on sources to be used.
    return entry.c.kind != literal_column("'accrual'")


@object_type(
    adjusting_models.ProposedAdjustment,
    permission="loyalty.read",
    sorted_by=("-proposed_at", "-id"),
    node="adj",
)
class ProposedAdjustment:
    """An adjustment that moves points when somebody else approves it."""

    point_kind: str = mapped("Which kind of points.")
    points: Long = mapped("Points to give; negative takes them.", filter=True)
    reason_code: str = mapped("Its reason among those of the settings.", filter=True)
    reason: str = mapped("Why, in words.")
    state: ProposalState = mapped("What became of it.", filter=True)
    proposed_by: str = mapped("Who asked for it.", filter=True)
    proposed_at: datetime = mapped("When.", filter=True, sort=True)
    decided_by: str | None = mapped("Who approved or rejected it.")
    decided_at: datetime | None = mapped("When.")
    decision_note: str | None = mapped("What they had to say.")
    customer: Customer | None = related("Whose points.", parent="customer_id")
    entry: LoyaltyEntry | None = related("What it led to, once it is approved.", child="source_id")


@strawberry.type
class ProposingQuery:
    """What waits for a second person."""

    proposed_adjustments: Connection[ProposedAdjustment] = connection(
        "Adjustments that need a second person, latest first; filter by state for those that wait."
    )


@strawberry.input(description="A decision on a proposed adjustment.")
class DecideAdjustmentInput:
    """One decision."""

    id: strawberry.ID = strawberry.field(description="The proposed adjustment.")
    note: str | None = strawberry.field(default=None, description="What there is to say about it.")


@object_type(None, permission=PUBLIC)
class DecideAdjustmentSuccess:
    """The decision stands; saying the same again changes nothing."""

    proposal_id: strawberry.Private[Any]
    proposal: ProposedAdjustment = related("What was decided.", parent="proposal_id")


@problem_type(OwnProposal)
class OwnProposalProblem:
    """Whoever proposed it cannot approve it."""

    proposed_by: str = strawberry.field(description="Who it was.")


@problem_type(AdjustmentDecided)
class AdjustmentDecidedProblem:
    """It was decided before, otherwise or by somebody else."""

    state: ProposalState = strawberry.field(description="What was decided.")
    decided_by: str = strawberry.field(description="By whom.")


@strawberry.type
class ProposingMutation:
    """Deciding on adjustments."""

    @mutation(
        "Let an adjustment that somebody else proposed move points.",
        permission="loyalty.approve",
        problems=(OwnProposalProblem, AdjustmentDecidedProblem, InsufficientPointsProblem),
    )
    def approve_adjustment(
        self, info: Info, input: DecideAdjustmentInput
    ) -> DecideAdjustmentSuccess:
        """Approve an adjustment."""
        context, proposal_id = info.context, _stored(info, input)
        context.crm.write(
            lambda session: approve(
                session,
                proposal_id,
                note=input.note,
                actor=context.actor.name,
                now=context.now,
                settings=settings_of(context),
            )
        )
        return DecideAdjustmentSuccess(proposal_id=proposal_id)

    @mutation(
        "Reject a proposed adjustment; whoever proposed it may take it back this way.",
        permission="loyalty.approve",
        problems=(AdjustmentDecidedProblem,),
    )
    def reject_adjustment(
        self, info: Info, input: DecideAdjustmentInput
    ) -> DecideAdjustmentSuccess:
        """Reject an adjustment."""
        context, proposal_id = info.context, _stored(info, input)
        context.crm.write(
            lambda session: proposing.decide(
                session,
                proposal_id,
                ProposalState.REJECTED,
                note=input.note,
                actor=context.actor.name,
                now=context.now,
            )
        )
        return DecideAdjustmentSuccess(proposal_id=proposal_id)


def _stored(info: Info, input: DecideAdjustmentInput) -> UUID:
    found = stored_id("adj")(input.id, info.context)
    if found is None:
        raise NotFound("proposed adjustment", input.id)
    return found
