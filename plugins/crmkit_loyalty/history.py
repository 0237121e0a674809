"""Reading what earlier transactions did to points, for all originals of a batch at once."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import and_, exists, func, select, text, union_all
from sqlmodel import Session

from crmkit import RecordedLine, table_of
from crmkit.models import Transaction, TransactionKind, TransactionLine
from crmkit_loyalty.accrual import Returned, weights_in
from crmkit_loyalty.entries import Posted
from crmkit_loyalty.models import EntryKind, LedgerEntry, Lot

_CHUNK = 500
_entry, _lot = table_of(LedgerEntry), table_of(Lot)
_transaction, _line = table_of(Transaction), table_of(TransactionLine)
# Made once: an alias costs more than a statement that uses it.
_void, _undo, _expiry = (_transaction.alias("void"), _entry.alias("undo"), _entry.alias("expiry"))
_moved = _entry.alias("moved")
_voids = and_(_void.c.original_id == _transaction.c.id, _void.c.kind == TransactionKind.VOID)


_OF_OTHERS = ("active_from", "expires_at", "weights", "lapsed")


class Link(NamedTuple):
    """A transaction that refers to an earlier one; the names are those of `Transaction`."""

    id: UUID
    kind: str
    occurred_at: datetime
    original_id: UUID


@dataclass(slots=True)
class Past:
    """What is known of the sales that the transactions of a batch refer to.

    Attributes:
        sold: lines of each sale.
        returned: for each sale, what came back by which transaction that was not voided.
        taken: points that returns have taken back from each accrual.
        expired: points of each accrual that have expired.
        late: for each sale that was anonymous until now, what came back of it before.
        original_of: the sale each return refers to.
    """

    sold: defaultdict[UUID, list[RecordedLine]] = field(default_factory=lambda: defaultdict(list))
    returned: defaultdict[UUID, dict[UUID, list[Returned]]] = field(
        default_factory=lambda: defaultdict(dict)
    )
    taken: defaultdict[UUID, int] = field(default_factory=lambda: defaultdict(int))
    expired: defaultdict[UUID, int] = field(default_factory=lambda: defaultdict(int))
    late: defaultdict[UUID, list[tuple[Link, list[Returned]]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    original_of: dict[UUID, UUID] = field(default_factory=dict)

    def returned_of(self, sale: UUID) -> Iterable[Returned]:
        """Return everything that came back of a sale."""
        return chain.from_iterable(self.returned[sale].values())

    def note(self, link: Link, lines: list[Returned]) -> None:
        """Remember what a transaction brought back."""
        self.returned[link.original_id][link.id] = lines
        self.original_of[link.id] = link.original_id

    def forget(self, voided: UUID) -> None:
        """Leave out a return that was voided."""
        original = self.original_of.get(voided)
        if original is not None:
            self.returned[original].pop(voided, None)


def posted_by(session: Session, transactions: Collection[UUID]) -> list[Posted]:
    """Return the entries that transactions led to, oldest first."""
    if not transactions:
        return []
    entries: list[Posted] = []
    fields = [field for field in Posted._fields if field not in _OF_OTHERS]
    lot_of = func.coalesce(_entry.c.reverses_entry_id, _entry.c.id)
    for wanted in _chunks(transactions):
        # Two partial indexes: the condition on the kind must be literal to use either.
        for kind in ("kind = 'accrual'", "kind <> 'accrual'"):
            statement = (
                select(
                    *(_entry.c[field] for field in fields),
                    _lot.c.active_from,
                    _lot.c.expires_at,
                    _entry.c.explanation,
                )
                .outerjoin(
                    _lot,
                    and_(_lot.c.customer_id == _entry.c.customer_id, _lot.c.entry_id == lot_of),
                )
                .where(_entry.c.source_id.in_(wanted), text(f"loyalty_ledger_entry.{kind}"))
            )
            entries += [
                Posted._make((*row[:-1], weights_in(row[-1]), row[-1].get("lapsed", 0)))
                for row in session.execute(statement)
            ]
    return sorted(entries, key=lambda entry: entry.id)


def load_past(
    session: Session, entries: Iterable[Posted], paid: Collection[UUID], batch: Collection[UUID]
) -> Past:
    """Return what has come back so far of the sales that led to `entries`, or were paid by points.

    Args:
        paid: sales that points paid for.
        batch: transactions being followed; they are stored, but not counted yet.
    """
    past = Past()
    accruals = [entry for entry in entries if entry.kind == EntryKind.ACCRUAL]
    sales = {entry.source_id for entry in accruals if entry.source_id}.union(paid)
    if not sales:
        return past
    for sale, line in _lines_of(session, sales):
        past.sold[sale].append(line)
    for link, lines in _links_to(session, sales, batch):
        past.note(link, lines)
    ids = [entry.id for entry in accruals]
    past.taken.update(_taken(session, ids))
    past.expired.update(_expired(session, ids))
    return past


def load_late(session: Session, past: Past, batch: Collection[UUID]) -> None:
    """Add what came back of the batch's own sales before they had a customer."""
    for link, lines in _links_to(session, batch, batch):
        past.late[link.original_id].append((link, lines))


def _lines_of(session: Session, sales: Collection[UUID]) -> Iterator[tuple[UUID, RecordedLine]]:
    columns = [_line.c[field] for field in RecordedLine._fields]
    for wanted in _chunks(sales):
        statement = select(_line.c.transaction_id, *columns)
        rows = session.execute(statement.where(_line.c.transaction_id.in_(wanted)))
        yield from ((sale, RecordedLine(*line)) for sale, *line in rows)


def _links_to(
    session: Session, sales: Collection[UUID], batch: Collection[UUID]
) -> Iterator[tuple[Link, list[Returned]]]:
    """Give what came back of sales, oldest first, without the batch and what was voided."""
    links: dict[Link, list[Returned]] = defaultdict(list)
    for wanted in _chunks(sales):
        statement = (
            select(
                *(_transaction.c[field] for field in Link._fields),
                _void.c.id,
                _line.c.original_position,
                _line.c.quantity_milli,
            )
            .join(_line, _line.c.transaction_id == _transaction.c.id)
            .outerjoin(_void, _voids)
            .where(_transaction.c.original_id.in_(wanted), _line.c.original_position.is_not(None))
        )
        for *link, voided_by, position, quantity in session.execute(statement):
            if link[0] not in batch and (voided_by is None or voided_by in batch):
                links[Link(*link)].append((position, -quantity))
    yield from sorted(links.items())


def _taken(session: Session, accruals: Collection[UUID]) -> Iterator[tuple[UUID, int]]:
    """Give the points taken back from each accrual, without what voids have undone."""
    for wanted in _chunks(accruals):
        undone = exists().where(
            _undo.c.reverses_entry_id == _entry.c.id, _undo.c.source_id != _entry.c.source_id
        )
        statement = (
            select(_entry.c.reverses_entry_id, func.sum(-_entry.c.points_delta))
            .where(_entry.c.reverses_entry_id.in_(wanted), ~undone)
            .group_by(_entry.c.reverses_entry_id)
        )
        for accrual, points in session.execute(statement):
            yield accrual, int(points)


def _expired(session: Session, accruals: Collection[UUID]) -> Iterator[tuple[UUID, int]]:
    """Give the points of each accrual that expired, also after they came back or were merged."""
    for wanted in _chunks(accruals):
        given_back = (
            select(_undo.c.id, _entry.c.reverses_entry_id)
            .join(_entry, _entry.c.id == _undo.c.reverses_entry_id)
            .where(_entry.c.reverses_entry_id.in_(wanted), _undo.c.points_delta > 0)
        )
        origins = union_all(
            select(_entry.c.id.label("id"), _entry.c.id.label("accrual_id")).where(
                _entry.c.id.in_(wanted)
            ),
            given_back,
            select(_moved.c.id, _moved.c.source_id).where(
                text("moved.kind <> 'accrual'"),
                _moved.c.kind == EntryKind.MERGE_IN,
                _moved.c.source_id.in_(wanted),
            ),
        ).subquery()
        statement = (
            select(origins.c.accrual_id, func.sum(-_expiry.c.points_delta))
            .join(_expiry, _expiry.c.source_id == origins.c.id)
            .where(text("expiry.kind <> 'accrual'"), _expiry.c.kind == EntryKind.EXPIRY)
            .group_by(origins.c.accrual_id)
        )
        for accrual, points in session.execute(statement):
            yield accrual, int(points)


def _chunks(ids: Iterable[UUID]) -> Iterator[list[UUID]]:
    ordered = sorted(ids)
    for start in range(0, len(ordered), _CHUNK):
        yield ordered[start : start + _CHUNK]
