"""Redeeming points, at once or by holding them first."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlmodel import Session

from crmkit import (
    IdempotencyMismatch,
    NotFound,
    read_id,
    run_sql,
    small_writes,
    wire_instant,
)
from crmkit_loyalty import ledger
from crmkit_loyalty.book import Book
from crmkit_loyalty.errors import InsufficientPoints
from crmkit_loyalty.holds import release_all
from crmkit_loyalty.lots import AccountKey
from crmkit_loyalty.models import EntryKind
from crmkit_loyalty.redeemed import Caller, insert_redemption, redemption_draft, terms_of
from crmkit_loyalty.redeeming_errors import RedemptionNotAllowed
from crmkit_loyalty.redeeming_rules import Purchase, check_redemption, choice, value_minor
from crmkit_loyalty.redemption_models import Redemption, RedemptionState
from crmkit_loyalty.settings import LoyaltySettings
from crmkit_loyalty.standing import check_not_blocked, check_not_merged

# Mostly there are none, and then nothing is loaded.
_OWN = """SELECT id FROM loyalty_redemption WHERE customer_id = ?
    AND (idempotency_key = ? OR (state = 'held' AND held_until <= ?)) ORDER BY id"""


def redeem(
    session: Session,
    account: AccountKey,
    points: int,
    purchase: Purchase,
    caller: Caller,
    settings: LoyaltySettings,
    *,
    holds: bool = False,
) -> Redemption:
    """Redeem points, or hold them until they are redeemed or released.

    The same key and request give the same redemption for ever, in the state it is in by then.

    Args:
        points: how many, as the customer chose.
        purchase: what they pay for; where its total is told, they may pay a share of it only.
        holds: whether to hold them only, for as long as the settings say.

    Raises:
        ValidationFailed: a value is outside its limits.
        NotRedeemable: this kind of points pays for nothing.
        NotFound: there is no such customer.
        IdempotencyMismatch: the key was used for another redemption of this customer.
        AccountMerged: the customer's points are another's now; the key stays free.
        AccountBlocked: the customer's points are blocked; the key stays free.
        InsufficientPoints: more were asked for than can be spent; the key stays free.
        RedemptionNotAllowed: too few, too many, or between two steps; the key stays free.
    """
    word = "hold" if holds else "redeem"
    wanted = check_redemption(points, account.point_kind, purchase, caller.key, word)
    caller = caller._replace(key=wanted.key)
    terms = terms_of(account.point_kind, settings)
    book, stored = begin(session, account, wanted.fingerprint, caller, settings)
    if stored is not None:
        return stored
    chosen = choice(
        book.available(account, caller.now), purchase.total_minor, terms, settings.currency
    )
    short = InsufficientPoints(chosen.available, points)
    if points > chosen.available:
        raise short
    if not chosen.allows(points):
        raise RedemptionNotAllowed(points, *chosen[1:])
    made = Redemption(
        customer_id=account.customer_id, point_kind=account.point_kind, points=points,
        value_minor=value_minor(points, terms, settings.currency), currency=settings.currency,
        source=wanted.purchase.source, external_id=wanted.purchase.external_id,
        state=RedemptionState.HELD if holds else RedemptionState.REDEEMED,
        requested_at=caller.now, actor=caller.actor, idempotency_key=wanted.key,
        fingerprint=wanted.fingerprint,
    )  # fmt: skip
    kind = EntryKind.HOLD if holds else EntryKind.REDEMPTION
    entry = book.post(redemption_draft(made, kind, terms, caller))
    if holds:
        made.hold_entry_id = entry.id
        made.held_until = caller.now + timedelta(minutes=terms.hold_minutes)
    else:
        made.entry_id, made.settled_at = entry.id, caller.now
    write(session, book, made, short)
    return made


def begin(
    session: Session,
    account: AccountKey,
    fingerprint: str,
    caller: Caller,
    settings: LoyaltySettings,
) -> tuple[Book, Redemption | None]:
    """Lock an account that points are to be redeemed from, and let go what nobody holds any more.

    Returns:
        The book, and the redemption if the request was answered before.

    Raises:
        NotFound, IdempotencyMismatch, AccountMerged, AccountBlocked: as for `redeem`.
    """
    whose = {account.customer_id}
    book = ledger.open_book(session, whose, whose, caller.now, settings)
    if account not in book:
        raise NotFound("customer", account.customer_id)
    stored, overdue = _own_redemptions(session, account.customer_id, caller.key, caller.now)
    if stored is not None:
        if stored.fingerprint != fingerprint:
            raise IdempotencyMismatch(caller.key)
        return book, stored
    check_not_merged(book.holdings, account.customer_id)
    check_not_blocked(book.holdings, account.customer_id)
    release_all(session, book, overdue, caller.now)
    book.let_lapse(account, caller.now)
    return book, None


def write(session: Session, book: Book, made: Redemption, short: InsufficientPoints) -> None:
    """Write a new redemption with what was posted for it.

    Raises:
        InsufficientPoints: the account has too few points; the refusal that was given.
    """
    with small_writes(session, len(book.rows.entries)):
        ledger.write_if_covered(session, book, short)
        insert_redemption(session, made)


def _own_redemptions(
    session: Session, customer_id: UUID, key: str, now: datetime
) -> tuple[Redemption | None, list[Redemption]]:
    """Return what a key of a customer led to, and the customer's holds whose time is over."""
    rows = run_sql(session, _OWN, customer_id.hex, key, wire_instant(now)).fetchall()
    found = [session.get_one(Redemption, read_id(id_)) for (id_,) in rows]
    for each in found:
        session.expunge(each)
    stored = next((each for each in found if each.idempotency_key == key), None)
    return stored, [each for each in found if each is not stored]
