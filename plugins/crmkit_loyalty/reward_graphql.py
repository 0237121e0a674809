"""The catalogue of rewards as GraphQL gives it."""

from datetime import date
from enum import StrEnum

import strawberry
from strawberry import Info

from crmkit.money import currency_digits
from crmkit_loyalty.expiry_graphql import settings_of
from crmkit_loyalty.redeemed import Caller
from crmkit_loyalty.redeeming_graphql import InsufficientPointsProblem, RedeemPointsSuccess
from crmkit_loyalty.redemption_graphql import PointRedemption, customer_id_of
from crmkit_loyalty.reward_errors import RewardNotAvailable
from crmkit_loyalty.reward_stock import taken_of
from crmkit_loyalty.rewarding import price_for, redeem_reward
from crmkit_loyalty.rewards import Reward
from crmkit_loyalty.settings import LoyaltySettings
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


class RewardKind(StrEnum):
    """What a reward is."""

    GOODS = "goods"
    DISCOUNT = "discount"
    COUPON = "coupon"


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
        settings = settings_of(context)
        day = settings.day_of(context.now)
        whose = None if customer_id is None else customer_id_of(customer_id, context)
        caller = Caller(context.actor.name, context.now, "")
        services = context.crm.registry.services
        rewards = [reward for reward in settings.rewards if reward.can_be_had_on(day)]
        with context.snapshot() as session:
            taken = taken_of(session, [reward.name for reward in rewards])
            prices = [
                reward.points
                if whose is None
                else price_for(session, whose, reward, caller, services)
                for reward in rewards
            ]
        return [
            _shown(reward, price, taken.get(reward.name, 0), settings)
            for reward, price in zip(rewards, prices, strict=True)
            if reward.stock is None or taken.get(reward.name, 0) < reward.stock
        ]

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


def _shown(reward: Reward, price: int, taken: int, settings: LoyaltySettings) -> LoyaltyReward:
    value = None
    if reward.value is not None:
        minor = int(reward.value.scaleb(currency_digits(settings.currency)))
        value = Money(minor=Long(minor), currency=settings.currency)
    return LoyaltyReward(
        name=reward.name,
        title=reward.title,
        kind=RewardKind(reward.kind),
        points=Long(price),
        point_kind=reward.point_kind,
        sku=reward.sku,
        value=value,
        until_on=reward.until_on,
        left=None if reward.stock is None else Long(reward.stock - taken),
    )
