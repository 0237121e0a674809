"""Core's root mutations: each hands a batch to the service of the same name."""

from collections.abc import Sequence
from typing import TypeVar
from uuid import UUID

import strawberry
from strawberry import Info

from crmkit import ErrorPolicy, Outcome, RowResult
from crmkit_schema.core_inputs import AttachInput, CustomerInput, InteractionInput, TransactionInput
from crmkit_schema.customer_types import Customer
from crmkit_schema.declarations import related
from crmkit_schema.interaction_types import Interaction
from crmkit_schema.mutations import mutation
from crmkit_schema.object_types import object_type, value_type
from crmkit_schema.problems import RowProblem, row_problems
from crmkit_schema.specs import PUBLIC
from crmkit_schema.transaction_types import Transaction
from crmkit_schema.values import bad_input

ROWS_MAX = 1_000
T = TypeVar("T")

strawberry.enum(Outcome, name="RowOutcome", description="What became of one row.")
strawberry.enum(
    ErrorPolicy, description="What a batch does with its good rows when some are wrong."
)


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


_POLICY = strawberry.field(
    default=ErrorPolicy.REJECT_BATCH, description="What happens to good rows beside bad ones."
)


@strawberry.input(description="Transactions to record.")
class RecordTransactionsInput:
    """A batch."""

    transactions: list[TransactionInput] = strawberry.field(description="1,000 at most.")
    error_policy: ErrorPolicy = _POLICY
    create_missing_customers: bool = strawberry.field(
        default=False, description="Make a bare customer for each unknown external id."
    )


@strawberry.input(description="Interactions to record.")
class RecordInteractionsInput:
    """A batch."""

    interactions: list[InteractionInput] = strawberry.field(description="1,000 at most.")
    error_policy: ErrorPolicy = _POLICY


@strawberry.input(description="Customers to create or change.")
class UpsertCustomersInput:
    """A batch."""

    customers: list[CustomerInput] = strawberry.field(description="1,000 at most.")
    error_policy: ErrorPolicy = _POLICY


@strawberry.input(description="Anonymous transactions whose customer has become known.")
class AttachTransactionsInput:
    """A batch."""

    transactions: list[AttachInput] = strawberry.field(description="1,000 at most.")
    error_policy: ErrorPolicy = _POLICY


@strawberry.type
class CoreMutation:
    """Core's mutations."""

    @mutation(
        "Record sales, returns, exchanges, voids and adjustments. Sending one again changes "
        "nothing and gives the first answer.",
        permission="transactions.write",
    )
    def record_transactions(
        self, info: Info, input: RecordTransactionsInput
    ) -> RecordTransactionsSuccess:
        """Record a batch."""
        results = info.context.crm.record_transactions(
            [each.given() for each in _limited(input.transactions)],
            policy=input.error_policy,
            create_missing_customers=input.create_missing_customers,
        )
        return RecordTransactionsSuccess(rows=_transaction_rows(results))

    @mutation("Record contacts with customers.", permission="interactions.write")
    def record_interactions(
        self, info: Info, input: RecordInteractionsInput
    ) -> RecordInteractionsSuccess:
        """Record a batch."""
        results = info.context.crm.record_interactions(
            [each.given() for each in _limited(input.interactions)], policy=input.error_policy
        )
        rows = [
            InteractionRow(
                outcome=each.outcome,
                problems=row_problems(each.problems),
                interaction_id=each.id,
            )
            for each in results
        ]
        return RecordInteractionsSuccess(rows=rows)

    @mutation("Create or change customers, by external id.", permission="customers.write")
    def upsert_customers(self, info: Info, input: UpsertCustomersInput) -> UpsertCustomersSuccess:
        """Write a batch."""
        results = info.context.crm.upsert_customers(
            [each.given() for each in _limited(input.customers)], policy=input.error_policy
        )
        rows = [
            CustomerRow(
                outcome=each.outcome, problems=row_problems(each.problems), customer_id=each.id
            )
            for each in results
        ]
        return UpsertCustomersSuccess(rows=rows)

    @mutation(
        "Say whose anonymous transactions were; from then on they count everywhere.",
        permission="transactions.write",
    )
    def attach_transactions(
        self, info: Info, input: AttachTransactionsInput
    ) -> AttachTransactionsSuccess:
        """Attach a batch."""
        results = info.context.crm.attach_transactions(
            [each.given() for each in _limited(input.transactions)], policy=input.error_policy
        )
        return AttachTransactionsSuccess(rows=_transaction_rows(results))


def _limited(given: list[T]) -> list[T]:
    if len(given) > ROWS_MAX:
        raise bad_input(f"at most {ROWS_MAX} rows at once, got {len(given)}")
    return given


def _transaction_rows(results: Sequence[RowResult]) -> list[TransactionRow]:
    return [
        TransactionRow(
            outcome=each.outcome, problems=row_problems(each.problems), transaction_id=each.id
        )
        for each in results
    ]
