"""Reading all transactions again, in the order of their time, a page at a time."""

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import literal, select, tuple_
from sqlmodel import Session

from crmkit.batches import RecordedTransaction
from crmkit.bulk import table_of
from crmkit.models import Transaction
from crmkit.stored_transactions import load_recorded

PAGE = 1_000
_sale = table_of(Transaction)
_original = _sale.alias("original")


class Again(NamedTuple):
    """A transaction in its turn.

    Attributes:
        at: when its turn is; that of its original if that came later.
        owners: whom it concerns: its customer, and that of its original.
        fingerprint: as stored.
    """

    at: datetime
    transaction: RecordedTransaction
    owners: frozenset[UUID]
    fingerprint: str


class _Header(NamedTuple):
    id: UUID
    occurred_at: datetime
    fingerprint: str
    original_id: UUID | None
    owner: UUID | None
    is_early: bool | None


def in_order(session: Session, until: datetime) -> Iterator[Again]:
    """Give the transactions before an instant by the time they occurred, then by their ids.

    One that precedes its original, by a clock that was wrong, follows that at once.
    """
    waiting: dict[UUID, list[Again]] = {}
    held: set[UUID] = set()
    after: tuple[datetime, UUID] | None = None
    while page := _page(session, until, after):
        recorded = load_recorded(session, [header.id for header in page])
        for header in page:
            each = recorded[header.id]
            owners = frozenset(who for who in (each.customer_id, header.owner) if who)
            again = Again(header.occurred_at, each, owners, header.fingerprint)
            original_id = header.original_id
            if original_id is not None and (header.is_early or original_id in held):
                waiting.setdefault(original_id, []).append(again)
                held.add(header.id)
                continue
            for ready in _with_those_waiting(again, waiting):
                held.discard(ready.transaction.id)
                yield ready
        after = page[-1].occurred_at, page[-1].id


def _page(session: Session, until: datetime, after: tuple[datetime, UUID] | None) -> list[_Header]:
    place = tuple_(_sale.c.occurred_at, _sale.c.id)
    is_early = tuple_(_original.c.occurred_at, _original.c.id) > place
    statement = (
        select(
            _sale.c.id, _sale.c.occurred_at, _sale.c.fingerprint, _sale.c.original_id,
            _original.c.customer_id, is_early,
        )
        .outerjoin(_original, _original.c.id == _sale.c.original_id)
        .where(_sale.c.occurred_at < until)
        .order_by(_sale.c.occurred_at, _sale.c.id)
        .limit(PAGE)
    )  # fmt: skip
    if after is not None:
        at, id_ = after
        last = tuple_(literal(at, _sale.c.occurred_at.type), literal(id_, _sale.c.id.type))
        statement = statement.where(place > last)
    return [_Header(*row) for row in session.execute(statement)]


def _with_those_waiting(again: Again, waiting: dict[UUID, list[Again]]) -> Iterator[Again]:
    ready = [again]
    while ready:
        each = ready.pop()
        yield each._replace(at=again.at)
        ready += reversed(waiting.pop(each.transaction.id, []))
