"""Core's own part of the schema, contributed as a plugin's would be."""

import strawberry

from crmkit import SchemaContribution
from crmkit_schema.core_mutations import CoreMutation
from crmkit_schema.core_queries import CoreQuery
from crmkit_schema.interaction_types import Interaction
from crmkit_schema.transaction_types import Transaction


def core_contribution() -> SchemaContribution:
    """Return core's types, queries and mutations."""
    return SchemaContribution(
        queries=(CoreQuery,), mutations=(CoreMutation,), types=(Transaction, Interaction)
    )


def roots() -> tuple[type, type]:
    """Return the two root types, empty; composition fills them."""
    query = strawberry.type(type("Query", (), {}), description="Everything that can be asked.")
    mutation = strawberry.type(type("Mutation", (), {}), description="Everything that can be done.")
    return query, mutation
