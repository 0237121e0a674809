"""What core's mutations answer: one row for each row that was sent."""

from collections.abc import Sequence
from uuid import UUID

import strawberry

from crmkit import Outcome, RowResult
from crmkit_schema.customer_types import Customer
from crmkit_schema.declarations import related
from crmkit_schema.interaction_types import Interaction
from crmkit_schema.object_types import object_type, value_type
from crmkit_schema.problems import RowProblem, row_problems
from crmkit_schema.specs import PUBLIC
from crmkit_schema.transaction_types import Transaction

strawberry.enum(Outcome, name="RowOutcome", description="What became of one row.")


@object_type(None, permission=PUBLIC)
class TransactionRow:
    """What became of one transaction."""

    outcome: Outcome = strawberry.field(description="Taken, known already, or rejected.")
    problems: list[RowProblem] = strawberry.field(description="Why it was rejected.")
    transaction_id: strawberry.Private[UUID | None]
    transaction: Transaction | None = related("The transaction.", parent="transaction_id")


@object_type(None, permission=PUBLIC)
class InteractionRow:
    """What became of one interaction."""

    outcome: Outcome = strawberry.field(description="Taken, known already, or rejected.")
    problems: list[RowProblem] = strawberry.field(description="Why it was rejected.")
    interaction_id: strawberry.Private[UUID | None]
    interaction: Interaction | None = related("The interaction.", parent="interaction_id")


@object_type(None, permission=PUBLIC)
class CustomerRow:
    """What became of one customer."""

    outcome: Outcome = strawberry.field(
        description="Taken if created or changed, known if it was like this already."
    )
    problems: list[RowProblem] = strawberry.field(description="Why it was rejected.")
    customer_id: strawberry.Private[UUID | None]
    customer: Customer | None = related("The customer.", parent="customer_id")


@value_type
class RecordTransactionsSuccess:
    """One answer per transaction that was sent, in order."""

    rows: list[TransactionRow] = strawberry.field(description="In the order sent.")


@value_type
class AttachTransactionsSuccess:
    """One answer per transaction that was named, in order."""

    rows: list[TransactionRow] = strawberry.field(description="In the order sent.")


@value_type
class RecordInteractionsSuccess:
    """One answer per interaction that was sent, in order."""

    rows: list[InteractionRow] = strawberry.field(description="In the order sent.")


@value_type
class UpsertCustomersSuccess:
    """One answer per customer that was sent, in order."""

    rows: list[CustomerRow] = strawberry.field(description="In the order sent.")


def transaction_rows(results: Sequence[RowResult]) -> list[TransactionRow]:
    """Return results of a batch of transactions as GraphQL gives them."""
    return [
        TransactionRow(
            outcome=each.outcome, problems=row_problems(each.problems), transaction_id=each.id
        )
        for each in results
    ]


def interaction_rows(results: Sequence[RowResult]) -> list[InteractionRow]:
    """Return results of a batch of interactions as GraphQL gives them."""
    return [
        InteractionRow(
            outcome=each.outcome, problems=row_problems(each.problems), interaction_id=each.id
        )
        for each in results
    ]


def customer_rows(results: Sequence[RowResult]) -> list[CustomerRow]:
    """Return results of a batch of customers as GraphQL gives them."""
    return [
        CustomerRow(outcome=each.outcome, problems=row_problems(each.problems), customer_id=each.id)
        for each in results
    ]
