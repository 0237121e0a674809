"""Merging the points of two customers, and undoing it."""

import hashlib
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import orjson
from sqlalchemy import ColumnElement, FromClause, exists, update
from sqlalchemy import select as rows
from sqlmodel import Session, col, select

from crmkit import IdempotencyMismatch, NotFound, ValidationFailed, table_of
from crmkit.checking import Row
from crmkit_loyalty import ledger
from crmkit_loyalty.adjustment import REASON_MAX
from crmkit_loyalty.book import Book
from crmkit_loyalty.forwarding import move_all, move_lot
from crmkit_loyalty.lots import AccountKey
from crmkit_loyalty.merging_models import PointsMerge
from crmkit_loyalty.models import LedgerEntry, LoyaltyAccount
from crmkit_loyalty.moving_errors import NotMerged
from crmkit_loyalty.point_kinds import POINTS
from crmkit_loyalty.settings import LoyaltySettings
from crmkit_loyalty.standing import check_not_blocked, check_not_merged

_merge = table_of(PointsMerge)
_undo = _merge.alias("undo")


class Merge(NamedTuple):
    """A request to merge points, or to undo the merge of a customer.

    Attributes:
        giver: whose points go, or went.
        receiver: to whom; None undoes the merge.
        reason: why, in words.
        key: idempotency key, unique for the giver.
    """

    giver: UUID
    receiver: UUID | None
    reason: str
    key: str

    @property
    def fingerprint(self) -> str:
        """Digest of what is asked for."""
        asked = [self.receiver and self.receiver.hex, self.reason]
        return hashlib.sha256(orjson.dumps(asked)).hexdigest()


def is_in_force(merge: FromClause) -> ColumnElement[bool]:
    """Return the condition that a row is a merge which was not undone."""
    is_undone = exists().where(_undo.c.undoes_merge_id == merge.c.id)
    return merge.c.undoes_merge_id.is_(None) & ~is_undone


def merged_into(customer_id: Any) -> Any:
    """Return into whose points a customer's were merged, by the facts alone."""
    into = rows(_merge.c.into_customer_id)
    return into.where(
        _merge.c.from_customer_id == customer_id, is_in_force(_merge)
    ).scalar_subquery()


def merge(
    session: Session, asked: Merge, *, actor: str, now: datetime, settings: LoyaltySettings
) -> UUID:
    """Move all points and debts of a customer to another, now and whatever comes later.

    Lots keep their dates; a debt of one is paid by the points of the other. With no receiver, the
    merge of the customer is undone: what is left of the points goes back. The same key and request
    change nothing again.

    Returns:
        The merge, or the one that was undone.

    Raises:
        ValidationFailed: a text is empty or too long, or both are the same customer.
        NotFound: one of the customers does not exist.
        IdempotencyMismatch: the key was used for another of these requests.
        AccountMerged: the points of one of the two were merged into another's before.
        AccountBlocked: the points of one of the two are blocked.
        NotMerged: there is no merge to undo.
    """
    asked = _checked(asked)
    whose = {asked.giver} if asked.receiver is None else {asked.giver, asked.receiver}
    book = ledger.open_book(session, whose, whose, now, settings)
    for customer in whose:
        if AccountKey(customer, POINTS) not in book:
            raise NotFound("customer", customer)
    mine = select(PointsMerge).where(PointsMerge.from_customer_id == asked.giver)
    stored = session.exec(mine.where(PointsMerge.idempotency_key == asked.key)).one_or_none()
    if stored is not None:
        if stored.fingerprint != asked.fingerprint:
            raise IdempotencyMismatch(asked.key)
        return stored.undoes_merge_id or stored.id
    before = session.exec(mine.where(is_in_force(_merge))).one_or_none()
    if asked.receiver is not None:
        for customer in whose:
            check_not_merged(book.holdings, customer)
            check_not_blocked(book.holdings, customer)
        into = asked.receiver
        _move(book, asked.giver, into)
    else:
        if before is None:
            raise NotMerged
        into = before.into_customer_id
        check_not_merged(book.holdings, into)
        _move_back(session, book, into, asked.giver)
    ledger.write(session, book)
    fact = PointsMerge(
        from_customer_id=asked.giver, into_customer_id=into,
        undoes_merge_id=before.id if before else None, reason=asked.reason, actor=actor,
        idempotency_key=asked.key, fingerprint=asked.fingerprint, recorded_at=now,
    )  # fmt: skip
    session.add(fact)
    account = update(LoyaltyAccount).where(
        col(LoyaltyAccount.customer_id) == asked.giver, col(LoyaltyAccount.point_kind) == POINTS
    )
    session.exec(account.values(merged_into=asked.receiver))
    session.flush()
    return before.id if before else fact.id


def _checked(asked: Merge) -> Merge:
    row = Row(0)
    if asked.giver == asked.receiver:
        row.fail("NOT_ALLOWED", "name two different customers", "intoCustomerId")
    reason = row.required_text("reason", asked.reason, REASON_MAX)
    key = row.required_text("idempotencyKey", asked.key)
    if row.problems:
        raise ValidationFailed(row.problems)
    return asked._replace(reason=reason, key=key)


def _move(book: Book, giver: UUID, receiver: UUID) -> None:
    for account in book.accounts():
        if account.customer_id == giver:
            heir = AccountKey(receiver, account.point_kind)
            for each in (account, heir):
                book.let_lapse(each, book.recorded_at)
            move_all(book, account, heir)


def _move_back(session: Session, book: Book, holder: UUID, giver: UUID) -> None:
    """Move the lots back that have points left which were the giver's at first."""
    book.holdings[AccountKey(giver, POINTS)].merged_into = None
    own = _merged_with(session, giver)
    for account in book.accounts():
        if account.customer_id == holder:
            book.let_lapse(account, book.recorded_at)
            lots = list(book.holdings[account].lots)
            origins = select(LedgerEntry.id, LedgerEntry.customer_id).where(
                col(LedgerEntry.id).in_([lot.origin_id for lot in lots])
            )
            first = dict(session.exec(origins).all())
            for lot in lots:
                if first.get(lot.origin_id) in own:
                    move_lot(book, lot, account, AccountKey(giver, account.point_kind))


def _merged_with(session: Session, customer: UUID) -> set[UUID]:
    """Return a customer with all whose points were merged into theirs, directly or not."""
    found = new = {customer}
    while new:
        into = select(PointsMerge.from_customer_id).where(
            col(PointsMerge.into_customer_id).in_(new), is_in_force(_merge)
        )
        new = set(session.exec(into)) - found
        found |= new
    return found
