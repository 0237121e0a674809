"""What the plugin adds to the schema; every rule is elsewhere."""

import strawberry

from crmkit import SchemaContribution
from crmkit_schema import related, subscription
from crmkit_tiers.graphql_assigning import TiersMutation
from crmkit_tiers.graphql_changes import TierChange
from crmkit_tiers.graphql_customers import CustomerTierRecord
from crmkit_tiers.memberships import TIER_CHANGED


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
        mutations=(TiersMutation,),
        subscriptions=(TiersSubscription,),
        extends={"Customer": CustomerTiers},
        types=(TierChange,),
    )
