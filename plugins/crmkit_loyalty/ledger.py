"""The only code that writes points."""

from collections.abc import Collection
from datetime import datetime
from typing import Literal
from uuid import UUID

from sqlmodel import Session, select

from crmkit import (
    Event,
    announce,
    insert_rows,
    merge_rows,
    run_sql,
    small_writes,
)
from crmkit_loyalty.book import Book
from crmkit_loyalty.book_rows import (
    ACCOUNT_COLUMNS,
    ALLOCATION_COLUMNS,
    ENTRY_COLUMNS,
    LOT_COLUMNS,
)
from crmkit_loyalty.errors import InsufficientPoints
from crmkit_loyalty.forwarding import forward
from crmkit_loyalty.holdings import load_lots, lock_accounts
from crmkit_loyalty.lots import AccountKey, Holding
from crmkit_loyalty.models import Allocation, LedgerEntry, Lot, LoyaltyAccount
from crmkit_loyalty.restarting import restart
from crmkit_loyalty.settings import LoyaltySettings

POINTS_MOVED = Event("loyalty.points_moved")
"""A customer's points became more or less."""

_MOVE_IF_COVERED = """UPDATE loyalty_account SET
    balance = CASE WHEN balance - debt + ? > 0 THEN balance - debt + ? ELSE 0 END,
    debt = CASE WHEN balance - debt + ? < 0 THEN -(balance - debt + ?) ELSE 0 END,
    last_entry_id = ?
    WHERE customer_id = ? AND point_kind = ? AND (? > 0 OR balance + ? >= 0)"""


def open_book(
    session: Session,
    customers: Collection[UUID],
    debited: Collection[UUID],
    recorded_at: datetime,
    settings: LoyaltySettings,
) -> Book:
    """Lock accounts until the session ends, and return a book in which entries can be posted.

    Args:
        debited: those of the customers who may lose points; only their lots are loaded.
    """
    locked = lock_accounts(session, customers, settings.terms)
    heirs = _lock_heirs(session, locked.holdings, settings)
    load_lots(session, locked.holdings, heirs.union(debited))
    return Book(locked.holdings, recorded_at, settings, has_set_rules=locked.has_set_rules)


def _lock_heirs(
    session: Session, holdings: dict[AccountKey, Holding], settings: LoyaltySettings
) -> set[UUID]:
    """Lock the accounts of those to whom points of merged customers go, and return who they are.

    This may break the order of locks, but only beside a merge; a deadlock is then tried again.
    """
    while True:
        heirs = {held.merged_into for held in holdings.values() if held.merged_into}
        missing = heirs - {account.customer_id for account in holdings}
        if not missing:
            return heirs
        holdings |= lock_accounts(session, missing, settings.terms).holdings


def write(session: Session, book: Book) -> None:
    """Write everything that was posted in a book, and move the accounts along.

    Whatever merged customers have or owe by now goes to their heirs.
    """
    forward(book)
    accounts = book.moved_accounts()
    how: dict[str, Literal["replace"]] = dict.fromkeys(ACCOUNT_COLUMNS[2:], "replace")
    with small_writes(session, _row_count(book)):
        merge_rows(session, LoyaltyAccount, ACCOUNT_COLUMNS, accounts, how)
        _insert(session, book)
    if book.restarted:
        restart(session, book.restarted, book.settings)


def write_if_covered(session: Session, book: Book, refusal: InsufficientPoints) -> None:
    """Write what was posted in a book, if each account has what goes.

    Accounts move by a conditional statement each, so that the database has the last word.

    Raises:
        InsufficientPoints: an account would fall below 0; the refusal that was given.
    """
    for (customer_id, kind), points, last_entry_id in book.moves():
        values = *[points] * 4, last_entry_id.hex, customer_id.hex, kind, points, points
        if run_sql(session, _MOVE_IF_COVERED, *values).rowcount == 0:
            raise refusal
    _insert(session, book)


def entry_with(session: Session, customer_id: UUID, key: str) -> LedgerEntry | None:
    """Return the entry that a key led to, free of the session, so that it outlives it."""
    wanted = select(LedgerEntry).where(
        LedgerEntry.customer_id == customer_id, LedgerEntry.idempotency_key == key
    )
    entry = session.exec(wanted).one_or_none()
    if entry is not None:
        session.expunge(entry)
    return entry


def _insert(session: Session, book: Book) -> None:
    moved = [move.account.customer_id for move in book.moves() if move.points]
    announce(session, POINTS_MOVED, {id_: id_ for id_ in moved})
    rows, allocations = book.rows, book.rows.allocations()
    with small_writes(session, _row_count(book)):
        insert_rows(session, LedgerEntry, ENTRY_COLUMNS, rows.entries)
        insert_rows(session, Lot, LOT_COLUMNS, rows.lots)
        if rows.gives_back:
            merge_rows(session, Allocation, ALLOCATION_COLUMNS, allocations, {"points": "add"})
        else:
            insert_rows(session, Allocation, ALLOCATION_COLUMNS, allocations)


def _row_count(book: Book) -> int:
    return max(len(book.rows.entries), len(book.rows.allocations()))
