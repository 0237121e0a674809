"""What customers hold, as GraphQL gives it."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any, cast

import strawberry
from sqlalchemy import FromClause, select
from strawberry.scalars import JSON

from crmkit import models as core
from crmkit import table_of
from crmkit_schema import (
    Connection,
    RequestContext,
    computed,
    connection,
    mapped,
    object_type,
    related,
    value_type,
)
from crmkit_tiers import models
from crmkit_tiers.benefits import benefits_of
from crmkit_tiers.graphql_as_of import TierHeld, tiers_as_of
from crmkit_tiers.graphql_changes import TierChange
from crmkit_tiers.graphql_progress import TierProgress, progress_of
from crmkit_tiers.settings import Benefit, TiersSettings
from crmkit_tiers.states import Source


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


def _has_benefit(parents: Sequence[Any], context: RequestContext, *, name: str) -> list[bool]:
    settings = cast(TiersSettings, context.crm.registry["tiers"].settings)
    table = table_of(models.TierMembership)
    statement = select(table.c.customer_id, table.c.tier_set, table.c.tier).where(
        table.c.customer_id.in_({each.customer_id for each in parents})
    )
    owners = {
        row["customer_id"]
        for row in context.rows(statement)
        if benefits_of(settings, row["tier_set"], row["tier"]).get(name, False) is not False
    }
    return [each.customer_id in owners for each in parents]


def _customers() -> FromClause:
    """Every customer, whether looked at or not."""
    return select(table_of(core.Customer).c.id.label("customer_id")).subquery("customers")


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
    has_benefit: bool | None = computed(
        "Whether one of the tiers has a benefit of this name now.",
        _has_benefit,
        needs=("customer_id",),
    )
    as_of: list[TierHeld] | None = computed(
        "The tier held at the end of a day, in each tier set; with `knownAt`, by what crmkit knew "
        "at an instant.",
        tiers_as_of,
        needs=("customer_id",),
    )
    progress: list[TierProgress] | None = computed(
        "Where the customer stands in each tier set today.", progress_of, needs=("customer_id",)
    )
