"""Reading transactions back in the form hooks receive."""

from collections import defaultdict
from collections.abc import Iterable
from uuid import UUID

from sqlmodel import Session, col, select

from crmkit.batches import RecordedLine, RecordedTransaction
from crmkit.bulk import table_of
from crmkit.models import Transaction, TransactionKind, TransactionLine

_CHUNK = 500


def load_recorded(
    session: Session, ids: Iterable[UUID], *, for_update: bool = False
) -> dict[UUID, RecordedTransaction]:
    """Return transactions with their lines, by id, in the order of their ids.

    Args:
        for_update: keep others from returning or voiding them until this session ends.
    """
    wanted = sorted(ids)
    found: dict[UUID, RecordedTransaction] = {}
    for start in range(0, len(wanted), _CHUNK):
        chunk = wanted[start : start + _CHUNK]
        lines = _lines(session, chunk)
        table = table_of(Transaction)
        fields = [field for field in RecordedTransaction._fields if field != "lines"]
        statement = select(*(table.c[field] for field in fields))  # type: ignore[call-overload]
        statement = statement.where(table.c.id.in_(chunk)).order_by(table.c.id)
        if for_update:
            statement = statement.with_for_update()
        for row in session.execute(statement):
            found[row.id] = RecordedTransaction(*row, lines=tuple(lines[row.id]))
    return found


def _lines(session: Session, ids: list[UUID]) -> dict[UUID, list[RecordedLine]]:
    table = table_of(TransactionLine)
    columns = [table.c[field] for field in RecordedLine._fields]
    statement = (
        select(table.c.transaction_id, *columns)  # type: ignore[call-overload]
        .where(table.c.transaction_id.in_(ids))
        .order_by(table.c.transaction_id, table.c.position)
    )
    lines: dict[UUID, list[RecordedLine]] = defaultdict(list)
    for row in session.execute(statement):
        lines[row[0]].append(RecordedLine(*row[1:]))
    return lines


def load_returned(
    session: Session, ids: Iterable[UUID]
) -> tuple[dict[UUID, list[tuple[int, int]]], set[UUID]]:
    """Return what came back of some sales so far, and which of them were voided.

    Returns:
        For each sale the pairs (position, quantity in thousandths) of returned lines, as positive
        numbers; and the ids of the voided ones.
    """
    returned: dict[UUID, list[tuple[int, int]]] = defaultdict(list)
    voided: set[UUID] = set()
    wanted = sorted(ids)
    for start in range(0, len(wanted), _CHUNK):
        statement = (
            select(
                Transaction.original_id,
                Transaction.kind,
                TransactionLine.original_position,
                TransactionLine.quantity_milli,
            )
            .join(TransactionLine, col(TransactionLine.transaction_id) == col(Transaction.id))
            .where(col(Transaction.original_id).in_(wanted[start : start + _CHUNK]))
        )
        for original, kind, position, quantity in session.execute(statement):
            if kind == TransactionKind.VOID:
                voided.add(original)
            elif position is not None:
                returned[original].append((position, -quantity))
    return returned, voided
