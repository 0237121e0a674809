"""Tying returns, exchanges and voids to the transactions they name."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain
from uuid import UUID

from sqlmodel import Session

from crmkit.batches import RecordedLine, RecordedTransaction
from crmkit.checking import Row
from crmkit.models import TransactionKind
from crmkit.returned_lines import Returned, link_returned_lines
from crmkit.stored_transactions import find_stored, load_recorded, load_returned
from crmkit.transaction_rules import CheckedTransaction

_RETURNABLE = (TransactionKind.SALE, TransactionKind.EXCHANGE)


@dataclass(slots=True)
class Originals:
    """What the rows of a batch may return, exchange or void, and what was done to it so far.

    Attributes:
        by_name: transactions by source and external id.
        returned: for each transaction, what came back of it, by the id of the return.
        voided: ids of the transactions that were voided.
    """

    by_name: dict[tuple[str, str], RecordedTransaction]
    returned: dict[UUID, dict[UUID, list[Returned]]]
    voided: set[UUID]

    def note(self, done: RecordedTransaction, original: RecordedTransaction) -> None:
        """Take up a row of this batch, for the rows that come after it."""
        self.by_name[(done.source, done.external_id)] = done
        if done.kind == TransactionKind.VOID:
            self.voided.add(original.id)
            if original.original_id is not None:
                self.returned.get(original.original_id, {}).pop(original.id, None)
            return
        self.returned.setdefault(original.id, {})[done.id] = [
            Returned(line.original_position, -line.quantity_milli, -line.amount_minor)
            for line in done.lines
            if line.original_position is not None
        ]


def load_originals(
    session: Session,
    linked: Iterable[CheckedTransaction],
    batch: Iterable[RecordedTransaction],
) -> Originals:
    """Find what `linked` names, in the batch or stored; what is stored stays locked.

    Args:
        batch: the transactions of the batch that name no original.
    """
    by_name = {(each.source, each.external_id): each for each in batch}
    wanted = {(each.source, each.original or "") for each in linked} - by_name.keys()
    stored = {key: found.id for key, found in find_stored(session, sorted(wanted)).items()}
    loaded = load_recorded(session, stored.values(), for_update=True)
    by_name.update({key: loaded[id_] for key, id_ in stored.items()})
    returned, voided = load_returned(session, stored.values())
    return Originals(by_name, returned, voided)


def lines_against(
    row: Row,
    each: CheckedTransaction,
    customer_id: UUID | None,
    original: RecordedTransaction,
    originals: Originals,
) -> tuple[RecordedLine, ...]:
    """Return the lines of a return, exchange or void, tied to those of its original.

    Args:
        row: takes the problems.
        customer_id: whom the row names; None if it names nobody.
    """
    if original.id in originals.voided:
        row.fail("ALREADY_VOIDED", "the original was voided", "original", each.original)
    if original.currency != each.currency:
        row.fail(
            "CURRENCY_MISMATCH",
            f"the original is in {original.currency}",
            "currency",
            each.currency,
        )
    before = originals.returned.get(original.id, {})
    if each.kind == TransactionKind.VOID:
        return _void_lines(row, each, customer_id, original, is_returned=bool(before))
    if original.kind not in _RETURNABLE:
        row.fail("NOT_ALLOWED", f"a {original.kind} cannot come back", "original", each.original)
        return ()
    return link_returned_lines(
        row, each.lines, original.lines, chain.from_iterable(before.values())
    )


def _void_lines(
    row: Row,
    each: CheckedTransaction,
    customer_id: UUID | None,
    original: RecordedTransaction,
    *,
    is_returned: bool,
) -> tuple[RecordedLine, ...]:
    if original.kind == TransactionKind.VOID or is_returned:
        row.fail(
            "NOT_ALLOWED",
            "a void, or a sale with returns, cannot be voided",
            "original",
            each.original,
        )
    if customer_id is not None and customer_id != original.customer_id:
        row.fail(
            "CUSTOMER_MISMATCH", "a void has the customer of its original", "customer", customer_id
        )
    return tuple(
        line._replace(
            quantity_milli=-line.quantity_milli,
            amount_minor=-line.amount_minor,
            tax_minor=-line.tax_minor,
            original_position=line.position,
        )
        for line in original.lines
    )
