"""Redemptions that paid for sales of which goods come back, for all sales of a batch."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from decimal import Decimal
from math import floor
from uuid import UUID

from sqlalchemy import func, select
from sqlmodel import Session

from crmkit import table_of
from crmkit_loyalty import accrual
from crmkit_loyalty.book import Book
from crmkit_loyalty.entries import Posted
from crmkit_loyalty.giving_back import Cause, Given, Spent, give_back, given_by, refunded_share
from crmkit_loyalty.history import Link, Past
from crmkit_loyalty.holdings import load_parts
from crmkit_loyalty.lots import Part
from crmkit_loyalty.models import EntryKind, LedgerEntry
from crmkit_loyalty.point_kinds import RedemptionTerms

_DEFAULT = RedemptionTerms(value=Decimal(1))
_entry = table_of(LedgerEntry)
_undo = _entry.alias("undo")


class Refunds:
    """What points paid for the sales of a batch, and what has come back of it."""

    def __init__(
        self,
        spent: Sequence[Spent],
        parts: Mapping[UUID, Sequence[Part]],
        given: Mapping[UUID, dict[UUID, Given]],
    ) -> None:
        self._of_sale: defaultdict[UUID, list[Spent]] = defaultdict(list)
        for each in spent:
            self._of_sale[each.sale_id].append(each)
        self._parts, self._given = parts, given

    def follow(self, book: Book, past: Past, link: Link) -> None:
        """Give back the points whose turn has come, now that goods came back."""
        spent = self._of_sale.get(link.original_id, ())
        if not spent:
            return
        sold = past.sold[link.original_id]
        share = accrual.returned_share(sold, past.returned_of(link.original_id))
        total, paid = accrual.sold_minor(sold), sum(each.value_minor for each in spent)
        cause = Cause("transaction", link.id, link.occurred_at, link.kind)
        for each in spent:
            entry = each.entry
            terms = book.settings.kind(entry.point_kind).redemption or _DEFAULT
            due = floor(
                -entry.points_delta * refunded_share(terms.refund_order, share, paid, total)
            )
            self._give(book, entry, due, cause, terms)

    def give_all(self, book: Book, entry: Posted, cause: Cause) -> None:
        """Give back all points of a redemption that have not come back yet."""
        terms = book.settings.kind(entry.point_kind).redemption or _DEFAULT
        self._give(book, entry, -entry.points_delta, cause, terms)

    def _give(
        self, book: Book, entry: Posted, due: int, cause: Cause, terms: RedemptionTerms
    ) -> None:
        given = self._given[entry.id]
        points = due - sum(one.points for one in given.values())
        if points > 0:
            parts = self._parts.get(entry.id, ())
            given |= give_back(book, entry, points, parts, given.values(), cause, terms)

    def forget(self, entry_id: UUID) -> None:
        """Note that what an entry gave back was taken again."""
        for given in self._given.values():
            given.pop(entry_id, None)


def load_refunds(session: Session, book: Book, spent: Sequence[Spent]) -> Refunds:
    """Return what redemptions took, and what was given back of it so far."""
    ids = [each.entry.id for each in spent]
    given: defaultdict[UUID, dict[UUID, Given]] = defaultdict(dict)
    if ids:
        undone = (
            select(func.coalesce(-func.sum(_undo.c.points_delta), 0))
            .where(_undo.c.reverses_entry_id == _entry.c.id)
            .scalar_subquery()
        )
        columns = _entry.c.reverses_entry_id, _entry.c.id, _entry.c.points_delta
        statement = select(*columns, undone, _entry.c.explanation).where(
            _entry.c.reverses_entry_id.in_(ids), _entry.c.kind == EntryKind.REVERSAL
        )
        for redemption_id, id_, points, again, explanation in session.execute(statement):
            given[redemption_id][id_] = given_by(points, int(again), explanation)
    return Refunds(spent, load_parts(session, book.holdings, ids), given)
