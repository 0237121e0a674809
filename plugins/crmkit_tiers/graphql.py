"""Tiers as GraphQL gives them; every rule is elsewhere."""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, cast

import strawberry
from sqlalchemy import FromClause, select
from strawberry.scalars import JSON

from crmkit import SchemaContribution, table_of
from crmkit import models as core
from crmkit_schema import (
    Connection,
    Customer,
    RequestContext,
    computed,
    connection,
    mapped,
    object_type,
    related,
    subscription,
    value_type,
)
from crmkit_tiers import models
from crmkit_tiers.benefits import benefits_of
from crmkit_tiers.evaluation import Cause, Source
from crmkit_tiers.memberships import TIER_CHANGED
from crmkit_tiers.settings import Benefit, TiersSettings

strawberry.enum(Cause, name="TierChangeCause", description="Why a tier changed, or did not.")
strawberry.enum(Source, name="TierSource", description="Who gave a tier.")


@object_type(models.TierRules, permission="tiers.read", sorted_by=("version",))
class TierRules:
    """The rules of a tier set as they once were."""

    version: str = mapped("Digest of the rules.")
    rules: JSON = mapped("Tiers, conditions and policies, as the settings had them.")
    recorded_at: datetime = mapped("When they first led to a change.")


@value_type
class TierBenefit:
    """Something a tier is worth."""

    name: str = strawberry.field(description="As the settings name it.")
    value: JSON = strawberry.field(description="True, an amount, or a text.")


def _benefits(parents: Sequence[Any], context: RequestContext) -> list[list[TierBenefit]]:
    settings = cast(TiersSettings, context.crm.registry["tiers"].settings)
    return [
        [
            TierBenefit(name=name, value=cast(JSON, _as_json(value)))
            for name, value in benefits_of(settings, each.tier_set, each.tier).items()
        ]
        for each in parents
    ]


def _as_json(value: Benefit) -> bool | str:
    return str(value) if isinstance(value, Decimal) else value


def _customers() -> FromClause:
    """Every customer, whether looked at or not."""
    return select(table_of(core.Customer).c.id.label("customer_id")).subquery("customers")


@object_type(
    models.TierChange,
    permission="tiers.read",
    sorted_by=("-recorded_at", "-number", "-id"),
    node="tch",
)
class TierChange:
    """One change of what a customer holds in a tier set, or a review that left it; a fact."""

    tier_set: str = mapped("The tier set.", filter=True)
    number: int = mapped("Counts a customer's changes in the set from 1.")
    cause: Cause = mapped("Why.", filter=True)
    from_tier: str | None = mapped("Tier before; null at the first.")
    to_tier: str = mapped("Tier after.", filter=True)
    since_on: date = mapped("First day of the tier.")
    valid_until_on: date | None = mapped("Last day before staying is looked at.")
    at_risk_until_on: date | None = mapped("Last day of grace, if the tier is at risk.")
    locked_until_on: date | None = mapped("Last day on which no rule lowers the tier.")
    source: Source = mapped("Who gave the tier.")
    as_of_on: date = mapped("Last business day whose figures counted.")
    effective_at: datetime = mapped("When it happened.", filter=True, sort=True)
    recorded_at: datetime = mapped("When crmkit learned of it.", filter=True, sort=True)
    rule_version: str = mapped("Digest of the rules.")
    explanation: JSON = mapped("Moment, state before, and every figure with its days.")
    rules: TierRules = related(
        "The rules it was decided by.", parent="rule_version", child="version"
    )
    reason: str | None = mapped("Why, in words; null for a rule.")
    actor: str | None = mapped("Who did it; null for a rule.")
    customer: Customer | None = related("Whose tier.", parent="customer_id")


@object_type(models.TierMembership, permission="tiers.read", sorted_by=("tier_set", "customer_id"))
class TierMembership:
    """What a customer holds in one tier set."""

    tier_set: str = mapped("The tier set.")
    tier: str = mapped("The tier.")
    since_on: date = mapped("First day of the tier.")
    joined_on: date = mapped("The customer's first business day.")
    valid_until_on: date | None = mapped(
        "Last day before staying is looked at; null if no day is set."
    )
    at_risk_until_on: date | None = mapped(
        "Last day to make good what the last review missed; null if nothing is at risk."
    )
    locked_until_on: date | None = mapped("Last day on which no rule lowers the tier.")
    frozen_reason: str | None = mapped("Why no rule moves the tier at all until that day.")
    source: Source = mapped("Who gave the tier.")
    benefits: list[TierBenefit] | None = computed(
        "What the tier is worth.", _benefits, needs=("tier_set", "tier")
    )


@object_type(_customers(), permission="tiers.read", sorted_by=("customer_id",))
class CustomerTierRecord:
    """A customer's tiers."""

    memberships: list[TierMembership] = related(
        "One for each tier set in which the customer was looked at.",
        parent="customer_id",
        child="customer_id",
        order=("tier_set",),
    )
    history: Connection[TierChange] = connection(
        "Every change, latest first.", parent="customer_id", child="customer_id"
    )


@strawberry.type
class CustomerTiers:
    """What customers get."""

    tiers: CustomerTierRecord = related("Tiers.", child="customer_id")


@strawberry.type
class TiersSubscription:
    """What is told of tiers."""

    tier_changed: TierChange = subscription(
        "A tier that changed, was kept in a review, or was put at risk.",
        event=TIER_CHANGED,
    )


def contribution() -> SchemaContribution:
    """Return what the plugin adds to the schema."""
    return SchemaContribution(
        subscriptions=(TiersSubscription,),
        extends={"Customer": CustomerTiers},
        types=(TierChange,),
    )
