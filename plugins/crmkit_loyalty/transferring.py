"""Transferring points from one customer to another."""

import hashlib
from datetime import datetime, time
from typing import NamedTuple
from uuid import UUID

import orjson
from sqlalchemy import func
from sqlmodel import Session, col, select

from crmkit import IdempotencyMismatch, NotFound, ValidationFailed, new_id
from crmkit.checking import Row
from crmkit_loyalty import ledger
from crmkit_loyalty.adjustment import REASON_MAX
from crmkit_loyalty.book import Book
from crmkit_loyalty.entries import Draft
from crmkit_loyalty.errors import InsufficientPoints
from crmkit_loyalty.holds import overdue_of, release_all
from crmkit_loyalty.lots import AccountKey
from crmkit_loyalty.models import EntryKind, LedgerEntry
from crmkit_loyalty.moving_errors import TransferLimitReached, TransfersNotAllowed
from crmkit_loyalty.moving_rules import spendable
from crmkit_loyalty.settings import LoyaltySettings
from crmkit_loyalty.standing import check_not_blocked, check_not_merged
from crmkit_loyalty.transfer_settings import POINTS_MAX

RULE = "transfer"


class Transfer(NamedTuple):
    """A request to transfer points.

    Attributes:
        giver: whose points go.
        receiver: to whom.
        points: how many.
        reason: why, in words, for both customers and the auditor.
        key: idempotency key, unique for the giver.
    """

    giver: UUID
    receiver: UUID
    point_kind: str
    points: int
    reason: str
    key: str

    @property
    def fingerprint(self) -> str:
        """Digest of what is asked for."""
        asked = [self.receiver.hex, self.point_kind, self.points, self.reason]
        return hashlib.sha256(orjson.dumps(asked)).hexdigest()


def transfer(
    session: Session, asked: Transfer, *, actor: str, now: datetime, settings: LoyaltySettings
) -> LedgerEntry:
    """Move points that can be spent to another customer, where they keep their dates.

    The same key and request give the same entry for ever.

    Returns:
        The giver's entry; those of the receiver have the same `source_id`.

    Raises:
        ValidationFailed: a value is outside its limits, or both are the same customer.
        NotFound: one of the customers does not exist.
        IdempotencyMismatch: the key was used for another transfer of the giver.
        TransfersNotAllowed: the settings do not allow transfers.
        TransferLimitReached: more than the settings allow; the key stays free.
        AccountMerged: the points of one of the two are another's now; the key stays free.
        AccountBlocked: the points of one of the two are blocked; the key stays free.
        InsufficientPoints: more than can be spent; the key stays free.
    """
    asked = _checked(asked, settings)
    account = AccountKey(asked.giver, asked.point_kind)
    # The accounts are locked in the order of their ids, so opposite transfers cannot deadlock.
    book = ledger.open_book(session, {asked.giver, asked.receiver}, {asked.giver}, now, settings)
    for customer in (asked.giver, asked.receiver):
        if AccountKey(customer, asked.point_kind) not in book:
            raise NotFound("customer", customer)
    stored = ledger.entry_with(session, asked.giver, _key(asked))
    if stored is not None:
        if stored.fingerprint != asked.fingerprint:
            raise IdempotencyMismatch(asked.key)
        return stored
    _check_limits(session, asked, now, settings)
    for customer in (asked.giver, asked.receiver):
        check_not_merged(book.holdings, customer)
        check_not_blocked(book.holdings, customer)
    release_all(session, book, overdue_of(session, asked.giver, now), now)
    book.let_lapse(account, now)
    short = InsufficientPoints(book.available(account, now), asked.points)
    if asked.points > short.available:
        raise short
    _post(book, asked, actor, now)
    ledger.write_if_covered(session, book, short)
    return ledger.entry_with(session, asked.giver, _key(asked))  # type: ignore[return-value] # just made


def _checked(asked: Transfer, settings: LoyaltySettings) -> Transfer:
    row = Row(0)
    if asked.giver == asked.receiver:
        row.fail("NOT_ALLOWED", "name two different customers", "toCustomerId")
    if asked.point_kind not in settings.terms:
        known = ", ".join(settings.terms)
        row.fail("UNKNOWN_VALUE", f"choose one of: {known}", "pointKind", asked.point_kind)
    if type(asked.points) is not int or not 0 < asked.points <= POINTS_MAX:
        row.fail("OUT_OF_RANGE", f"give 1 to {POINTS_MAX} points", "points", asked.points)
    reason = row.required_text("reason", asked.reason, REASON_MAX)
    key = row.required_text("idempotencyKey", asked.key)
    if row.problems:
        raise ValidationFailed(row.problems)
    return asked._replace(reason=reason, key=key)


def _check_limits(
    session: Session, asked: Transfer, now: datetime, settings: LoyaltySettings
) -> None:
    limits = settings.transfers
    if not limits.allowed:
        raise TransfersNotAllowed
    most = POINTS_MAX if limits.points_max is None else limits.points_max
    if limits.customer_month_max is not None:
        most = min(most, limits.customer_month_max - _given(session, asked, now, settings))
    if asked.points > most:
        raise TransferLimitReached(asked.points, max(most, 0))


def _given(session: Session, asked: Transfer, now: datetime, settings: LoyaltySettings) -> int:
    """Return the points that the giver gave away in the month so far."""
    first = now.astimezone(settings.zone).date().replace(day=1)
    since = datetime.combine(first, time(), settings.zone)
    given = select(func.sum(-LedgerEntry.points_delta)).where(
        col(LedgerEntry.customer_id) == asked.giver,
        col(LedgerEntry.occurred_at) >= since,
        col(LedgerEntry.kind) == EntryKind.TRANSFER_OUT,
        col(LedgerEntry.point_kind) == asked.point_kind,
    )
    return int(session.exec(given).one() or 0)


def _post(book: Book, asked: Transfer, actor: str, now: datetime) -> None:
    account, transfer_id = AccountKey(asked.giver, asked.point_kind), new_id()
    received = spendable(book.holdings[account].lots, asked.points, now)
    out = Draft(
        asked.giver, EntryKind.TRANSFER_OUT, -asked.points, now, RULE,
        {"version": 1, "to": asked.receiver.hex}, source=RULE, source_id=transfer_id,
        reason=asked.reason, actor=actor, key=_key(asked), fingerprint=asked.fingerprint,
        point_kind=asked.point_kind,
    )  # fmt: skip
    book.post(out)
    for line, moved in enumerate(received, 1):
        told = {"version": 1, "from": asked.giver.hex, "dates": moved.told()}
        book.post(
            out._replace(
                customer_id=asked.receiver, kind=EntryKind.TRANSFER_IN, points_delta=moved.points,
                explanation=told, line=line, dates=moved.dates, key=None, fingerprint=None,
            )
        )  # fmt: skip


def _key(asked: Transfer) -> str:
    return f"transfer:{asked.key}"
