"""Tiers of a past day, as GraphQL gives them."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, cast

import strawberry

from crmkit_schema import RequestContext, value_type
from crmkit_tiers.as_of import held_on
from crmkit_tiers.settings import TiersSettings


@value_type
class TierHeld:
    """The tier that was held in one tier set."""

    tier_set: str = strawberry.field(description="The tier set.")
    tier: str = strawberry.field(
        description="The tier at the end of the day; the first for those who had none yet."
    )
    since_on: date | None = strawberry.field(
        description="First day of the tier; null if the customer was not looked at by then."
    )


def tiers_as_of(
    parents: Sequence[Any],
    context: RequestContext,
    *,
    on: date,
    known_at: datetime | None = None,
) -> list[list[TierHeld]]:
    """Return what each customer held at the end of a day, in every tier set there is or was."""
    settings = cast(TiersSettings, context.crm.registry["tiers"].settings)
    ids = {parent.customer_id for parent in parents}
    firsts = {
        name: TierHeld(tier_set=name, tier=each.tiers[0].name, since_on=None)
        for name, each in settings.sets.items()
    }
    held = {who: dict(firsts) for who in ids}
    for row in context.rows(held_on(ids, on, known_at)):
        name = row["tier_set"]
        held[row["customer_id"]][name] = TierHeld(
            tier_set=name, tier=row["to_tier"], since_on=row["since_on"]
        )
    return [[each for _, each in sorted(held[parent.customer_id].items())] for parent in parents]
