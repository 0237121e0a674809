"""Changes of tiers, and the rules they were decided by, as GraphQL gives them."""

from datetime import date, datetime

import strawberry
from strawberry.scalars import JSON

from crmkit_schema import Customer, mapped, object_type, related
from crmkit_tiers import models
from crmkit_tiers.states import Cause, Source

strawberry.enum(Cause, name="TierChangeCause", description="Why a tier changed, or did not.")
strawberry.enum(Source, name="TierSource", description="Who gave a tier.")


@object_type(models.TierRules, permission="tiers.read", sorted_by=("version",))
class TierRules:
    """The rules of a tier set as they once were."""

    version: str = mapped("Digest of the rules.")
    rules: JSON = mapped("Tiers, conditions and policies, as the settings had them.")
    recorded_at: datetime = mapped("When they first led to a change.")


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
