"""Redeeming points, at once or by holding them first."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import and_, or_
from sqlmodel import Session, col, select

from crmkit import IdempotencyMismatch, NotFound
from crmkit_loyalty import ledger
from crmkit_loyalty.errors import (
    InsufficientPoints,
    RedemptionNotAllowed,
)
from crmkit_loyalty.holds import overdue_at, release_all
from crmkit_loyalty.lots import AccountKey
from crmkit_loyalty.models import EntryKind
from crmkit_loyalty.redeemed import Caller, kept, redemption_draft, terms_of
from crmkit_loyalty.redeeming_rules import Purchase, check_redemption, choice, value_minor
from crmkit_loyalty.redemption_models import Redemption, RedemptionState
from crmkit_loyalty.settings import LoyaltySettings


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
    terms = terms_of(account.point_kind, settings)
    whose = {account.customer_id}
    book = ledger.open_book(session, whose, whose, caller.now, settings)
    if account not in book:
        raise NotFound("customer", account.customer_id)
    stored, overdue = _own_redemptions(session, account.customer_id, wanted.key, caller.now)
    if stored is not None:
        if stored.fingerprint != wanted.fingerprint:
            raise IdempotencyMismatch(caller.key)
        return stored
    book.check_not_merged(account.customer_id)
    book.check_not_blocked(account.customer_id)
    release_all(session, book, overdue, caller.now)
    book.let_lapse(account, caller.now)
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
    ledger.write_if_covered(session, book, short)
    return kept(session, made)


def _own_redemptions(
    session: Session, customer_id: UUID, key: str, now: datetime
) -> tuple[Redemption | None, list[Redemption]]:
    """Return what a key of a customer led to, and the customer's holds whose time is over."""
    mine = select(Redemption).where(
        Redemption.customer_id == customer_id,
        or_(col(Redemption.idempotency_key) == key, and_(*overdue_at(now))),
    )
    found = session.exec(mine.order_by(col(Redemption.id))).all()
    for each in found:
        session.expunge(each)
    stored = next((each for each in found if each.idempotency_key == key), None)
    return stored, [each for each in found if each is not stored]
