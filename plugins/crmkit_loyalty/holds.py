"""Points that are held: redeeming them, releasing them, and the job that ends holds in time."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement
from sqlmodel import Session, col, select

from crmkit import IdempotencyMismatch, Job, JobRun
from crmkit_loyalty import ledger
from crmkit_loyalty.book import Book
from crmkit_loyalty.entries import Draft
from crmkit_loyalty.holdings import load_parts
from crmkit_loyalty.models import EntryKind
from crmkit_loyalty.redeemed import (
    VERSION,
    Caller,
    kept,
    open_redemption,
    redemption_draft,
    terms_of,
)
from crmkit_loyalty.redeeming_errors import RedemptionEnded, RedemptionNotAllowed
from crmkit_loyalty.redeeming_rules import Purchase, check_redemption, choice, value_minor
from crmkit_loyalty.redemption_models import Redemption, RedemptionState
from crmkit_loyalty.settings import LoyaltySettings
from crmkit_loyalty.standing import check_not_blocked

HOLDS_MAX = 200
"""Holds that one step of the job ends; their customers' accounts are locked meanwhile."""


def redeem_held(
    session: Session,
    redemption_id: UUID,
    points: int | None,
    purchase: Purchase,
    caller: Caller,
    settings: LoyaltySettings,
) -> Redemption:
    """Redeem points that are held, all of them or fewer; the others come back.

    They are good even if they expired while they were held. Redeeming with the same key again
    gives the same answer.

    Args:
        points: how many; None means all.
        purchase: names the receipt they pay for, unless the hold did.

    Raises:
        ValidationFailed: a value is outside its limits.
        NotFound: there is no such redemption.
        IdempotencyMismatch: the key ended this hold in another way.
        RedemptionEnded: it is redeemed or released already, or its time is over.
        AccountBlocked: the customer's points were blocked meanwhile; they can be released.
        RedemptionNotAllowed: more points than are held, or between two steps.
    """
    ending = _begin_ending(session, redemption_id, points, "redeem", purchase, caller, settings)
    held = ending.redemption
    if ending.is_repeated:
        return held
    check_not_blocked(ending.book.holdings, held.customer_id)
    terms = terms_of(held.point_kind, settings)
    wanted = held.points if points is None else points
    chosen = choice(held.points, None, terms, held.currency)
    if wanted != held.points and not chosen.allows(wanted):
        raise RedemptionNotAllowed(wanted, *chosen[1:])
    release = _release_draft(held, caller.now, wanted)
    parts = load_parts(session, ending.book.holdings, [_hold_of(held)])
    held.points = wanted
    held.value_minor = value_minor(wanted, terms, held.currency)
    held.source = held.source or purchase.source
    held.external_id = held.external_id or purchase.external_id
    draft = redemption_draft(held, EntryKind.REDEMPTION, terms, caller)
    (of_hold,) = parts.values()
    entry = ending.book.redeem_held(release, draft, of_hold)
    ledger.write(session, ending.book)
    held.state, held.entry_id, held.settled_at = RedemptionState.REDEEMED, entry.id, caller.now
    return kept(session, held)


def release(
    session: Session, redemption_id: UUID, caller: Caller, settings: LoyaltySettings
) -> Redemption:
    """Let points go that are held; releasing with the same key again gives the same answer.

    They go back to the lots they came from. Those that expired meanwhile lapse.

    Raises:
        ValidationFailed: the key is empty or too long.
        NotFound: there is no such redemption.
        IdempotencyMismatch: the key ended this hold in another way.
        RedemptionEnded: it is redeemed or released already.
    """
    ending = _begin_ending(session, redemption_id, None, "release", Purchase(), caller, settings)
    if ending.is_repeated:
        return ending.redemption
    release_all(session, ending.book, [ending.redemption], caller.now)
    ledger.write(session, ending.book)
    return ending.redemption


def job(settings: LoyaltySettings) -> Job:
    """Return the job that ends holds whose time is over."""
    return Job(
        "loyalty.holds",
        "Release points whose hold has run out of time.",
        lambda session, run: release_overdue(session, run, settings),
    )


def release_overdue(session: Session, run: JobRun, settings: LoyaltySettings) -> int:
    """Release the holds that ended first, at most `HOLDS_MAX`; returns how many."""
    due = select(col(Redemption.id), col(Redemption.customer_id)).where(*overdue_at(run.now))
    found = session.exec(due.order_by(col(Redemption.held_until)).limit(HOLDS_MAX)).all()
    if not found:
        return 0
    customers = {customer_id for _, customer_id in found}
    book = ledger.open_book(session, customers, customers, run.now, settings)
    still = select(Redemption).where(
        col(Redemption.id).in_([id_ for id_, _ in found]), *overdue_at(run.now)
    )
    overdue = session.exec(still.order_by(col(Redemption.id))).all()
    release_all(session, book, overdue, run.now)
    ledger.write(session, book)
    return len(found)


class _Ending(NamedTuple):
    redemption: Redemption
    book: Book
    is_repeated: bool


def _begin_ending(
    session: Session,
    redemption_id: UUID,
    points: int | None,
    word: str,
    purchase: Purchase,
    caller: Caller,
    settings: LoyaltySettings,
) -> _Ending:
    """Lock the account of a hold, and see that the hold can still be ended this way."""
    book, held = open_redemption(session, redemption_id, caller, settings)
    asked = held.points if points is None else points
    wanted = check_redemption(asked, held.point_kind, purchase, caller.key, word)
    if held.settle_key == wanted.key:
        if held.settle_fingerprint != wanted.fingerprint:
            raise IdempotencyMismatch(caller.key)
        session.expunge(held)
        return _Ending(held, book, is_repeated=True)
    if held.state != RedemptionState.HELD:
        raise RedemptionEnded(held.state)
    if held.held_until is not None and held.held_until <= caller.now and word == "redeem":
        raise RedemptionEnded(RedemptionState.RELEASED)
    held.settle_key, held.settle_fingerprint = wanted.key, wanted.fingerprint
    return _Ending(held, book, is_repeated=False)


def overdue_at(now: datetime) -> Sequence[ColumnElement[bool]]:
    """Return the conditions of holds whose time is over at an instant."""
    return col(Redemption.state) == RedemptionState.HELD, col(Redemption.held_until) <= now


def overdue_of(session: Session, customer_id: UUID, now: datetime) -> Sequence[Redemption]:
    """Return the holds of a customer whose time is over, oldest first."""
    mine = select(Redemption).where(Redemption.customer_id == customer_id, *overdue_at(now))
    return session.exec(mine.order_by(col(Redemption.id))).all()


def release_all(session: Session, book: Book, held: Sequence[Redemption], now: datetime) -> None:
    """Post and note the release of holds; the book is written by the caller."""
    if not held:
        return
    parts = load_parts(session, book.holdings, [_hold_of(each) for each in held])
    for each in held:
        book.give_back(_release_draft(each, now, 0), parts[_hold_of(each)])
        each.state, each.settled_at = RedemptionState.RELEASED, now
        kept(session, each)


def _hold_of(held: Redemption) -> UUID:
    assert held.hold_entry_id is not None  # noqa: S101 what is held has an entry
    return held.hold_entry_id


def _release_draft(held: Redemption, now: datetime, redeemed: int) -> Draft:
    return Draft(
        held.customer_id,
        EntryKind.RELEASE,
        held.points,
        now,
        "redemption",
        {"version": VERSION, "held": held.points, "redeemed": redeemed},
        source="redemption",
        source_id=held.id,
        point_kind=held.point_kind,
    )
