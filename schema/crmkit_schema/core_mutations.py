"""Core's root mutations: each hands a batch to the service of the same name."""

from collections.abc import Iterable, Sequence
from copy import copy
from itertools import islice
from typing import TypeVar

import strawberry
from strawberry import Info

from crmkit import ErrorPolicy, Refused, RowResult
from crmkit_schema.context import RequestContext
from crmkit_schema.core_answers import (
    AttachTransactionsSuccess,
    RecordInteractionsSuccess,
    RecordTransactionsSuccess,
    UpsertCustomersSuccess,
    customer_rows,
    interaction_rows,
    transaction_rows,
)
from crmkit_schema.core_inputs import (
    AttachTransactionInput,
    CustomerInput,
    InteractionInput,
    TransactionInput,
)
from crmkit_schema.mutations import mutation
from crmkit_schema.values import bad_input

ROWS_MAX = 1_000
T = TypeVar("T")

strawberry.enum(
    ErrorPolicy, description="What a batch does with its good rows when some are wrong."
)


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

    transactions: list[AttachTransactionInput] = strawberry.field(description="1,000 at most.")
    error_policy: ErrorPolicy = _POLICY


def record_together(
    context: RequestContext, inputs: Sequence[RecordTransactionsInput]
) -> list[RecordTransactionsSuccess]:
    """Record the transactions of several requests as one batch, if they want the same.

    Raises:
        Refused: one was refused; nothing was written.
    """
    whole, parts = copy(inputs[0]), [each.transactions for each in inputs]
    if any(not _are_alike(whole, each) for each in inputs) or sum(map(len, parts)) > ROWS_MAX:
        raise Refused("these requests cannot be recorded as one batch")
    whole.transactions = [each for part in parts for each in part]
    results = iter(_record(context, whole))
    return [
        RecordTransactionsSuccess(rows=transaction_rows(_numbered(islice(results, len(part)))))
        for part in parts
    ]


def _are_alike(one: RecordTransactionsInput, other: RecordTransactionsInput) -> bool:
    return (one.error_policy, one.create_missing_customers) == (
        other.error_policy,
        other.create_missing_customers,
    )


def _record(context: RequestContext, input: RecordTransactionsInput) -> list[RowResult]:
    if input.create_missing_customers:
        context.require(["customers.write"])
    return context.crm.record_transactions(
        [each.given() for each in _limited(input.transactions)],
        policy=input.error_policy,
        create_missing_customers=input.create_missing_customers,
        actor=context.actor.name,
    )


def _numbered(results: Iterable[RowResult]) -> list[RowResult]:
    """Return the results of one request, numbered as its own rows are."""
    return [
        RowResult(
            row, each.outcome, each.id, tuple(told._replace(row=row) for told in each.problems)
        )
        for row, each in enumerate(results)
    ]


@strawberry.type
class CoreMutation:
    """Core's mutations."""

    @mutation(
        "Record sales, returns, exchanges, voids and adjustments. Sending one again changes "
        "nothing and gives the first answer.",
        permission="transactions.write",
        together=record_together,
    )
    def record_transactions(
        self, info: Info, input: RecordTransactionsInput
    ) -> RecordTransactionsSuccess:
        """Record a batch."""
        return RecordTransactionsSuccess(rows=transaction_rows(_record(info.context, input)))

    @mutation("Record contacts with customers.", permission="interactions.write")
    def record_interactions(
        self, info: Info, input: RecordInteractionsInput
    ) -> RecordInteractionsSuccess:
        """Record a batch."""
        results = info.context.crm.record_interactions(
            [each.given() for each in _limited(input.interactions)],
            policy=input.error_policy,
            actor=info.context.actor.name,
        )
        return RecordInteractionsSuccess(rows=interaction_rows(results))

    @mutation("Create or change customers, by external id.", permission="customers.write")
    def upsert_customers(self, info: Info, input: UpsertCustomersInput) -> UpsertCustomersSuccess:
        """Write a batch."""
        results = info.context.crm.upsert_customers(
            [each.given() for each in _limited(input.customers)],
            policy=input.error_policy,
            actor=info.context.actor.name,
        )
        return UpsertCustomersSuccess(rows=customer_rows(results))

    @mutation(
        "Say whose anonymous transactions were; from then on they count everywhere.",
        permission="transactions.write",
    )
    def attach_transactions(
        self, info: Info, input: AttachTransactionsInput
    ) -> AttachTransactionsSuccess:
        """Attach a batch."""
        results = info.context.crm.attach_transactions(
            [each.given() for each in _limited(input.transactions)],
            policy=input.error_policy,
            actor=info.context.actor.name,
        )
        return AttachTransactionsSuccess(rows=transaction_rows(results))


def _limited(given: list[T]) -> list[T]:
    if len(given) > ROWS_MAX:
        raise bad_input(f"at most {ROWS_MAX} rows at once, got {len(given)}")
    return given
