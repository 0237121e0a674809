"""Giving checked transactions their id, their customer and the original they name."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlmodel import Session

from crmkit.batches import RecordedLine, RecordedTransaction
from crmkit.checking import Row
from crmkit.customer_lookup import Name, lock_customers
from crmkit.errors import ValidationFailed
from crmkit.ids import new_id
from crmkit.inputs import TransactionInput
from crmkit.models import TransactionKind
from crmkit.originals import Originals, lines_against, load_originals
from crmkit.outcomes import Outcomes
from crmkit.transaction_rules import CheckedTransaction, check_paid, check_transaction


def complete(
    session: Session,
    fresh: Sequence[CheckedTransaction],
    customers: dict[Name, UUID],
    outcomes: Outcomes,
) -> dict[int, RecordedTransaction]:
    """Give each transaction its id, customer and original; returns row number to transaction."""
    ids = {(each.source, each.external_id): new_id() for each in fresh}
    recorded: dict[int, RecordedTransaction] = {}
    linked: list[CheckedTransaction] = []
    for each in fresh:
        if each.original is not None:
            linked.append(each)
            continue
        recorded[each.row] = _recorded(each, ids, customers, None, each.lines)
    if linked:
        _link(session, linked, ids, customers, recorded, outcomes)
    return _in_order(recorded)


def sale_as_recorded(given: TransactionInput, zone: ZoneInfo) -> RecordedTransaction:
    """Return a sale as it would be recorded now; nothing is looked up, and nothing written.

    Args:
        given: names its customer by id, or none.
        zone: the shops' time zone.

    Raises:
        ValidationFailed: with the problems that recording it would have.
    """
    checked = check_transaction(0, given, zone)
    if not isinstance(checked, CheckedTransaction):
        raise ValidationFailed(checked)
    customers = {} if checked.customer is None else {checked.customer: _id_of(checked.customer)}
    ids = {(checked.source, checked.external_id): new_id()}
    return _recorded(checked, ids, customers, None, checked.lines)


def _id_of(name: Name) -> UUID:
    if not isinstance(name, UUID):
        raise TypeError("a customer is named by id here")
    return name


def _in_order(recorded: dict[int, RecordedTransaction]) -> dict[int, RecordedTransaction]:
    """Return the rows in the order received, but each original before what names it."""
    rank: dict[UUID | None, tuple[int, int]] = {}
    for row, each in recorded.items():  # an original was completed before what names it
        latest, depth = rank.get(each.original_id, (row, -1))
        rank[each.id] = (max(row, latest), depth + 1)
    return dict(sorted(recorded.items(), key=lambda item: rank[item[1].id]))


def _recorded(
    each: CheckedTransaction,
    ids: Mapping[tuple[str, str], UUID],
    customers: Mapping[Name, UUID],
    original: RecordedTransaction | None,
    lines: tuple[RecordedLine, ...],
) -> RecordedTransaction:
    customer_id = customers[each.customer] if each.customer else None
    total, paid = sum(line.amount_minor for line in lines), each.paid_minor
    if original is not None and each.customer is None:
        customer_id = original.customer_id
    if original is not None and paid is None and each.kind == TransactionKind.VOID:
        paid = -original.paid_minor
    return RecordedTransaction(
        id=ids[(each.source, each.external_id)],
        kind=each.kind,
        source=each.source,
        external_id=each.external_id,
        customer_id=customer_id,
        occurred_at=each.occurred_at,
        business_on=each.business_on,
        channel=each.channel,
        store=each.store,
        staff=each.staff,
        currency=each.currency,
        total_minor=total,
        paid_minor=total if paid is None else paid,
        original_id=original.id if original else None,
        lines=lines,
    )


def _link(
    session: Session,
    linked: Sequence[CheckedTransaction],
    ids: dict[tuple[str, str], UUID],
    customers: dict[Name, UUID],
    recorded: dict[int, RecordedTransaction],
    outcomes: Outcomes,
) -> None:
    """Tie returns, exchanges and voids to their originals, stored or in this batch.

    One that came before its original waits for it, and follows at once.
    """
    originals = load_originals(session, linked, recorded.values())
    # Those that name no customer get their original's, whose figures they change.
    lock_customers(session, (t.customer_id for t in originals.by_name.values() if t.customer_id))
    waiting: dict[tuple[str, str], list[CheckedTransaction]] = defaultdict(list)
    for first in linked:
        ready = [first]
        while ready:
            each = ready.pop()
            original = originals.by_name.get((each.source, each.original or ""))
            if original is None:
                waiting[(each.source, each.original or "")].append(each)
                continue
            row = Row(each.row)
            done = _tied(row, each, original, originals, ids, customers)
            if row.problems:
                outcomes.reject(each.row, row.problems)
                continue
            recorded[each.row] = done
            originals.note(done, original)
            ready += reversed(waiting.pop((each.source, each.external_id), []))
    for each in (each for some in waiting.values() for each in some):
        row = Row(each.row)
        row.fail("UNKNOWN_ORIGINAL", "there is no such transaction", "original", each.original)
        outcomes.reject(each.row, row.problems)


def _tied(
    row: Row,
    each: CheckedTransaction,
    original: RecordedTransaction,
    originals: Originals,
    ids: Mapping[tuple[str, str], UUID],
    customers: Mapping[Name, UUID],
) -> RecordedTransaction:
    named = customers[each.customer] if each.customer else None
    lines = lines_against(row, each, named, original, originals)
    done = _recorded(each, ids, customers, original, lines)
    if each.kind == TransactionKind.VOID:  # its lines, and so its total, are known only now
        check_paid(row, each.paid_minor, done.total_minor)
    return done
