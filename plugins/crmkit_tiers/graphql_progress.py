"""Where customers stand, as GraphQL gives it."""

from collections.abc import Sequence
from datetime import date
from typing import Any, cast

import strawberry
from sqlmodel import Session

from crmkit_schema import Amount, RequestContext, value_type
from crmkit_tiers.figures import Metrics
from crmkit_tiers.progress import Gap
from crmkit_tiers.progressing import load_progress
from crmkit_tiers.settings import TiersSettings


@value_type
class TierGap:
    """A condition that does not hold yet."""

    path: str = strawberry.field(
        description="Its place in the condition, such as `all.0`; below one `any`, one is enough."
    )
    metric: str = strawberry.field(description="What is counted.")
    unit: str = strawberry.field(description="In what; `money` is that of the tier set.")
    window: str = strawberry.field(description="The days that count.")
    days: int | None = strawberry.field(description="Length of a rolling window.")
    value: Amount = strawberry.field(description="What there is.")
    target: Amount = strawberry.field(description="What there must be.")
    missing: Amount = strawberry.field(description="What is missing.")
    until_on: date | None = strawberry.field(
        description="Last day on which it can be met; null where no day is set."
    )


@value_type
class TierProgress:
    """Where a customer stands in a tier set today."""

    tier_set: str = strawberry.field(description="The tier set.")
    tier: str = strawberry.field(description="The tier.")
    next_tier: str | None = strawberry.field(description="The tier above; null at the top.")
    to_rise: list[TierGap] = strawberry.field(description="What is missing for the next tier.")
    to_stay: list[TierGap] = strawberry.field(
        description="What is missing to keep the tier at the next review."
    )
    review_on: date | None = strawberry.field(
        description="Last day before staying is looked at; null if no day is set."
    )
    projected_tier: str = strawberry.field(
        description="What the review would lead to with the figures of today."
    )


def progress_of(parents: Sequence[Any], context: RequestContext) -> list[list[TierProgress]]:
    """Return where each customer stands in each tier set, today."""
    registry = context.crm.registry
    found = load_progress(
        cast(Session, context.session),
        cast(TiersSettings, registry["tiers"].settings),
        registry.metrics,
        [each.customer_id for each in parents],
        context.today,
    )
    return [
        [
            TierProgress(
                tier_set=name,
                tier=each.tier,
                next_tier=each.next_tier,
                to_rise=[_gap(gap, registry.metrics) for gap in each.to_rise],
                to_stay=[_gap(gap, registry.metrics) for gap in each.to_stay],
                review_on=each.review_on,
                projected_tier=each.projected_tier,
            )
            for name, each in found[parent.customer_id]
        ]
        for parent in parents
    ]


def _gap(gap: Gap, metrics: Metrics) -> TierGap:
    return TierGap(
        path=gap.path,
        metric=gap.key.metric,
        unit=metrics[gap.key.metric].unit,
        window=gap.key.window,
        days=gap.key.days,
        value=Amount(format(gap.value, "f")),
        target=Amount(format(gap.target, "f")),
        missing=Amount(format(gap.missing, "f")),
        until_on=gap.until_on,
    )
