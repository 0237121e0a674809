"""Reading transactions back in the form hooks receive."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import exists, select
from sqlmodel import Session

from crmkit.batches import RecordedLine, RecordedTransaction
from crmkit.bulk import table_of
from crmkit.models import Transaction, TransactionKind, TransactionLine
from crmkit.named_rows import read_id, rows_named
from crmkit.returned_lines import Returned

_CHUNK = 500


@dataclass(frozen=True, slots=True)
class Stored:
    """What tells whether a transaction that arrives is known already."""

    id: UUID
    fingerprint: str


def find_stored(session: Session, keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], Stored]:
    """Return the transactions that exist, by source and external id."""
    key = ("source", "external_id")
    rows = rows_named(session, Transaction, (*key, "id", "fingerprint"), key, keys)
    return {
        (source, external_id): Stored(read_id(id_), fingerprint)
        for source, external_id, id_, fingerprint in rows
    }


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
        statement = select(*(table.c[field] for field in fields))
        statement = statement.where(table.c.id.in_(chunk)).order_by(table.c.id)
        if for_update:
            statement = statement.with_for_update()
        for row in session.execute(statement):
            found[row.id] = RecordedTransaction._make((*row, tuple(lines[row.id])))
    return found


def _lines(session: Session, ids: list[UUID]) -> dict[UUID, list[RecordedLine]]:
    table = table_of(TransactionLine)
    columns = [table.c[field] for field in RecordedLine._fields]
    statement = (
        select(table.c.transaction_id, *columns)
        .where(table.c.transaction_id.in_(ids))
        .order_by(table.c.transaction_id, table.c.position)
    )
    lines: dict[UUID, list[RecordedLine]] = defaultdict(list)
    for row in session.execute(statement):
        lines[row[0]].append(RecordedLine(*row[1:]))
    return lines


def load_returned(
    session: Session, ids: Iterable[UUID]
) -> tuple[dict[UUID, dict[UUID, list[Returned]]], set[UUID]]:
    """Return what came back of some transactions so far, and which of them were voided.

    Returns:
        For each transaction what was returned, by the id of the return; a return that was voided
        is left out. And the ids of the voided ones.
    """
    returned: dict[UUID, dict[UUID, list[Returned]]] = defaultdict(dict)
    voided: set[UUID] = set()
    table, line = table_of(Transaction), table_of(TransactionLine)
    void = table.alias("void")
    is_void = exists().where(void.c.original_id == table.c.id, void.c.kind == TransactionKind.VOID)
    columns = (table.c.original_id, table.c.id, table.c.kind, line.c.original_position)
    wanted = sorted(ids)
    for start in range(0, len(wanted), _CHUNK):
        statement = (
            select(*columns, line.c.quantity_milli, line.c.amount_minor)
            .join(line, line.c.transaction_id == table.c.id)
            .where(table.c.original_id.in_(wanted[start : start + _CHUNK]), ~is_void)
        )
        for original, id_, kind, position, quantity, amount in session.execute(statement):
            if kind == TransactionKind.VOID:
                voided.add(original)
                continue
            pieces = returned[original].setdefault(id_, [])
            if position is not None:
                pieces.append(Returned(position, -quantity, -amount))
    return returned, voided
