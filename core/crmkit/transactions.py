"""Recording transactions: the only code that writes them."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlmodel import Session

from crmkit import metrics
from crmkit.announcements import announce_transactions
from crmkit.batches import (
    CustomerBatch,
    RecordedTransaction,
    Refusal,
    TransactionBatch,
)
from crmkit.bulk import small_writes
from crmkit.completing import complete
from crmkit.customer_lookup import Name, create_customers, find_and_lock_customers
from crmkit.errors import Problem
from crmkit.ids import new_id
from crmkit.inputs import ErrorPolicy, Outcome, RowResult, TransactionInput
from crmkit.known_transactions import leave_out_known
from crmkit.metrics_sums import sums_of
from crmkit.outcomes import Outcomes
from crmkit.plugins import PluginRegistry
from crmkit.transaction_rows import insert_transactions
from crmkit.transaction_rules import CheckedTransaction, check_transaction

Read = CheckedTransaction | tuple[Problem, ...]
"""A well-formed transaction, or what is wrong with it; its row is its place in the sequence."""


def read_transactions(inputs: Sequence[TransactionInput], zone: ZoneInfo) -> list[Read]:
    """Read transactions as far as that needs no look-up.

    Args:
        zone: the shops' time zone.
    """
    return [check_transaction(number, given, zone) for number, given in enumerate(inputs)]


def record_transactions(
    session: Session,
    registry: PluginRegistry,
    transactions: Sequence[Read],
    *,
    now: datetime,
    policy: ErrorPolicy = ErrorPolicy.REJECT_BATCH,
    create_missing_customers: bool = False,
    actor: str | None = None,
) -> list[RowResult]:
    """Write transactions, update the metrics of their customers and tell the plugins.

    A transaction whose source and external id are known already changes nothing and gets the
    first one's id; with other content it is rejected as EXTERNAL_ID_CONFLICT.

    Args:
        transactions: as `read_transactions` gives them.
        now: becomes `recorded_at`.
        policy: what happens to good rows beside bad ones.
        create_missing_customers: make a bare customer for each unknown external id.
        actor: who sends them, for the plugins.

    Returns:
        One result per transaction, in the same order.

    Raises:
        ValidationFailed: a row is wrong and the policy is REJECT_BATCH; nothing was written.
        Refused: a plugin refused the batch; nothing was written.
    """
    outcomes = Outcomes()
    checked = []
    for number, each in enumerate(transactions):
        if isinstance(each, CheckedTransaction):
            checked.append(each)
        else:
            outcomes.reject(number, each)
    fresh = leave_out_known(session, checked, outcomes)
    customers = find_and_lock_customers(session, (each.customer for each in fresh))
    missing = _missing(fresh, customers) if create_missing_customers else {}
    customers.update(missing.items())
    fresh = _require_customers(fresh, customers, outcomes)
    recorded = complete(session, fresh, customers, outcomes)
    outcomes.enforce(policy)
    if recorded:
        batch = TransactionBatch(tuple(recorded.values()), now, actor)
        recorded = _ask_plugins(session, registry, recorded, batch, outcomes)
        outcomes.enforce(policy)
    fingerprints = {each.row: each.fingerprint for each in fresh}
    batch = TransactionBatch(tuple(recorded.values()), now, actor)
    _write(session, registry, recorded, fingerprints, missing, batch)
    for row, transaction in recorded.items():
        outcomes.add(RowResult(row, Outcome.TAKEN, transaction.id))
    return outcomes.in_order()


def _missing(
    fresh: Sequence[CheckedTransaction], customers: dict[Name, UUID]
) -> dict[tuple[str, str], UUID]:
    """Return an id for each customer that another system names and crmkit does not know."""
    names = dict.fromkeys(each.customer for each in fresh if isinstance(each.customer, tuple))
    return {name: new_id() for name in names if name not in customers}


def _require_customers(
    fresh: Sequence[CheckedTransaction], customers: dict[Name, UUID], outcomes: Outcomes
) -> list[CheckedTransaction]:
    kept = []
    for each in fresh:
        if each.customer is None or each.customer in customers:
            kept.append(each)
            continue
        name = each.customer if isinstance(each.customer, UUID) else each.customer[1]
        problem = Problem(
            "UNKNOWN_CUSTOMER", "there is no such customer", each.row, "customer", str(name)
        )
        outcomes.reject(each.row, [problem])
    return kept


def _ask_plugins(
    session: Session,
    registry: PluginRegistry,
    recorded: dict[int, RecordedTransaction],
    batch: TransactionBatch,
    outcomes: Outcomes,
) -> dict[int, RecordedTransaction]:
    """Leave out what a plugin refuses, and what refers to it."""
    answers = registry.tell("check_transactions", session, batch=batch)
    refused: dict[UUID, list[Refusal]] = {}
    for refusal in (each for some in answers for each in some):
        refused.setdefault(refusal.id, []).append(refusal)
    kept = {}
    for row, each in recorded.items():
        if each.original_id in refused and each.id not in refused:
            message = "the transaction it refers to was refused"
            refused[each.id] = [Refusal(each.id, "ORIGINAL_REFUSED", message, "original")]
        if each.id in refused:
            why = refused[each.id]
            outcomes.reject(row, [Problem(r.code, r.message, row, r.field) for r in why])
        else:
            kept[row] = each
    return kept


def _write(
    session: Session,
    registry: PluginRegistry,
    recorded: dict[int, RecordedTransaction],
    fingerprints: dict[int, str],
    missing: dict[tuple[str, str], UUID],
    batch: TransactionBatch,
) -> None:
    if not recorded:
        return
    _create_missing(session, registry, missing, batch)
    write_batch(session, registry, batch, [fingerprints[row] for row in recorded])
    announce_transactions(session, batch.transactions)


def write_batch(
    session: Session,
    registry: PluginRegistry,
    batch: TransactionBatch,
    fingerprints: Sequence[str],
) -> None:
    """Write transactions that are complete and checked, with all that follows from them.

    Args:
        fingerprints: one for each transaction, in the same order.
    """
    sums = sums_of(batch)
    new_days = metrics.count_new_days(session, sums)
    with small_writes(session, sum(len(each.lines) for each in batch.transactions)):
        insert_transactions(session, batch, fingerprints)
        metrics.add(session, sums, new_days, batch.recorded_at)
    metrics.rebuild_voided(session, sums)
    registry.tell("transactions_recorded", session, batch=batch)


def _create_missing(
    session: Session,
    registry: PluginRegistry,
    missing: dict[tuple[str, str], UUID],
    batch: TransactionBatch,
) -> None:
    """Create the customers that the written rows need; a rejected row leaves none behind."""
    needed = {each.customer_id for each in batch.transactions}
    created = {name: id_ for name, id_ in missing.items() if id_ in needed}
    if created:
        create_customers(session, created, batch.recorded_at)
        news = CustomerBatch(tuple(created.values()), (), batch.recorded_at, batch.actor)
        registry.tell("customers_upserted", session, batch=news)
