"""Recording the history of a shop again in a copy."""

import heapq
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import select
from sqlmodel import Session

from crmkit.batches import TransactionBatch
from crmkit.bulk import insert_rows, table_of
from crmkit.columns import wire_instant
from crmkit.crm import Crm
from crmkit.models import Customer
from crmkit.models.customers import Lifecycle
from crmkit.rehearsing.history import Again, in_order
from crmkit.transactions import write_batch

_PAGE = 500
_customer = table_of(Customer)
_COLUMNS = ("id", "display_name", "lifecycle", "lifecycle_since", "created_at", "updated_at")


class Fact(NamedTuple):
    """Something besides transactions that happened, and is done again in the copy.

    Attributes:
        owners: whom it concerns; None for everybody, such as a job.
        do: does it, in a writing session of the copy in which these customers are there.
    """

    at: datetime
    owners: frozenset[UUID] | None
    do: Callable[[Session], None]


def replay(shop: Session, copy: Crm, until: datetime, facts: Iterable[Fact] = ()) -> None:
    """Record in a copy what happened before an instant, each thing as if it came alone.

    What concerns different customers is written together.

    Args:
        shop: reading session of the shop.
        facts: in the order of their time; one comes before transactions of the same instant.
    """
    for page in _pages(heapq.merge(facts, in_order(shop, until), key=lambda each: each.at)):
        copy.write(lambda session, page=page: _record(session, copy, page))  # type: ignore[misc]


def _pages(events: Iterable[Fact | Again]) -> Iterator[list[Fact | Again]]:
    """Put together what can be done at once: no customer stands twice on a page."""
    page: list[Fact | Again] = []
    met: set[UUID] = set()
    for event in events:
        owners = event.owners
        if page and (owners is None or not met.isdisjoint(owners) or len(page) == _PAGE):
            yield page
            page, met = [], set()
        page.append(event)
        if owners is None:
            yield page
            page = []
        else:
            met |= owners
    if page:
        yield page


def _record(session: Session, copy: Crm, page: Sequence[Fact | Again]) -> None:
    _enrol(session, {who for event in page for who in event.owners or ()}, page[-1].at)
    sold = [event for event in page if isinstance(event, Again)]
    if sold:
        batch = TransactionBatch(tuple(each.transaction for each in sold), sold[-1].at)
        write_batch(session, copy.registry, batch, [each.fingerprint for each in sold])
    for event in page:
        if isinstance(event, Fact):
            event.do(session)


def _enrol(session: Session, customers: set[UUID], at: datetime) -> None:
    """Make customers known in the copy: by their ids, without anything personal."""
    known = select(_customer.c.id).where(_customer.c.id.in_(sorted(customers)))
    missing = customers - set(session.scalars(known)) if customers else set()
    since = wire_instant(at)
    rows = [(id_.hex, "", str(Lifecycle.PROSPECT), since, since, since) for id_ in sorted(missing)]
    insert_rows(session, Customer, _COLUMNS, rows)
