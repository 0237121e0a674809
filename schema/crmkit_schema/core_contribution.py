"""Core's own part of the schema, contributed as a plugin's would be."""

import strawberry

from crmkit import SchemaContribution
from crmkit_schema.core_mutations import CoreMutation
from crmkit_schema.core_queries import CoreQuery
from crmkit_schema.core_subscriptions import CoreSubscription
from crmkit_schema.interaction_types import Interaction
from crmkit_schema.job_mutations import JobMutation
from crmkit_schema.transaction_types import Transaction


def core_contribution() -> SchemaContribution:
    """Return core's types and root fields."""
    return SchemaContribution(
        queries=(CoreQuery,),
        mutations=(CoreMutation, JobMutation),
        subscriptions=(CoreSubscription,),
        types=(Transaction, Interaction),
    )


def roots() -> tuple[type, type, type]:
    """Return the three root types, empty; composition fills them."""
    query = strawberry.type(type("Query", (), {}), description="Everything that can be asked.")
    mutation = strawberry.type(type("Mutation", (), {}), description="Everything that can be done.")
    subscription = strawberry.type(
        type("Subscription", (), {}), description="Everything that is told as it happens."
    )
    return query, mutation, subscription
