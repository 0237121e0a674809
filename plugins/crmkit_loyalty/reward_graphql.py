"""The catalogue of rewards as GraphQL gives it."""

from datetime import date

import strawberry
from strawberry import Info

from crmkit_loyalty.expiry_graphql import settings_of
from crmkit_loyalty.redeemed import Caller
from crmkit_loyalty.redeeming_graphql import InsufficientPointsProblem, RedeemPointsSuccess
from crmkit_loyalty.redemption_graphql import PointRedemption, customer_id_of
from crmkit_loyalty.reward_errors import RewardNotAvailable
from crmkit_loyalty.rewarding import Offer, offers, redeem_reward
from crmkit_loyalty.rewards import RewardKind
from crmkit_schema import (
    Connection,
    Long,
    Money,
    RequestContext,
    connection,
    mutation,
    problem_type,
    resolved,
    value_type,
)

strawberry.enum(RewardKind, description="What a reward is.")


@value_type
class LoyaltyReward:
    """Something that points can be exchanged for."""

    name: str = strawberry.field(description="As it is stored with redemptions.")
    title: str = strawberry.field(description="As customers read it.")
    kind: RewardKind = strawberry.field(description="What it is.")
    points: Long = strawberry.field(description="What it costs the customer, or anybody.")
    point_kind: str = strawberry.field(description="The kind of points that it costs.")
    sku: str | None = strawberry.field(description="The article, for goods.")
    value: Money | None = strawberry.field(description="What a discount or a coupon is worth.")
    until_on: date | None = strawberry.field(description="Last business day; null means for ever.")
    left: Long | None = strawberry.field(description="How many are left; null means any number.")


@strawberry.type
class RewardQuery:
    """What can be had for points."""

    @resolved(
        "Rewards that can be had today, at the price of a customer's tiers if one is named.",
        permission="loyalty.read",
    )
    def loyalty_rewards(
        self, info: Info, customer_id: strawberry.ID | None = None
    ) -> list[LoyaltyReward]:
        """Return the catalogue."""
        context: RequestContext = info.context
        settings, services = settings_of(context), context.crm.registry.services
        whose = None if customer_id is None else customer_id_of(customer_id, context)
        with context.snapshot() as session:
            found = offers(session, whose, context.now, settings, services)
        return [_shown(offer, settings.currency) for offer in found]

    point_redemptions: Connection[PointRedemption] = connection(
        "What was redeemed or held of all customers; filter by code to find a coupon."
    )


@strawberry.input(description="A reward to exchange points for.")
class RedeemRewardInput:
    """One redemption."""

    customer_id: strawberry.ID = strawberry.field(description="Whose points.")
    reward: str = strawberry.field(description="The reward's name.")
    idempotency_key: str = strawberry.field(
        description="Made by the caller, once for each redemption of the customer; sending it "
        "again gives the same redemption, and the same code."
    )


@problem_type(RewardNotAvailable)
class RewardNotAvailableProblem:
    """The reward cannot be had."""

    reward: str = strawberry.field(description="Its name.")
    reason: str = strawberry.field(description="`unknown`, `not_now` or `none_left`.")


@strawberry.type
class RewardMutation:
    """What exchanges points."""

    @mutation(
        "Exchange points for a reward.",
        permission="loyalty.redeem",
        problems=(InsufficientPointsProblem, RewardNotAvailableProblem),
    )
    def redeem_reward(self, info: Info, input: RedeemRewardInput) -> RedeemPointsSuccess:
        """Redeem."""
        context = info.context
        id_ = customer_id_of(input.customer_id, context)
        caller = Caller(context.actor.name, context.now, input.idempotency_key)
        settings, services = settings_of(context), context.crm.registry.services
        made = context.crm.write(
            lambda session: redeem_reward(session, id_, input.reward, caller, settings, services)
        )
        return RedeemPointsSuccess(redemption_id=made.id)


def _shown(offer: Offer, currency: str) -> LoyaltyReward:
    reward, worth = offer.reward, Long(offer.reward.value_minor(currency))
    return LoyaltyReward(
        name=reward.name,
        title=reward.title,
        kind=reward.kind,
        points=Long(offer.points),
        point_kind=reward.point_kind,
        sku=reward.sku,
        value=None if reward.value is None else Money(minor=worth, currency=currency),
        until_on=reward.until_on,
        left=None if offer.left is None else Long(offer.left),
    )
